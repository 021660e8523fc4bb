//! Bounds on the payload bytes of frames and inputs.

use crate::meadow::*;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use tickcast::prelude::*;

/// Bytes that a moving entity and tick costs, heads included: `walkers` of `entities` take up to `stride` steps of 1/32 on
/// each axis in every tick.
fn bytes_each<G: Game>(entities: usize, walkers: usize, stride: i32) -> f64 {
    const TICKS: usize = 300;
    let mut table = TestRoom::<G>::new(1).seats(1);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let all: Vec<Entity> = table.world().spawn_batch((0..entities).map(|n| Pos { at: Vec2::new(n as f32, 7.0) })).collect();
    table.run(5);
    let before = table.frame_bytes(0).len();
    for _ in 0..TICKS {
        for &walker in all.iter().step_by(entities / walkers) {
            let by = Vec2::new(rng.random_range(-stride..=stride) as f32, rng.random_range(-stride..=stride) as f32) / 32.0;
            table.world().get_mut::<Pos>(walker).expect("nobody despawns").at += by;
        }
        table.run(1);
    }
    let frames = &table.frame_bytes(0)[before..];
    assert_eq!(frames.len(), TICKS);
    let each = frames.iter().sum::<usize>() as f64 / (TICKS * walkers) as f64;
    println!("{}: {each:.2} bytes, {walkers} of {entities} moving, up to {stride} steps", G::NAME);
    each
}

/// 100 walkers in steps of 1/32: each moves up to three steps a tick on each axis.
#[test]
fn a_moving_entity_costs_three_bytes_a_tick() {
    let each = bytes_each::<Meadow>(100, 100, 3);
    assert!(each <= 3.1, "{each}");
}

#[test]
fn a_packed_moving_entity_costs_under_two_bytes_a_tick() {
    let each = bytes_each::<PackedMeadow>(100, 100, 3);
    assert!(each <= 1.6, "{each}");
    assert!(bytes_each::<PackedMeadow>(100, 100, 16) <= 1.6);
}

/// No list is ever longer than in plain MessagePack.
#[test]
fn packed_lists_are_the_shorter_ones() {
    for (entities, walkers, stride) in [(2, 2, 3), (10, 10, 3), (100, 4, 3), (1000, 100, 16), (1000, 1000, 3), (100, 100, 5000)] {
        let (plain, packed) =
            (bytes_each::<Meadow>(entities, walkers, stride), bytes_each::<PackedMeadow>(entities, walkers, stride));
        assert!(packed <= plain, "{walkers} of {entities}, {stride} steps: {packed} > {plain}");
    }
}

#[test]
fn a_spawn_with_three_components_costs_sixteen_bytes() {
    let mut table = TestRoom::<Meadow>::new(1).seats(1);
    table.run(3);
    let bytes = |table: &mut TestRoom<Meadow>| {
        table.world().spawn((Pos { at: Vec2::new(40.0, -30.0) }, Hp(100), Facing(1.0)));
        table.run(1);
        *table.frame_bytes(0).last().unwrap()
    };
    let (first, second) = (bytes(&mut table), bytes(&mut table));
    const HEAD: usize = 1 + 1 + 1 + 1 + 1 + 1;
    assert!(first.max(second) - HEAD <= 16, "{first} and {second} bytes with their heads");
}

#[test]
fn an_idle_tick_costs_nothing() {
    let mut table = TestRoom::<Meadow>::new(1).seats(1);
    table.run(200);
    assert!(table.frame_bytes(0).len() <= 1 + 10 + 10, "a snapshot, a sign of life a second: {:?}", table.frame_bytes(0));
}
