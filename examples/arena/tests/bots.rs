//! How strong the bots are: how long a newcomer lives among them, and who beats whom.

use arena::{Arena, ArenaConfig, Chaser, Frags, Hp, MapName};
use tickcast::prelude::*;

const HZ: u32 = 30;
/// The time for which a newcomer is watched, in seconds.
const WATCHED: u32 = 60;
const MAPS: [MapName; 2] = [MapName::Courtyard, MapName::Cellar];

/// Returns the seconds from spawning to falling of a newcomer who does nothing, among as many bots as quick play has. With `None`, the
/// bots are as strong as there.
fn life_of_a_newcomer(map: MapName, strength: Option<Strength>, seed: u64) -> f32 {
    // So many frags that the bots do not end the match.
    let config = ArenaConfig { map, frag_limit: 100, minutes: 60 };
    let mut test = TestRoom::<Arena>::with_config(seed, config).bots();
    if let Some(strength) = strength {
        test = test.strength(strength);
    }
    let mut test = test.seats(1);
    test.run(1);
    let falls = (1..HZ * WATCHED).find(|_| {
        test.run(1);
        test.view(0).me::<Hp>().is_some_and(|hp| hp.0 == 0)
    });
    falls.unwrap_or(HZ * WATCHED) as f32 / HZ as f32
}

/// Returns the median over matches with different seeds.
fn median_life(map: MapName, strength: Option<Strength>) -> f32 {
    let mut lives: Vec<f32> = (0..25).map(|seed| life_of_a_newcomer(map, strength, seed)).collect();
    lives.sort_unstable_by(f32::total_cmp);
    let name = strength.map_or("quick play", Strength::as_str);
    println!("{map:?}, {name}: a newcomer lives {:.1} s in the median, from {:.1} to {:.1} s", lives[12], lives[0], lives[24]);
    lives[12]
}

#[test]
fn a_newcomer_who_stands_still_lives_15_seconds_in_quick_play() {
    for map in MAPS {
        let median = median_life(map, None);
        assert!(median >= 15.0, "{median} s on {map:?}");
    }
}

#[test]
fn stronger_bots_leave_a_newcomer_less_time() {
    for map in MAPS {
        let [normal, hard] = [Strength::Normal, Strength::Hard].map(|strength| median_life(map, Some(strength)));
        assert!(normal < 14.0 && hard < normal * 0.8, "{map:?}: {normal} s, {hard} s");
    }
}

/// Plays a match of two bots. Returns their frags.
fn duel(map: MapName, strengths: [Strength; 2], seed: u64) -> [u16; 2] {
    let config = ArenaConfig { map, frag_limit: 5, minutes: 3 };
    let mut test = TestRoom::<Arena>::with_config(seed, config).seats(2);
    let mut rng = MatchRng::seeded(seed);
    let mut bots = strengths.map(|strength| {
        let mut bot = Chaser::default();
        bot.set_strength(strength);
        bot
    });
    while test.outcome().is_none() {
        for (player, bot) in bots.iter_mut().enumerate() {
            let pad = bot.think(&test.view(player), &mut rng);
            test.press(player, pad);
        }
        test.run(1);
    }
    [0, 1].map(|player| test.view(player).me::<Frags>().map_or(0, |frags| frags.0))
}

/// Plays 12 matches of two bots. Returns how many the stronger one wins.
fn wins(stronger: Strength, weaker: Strength) -> usize {
    let results = (0..12).map(|seed| {
        let map = MAPS[seed as usize % 2];
        // Each has the first seat half of the time.
        if seed % 4 < 2 {
            duel(map, [stronger, weaker], seed)
        } else {
            let [theirs, ours] = duel(map, [weaker, stronger], seed);
            [ours, theirs]
        }
    });
    let results: Vec<[u16; 2]> = results.collect();
    let won = results.iter().filter(|[ours, theirs]| ours > theirs).count();
    println!("{stronger} beats {weaker} in {won} of {} matches: {results:?}", results.len());
    won
}

#[test]
fn a_stronger_bot_beats_a_weaker_one() {
    assert!(wins(Strength::Hard, Strength::Easy) >= 11);
    assert!(wins(Strength::Hard, Strength::Normal) >= 9);
    assert!(wins(Strength::Normal, Strength::Easy) >= 9);
}
