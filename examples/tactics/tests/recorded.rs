//! What the rules say of some grounds, recorded for the browser view (`view/field.ts`), which a test of the page holds against them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

use std::{env, fs, path::Path};

use serde_json::{Value, json};
use tactics::{
    Field, Ground, Hex, Kind, Man,
    hex::{HEXES, board},
};
use tickcast::{prelude::*, sim::MatchRng};

const KINDS: [(Kind, &str); 4] =
    [(Kind::Captain, "Captain"), (Kind::Guard, "Guard"), (Kind::Archer, "Archer"), (Kind::Scout, "Scout")];

#[test]
fn the_recorded_fields_are_those_of_the_rules() {
    let mut rng = MatchRng::seeded(7);
    let rows: Vec<String> = (0..12).map(|number| field(&mut rng, number).to_string()).collect();
    let text = format!("[\n{}\n]\n", rows.join(",\n"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fields.json");
    if env::var_os("TICKCAST_BLESS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let recorded = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        recorded == text,
        "the rules have changed: if that is meant, run this test with TICKCAST_BLESS=1, and change view/field.ts"
    );
}

/// Returns a ground with what a unit in the middle of others sees, strikes and reaches there, as places in the board.
fn field(rng: &mut MatchRng, number: usize) -> Value {
    let ground = Ground::random(rng);
    let (kind, name) = KINDS[number % KINDS.len()];
    let mut hex = || board().nth(rng.random_range(0..HEXES)).unwrap();
    let (from, others) = (hex(), [hex(), hex(), hex(), hex()]);
    let man = |hex: Hex| Man { side: Seat(1), number: 1, kind: Kind::Guard, hp: 1, hex, exposed: false };
    let field = Field { ground, men: others.into_iter().filter(|hex| *hex != from).map(man).collect(), fog: true };
    let places = |is: &dyn Fn(Hex) -> bool| board().enumerate().filter(|(_, hex)| is(*hex)).map(|(at, _)| at).collect::<Vec<_>>();
    let reach = field.reach(from, kind.stats().moves);
    let left: Vec<_> = board().enumerate().filter_map(|(at, hex)| Some([at, reach.left(hex)?.into()])).collect();
    json!({
        "ground": ground.0,
        "kind": name,
        "stats": [kind.stats().hp, kind.stats().moves],
        "from": [from.q, from.r],
        "taken": field.men.iter().map(|man| [man.hex.q, man.hex.r]).collect::<Vec<_>>(),
        "looks": places(&|hex| field.looks(kind, from, hex)),
        "strikes": places(&|hex| field.can_strike(kind, from, hex)),
        "reach": left,
    })
}
