//! A player who is 300 ms away predicts the game in the guide.

#[allow(dead_code, reason = "other tests need more of it")]
#[path = "../../../tests/support/remote.rs"]
mod remote;

use coins::{Coins, CoinsConfig, Dashes, Pad};
use tickcast::prelude::*;

use crate::remote::Remote;

#[test]
fn nothing_is_corrected_because_only_the_players_move_themselves() {
    let config = CoinsConfig { goal: 1000, seconds: 600 };
    let mut remote = Remote::new(TestRoom::<Coins>::with_config(7, config.clone()).bots().seats(1), config);
    for tick in 1..=400u32 {
        let dirs = [Dir8::E, Dir8::N, Dir8::W, Dir8::S, Dir8::None];
        remote.tick(Pad { dir: dirs[(tick / 11) as usize % 5], dash: tick % 50 == 30 });
    }
    assert_eq!(remote.predictor.component::<Dashes>().unwrap().0, 0, "all dashes are used");
    assert!(remote.loads.len() > 350, "{} states", remote.loads.len());
    assert_eq!(remote.corrections(), [] as [u32; 0]);
}
