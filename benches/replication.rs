//! Measures the cost of a tick before the socket: change detection, encoding, fan-out and merged diffs. The results are asserted.
//!
//! `cargo bench -p tickcast --bench replication`

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use bevy_ecs::prelude::World;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use tickcast::{
    game::GameDef,
    prelude::*,
    protocol::{Audience, Columns, Frame, Head, Kind, Schema},
    replication::{Mirror, Replicator, Viewer},
    room::Room,
};

#[derive(Component, Replicate)]
#[replicate(id = 1)]
struct Pos {
    #[q(step = 0.03125)]
    at: Vec2,
}

/// A world of entities that every seat sees, with one tick collected.
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

    /// Moves all entities to random places.
    fn scatter(&mut self) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut all = self.world.query::<&mut Pos>();
        all.iter_mut(&mut self.world).for_each(|mut pos| {
            pos.at = Vec2::new(rng.random_range(-64.0..64.0), rng.random_range(-64.0..64.0));
        });
    }

    /// Moves each entity by up to three random steps.
    fn jitter(&mut self, rng: &mut ChaCha8Rng) {
        self.world.query::<&mut Pos>().iter_mut(&mut self.world).for_each(|mut pos| {
            pos.at += Vec2::new(rng.random_range(-3..=3) as f32, rng.random_range(-3..=3) as f32) / 32.0;
        });
    }

    /// Moves all entities by the same few steps.
    fn stir(&mut self) {
        let by = Vec2::splat(if self.tick.0.is_multiple_of(2) { 0.09375 } else { -0.0625 });
        self.world.query::<&mut Pos>().iter_mut(&mut self.world).for_each(|mut pos| pos.at += by);
    }

    fn snapshot(&self) -> Frame {
        let head = Head { kind: Kind::Snapshot, tick: self.tick, base: Tick(0), ack: 0, margin: 0 };
        Frame::new(head, [self.replicator.snapshot(viewer(1))])
    }

    fn merged(&self, base: Tick) -> Option<Frame> {
        let head = Head { kind: Kind::Merged, tick: self.tick, base, ack: 7, margin: 1 };
        Some(Frame::new(head, [self.replicator.merged(viewer(1), base)?]))
    }

    fn frame(&self, seat: u8) -> Frame {
        let viewer = viewer(seat);
        let head = Head { kind: Kind::Diff, tick: self.tick, base: Tick(self.tick.0 - 1), ack: 7, margin: 1 };
        Frame::new(head, self.replicator.diff(viewer))
    }
}

fn viewer(seat: u8) -> Viewer {
    Viewer { seat: Seat(seat), team: None }
}

/// Makes a mirror from a snapshot of the scene.
fn mirror(scene: &Scene) -> Mirror {
    let components = vec![Seat::spec(Some(0), Some(Audience::Everyone)), Pos::spec(Some(1), Some(Audience::Everyone))];
    let schema = Schema::new("bench", 30, components, Vec::new(), Pad::spec(None, None)).expect("the schema is consistent");
    let mut mirror = Mirror::new(Arc::new(schema));
    mirror.apply(&scene.snapshot().to_bytes()).expect("the snapshot applies");
    mirror
}

/// Asserts that the mirror holds the values of the world, in steps of 1/32.
fn assert_holds(mirror: &Mirror, scene: &mut Scene) {
    assert_eq!(mirror.tick(), scene.tick);
    let mut held: Vec<[i64; 2]> = mirror.entities().map(|(_, components)| [components[&1][0], components[&1][1]]).collect();
    let mut all = scene.world.query::<&Pos>();
    let steps = |value: f32| (value * 32.0).round() as i64;
    let mut expected: Vec<[i64; 2]> = all.iter(&scene.world).map(|pos| [steps(pos.at.x), steps(pos.at.y)]).collect();
    held.sort_unstable();
    expected.sort_unstable();
    assert_eq!(held, expected);
}

/// Measures `work`. Each round calls `prepare` first, which is not measured.
fn timed<T>(rounds: u64, state: &mut T, prepare: impl Fn(&mut T), work: impl Fn(&mut T)) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..rounds {
        prepare(state);
        #[expect(clippy::disallowed_methods, reason = "only the measured part is timed")]
        let began = Instant::now();
        work(state);
        spent += began.elapsed();
    }
    spent
}

fn dirty(c: &mut Criterion) {
    let mut group = c.benchmark_group("1000 dirty entities");
    for clients in [1u8, 20, 200] {
        let mut scene = Scene::of(1000);
        let mut mirrors: Vec<Mirror> = (0..clients).map(|_| mirror(&scene)).collect();
        scene.stir();
        scene.collect();
        for (seat, mirror) in (1..).zip(&mut mirrors) {
            mirror.apply(&scene.frame(seat).to_bytes()).expect("the diff applies");
            assert_holds(mirror, &mut scene);
        }
        let length = scene.frame(1).len();
        assert!((2000..2100).contains(&length), "expected 2 bytes per entity, got {length} in all");
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(BenchmarkId::new("find and encode, frames for clients", clients), |b| {
            b.iter_custom(|rounds| {
                timed(rounds, &mut scene, Scene::stir, |scene| {
                    scene.collect();
                    for seat in 1..=clients {
                        black_box(scene.frame(seat));
                    }
                })
            });
        });
    }
    group.finish();
}

