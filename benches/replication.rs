//! What a tick costs before the socket: finding and encoding what changed, fan-out, merged diffs. Results are asserted.
//!
//! `cargo bench -p tickcast --bench replication`

use std::hint::black_box;

use bevy_ecs::prelude::World;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
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

    fn packed(entities: usize) -> Self {
        let mut scene = Self::of(entities);
        scene.replicator.pack();
        scene
    }

    fn collect(&mut self) {
        self.tick.0 += 1;
        self.replicator.collect(&mut self.world, self.tick);
    }

    /// Scatters everything, so that no value is like the one before.
    fn scatter(&mut self) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut all = self.world.query::<&mut Pos>();
        all.iter_mut(&mut self.world).for_each(|mut pos| {
            pos.at = Vec2::new(rng.random_range(-64.0..64.0), rng.random_range(-64.0..64.0));
        });
    }

    /// Moves everything by up to three steps.
    fn jitter(&mut self, rng: &mut ChaCha8Rng) {
        self.world.query::<&mut Pos>().iter_mut(&mut self.world).for_each(|mut pos| {
            pos.at += Vec2::new(rng.random_range(-3..=3) as f32, rng.random_range(-3..=3) as f32) / 32.0;
        });
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

fn packed(c: &mut Criterion) {
    let mut group = c.benchmark_group("1000 entities on random walks");
    for (name, mut scene) in [("plain", Scene::of(1000)), ("packed", Scene::packed(1000))] {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        scene.jitter(&mut rng);
        scene.collect();
        let length = scene.frame(1).len();
        assert!(if name == "packed" { length < 1000 } else { length > 2000 }, "{name}: {length}");
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(BenchmarkId::new("find and encode", name), |b| {
            b.iter_custom(|rounds| {
                let mut spent = std::time::Duration::ZERO;
                for _ in 0..rounds {
                    scene.jitter(&mut rng);
                    #[expect(clippy::disallowed_methods, reason = "only the measured part is timed")]
                    let began = std::time::Instant::now();
                    scene.collect();
                    spent += began.elapsed();
                }
                spent
            });
        });
    }
    group.finish();
}

/// What a seat that needs everything costs, and what the levels of deflate would.
fn snapshot(c: &mut Criterion) {
    let mut scene = Scene::of(5000);
    scene.scatter();
    scene.collect();
    let viewer = Viewer { seat: Seat(1), team: None };
    let head = Head { kind: Kind::Snapshot, tick: scene.tick, base: Tick(0), ack: 7, margin: 1 };
    let plain = Frame::new(Head { kind: Kind::Merged, ..head }, [scene.replicator.snapshot(viewer)]).to_bytes();
    let mut group = c.benchmark_group("snapshot of 5000 entities");
    group.throughput(Throughput::Bytes(plain.len() as u64));
    group.bench_function("encode", |b| b.iter(|| scene.replicator.snapshot(viewer)));
    let deflated = Frame::new(head, [scene.replicator.snapshot(viewer)]).len();
    assert!(deflated < plain.len() * 9 / 10, "{deflated} of {}", plain.len());
    group.bench_function("encode and deflate", |b| b.iter(|| Frame::new(head, [scene.replicator.snapshot(viewer)])));
    for level in [1, 6] {
        let deflate = || {
            let mut stream = Vec::with_capacity(plain.len());
            let mut state = flate2::Compress::new(flate2::Compression::new(level), false);
            let ended = state.compress_vec(&plain, &mut stream, flate2::FlushCompress::Finish);
            assert!(matches!(ended, Ok(flate2::Status::StreamEnd)));
            stream
        };
        println!("level {level}: {} bytes of {}", deflate().len(), plain.len());
        group.bench_function(BenchmarkId::new("deflate at level", level), |b| b.iter(deflate));
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

criterion_group!(benches, dirty, packed, snapshot, idle, merged);
criterion_main!(benches);
