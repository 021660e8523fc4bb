//! Imports point one way, as in the library: a file uses only files that are declared above it, in the order of the `mod` lines.

use std::path::Path;

use imports::Crate;

#[path = "../../tests/support/imports.rs"]
mod imports;

#[test]
fn files_import_only_from_files_declared_above_them() {
    let loadtest = Crate::read("loadtest", &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs"));
    assert!(loadtest.rooms().len() >= 15 && loadtest.rooms()[0] == "wire", "the modules were not found: {:?}", loadtest.rooms());

    let upward = loadtest.upward();
    assert!(upward.is_empty(), "{} files import from below:\n{}", upward.len(), upward.join("\n"));
}