fn packed(c: &mut Criterion) {
    let mut group = c.benchmark_group("1000 entities on random walks");
    for (name, mut scene) in [("plain", Scene::of(1000)), ("packed", Scene::packed(1000))] {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut mirror = mirror(&scene);
        scene.jitter(&mut rng);
        scene.collect();
        mirror.apply(&scene.frame(1).to_bytes()).expect("the diff applies");
        assert_holds(&mirror, &mut scene);
        let length = scene.frame(1).len();
        assert!(if name == "packed" { length < 1000 } else { length > 2000 }, "{name}: {length}");
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(BenchmarkId::new("find and encode", name), |b| {
            b.iter_custom(|rounds| {
                let mut state = (&mut scene, &mut rng);
                timed(rounds, &mut state, |(scene, rng)| scene.jitter(rng), |(scene, _)| scene.collect())
            });
        });
    }
    group.finish();
}

/// Measures a snapshot, and the levels of deflate for it.
fn snapshot(c: &mut Criterion) {
    let mut scene = Scene::of(5000);
    scene.scatter();
    scene.collect();
    assert_holds(&mirror(&scene), &mut scene);
    let viewer = viewer(1);
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

/// The number of avatars in the room of [`fan_out`].
const AVATARS: u8 = 200;

/// A game in which one avatar walks and the others stand, so that each tick sends a small frame to each seat. It is not the walking
/// game of the tests, because it must move without inputs.
struct Parade;

#[derive(GameInput, Clone, Default)]
struct Pad {}

#[derive(bevy_ecs::prelude::Resource, Clone, Default, serde::Serialize, serde::Deserialize)]
struct Nothing {}

impl Game for Parade {
    const NAME: &'static str = "parade";
    type Input = Pad;
    type Config = Nothing;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(30)
            .seats(1..=200)
            .replicate::<(Pos,)>()
            .on_join(|seat: Seat, world: &mut World| {
                let speed = if seat == Seat(1) { 3.0 } else { 0.0 };
                world.spawn_avatar(seat, (Pos { at: Vec2::ZERO }, Speed(speed)));
            })
            .state::<Speed>()
            .reconnect_grace(secs(1e6))
            .systems(walk);
    }
}

#[derive(Component, Clone, serde::Serialize, serde::Deserialize)]
struct Speed(f32);

fn walk(clock: Res<Clock>, mut all: Query<(&mut Pos, &Speed)>) {
    for (mut pos, speed) in all.iter_mut().filter(|(_, speed)| speed.0 > 0.0) {
        pos.at.x += if clock.tick.is_multiple_of(2) { speed.0 } else { -speed.0 };
    }
}

impl Parade {
    /// Makes a room of [`AVATARS`] avatars in which the first `connected` seats are connected.
    fn room(connected: u8) -> Room {
        let def = GameDef::new::<Self>().expect("the game is valid");
        let mut room = Room::new(&def, None, 1).expect("the game has no configuration");
        for _ in 0..AVATARS {
            let seat = room.reserve("Ada").expect("a seat is free");
            room.enter(seat, None).expect("the seat is reserved");
        }
        // The first frames are snapshots.
        room.tick();
        (connected + 1..=AVATARS).for_each(|seat| room.disconnect(Seat(seat)));
        room.tick();
        room
    }
}

/// Measures the cost of one more seat that is up to date, per tick and before the socket. It is the difference between a tick
/// with all seats connected and one with a single seat, divided by the number of further seats. The world is the same.
fn fan_out(c: &mut Criterion) {
    const TICKS: u64 = 50;
    for connected in [1, AVATARS] {
        let mut room = Parade::room(connected);
        let mut mirror = Mirror::new(room.schema().clone());
        room.resync(Seat(connected));
        for tick in 0..10 {
            let frames = room.tick().frames;
            assert_eq!(frames.len(), usize::from(connected), "each connected seat gets a frame");
            let (_, last) = frames.iter().last().expect("a seat is connected");
            assert!(tick == 0 || last.head().kind == Kind::Diff && last.len() < 20, "expected a small diff: {last:?}");
            mirror.apply(&last.to_bytes()).expect("the frame applies");
        }
        assert_eq!(mirror.entities().count(), usize::from(AVATARS));
    }
    let (mut one, mut all) = (Parade::room(1), Parade::room(AVATARS));
    let ticks = |room: &mut Room, rounds| timed(rounds, room, |_| (), |room| drop(black_box(room.tick())));
    c.bench_function("fan-out per client before the socket", |b| {
        b.iter_custom(|rounds| {
            // A round has many ticks, so that the difference is above the noise. The result must not be zero.
            let (few, many) = (ticks(&mut one, rounds * TICKS), ticks(&mut all, rounds * TICKS));
            (many.saturating_sub(few) / (TICKS as u32 * u32::from(AVATARS - 1))).max(Duration::from_nanos(1))
        });
    });
}

fn idle(c: &mut Criterion) {
    let mut scene = Scene::of(10_000);
    let mut mirror = mirror(&scene);
    scene.collect();
    assert!(scene.replicator.diff(viewer(1)).is_empty(), "nothing changed");
    mirror.apply(&scene.frame(1).to_bytes()).expect("the empty diff applies");
    assert_holds(&mirror, &mut scene);
    c.bench_function("10000 idle entities", |b| b.iter(|| scene.collect()));
    assert!(scene.replicator.diff(viewer(1)).is_empty());
}

fn merged(c: &mut Criterion) {
    let mut scene = Scene::of(1000);
    let mut mirror = mirror(&scene);
    let base = scene.tick;
    for _ in 0..100 {
        scene.stir();
        scene.collect();
    }
    let frame = scene.merged(base).expect("the history holds a hundred ticks");
    mirror.apply(&frame.to_bytes()).expect("the merged diff applies");
    assert_holds(&mirror, &mut scene);
    c.bench_function("merged diff of 1000 entities after 100 ticks", |b| {
        b.iter_batched(|| (), |()| scene.merged(base), BatchSize::SmallInput);
    });
}

criterion_group!(benches, dirty, packed, snapshot, fan_out, idle, merged);
criterion_main!(benches);
