//! A player who is 200 ms away predicts their own walk, in a fight against bots.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[allow(dead_code, reason = "other tests need more of it")]
#[path = "../../../tests/support/remote.rs"]
mod remote;

use std::collections::{BTreeMap, BTreeSet};

use arena::{Arena, ArenaConfig, Gun, Hp, MapName, Pad, Pos};
use tickcast::{prelude::*, protocol::Tick};

use crate::remote::Remote;

/// Runs about, turns, and shoots in bursts.
fn fight(tick: u32) -> Pad {
    let hash = (tick / 9).wrapping_mul(2_654_435_761) >> 8;
    let dirs = [Dir8::E, Dir8::NE, Dir8::N, Dir8::NW, Dir8::W, Dir8::SW, Dir8::S, Dir8::SE, Dir8::None];
    Pad { dir: dirs[hash as usize % 9], aim: tick as f32 * 0.05, fire: tick % 40 < 20, reload: false }
}

#[test]
fn only_hits_and_respawns_are_corrected() {
    let config = ArenaConfig { frag_limit: 100, minutes: 60, ..ArenaConfig::default() };
    let mut remote =
        Remote::new(TestRoom::<Arena>::with_config(7, config.clone()).bots().strength(Strength::Hard).seats(1), config);
    assert!(!remote.predictor.sees_others(), "a client needs its own avatar alone");
    let (mut guesses, mut health, mut off) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for tick in 1..=3000 {
        remote.tick(fight(tick));
        let avatar = remote.avatar().unwrap();
        let world = remote.table.world();
        let (pos, hp) = (world.get::<Pos>(avatar).unwrap().at, world.get::<Hp>(avatar).unwrap().0);
        health.insert(tick, hp);
        if let Some(guess) = guesses.remove(&Tick(tick)) {
            off.push((tick, pos.distance(guess)));
        }
        if let Some(guess) = remote.predictor.component::<Pos>() {
            guesses.insert(remote.predictor.now(), guess.at);
        }
    }
    let surprises: Vec<u32> = health
        .iter()
        .filter(|(tick, hp)| health.get(&(*tick - 1)).is_some_and(|was| was != *hp))
        .map(|(tick, _)| *tick)
        .collect();
    assert!(surprises.len() > 20, "the bots have hit the player {} times", surprises.len());
    // Next to a corner, a rounded position may slide to the other side.
    let corrections = remote.corrections();
    let unexplained = corrections.iter().filter(|tick| !surprises.contains(tick)).count();
    assert!(unexplained <= surprises.len() / 10, "{corrections:?}, {surprises:?}");
    let is_calm = |tick: &u32| !corrections.iter().chain(&surprises).any(|at| (*at..at + 12).contains(tick));
    let worst = off.iter().filter(|(tick, _)| is_calm(tick)).map(|(_, by)| *by).fold(0.0, f32::max);
    // One step on each axis, of rounded numbers.
    assert!(worst < 2.0 / 32.0, "off by {worst} units");
}

#[test]
fn own_shots_are_foreseen_for_the_tick_in_which_they_are_fired() {
    let config = ArenaConfig { frag_limit: 100, minutes: 60, ..ArenaConfig::default() };
    let mut remote =
        Remote::new(TestRoom::<Arena>::with_config(7, config.clone()).bots().strength(Strength::Hard).seats(1), config);
    let (mut foreseen, mut fired, mut fallen) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for tick in 1..=3000 {
        remote.tick(fight(tick));
        let now = remote.predictor.now().0;
        if remote.predictor.component::<Gun>().is_some_and(|gun| gun.fired == now) {
            foreseen.insert(now);
        }
        let avatar = remote.avatar().unwrap();
        let world = remote.table.world();
        let (gun, hp) = (*world.get::<Gun>(avatar).unwrap(), world.get::<Hp>(avatar).unwrap().0);
        if gun.fired == tick {
            fired.insert(tick);
        }
        if hp == 0 {
            fallen.push(tick);
        }
    }
    fired.retain(|tick| *tick > 30);
    foreseen.retain(|tick| (31..=3000).contains(tick));
    assert!(fired.len() > 100, "the player fires {} shots", fired.len());
    // Nobody foresees that they will be down, or where and when exactly they respawn.
    let is_known = |tick: &&u32| !fallen.iter().any(|at| at.abs_diff(**tick) < 12);
    let strange: Vec<_> = fired.symmetric_difference(&foreseen).filter(is_known).collect();
    assert!(strange.is_empty(), "{strange:?} of {} shots are foreseen for other ticks", fired.len());
}

#[test]
fn a_client_with_other_rules_is_found_out() {
    let config = ArenaConfig { frag_limit: 100, minutes: 60, ..ArenaConfig::default() };
    let other = ArenaConfig { map: MapName::Cellar, ..config.clone() };
    let mut remote = Remote::new(TestRoom::<Arena>::with_config(7, config).bots().seats(1), other);
    for tick in 1..=600 {
        remote.tick(fight(tick));
    }
    assert!(remote.corrections().len() > 100, "{} corrections in 600 ticks", remote.corrections().len());
}
