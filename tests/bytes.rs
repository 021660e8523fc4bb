//! What travels is small: payload bytes, counted.

mod support;

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use support::*;
use tickcast::prelude::*;

/// 100 walkers at 30 Hz in steps of 1/32: each moves up to three steps a tick on each axis.
#[test]
fn a_moving_entity_costs_three_bytes_a_tick() {
    let mut table = Table::<Meadow>::new(1).seats(1);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    table.world().spawn_batch((0..100).map(|n| Pos { at: Vec2::new(n as f32, 7.0) }));
    table.run(5);
    let before = table.frame_bytes(0).len();
    for _ in 0..300 {
        let world = table.world();
        let mut walkers = world.query_filtered::<&mut Pos, Without<Seat>>();
        for mut pos in walkers.iter_mut(world) {
            pos.at += Vec2::new(rng.random_range(-3..=3) as f32, rng.random_range(-3..=3) as f32) / 32.0;
        }
        table.run(1);
    }
    let frames = &table.frame_bytes(0)[before..];
    let each = frames.iter().sum::<usize>() as f64 / 300.0 / 100.0;
    println!("{each:.2} bytes a moving entity and tick, the frame's head included");
    assert!(frames.len() == 300 && each <= 3.1, "{each}");
}

#[test]
fn a_spawn_with_three_components_costs_sixteen_bytes() {
    let mut table = Table::<Meadow>::new(1).seats(1);
    table.run(3);
    let bytes = |table: &mut Table<Meadow>| {
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
    let mut table = Table::<Meadow>::new(1).seats(1);
    table.run(200);
    assert!(table.frame_bytes(0).len() <= 1 + 10 + 10, "a snapshot, a sign of life a second: {:?}", table.frame_bytes(0));
}
