//! Imports point one way.
//!
//! A file uses only what is declared above it: the order is that of the `mod` lines in `src/lib.rs` and, inside a folder, in its
//! `mod.rs`. So there is no circle of imports, either. A `mod.rs` and the files of its folder are one module, and may use each other.
//! A name belongs to the file that defines it, whichever `mod.rs` re-exports it. Test code is held to the order of `src/lib.rs` alone.

use std::{fs, path::Path};

use crate::imports::Crate;

#[test]
fn files_import_only_from_files_declared_above_them() {
    let library = Crate::read("tickcast", &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs"));
    assert!(
        library.rooms().len() >= 7 && library.rooms()[..2] == ["math", "protocol"],
        "the rooms were not found: {:?}",
        library.rooms()
    );

    let upward = library.upward();
    assert!(upward.is_empty(), "{} files import from below:\n{}", upward.len(), upward.join("\n"));
}

#[test]
fn the_seam_is_where_the_feature_begins() {
    let front = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let (below, above) = front.split_once("// The seam.").expect("lib.rs marks the seam");
    assert!(!below.contains("feature = \"server\")]\npub mod"), "no room below the seam needs the server");
    let above = above.split("pub mod prelude").next().unwrap();
    assert_eq!(above.matches("pub mod ").count(), above.matches("#[cfg(feature = \"server\")]\npub mod").count());
}
