//! `docs/SECURITY-TESTS.md` names a test or an attack for each thing that was tried. All of them exist, and no attack is missing.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Returns the text of every file below a folder that is written in Rust or TypeScript.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "ts") {
            text += &fs::read_to_string(path).unwrap();
        }
    }
    text
}

#[test]
fn the_page_of_security_tests_names_what_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("docs/SECURITY-TESTS.md")).unwrap();
    let code: String = ["src", "tests", "examples", "loadtest/tests"].iter().map(|folder| sources(&root.join(folder))).collect();
    let of_sdk = sources(&root.join("assets/sdk/test"));
    let listed = Command::new(env!("CARGO_BIN_EXE_loadtest")).args(["attack", "--list"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let attacks: BTreeSet<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();

    let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains(['`', '"']));
    let (mut tests, mut named) = (0, BTreeSet::new());
    for row in rows {
        let proofs = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for proof in proofs.split(", ") {
            let is_attack = proof.starts_with("attack ");
            let name = proof.trim_start_matches("attack ").trim_matches('`');
            if is_attack {
                assert!(attacks.contains(name), "there is no attack {name}: {row}");
                named.insert(name);
            } else if proof.starts_with('"') {
                assert!(of_sdk.contains(&format!("({proof}, ")), "the SDK has no test {proof}: {row}");
            } else {
                assert!(code.contains(&format!("fn {name}(")), "there is no test {name}: {row}");
                tests += 1;
            }
        }
    }
    assert!(tests > 60, "the tests were not found");
    let missing: Vec<_> = attacks.difference(&named).collect();
    assert!(missing.is_empty(), "docs/SECURITY-TESTS.md does not name the attacks {missing:?}");
}
