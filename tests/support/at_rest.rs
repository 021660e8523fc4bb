//! Measures what matches of two players cost that wait for a move. The benchmarks `rest` share it.

use std::{fs, io::Write, sync::Arc, time::Duration};

use tickcast::{
    game::{Game, GameDef},
    host::{Claim, Ending, Full, Host, Limits, Outlet, RoomOptions, Welcome},
    identity::Gate,
    lobby::Identity,
    protocol::{Blocks, Frame, encode_ack},
    room::Message,
};
use tokio::time::{Instant, sleep};

const MATCHES: usize = 10_000;
/// After this time tickets have expired, and every client has been heard.
const SETTLED: Duration = Duration::from_secs(40);
const WINDOW: Duration = Duration::from_secs(20);
const PAGE: u64 = 4096;
/// The kernel counts CPU time in hundredths of a second.
const TICKS_A_SECOND: f64 = 100.0;

/// An outlet that takes everything.
struct Sink;

impl Outlet for Sink {
    fn welcome(&self, _: &Welcome<'_>) -> Result<(), Full> {
        Ok(())
    }

    fn show(&self, _: Frame<&Blocks>) -> Result<(), Full> {
        Ok(())
    }

    fn show_last(&self, _: Frame<&Blocks>) -> Result<(), Full> {
        Ok(())
    }

    fn send(&self, _: Message) -> Result<(), Full> {
        Ok(())
    }

    fn close(&self, _: Ending) {}
}

/// Returns the CPU time of this process in seconds.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("this is Linux");
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    // utime and stime, the 14th and the 15th field of all.
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().expect("a number")).sum::<f64>() / TICKS_A_SECOND
}

/// Returns the resident memory of this process in bytes.
fn resident_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("this is Linux");
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * PAGE
}

fn open_match(host: &Host, game: &str) -> [Claim; 2] {
    let guest = || Identity::guest(None, &mut rand::rng());
    let opened = host.create(game, &RoomOptions::default(), &guest()).expect("the host accepts another room");
    let joined = host.join(&opened.room, &guest()).expect("the room has a free seat");
    [opened, joined].map(|admission| {
        let claim = host.claim(&admission.ticket).expect("the ticket is valid");
        claim.enter(Arc::new(Sink)).expect("the seat is reserved");
        let mut heard = Vec::new();
        encode_ack(&mut heard, 0);
        claim.inlet().push(&heard);
        claim
    })
}

/// Opens 10,000 matches of a game, lets them rest, and prints what they cost. It takes a minute.
pub fn measure<G: Game>() -> std::io::Result<()> {
    // `cargo test --benches` only checks that the benchmark starts.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let game = GameDef::new::<G>().expect("the game is valid");
        let mut limits = Limits::default();
        limits.max_rooms = MATCHES;
        let host = Host::start([game], limits, Gate::default(), []);
        let (_first, before) = (open_match(&host, G::NAME), resident_bytes());
        let all: Vec<[Claim; 2]> = (1..MATCHES).map(|_| open_match(&host, G::NAME)).collect();
        sleep(SETTLED).await;
        let bytes = (resident_bytes() - before) as f64 / all.len() as f64;
        let (cpu, began) = (cpu_seconds(), Instant::now());
        sleep(WINDOW).await;
        let share = (cpu_seconds() - cpu) / began.elapsed().as_secs_f64();
        writeln!(
            std::io::stdout(),
            "{MATCHES} matches of {} that rest: {:.2}% of a core, {:.1} kB of resident memory each",
            G::NAME,
            100.0 * share,
            bytes / 1000.0
        )
    })
}
