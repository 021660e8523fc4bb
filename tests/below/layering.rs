//! A room of the library imports only from rooms that `src/lib.rs` declares above it.

use std::{fs, path::Path};

#[test]
fn rooms_import_only_from_rooms_above_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let front = fs::read_to_string(src.join("lib.rs")).unwrap();
    let rooms: Vec<&str> = front.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(rooms.len() >= 7 && rooms[0] == "protocol", "the list of rooms was not found: {rooms:?}");

    let mut wrong = Vec::new();
    for (at, room) in rooms.iter().enumerate() {
        for (file, text) in sources(&src.join(room)) {
            for (number, line) in text.lines().enumerate() {
                for used in used_rooms(line, &rooms) {
                    if rooms.iter().position(|room| *room == used).is_some_and(|of| of > at) {
                        wrong.push(format!("{file}:{}: {room} uses {used}, which is above it", number + 1));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_seam_is_where_the_feature_begins() {
    let front = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let (below, above) = front.split_once("// The seam.").expect("lib.rs marks the seam");
    assert!(!below.contains("feature = \"server\")]\npub mod"), "no room below the seam needs the server");
    let above = above.split("pub mod prelude").next().unwrap();
    assert_eq!(above.matches("pub mod ").count(), above.matches("#[cfg(feature = \"server\")]\npub mod").count());
}

/// The rooms that a line names: `use crate::room`, `crate::{room, ..}` and paths in code.
fn used_rooms<'a>(line: &str, rooms: &[&'a str]) -> Vec<&'a str> {
    let code = line.split("//").next().unwrap_or(line);
    let mut used: Vec<&str> = Vec::new();
    for after in code.split("crate::").skip(1) {
        used.extend(rooms.iter().filter(|room| {
            after.strip_prefix(**room).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        }));
    }
    // A nested list of imports has a room at the start of each of its lines, one level in.
    if let Some(item) = code.strip_prefix("    ").filter(|item| !item.starts_with(' ')) {
        used.extend(rooms.iter().filter(|room| item.strip_prefix(**room).is_some_and(|rest| rest.starts_with("::"))));
    }
    used
}

/// The files of a room, `room.rs` or `room/**`.
fn sources(room: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut folders = vec![room.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                all.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!all.is_empty(), "{} has no sources", room.display());
    all
}
