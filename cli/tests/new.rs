//! Makes games with the program itself.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

mod support;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use support::{folder, repository, run, text, tickcast};

/// Makes a game, and returns its folder.
fn made(within: &Path, args: &[&str]) -> PathBuf {
    let output = tickcast(within, &[&["new"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    within.join(args[0])
}

/// Returns all files of a folder with their texts, by their paths within it.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let within = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
            found.push((within, fs::read_to_string(path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_game_is_made_with_its_name_in_every_place() {
    let game = made(&folder("named"), &["two-towers"]);
    let files = files(&game);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        ".dockerignore",
        ".gitignore",
        "Cargo.toml",
        "Dockerfile",
        "README.md",
        "clippy.toml",
        "module/Cargo.toml",
        "module/src/lib.rs",
        "src/lib.rs",
        "src/main.rs",
        "web/app.ts",
        "web/index.html",
        "web/package.json",
        "web/tsconfig.json",
        "web/two-towers.d.ts",
    ];
    assert_eq!(names, expected);
    for (name, text) in &files {
        for left in ["my-game", "my_game", "MyGame", "My game", "{ TICKCAST", "TICKCAST_S", "TICKCAST_C", "TICKCAST_B"] {
            assert!(!text.contains(left), "{name} still has {left}");
        }
    }
    let all: String = files.into_iter().map(|(_, text)| text).collect();
    for form in ["\"two-towers\"", "two_towers::Rules", "interface TwoTowers", "# Two towers", "two_towers_module.wasm"] {
        assert!(all.contains(form), "no {form}");
    }
}

#[test]
fn a_game_of_each_other_kind_has_its_name_and_needs_no_module() {
    let within = folder("kinds");
    for (kind, part) in [("board", "struct Board"), ("party", "struct Round")] {
        let game = made(&within, &[&format!("{kind}-night"), "--template", kind]);
        let files = files(&game);
        assert_eq!(files.len(), 13, "{kind}");
        for (name, text) in &files {
            for left in [
                "my-game",
                "my_game",
                "MyGame",
                "My game",
                "{ TICKCAST",
                "TICKCAST_S",
                "TICKCAST_C",
                "TICKCAST_B",
                "_module.wasm",
            ] {
                assert!(!text.contains(left), "{kind}: {name} still has {left}");
            }
        }
        let text = |path: &str| &files.iter().find(|(name, _)| name == path).unwrap().1;
        assert!(text("src/lib.rs").contains(part), "{kind}");
        assert!(text("Cargo.toml").contains(&format!("name = \"{kind}-night\"")), "{kind}");
    }
}

#[test]
fn a_game_made_within_the_repository_depends_on_it_by_path() {
    let game = made(&folder("path"), &["my-game"]);
    let named = made(&folder("named-path"), &["my-game", "--template", "arena", "--tickcast", &repository().to_string_lossy()]);
    let manifest = fs::read_to_string(game.join("Cargo.toml")).unwrap();
    assert_eq!(manifest, fs::read_to_string(named.join("Cargo.toml")).unwrap());
    let path = manifest.lines().find_map(|line| line.strip_prefix("tickcast = { path = \"")?.split('"').next()).unwrap();
    assert_eq!(fs::canonicalize(path).unwrap(), fs::canonicalize(repository()).unwrap());
    let package = fs::read_to_string(game.join("web/package.json")).unwrap();
    assert!(package.contains(&format!("\"@tickcast/client\": \"file:{path}/assets/sdk\"")), "{package}");
}

#[test]
fn names_and_folders_that_cannot_be_are_refused_in_a_sentence() {
    let within = folder("refused");
    fs::create_dir(within.join("taken")).unwrap();
    fs::write(within.join("taken/notes.txt"), "mine").unwrap();
    fs::write(within.join("file"), "mine").unwrap();
    let elsewhere = env::temp_dir();
    let elsewhere = elsewhere.to_string_lossy();
    for (args, sentence) in [
        (
            &["My Game"][..],
            "\"My Game\" cannot be the name of a game: it begins with a letter and has lower-case letters, digits",
        ),
        (&["games/match"], "\"match\" cannot be the name of a game: Rust or a crate that every game needs has it already"),
        (&["taken"], "taken is not empty: name a folder that does not exist, or an empty one"),
        (&["file"], "file is not empty"),
        (&[".."], "\"..\" names no folder to make"),
        (&["my-game", "--tickcast", &elsewhere], "is not a copy of Tickcast's repository"),
    ] {
        let output = tickcast(&within, &[&["new"], args].concat());
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
        assert!(said.starts_with("tickcast: ") && said.contains(sentence), "{said}");
    }
    assert_eq!(files(&within).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["file", "taken/notes.txt"]);
}

#[test]
fn an_empty_folder_is_taken() {
    let within = folder("empty");
    fs::create_dir(within.join("my-game")).unwrap();
    assert!(made(&within, &["my-game"]).join("src/lib.rs").is_file());
}

/// It builds the library once more, with the features that a game asks for. The lints of the repository see the templates elsewhere:
/// `template.rs`, `board.rs` and `party.rs` have them as modules.
#[test]
#[ignore = "takes minutes on a cold machine; `.ci/made-game` runs it"]
fn made_games_pass_their_tests_and_have_the_default_style() {
    // Always the same folder, so that what was built before is used again.
    let within = folder("whole");
    // Not the style of the repository, which is around it.
    fs::copy(repository().join("cli/templates/rustfmt.toml"), within.join("rustfmt.toml")).unwrap();
    for kind in ["arena", "board", "party"] {
        let game = made(&within, &[&format!("my-{kind}"), "--template", kind]);
        // The versions that the repository has, which are here.
        fs::copy(repository().join("Cargo.lock"), game.join("Cargo.lock")).unwrap();
        run(&game, "cargo", &["fmt", "--all", "--check"]);
        run(&game, "cargo", &["test", "--offline"]);
    }
}
