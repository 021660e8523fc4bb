//! What a tick costs before the socket: finding and encoding what changed, fan-out, merged diffs. Results are asserted.
//!
//! `cargo bench -p tickcast --bench replication`

use std::hint::black_box;

use bevy_ecs::prelude::World;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tickcast::{
    prelude::*,
    protocol::{Frame, Head, Kind},
    replication::{Replicator, Viewer},
};

#[derive(Component, Replicate)]
#[replicate(id = 1)]
struct Pos {
    #[q(step = 0.03125)]
    at: Vec2,
}

/// A world of entities that everyone sees, collected once.
struct Scene {
    world: World,
    replicator: Replicator,
    tick: Tick,
}

impl Scene {
    fn of(entities: usize) -> Self {
        let mut world = World::new();
        let mut replicator = Replicator::new(&mut world, 30);
        replicator.register::<Pos>(&mut world);
        world.spawn_batch((0..entities).map(|n| Pos { at: Vec2::splat(n as f32) }));
        let mut scene = Self { world, replicator, tick: Tick(0) };
        scene.collect();
        scene
    }

    fn collect(&mut self) {
        self.tick.0 += 1;
        self.replicator.collect(&mut self.world, self.tick);
    }

    /// Moves everything by a few steps.
    fn stir(&mut self) {
        let by = Vec2::splat(if self.tick.0.is_multiple_of(2) { 0.09375 } else { -0.0625 });
        self.world.query::<&mut Pos>().iter_mut(&mut self.world).for_each(|mut pos| pos.at += by);
    }

    fn frame(&self, seat: u8) -> Frame {
        let viewer = Viewer { seat: Seat(seat), team: None };
        let head = Head { kind: Kind::Diff, tick: self.tick, base: Tick(self.tick.0 - 1), ack: 7, margin: 1 };
        Frame::new(head, self.replicator.diff(viewer))
    }
}

fn dirty(c: &mut Criterion) {
    let mut group = c.benchmark_group("1000 dirty entities");
    for clients in [1u8, 20, 200] {
        let mut scene = Scene::of(1000);
        scene.stir();
        scene.collect();
        let length = scene.frame(1).len();
        assert!((2000..2100).contains(&length), "2 bytes an entity, {length}");
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(BenchmarkId::new("find and encode, frames for clients", clients), |b| {
            b.iter_custom(|rounds| {
                let mut spent = std::time::Duration::ZERO;
                for _ in 0..rounds {
                    scene.stir();
                    #[expect(clippy::disallowed_methods, reason = "only the measured part is timed")]
                    let began = std::time::Instant::now();
                    scene.collect();
                    for seat in 1..=clients {
                        black_box(scene.frame(seat));
                    }
                    spent += began.elapsed();
                }
                spent
            });
        });
    }
    group.finish();
}

fn idle(c: &mut Criterion) {
    let mut scene = Scene::of(10_000);
    scene.collect();
    c.bench_function("10000 idle entities", |b| b.iter(|| scene.collect()));
    assert_eq!(scene.replicator.diff(Viewer { seat: Seat(1), team: None }).len(), 0);
}

fn merged(c: &mut Criterion) {
    let mut scene = Scene::of(1000);
    let base = scene.tick;
    for _ in 0..100 {
        scene.stir();
        scene.collect();
    }
    let viewer = Viewer { seat: Seat(1), team: None };
    assert!(scene.replicator.merged(viewer, base).is_some_and(|block| block.len() > 2000));
    c.bench_function("merged diff of 1000 entities after 100 ticks", |b| {
        b.iter_batched(|| (), |()| scene.replicator.merged(viewer, base), BatchSize::SmallInput);
    });
}

criterion_group!(benches, dirty, idle, merged);
criterion_main!(benches);
