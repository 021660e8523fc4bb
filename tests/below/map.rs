//! `docs/ARCHITECTURE.md` is a map of `src/`, and names every file there.

use std::{fs, path::Path};

#[test]
fn the_map_names_every_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/ARCHITECTURE.md")).unwrap();
    let files = files(&root.join("src"));
    assert!(files.len() > 100, "the files were not found: {files:?}");
    let missing: Vec<&String> = files.iter().filter(|file| !page.contains(&format!("{file}`"))).collect();
    assert!(missing.is_empty(), "docs/ARCHITECTURE.md does not name {missing:?}");
}

/// Returns the names of the source files below a folder, without tests and without the `mod.rs` that each folder has.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut names = Vec::new();
    for path in entries {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            names.extend(files(&path));
        } else if name.ends_with(".rs") && !["mod.rs", "tests.rs", "properties.rs"].contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}
