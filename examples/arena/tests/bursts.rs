//! Bursts of fire that the rules make, recorded for the step of the browser view (`view/step.ts`), which a test of the page holds
//! against them.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::{env, fs, path::Path};

use arena::{Ammo, Arena, Gun, Hp, Pad, Shield};
use serde_json::{Value, json};
use tickcast::prelude::*;

/// The ticks for which a new avatar is protected.
const SAFE: Press = (2 * 30, false, false);

/// One move of a player: the ticks for which it is held, whether the trigger is, and whether the gun reloads in the first of them.
type Press = (u32, bool, bool);

const BURSTS: [(&str, &[Press]); 7] = [
    ("a trigger that is held while the avatar is protected", &[(70, true, false), (3, false, true)]),
    ("a press shorter than the pause between two shots", &[SAFE, (2, true, false), (3, false, false), (9, true, false)]),
    ("a whole magazine, and the next one", &[SAFE, (130, true, false)]),
    ("a reload in between", &[SAFE, (10, true, false), (20, false, true), (30, true, false)]),
    ("a reload under fire", &[SAFE, (10, true, false), (60, true, true)]),
    ("a reload of a full magazine", &[SAFE, (5, false, true), (10, true, false)]),
    ("a reload of the last round", &[SAFE, (66, true, false), (1, true, true), (60, false, false), (2, true, false)]),
];

#[test]
fn the_recorded_bursts_are_those_of_the_rules() {
    let bursts: Vec<String> = BURSTS.iter().map(|(name, presses)| burst(name, presses).to_string()).collect();
    let text = format!("[\n{}\n]\n", bursts.join(",\n"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bursts.json");
    if env::var_os("TICKCAST_BLESS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let recorded = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        recorded == text,
        "the guns fire in another way: if that is meant, run this test with TICKCAST_BLESS=1, and change view/step.ts"
    );
}

fn burst(name: &str, presses: &[Press]) -> Value {
    let mut test = TestRoom::<Arena>::new(7).seats(2);
    test.run(1);
    let mut shown = Vec::new();
    let mut ticks = Vec::new();
    for (held, fire, reload) in presses {
        shown.push(json!({ "held": held, "fire": fire, "reload": reload }));
        for tick in 0..*held {
            test.press(0, Pad { fire: *fire, reload: *reload && tick == 0, ..Pad::default() });
            test.run(1);
            let (view, now) = (test.view(0), test.view(0).tick().0);
            assert_eq!(view.me::<Hp>().unwrap().0, 100);
            let (ammo, gun) = (view.me::<Ammo>().unwrap().0, view.me::<Gun>().unwrap());
            ticks.push(json!([now, ammo, gun.ready, gun.fired]));
        }
    }
    let shield = test.view(0).me::<Shield>().unwrap().until;
    json!({ "name": name, "shield": shield, "presses": shown, "ticks": ticks })
}
