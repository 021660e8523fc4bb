//! Measures a crowd in one world: 5,000 moving entities, and 200 seats at 20 Hz that see about 60 entities each. A measured tick
//! is `Room::tick` on one core, and the write of every frame into a buffer. The results are asserted.
//!
//! `cargo bench -p tickcast --bench interest`

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use tickcast::{game::GameDef, prelude::*, protocol::Replicate, replication::Mirror, room::Room};

const SEATS: u8 = 200;
const ENTITIES: usize = 5000;

/// The side of the world in units. A view of 5 x 5 cells of 64 units has about 60 entities.
const SIDE: f32 = 2921.0;

/// The number of ticks for the percentiles.
const TICKS: usize = 600;

#[derive(Component, Replicate)]
#[replicate(id = 1)]
struct Pos {
    #[q(step = 0.03125)]
    at: Vec2,
}

#[derive(Component, Replicate)]
#[replicate(id = 2)]
struct Hp(u8);

#[derive(Component, Serialize, Deserialize)]
struct Vel(Vec2);

#[derive(GameInput, Clone, Default)]
struct Pad {}

/// A way to limit the view of the seats.
trait Watch: Send + Sync + 'static {
    fn grid() -> Option<Grid<Pos>>;
    fn budget() -> Option<usize> {
        None
    }
}

/// Two rings of cells, both sent in every tick.
struct Near;
/// Two rings of cells, with the outer ring sent every fourth tick.
struct Far;
/// Two rings of cells, with a budget of about half of the bytes that they need.
struct Tight;
/// No grid: every seat sees every entity.
struct All;

impl Watch for Near {
    fn grid() -> Option<Grid<Pos>> {
        Some(Grid::cells(64.0).radius(2))
    }
}

impl Watch for Far {
    fn grid() -> Option<Grid<Pos>> {
        Some(Grid::cells(64.0).radius(2).far_beyond(1, 4))
    }
}

impl Watch for Tight {
    fn grid() -> Option<Grid<Pos>> {
        Near::grid()
    }
    fn budget() -> Option<usize> {
        Some(220)
    }
}

impl Watch for All {
    fn grid() -> Option<Grid<Pos>> {
        None
    }
}

/// The game of the benchmark. It is not the walking game of the tests: entities must spread evenly and cross cells at a known rate.
struct Crowd<W>(std::marker::PhantomData<W>);

impl<W: Watch> Game for Crowd<W> {
    const NAME: &'static str = "crowd";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(20).seats(1..=SEATS).replicate::<(Pos, Hp)>().state::<Vel>();
        m.on_join(|seat, w| {
            let at = Vec2::new(f32::from(seat.0 % 15), f32::from(seat.0 / 15)) * (SIDE / 15.0);
            w.spawn_avatar(seat, (Pos { at }, Hp(100), Vel(Vec2::from_angle(f32::from(seat.0)) * 6.0)))
        });
        m.systems((fill, wander));
        if let Some(grid) = W::grid() {
            m.interest(grid);
        }
        if let Some(budget) = W::budget() {
            m.budget(budget);
        }
    }
}

fn fill(mut commands: Commands, clock: Res<Clock>, mut rng: ResMut<MatchRng>) {
    if clock.tick == 1 {
        for _ in 0..ENTITIES - usize::from(SEATS) {
            let at = Vec2::new(rng.random_range(0.0..SIDE), rng.random_range(0.0..SIDE));
            let way = Vec2::from_angle(rng.random_range(0.0..std::f32::consts::TAU));
            commands.spawn((Pos { at }, Hp(100), Vel(way * rng.random_range(3.0..9.0))));
        }
    }
}

/// Moves all entities, turns them a little, and keeps them within the world.
fn wander(clock: Res<Clock>, mut all: Query<(&mut Pos, &mut Vel)>, mut rng: ResMut<MatchRng>) {
    let sway = Vec2::from_angle(rng.random_range(-0.1..0.1));
    for (mut pos, mut vel) in &mut all {
        let to = pos.at + vel.0 * clock.dt;
        let inside = to.clamp(Vec2::ZERO, Vec2::splat(SIDE));
        vel.0 = if to == inside { vel.0.rotate(sway) } else { -vel.0 };
        pos.at = inside;
    }
}

/// A full room, and the buffer for its frames.
struct Scene {
    room: Room,
    buffer: Vec<u8>,
    bytes: usize,
    frames: usize,
}

