//! The TypeScript types in a game's view are those that the server prints.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, process::Command};

#[test]
fn the_types_in_the_views_are_up_to_date() {
    for game in ["arena"] {
        let file = format!("examples/{game}/view/types.d.ts");
        let kept = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(&file)).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_arcade")).args(["--print-types", game]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(
            kept.replace("\r\n", "\n") == printed,
            "{file} differs from the types of the game {game}; renew it with\n  \
             cargo run -p arcade -- --print-types {game} > {file}\n\nprinted:\n{printed}\nkept:\n{kept}"
        );
    }
}
