//! A budget of bytes: the most important goes first, nothing waits for good, and a mirror gets there when the load falls.

use std::collections::BTreeMap;

use crate::field::*;
use tickcast::{prelude::*, protocol::Replicate};

const BUDGET: usize = 200;

type Tight = TestRoom<Field<0, BUDGET>>;

/// Entities in the seat's own cell and in the ring around it.
const NEAR: u32 = 20;
const AROUND: u32 = 280;

/// More than a tick's budget can tell, all of it changing in every tick.
fn crowd() -> Tight {
    let mut table = TestRoom::new(1).seats(2);
    table.run(1);
    put(&mut table, 1, 4.0, 4.0);
    let spawned = (0..NEAR + AROUND).map(|n| {
        let at = Vec2::new(if n < NEAR { 4.0 } else { 12.0 }, 4.0);
        (Tag(n + 10), Pos { hits: 0, at }, Hp(0))
    });
    table.world().spawn_batch(spawned.collect::<Vec<_>>());
    table
}

fn stir(table: &mut Tight) {
    let world = table.world();
    world.query::<&mut Hp>().iter_mut(world).for_each(|mut hp| hp.0 = hp.0.wrapping_add(1));
}

/// How often each entity's `Hp` was told in so many ticks, and the longest that any waited.
fn told(table: &mut Tight, ticks: u32) -> (BTreeMap<u32, u32>, u32) {
    let (mut times, mut waits, mut longest) = (BTreeMap::new(), BTreeMap::new(), 0);
    let mut before = held(table, 0);
    for _ in 0..ticks {
        stir(table);
        table.run(1);
        let now = held(table, 0);
        for (tag, parts) in now.iter().filter(|(_, parts)| parts.contains_key(&Hp::ID)) {
            let is_told = before.get(tag).is_none_or(|before| before[&Hp::ID] != parts[&Hp::ID]);
            let wait = waits.entry(*tag).or_insert(0);
            *wait = if is_told { 0 } else { *wait + 1 };
            longest = longest.max(*wait);
            *times.entry(*tag).or_insert(0) += u32::from(is_told);
        }
        before = now;
    }
    (times, longest)
}

#[test]
fn frames_keep_to_the_budget() {
    let mut table = crowd();
    table.run(2);
    let skip = table.frame_bytes(0).len();
    told(&mut table, 100);
    let sizes = &table.frame_bytes(0)[skip..];
    assert!(sizes.iter().all(|size| *size <= BUDGET), "{sizes:?}");
    assert!(sizes.iter().sum::<usize>() > sizes.len() * BUDGET / 2, "and make use of it: {sizes:?}");
}

#[test]
fn nothing_starves_and_near_entities_wait_less() {
    let mut table = crowd();
    table.run(2);
    told(&mut table, 50);
    // An entity's row takes 5 bytes at most (3 of an id, 2 of Hp), the heads of frame and section 24.
    let sent_a_tick = (BUDGET as u32 - 24) / 5;
    let all = NEAR + AROUND;
    // Let one wait for T ticks. In the later half of them it has gathered at least T / 2 weights of its own, so that another
    // with a weight twice as large goes before it only if that waited for T / 4 ticks: each of the others is sent at most 1 + 2
    // times in those T / 2 ticks. There is room for T / 2 times `sent_a_tick`, so that it is its turn before this.
    let weights = 2;
    let bound = 2 * all * (1 + weights) / sent_a_tick;
    let (times, longest) = told(&mut table, 400);
    assert_eq!(times.len() as u32, all);
    assert!(longest <= bound, "one waited for {longest} ticks, more than {bound}");
    let mean = |tags: std::ops::Range<u32>| tags.clone().map(|tag| times[&(tag + 10)]).sum::<u32>() / tags.len() as u32;
    let (near, around) = (mean(0..NEAR), mean(NEAR..all));
    assert!(near * 2 >= around * 3, "near ones were told {near} times, those around {around} times");
}

#[test]
fn entities_that_enter_a_view_arrive_over_several_ticks() {
    let mut table = crowd();
    put(&mut table, 1, 400.0, 4.0);
    table.run(2);
    assert_eq!(tags(&mut table, 0), [1]);
    put(&mut table, 1, 4.0, 4.0);
    let mut counts = Vec::new();
    while counts.last() != Some(&(1 + (NEAR + AROUND) as usize)) {
        table.run(1);
        counts.push(tags(&mut table, 0).len());
        assert!(counts.len() < 40, "{counts:?}");
    }
    assert!(counts[0] > 1 && counts.is_sorted(), "{counts:?}");
}

#[test]
fn own_entities_and_despawns_are_sent_over_budget() {
    let mut table = crowd();
    table.run(2);
    told(&mut table, 20);
    let mine = entity(&mut table, 1);
    table.world().entity_mut(mine).insert((Hp(0), Purse { tag: 1, coins: 0 }));
    for tick in 1..50 {
        table.world().get_mut::<Purse>(mine).unwrap().coins = tick;
        let gone = entity(&mut table, u32::from(tick) + 40);
        table.world().despawn(gone);
        stir(&mut table);
        table.run(1);
        let held = held(&mut table, 0);
        assert_eq!(held[&1][&Purse::ID][1], i64::from(tick));
        assert_eq!(held[&1][&Hp::ID], [i64::from(tick)]);
        assert!(!held.contains_key(&(u32::from(tick) + 40)));
    }
}

#[test]
fn a_mirror_gets_there_when_the_load_falls_whatever_was_lost() {
    let mut table = crowd();
    let mut rule = Rule::of(1);
    table.run(2);
    for round in 0..8 {
        told(&mut table, 7);
        table.drop_next(0, round);
        told(&mut table, 5);
        if round % 3 == 1 {
            table.disconnect(0);
            table.run(3);
            table.resume(0).unwrap();
        }
    }
    table.run(60);
    rule.step(table.world());
    let (seat, expected) = (table.seat(0), rule.seen(table.world(), Seat(1), 1));
    assert_eq!(seat, Seat(1));
    assert_eq!(held(&mut table, 0), expected);
    // From now on shared frames with differences, and checksums again: a wrong one fails the table.
    let merged = table.stats().merged;
    for _ in 0..50 {
        let avatar = entity(&mut table, 200);
        table.world().get_mut::<Hp>(avatar).unwrap().0 += 1;
        table.run(1);
    }
    assert_eq!(table.stats().merged, merged);
}
