//! Holds what the players were sent against a plain reference of who sees whom.

use std::collections::BTreeSet;

use proptest::{prelude::*, test_runner::TestCaseError};
use tactics::{Field, Hex, Man, Stepped, Terrain};

use super::Duel;

/// The wire ids of `Unit` and `Figure`.
const UNIT: u8 = 3;
const FIGURE: u8 = 4;

/// Checks what both players hold after a step, and the steps of enemies of which they heard in it. `before` is the field before the step, and
/// `heard` how many steps they had heard of.
pub fn check(duel: &mut Duel, before: &Field, heard: [usize; 2]) -> Result<(), TestCaseError> {
    let (field, is_over) = (duel.field(), duel.test.outcome().is_some());
    let seen: BTreeSet<(u8, u8)> = field.men.iter().filter(|man| is_over || is_seen(&field, man)).map(name).collect();
    for (player, heard) in heard.into_iter().enumerate() {
        let seat = duel.test.seat(player);
        let own: BTreeSet<(u8, u8)> = field.men.iter().filter(|man| man.side == seat).map(name).collect();
        // The player's own side is no part of a unit: whatever else came, it would be one number too many.
        prop_assert_eq!(numbers(duel, player, UNIT, 0).map(|number| (seat.0, number)).collect::<Vec<_>>(), Vec::from_iter(own));
        let figures: BTreeSet<(u8, u8)> = sides_and_numbers(duel, player);
        prop_assert_eq!(&figures, &seen, "seat {}", seat);
        for step in duel.test.events::<Stepped>(player).split_off(heard) {
            let man = before.men.iter().find(|man| name(man) == (step.side, step.number)).expect("a unit");
            let there = Man { hex: Hex::at(step.q, step.r), ..*man };
            prop_assert!(step.side == seat.0 || is_seen(before, &there), "{:?} was not seen", step);
        }
    }
    Ok(())
}

fn name(man: &Man) -> (u8, u8) {
    (man.side.0, man.number)
}

/// Returns one column of a component that a player's client holds, of all entities, ascending.
fn numbers(duel: &mut Duel, player: usize, component: u8, column: usize) -> impl Iterator<Item = u8> {
    let held = duel.test.mirror(player).entities().filter_map(|(_, held)| Some(held.get(&component)?[column] as u8));
    let mut all: Vec<u8> = held.collect();
    all.sort_unstable();
    all.into_iter()
}

fn sides_and_numbers(duel: &mut Duel, player: usize) -> BTreeSet<(u8, u8)> {
    let held = duel.test.mirror(player).entities().filter_map(|(_, held)| held.get(&FIGURE));
    held.map(|columns| (columns[0] as u8, columns[1] as u8)).collect()
}

/// Whether the enemy sees a unit, by the rules in `README.md`.
fn is_seen(field: &Field, man: &Man) -> bool {
    let terrain = |hex: Hex| field.ground.get(hex);
    man.exposed
        || field.men.iter().filter(|watcher| watcher.side != man.side).any(|watcher| {
            let distance = watcher.hex.distance(man.hex);
            let is_high = terrain(watcher.hex) == Some(Terrain::Hill);
            let hides = |hex: Hex| terrain(hex) == Some(Terrain::Hill) || terrain(hex) == Some(Terrain::Forest) && !is_high;
            let is_blocked = watcher.hex.between(man.hex).any(|[one, other]| hides(one) && hides(other));
            let reach = watcher.kind.stats().sight + u32::from(is_high);
            distance <= 1 || distance <= reach && !is_blocked && terrain(man.hex) != Some(Terrain::Forest)
        })
}
