//! The items that people meet first have an example in their documentation.

use std::{fs, path::Path};

/// The beginnings of the lines that declare these items, by file.
const ITEMS: [(&str, &[&str]); 17] = [
    (
        "game/mod.rs",
        &[
            "trait Game:",
            "trait GameInput:",
            "trait GameEvent:",
            "trait GameCommand:",
            "trait Bot<",
            "struct Outcome ",
            "fn secs(",
        ],
    ),
    ("game/emit.rs", &["struct Emit<"]),
    ("game/received.rs", &["struct Received<"]),
    ("game/settings.rs", &["fn tick_rate(", "fn steps_on_input("]),
    ("protocol/values.rs", &["struct Text<", "struct Blob<"]),
    ("game/intents.rs", &["trait SpawnAvatar "]),
    ("game/builder.rs", &["struct MatchBuilder<", "fn command<", "fn interest<", "fn finish_when<", "fn systems<"]),
    ("game/builder.rs", &["fn on_join<", "fn bot<", "fn event<", "fn resource<"]),
    ("sim/resources.rs", &["struct Clock ", "struct Deadline(", "struct MatchRng(", "struct Intent<", "struct Teams("]),
    ("protocol/mod.rs", &["struct Seat("]),
    ("protocol/columns.rs", &["enum Dir8 ", "trait Replicate:"]),
    ("replication/view.rs", &["struct View<"]),
    ("room/testing.rs", &["struct TestRoom<"]),
    ("identity/hook.rs", &["trait Hook:"]),
    ("server/builder.rs", &["fn server(", "struct ServerBuilder ", "fn game<", "fn jwt(", "fn mode<", "fn modes(", "fn pages("]),
    ("server/builder.rs", &["fn namespaces(", "fn routes("]),
    (
        "derive/src/lib.rs",
        &["fn replicate(", "fn game_input(", "fn game_event(", "fn game_command(", "fn choice(", "fn serialize("],
    ),
];

#[test]
fn the_items_that_people_meet_first_have_examples() {
    for (file, items) in ITEMS {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file)).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        for item in items {
            let at = lines.iter().position(|line| line.strip_prefix("pub ").is_some_and(|line| line.starts_with(item)));
            let above = lines[..at.unwrap_or_else(|| panic!("src/{file} has no public {item}"))].iter().rev();
            let mut docs = above.skip_while(|line| !line.starts_with("///")).take_while(|line| line.starts_with("///"));
            assert!(docs.any(|line| *line == "/// # Examples"), "{item} in src/{file} has no example");
        }
    }
}
