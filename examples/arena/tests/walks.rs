//! Walks that the rules make, recorded for the step of the browser view (`view/step.ts`), which a test of the page holds against them.

use std::{env, fs, path::Path};

use arena::{Aim, Arena, ArenaConfig, MapName, Pad, Pos};
use serde_json::{Value, json};
use tickcast::prelude::*;

/// The ticks for which an input is held.
const HELD: u32 = 5;
/// The inputs of a walk.
const INPUTS: usize = 16;
const DIRECTIONS: [(Dir8, &str); 9] = [
    (Dir8::None, "None"),
    (Dir8::E, "E"),
    (Dir8::NE, "NE"),
    (Dir8::N, "N"),
    (Dir8::NW, "NW"),
    (Dir8::W, "W"),
    (Dir8::SW, "SW"),
    (Dir8::S, "S"),
    (Dir8::SE, "SE"),
];

#[test]
fn the_recorded_walks_are_those_of_the_rules() {
    let maps = [(MapName::Courtyard, "courtyard"), (MapName::Cellar, "cellar")];
    let walks: Vec<Value> = maps.into_iter().flat_map(|(map, name)| walks(map, name)).collect();
    let rows: Vec<String> = walks.iter().map(Value::to_string).collect();
    let text = format!("[\n{}\n]\n", rows.join(",\n"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walks.json");
    if env::var_os("TICKCAST_BLESS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let recorded = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        recorded == text,
        "the rules walk in another way: if that is meant, run this test with TICKCAST_BLESS=1, and change view/step.ts"
    );
}

/// Returns a walk from each spawn point of a map.
fn walks(map: MapName, name: &str) -> Vec<Value> {
    let mut test = TestRoom::<Arena>::with_config(7, ArenaConfig { map, ..ArenaConfig::default() }).seats(2);
    test.run(1);
    let spawns = map.map().spawns.iter().enumerate();
    spawns.map(|(number, from)| walk(&mut test, number, *from, name)).collect()
}

fn walk(test: &mut TestRoom<Arena>, number: usize, from: Vec2, map: &str) -> Value {
    avatar(test).0.at = from;
    let steps = (0..INPUTS).map(|n| {
        // Every direction follows on every other in some walk.
        let (dir, name) = DIRECTIONS[(number + n * (1 + number % 7)) % DIRECTIONS.len()];
        let turned = (number * 31 + n * 257) % 1024;
        test.press(0, Pad { dir, aim: turned as f32 * std::f32::consts::TAU / 1024.0, ..Pad::default() });
        test.run(HELD);
        let (pos, aim) = avatar(test);
        let (at, aim) = (pos.at, aim.0);
        json!({ "dir": name, "turned": turned, "x": at.x, "y": at.y, "aim": aim })
    });
    json!({ "map": map, "from": [from.x, from.y], "held": HELD, "steps": steps.collect::<Vec<_>>() })
}

fn avatar(test: &mut TestRoom<Arena>) -> (&mut Pos, &mut Aim) {
    let seat = test.seat(0);
    let world = test.world();
    let mut avatars = world.query::<(&Seat, &mut Pos, &mut Aim)>();
    let found = avatars.iter_mut(world).find(|(owner, ..)| **owner == seat);
    let (_, pos, aim) = found.expect("the player has an avatar");
    (pos.into_inner(), aim.into_inner())
}
