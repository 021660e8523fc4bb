//! The README shows this crate's sources to the letter.

use std::{fs, path::Path};

/// The lines of a file of this crate, without the comment at its head that the page leaves out.
fn source(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().skip_while(|line| line.starts_with("//!") || line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// The fenced blocks of the page, without the lines that rustdoc hides.
fn blocks() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let fenced = page.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    let visible = |text: &str| text.lines().filter(|line| !line.starts_with("# ")).collect::<Vec<_>>().join("\n");
    fenced.map(|(_, text)| visible(text).trim_end().into()).collect()
}

#[test]
fn the_page_shows_what_is_built() {
    let blocks = blocks();
    for file in ["src/main.rs"] {
        let source = source(file);
        assert!(blocks.iter().any(|block| block.ends_with(&source)), "the README has no block that equals {file}");
    }
}
