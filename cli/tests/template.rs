//! The template compiles as it is kept, its own tests pass, and its page has the types of its rules.

// The template's `main` and module name the crate of the rules.
extern crate self as my_game;

// Made games have the default style, which `cargo fmt` here would change.
#[rustfmt::skip]
#[path = "../templates/arena/src/lib.rs"]
mod rules;

#[rustfmt::skip]
#[path = "../templates/arena/src/main.rs"]
#[allow(dead_code, reason = "this program is a test")]
mod program;

#[rustfmt::skip]
#[path = "../templates/arena/module/src/lib.rs"]
mod module;

use std::{fs, path::Path};

use tickcast::game::GameDef;

pub use crate::rules::Rules;

/// Reads a file, by its path from the root of the repository.
fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).replace("\r\n", "\n")
}

#[test]
fn the_page_has_the_types_of_the_rules() {
    let types = GameDef::new::<Rules>().unwrap().schema().to_d_ts();
    assert_eq!(read("cli/templates/arena/web/my-game.d.ts"), types);
}

#[test]
fn clippy_finds_what_breaks_determinism_in_a_made_game_too() {
    let (_, rules) =
        read("clippy.toml").split_once("what follows.\n").map(|(head, rules)| (head.len(), rules.to_owned())).unwrap();
    let (listed, _) = rules.split_once("]\n").unwrap();
    assert!(read("cli/templates/arena/clippy.toml").contains(listed));
}
