//! The geometry of the board, against plain references.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;
use tactics::{
    Field, Ground, Hex, Kind, Man, Terrain,
    hex::{HEXES, board, place},
};
use tickcast::{prelude::*, sim::MatchRng};

fn hex() -> impl Strategy<Value = Hex> {
    (0..HEXES).prop_map(|at| board().nth(at).unwrap())
}

/// A ground with anything anywhere, which no match has.
fn ground() -> impl Strategy<Value = Ground> {
    proptest::collection::vec(0..10u8, HEXES).prop_map(|all| {
        let mut ground = Ground::default();
        for (hex, terrain) in board().zip(all) {
            let terrain = match terrain {
                0 | 1 => Terrain::Forest,
                2 => Terrain::Hill,
                3 => Terrain::Water,
                _ => Terrain::Plain,
            };
            ground.set(hex, terrain);
        }
        ground
    })
}

/// The steps from a hex to all others by a search from neighbour to neighbour. `enters` says what a step there costs.
fn searched(from: Hex, enters: impl Fn(Hex) -> Option<u32>) -> BTreeMap<Hex, u32> {
    let mut found = BTreeMap::from([(from, 0)]);
    let mut queue = VecDeque::from([from]);
    while let Some(hex) = queue.pop_front() {
        for next in hex.neighbours().filter(|next| place(*next).is_some()) {
            let Some(cost) = enters(next).map(|cost| found[&hex] + cost) else { continue };
            if found.get(&next).is_none_or(|known| cost < *known) {
                found.insert(next, cost);
                queue.push_back(next);
            }
        }
    }
    found
}

/// The hexes whose centres are nearest to a point of a line, by squared Euclidean distances in a lattice, times the steps squared.
fn nearest(from: Hex, to: Hex, step: i32, steps: i32) -> BTreeSet<Hex> {
    let point = |from: i8, to: i8| i32::from(from) * (steps - step) + i32::from(to) * step;
    let (x, y) = (point(from.q, to.q), point(from.r, to.r));
    let far = |hex: Hex| {
        let (q, r) = (i32::from(hex.q) * steps - x, i32::from(hex.r) * steps - y);
        q * q + q * r + r * r
    };
    let least = board().map(far).min().unwrap();
    board().filter(|hex| far(*hex) == least).collect()
}

#[test]
fn the_board_has_each_hex_once_in_its_place() {
    assert_eq!(board().count(), HEXES);
    assert!(board().enumerate().all(|(at, hex)| place(hex) == Some(at)));
    let around = (-8..=8).flat_map(|q| (-8..=8).map(move |r| Hex::at(q, r)));
    assert_eq!(around.filter(|hex| place(*hex).is_some()).count(), HEXES);
}

#[test]
fn every_ground_of_a_match_is_fair_and_connected() {
    let mut rng = MatchRng::seeded(7);
    for _ in 0..200 {
        let ground = Ground::random(&mut rng);
        assert!(board().all(|hex| ground.get(hex) == ground.get(hex.opposite())), "{ground:?}");
        let land = |hex: Hex| ground.get(hex).and_then(Terrain::cost).map(u32::from);
        let found = searched(Hex::at(-2, 5), land);
        assert_eq!(found.len(), board().filter(|hex| land(*hex).is_some()).count());
        assert!(board().filter(|hex| hex.r.abs() >= 4).all(|hex| ground.get(hex) == Some(Terrain::Plain)), "armies have room");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_distance_is_the_number_of_steps(a in hex(), b in hex()) {
        prop_assert_eq!(a.distance(b), searched(a, |_| Some(1))[&b]);
        prop_assert_eq!(a.distance(b), b.distance(a));
        prop_assert_eq!(a.opposite().distance(b.opposite()), a.distance(b));
    }

    #[test]
    fn a_line_crosses_the_hexes_nearest_to_it(a in hex(), b in hex()) {
        let steps = a.distance(b) as i32;
        let crossed: Vec<BTreeSet<Hex>> = a.between(b).map(BTreeSet::from).collect();
        let expected: Vec<BTreeSet<Hex>> = (1..steps).map(|step| nearest(a, b, step, steps)).collect();
        prop_assert_eq!(&crossed, &expected);
        let back: Vec<BTreeSet<Hex>> = b.between(a).map(BTreeSet::from).collect();
        prop_assert!(crossed.iter().eq(back.iter().rev()), "the line back crosses the same hexes");
    }

    #[test]
    fn a_terrain_stays_where_it_was_put(ground in ground(), at in hex(), other in hex()) {
        let mut changed = ground;
        changed.set(at, Terrain::Water);
        prop_assert_eq!(changed.get(at), Some(Terrain::Water));
        prop_assert!(at == other || changed.get(other) == ground.get(other));
    }

    #[test]
    fn sight_on_flat_ground_is_mutual(ground in ground(), a in hex(), b in hex()) {
        let high = |hex| ground.get(hex) == Some(Terrain::Hill);
        prop_assert!(high(a) != high(b) || ground.is_clear(a, b) == ground.is_clear(b, a));
        prop_assert!(!high(a) || ground.is_clear(a, b) || !ground.is_clear(b, a) || high(b), "a hill shows more, and never less");
    }

    #[test]
    fn units_reach_what_a_search_finds(ground in ground(), from in hex(), moves in 0u8..7, others in proptest::collection::vec(hex(), 0..12)) {
        let man = |number: usize, hex| Man { side: Seat(1), number: number as u8, kind: Kind::Guard, hp: 9, hex, exposed: false };
        let men: Vec<Man> = others.iter().filter(|hex| **hex != from).enumerate().map(|(at, hex)| man(at, *hex)).collect();
        let field = Field { ground, men, fog: true };
        let reach = field.reach(from, moves);
        let found = searched(from, |hex| {
            let cost = ground.get(hex).and_then(Terrain::cost)?;
            (!others.contains(&hex)).then_some(u32::from(cost))
        });
        for hex in board() {
            let left = found.get(&hex).and_then(|cost| u32::from(moves).checked_sub(*cost));
            prop_assert_eq!(reach.left(hex).map(u32::from), left, "{:?}", hex);
            let Some(path) = reach.path(hex) else {
                prop_assert!(left.is_none() || hex == from);
                continue;
            };
            let whole: Vec<Hex> = [from].into_iter().chain(path.iter().copied()).collect();
            prop_assert!(whole.windows(2).all(|pair| pair[0].distance(pair[1]) == 1));
            let cost: u32 = path.iter().map(|hex| u32::from(ground.get(*hex).and_then(Terrain::cost).unwrap())).sum();
            prop_assert_eq!(Some(u32::from(moves) - cost), left);
            prop_assert_eq!(path.last(), Some(&hex));
        }
        prop_assert!(reach.hexes().all(|hex| reach.left(hex).is_some() && hex != from));
    }
}
