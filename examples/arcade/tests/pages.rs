//! Checks that the README and the guide show the exact sources of `race` and `coins`.

use std::{fs, path::Path};

/// The pages, each with the files below `examples/` that it shows.
const SHOWN: [(&str, &[&str]); 2] = [
    ("README.md", &["race/src/lib.rs", "race/src/main.rs"]),
    ("docs/GUIDE.md", &["coins/src/lib.rs", "coins/src/main.rs", "coins/web/app.ts", "coins/web/index.html"]),
];

#[test]
fn the_pages_show_the_real_sources() {
    for (page, files) in SHOWN {
        let blocks = blocks(&read(page));
        for file in files {
            let source = source(&read(&format!("examples/{file}")));
            assert!(blocks.iter().any(|block| block.ends_with(&source)), "{page} has no block that equals examples/{file}");
        }
    }
}

/// Reads a file of the repository.
fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the lines of a source file without the comment at its head, which the pages leave out.
fn source(text: &str) -> String {
    text.lines().skip_while(|line| line.starts_with("//!") || line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Returns the fenced blocks of a page without the lines that rustdoc hides.
fn blocks(page: &str) -> Vec<String> {
    let fenced = page.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    let visible = |text: &str| text.lines().filter(|line| !line.starts_with("# ")).collect::<Vec<_>>().join("\n");
    fenced.map(|(_, text)| visible(text).trim_end().into()).collect()
}
