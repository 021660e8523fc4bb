//! The template `board` compiles as it is kept, its own tests pass, and its page has the types of its rules.

// Made games have the default style, which `cargo fmt` here would change.
#[rustfmt::skip]
#[path = "../templates/board/src/lib.rs"]
mod rules;

use std::{fs, path::Path};

use tickcast::game::GameDef;

use crate::rules::Rules;

#[test]
fn the_page_has_the_types_of_the_rules() {
    let types = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/board/web/my-game.d.ts");
    let kept = fs::read_to_string(&types).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(kept, GameDef::new::<Rules>().unwrap().schema().to_d_ts(), "{}", types.display());
}
