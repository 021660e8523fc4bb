//! The stronger the bots of the game in the guide, the more they collect.

use coins::{Coin, Coins, CoinsConfig, Pos, Purse};
use tickcast::prelude::*;

/// Returns the worth of what three bots of a strength collect together in eight seconds, in a yard full of coins.
fn collected(seed: u64, strength: Strength) -> u32 {
    let config = CoinsConfig { goal: 1000, seconds: 600 };
    let mut test = TestRoom::<Coins>::with_config(seed, config).bots().strength(strength);
    for number in 0..25u8 {
        let at = Vec2::new(f32::from(number % 5), f32::from(number / 5)) * 4.8 + 2.4;
        test.world().spawn((Pos { at }, Coin(2)));
    }
    test.run(20 * 8);
    let world = test.world();
    world.query::<&Purse>().iter(world).map(|purse| u32::from(purse.0)).sum()
}

#[test]
fn stronger_bots_collect_more() {
    let collected = Strength::ALL.map(|strength| (1..=10).map(|seed| collected(seed, strength)).sum::<u32>());
    let [easy, normal, hard] = collected;
    assert!(0 < easy && 10 * easy < 9 * normal && 10 * normal < 9 * hard, "{collected:?}");
}