impl Scene {
    fn of<W: Watch>() -> Self {
        let def = GameDef::new::<Crowd<W>>().expect("the game is valid");
        let mut room = Room::new(&def, None, 7).expect("the game has no configuration");
        for n in 0..SEATS {
            let seat = room.reserve(&format!("player {n}")).expect("a seat is free");
            room.enter(seat, None).expect("the seat is reserved");
        }
        let mut scene = Self { room, buffer: Vec::new(), bytes: 0, frames: 0 };
        (0..40).for_each(|_| scene.tick());
        scene
    }

    fn tick(&mut self) {
        for (_, frame) in self.room.tick().frames.iter() {
            self.buffer.clear();
            frame.write_to(&mut self.buffer);
            self.bytes += self.buffer.len();
            self.frames += 1;
            black_box(&self.buffer);
        }
    }

    /// Plays on with a mirror for each seat and asserts that it holds the entities in view. Under a budget, it may lack those
    /// that have just come into view. Returns the number of entities in each mirror.
    fn check(&mut self) -> Vec<usize> {
        let schema = self.room.schema().clone();
        let mut mirrors: Vec<_> = (1..=SEATS).map(|n| (Seat(n), Mirror::new(schema.clone()))).collect();
        mirrors.iter().for_each(|(seat, _)| self.room.resync(*seat));
        for _ in 0..60 {
            for (seat, frame) in self.room.tick().frames.iter() {
                let mirror = &mut mirrors[usize::from(seat.0) - 1].1;
                let applied = mirror.apply(&frame.to_bytes()).expect("the frame applies");
                assert_eq!(applied.desync, None, "{seat:?}");
            }
        }
        let now = self.room.current_tick();
        let counts = mirrors.iter().map(|(seat, mirror)| {
            assert_eq!(mirror.tick(), now);
            let view = self.room.view(*seat);
            let is_metered = self.room.def().options().budget.is_some();
            let (held, seen) = (mirror.entities().count(), view.iter::<Pos>().count());
            assert!(held == seen || is_metered && (seen - seen / 4..seen).contains(&held), "{seat:?} holds {held} of {seen}");
            for (id, pos) in view.iter::<Pos>() {
                let Some(near) = mirror.get(id, Pos::ID) else { continue };
                let off = (near[0] as f32 * 0.03125 - pos.at.x).abs() + (near[1] as f32 * 0.03125 - pos.at.y).abs();
                assert!(off < 20.0, "{seat:?} {id:?} is off by {off}");
            }
            mirror.entities().count()
        });
        counts.collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "only the measured part is timed")]
fn now() -> Instant {
    Instant::now()
}

/// Returns the CPU time of this thread, or 0 on systems other than Linux. On a busy machine it is below the elapsed time.
fn on_core() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split_whitespace().next().and_then(|spent| spent.parse().ok()).unwrap_or(0))
}

/// Prints percentiles of the time of a tick, and the bytes and entities that a seat gets.
fn spread(name: &str, scene: &mut Scene) {
    let seen = scene.check();
    let (min, max) = (seen.iter().min().expect("the room has seats"), seen.iter().max().expect("the room has seats"));
    let mean = seen.iter().sum::<usize>() / seen.len();
    (scene.bytes, scene.frames) = (0, 0);
    let had = on_core();
    let mut times: Vec<Duration> = (0..TICKS)
        .map(|_| {
            let began = now();
            scene.tick();
            began.elapsed()
        })
        .collect();
    let mean_on_core = on_core().saturating_sub(had) / TICKS as u32;
    times.sort_unstable();
    let (p50, p99) = (times[TICKS / 2], times[TICKS * 99 / 100]);
    let bytes = scene.bytes / scene.frames.max(1);
    println!(
        "{name}: p50 {p50:.2?}, p99 {p99:.2?} per tick, {mean_on_core:.2?} of CPU time; {bytes} bytes per frame; a seat sees {min} to \
         {max}, {mean} on average"
    );
}

fn crowd(c: &mut Criterion) {
    let mut near = Scene::of::<Near>();
    let seen = near.check();
    let mean = seen.iter().sum::<usize>() / seen.len();
    assert!((50..=70).contains(&mean), "a seat sees {mean} on average");
    spread("5000 entities, 200 seats", &mut near);
    spread("... the outer ring every 4th tick", &mut Scene::of::<Far>());
    spread("... 220 bytes a seat and tick", &mut Scene::of::<Tight>());
    c.bench_function("a tick of 5000 entities and 200 seats", |b| b.iter(|| near.tick()));
    let mut all = Scene::of::<All>();
    c.bench_function("... without a grid", |b| b.iter(|| all.tick()));
}

criterion_group!(benches, crowd);
criterion_main!(benches);
