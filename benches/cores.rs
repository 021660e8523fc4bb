//! Measures how rooms scale over cores: more rooms than the machine can step, on one thread and on two. Rooms hardly share a
//! lock, so two threads should step nearly twice as many ticks.
//!
//! `cargo bench -p tickcast --bench cores`. Needs two idle cores.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tickcast::{
    game::GameDef,
    host::{Claim, Ending, Full, Host, Limits, Outlet, RoomOptions, Welcome},
    identity::Gate,
    lobby::Identity,
    prelude::*,
    protocol::{Blocks, Frame},
    room::Message,
};
use tokio::time::{Instant, sleep};

/// More than two cores can step.
const ROOMS: usize = 500;
const SEATS: u8 = 8;
const WALKERS: u16 = 2000;
const WARM_UP: Duration = Duration::from_secs(1);
const WINDOW: Duration = Duration::from_secs(3);
const REPEATS: usize = 5;

#[derive(Component, Replicate)]
#[replicate(id = 1)]
struct Pos {
    #[q(step = 0.03125)]
    at: Vec2,
}

#[derive(GameInput, Clone, Default)]
struct Pad {
    x: i8,
}

/// A game with 2,000 entities that always move, at the highest tick rate. It is not the walking game of the tests: the figures need
/// a load of exactly these systems.
struct Crowd;

impl Game for Crowd {
    const NAME: &'static str = "crowd";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(128).seats(1..=SEATS).replicate::<Pos>().systems(walk);
    }
}

fn walk(mut walkers: Query<'_, '_, &mut Pos>, mut commands: Commands<'_, '_>) {
    if walkers.is_empty() {
        commands.spawn_batch((0..WALKERS).map(|n| Pos { at: Vec2::splat(f32::from(n)) }));
    }
    walkers.iter_mut().for_each(|mut pos| pos.at += Vec2::splat(0.0625));
}

/// An outlet that assembles each frame, as a socket's would, and drops it.
struct Sink(Arc<AtomicU64>);

impl Outlet for Sink {
    fn welcome(&self, _: &Welcome<'_>) -> Result<(), Full> {
        Ok(())
    }

    fn show(&self, frame: Frame<&Blocks>) -> Result<(), Full> {
        std::hint::black_box(frame.to_bytes());
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn show_last(&self, frame: Frame<&Blocks>) -> Result<(), Full> {
        self.show(frame)
    }

    fn send(&self, _: Message) -> Result<(), Full> {
        Ok(())
    }

    fn close(&self, _: Ending) {}
}

/// Measures the frames per second of a number of room threads.
fn frames_per_second(threads: usize) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("the runtime starts").block_on(async {
        let game = GameDef::new::<Crowd>().expect("the game is valid");
        let mut limits = Limits::default();
        limits.room_threads = threads;
        let host = Host::start([game], limits, Gate::default(), []);
        let counters: Vec<_> = (0..ROOMS).map(|_| Arc::<AtomicU64>::default()).collect();
        let _seated: Vec<Claim> = counters.iter().flat_map(|counter| fill_room(&host, counter)).collect();
        sleep(WARM_UP).await;
        let sum = || counters.iter().map(|counter| counter.load(Ordering::Relaxed)).sum::<u64>();
        let (before, began) = (sum(), Instant::now());
        sleep(WINDOW).await;
        (sum() - before) as f64 / began.elapsed().as_secs_f64()
    })
}

fn fill_room(host: &Host, counter: &Arc<AtomicU64>) -> Vec<Claim> {
    let guest = || Identity::guest(None, &mut rand::rng());
    let opened = host.create("crowd", &RoomOptions::default(), &guest()).expect("the host accepts another room");
    let joined = (1..SEATS).map(|_| host.join(&opened.room, &guest()).expect("the room has a free seat"));
    let admissions = [opened.clone()].into_iter().chain(joined);
    let connections = admissions.map(|admission| {
        let connection = host.claim(&admission.ticket).expect("the ticket is valid");
        connection.enter(Arc::new(Sink(counter.clone()))).expect("the seat is reserved");
        connection
    });
    connections.collect()
}

fn main() -> std::io::Result<()> {
    // `cargo test --benches` only checks that the benchmark starts.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let mut ratios = Vec::new();
    for _ in 0..REPEATS {
        let (one, two) = (frames_per_second(1), frames_per_second(2));
        writeln!(std::io::stdout(), "1 thread {one:.0} frames/s, 2 threads {two:.0} frames/s: {:.2} x", two / one)?;
        ratios.push(two / one);
    }
    ratios.sort_by(f64::total_cmp);
    writeln!(std::io::stdout(), "median of {REPEATS}: 2 cores do {:.2} times the work of 1", ratios[REPEATS / 2])
}
