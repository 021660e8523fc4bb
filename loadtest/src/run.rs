//! One run: connects to the server, seats every client, measures for a while, lets the clients leave, and reports.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde::Deserialize;
use tickcast::game::Strength;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use crate::args::RunArgs;
use crate::client::{Client, Common, Name, RoomChoice};
use crate::connection::{Connection, Fault, LOBBY, MSGPACK_PATH, Target};
use crate::page::Page;
use crate::report::{Report, Sample, Totals, Window};
use crate::server::{self, Server};
use crate::slow::{Habit, Slow};
use crate::tally::{Count, Counts, Tally};

/// The time limit for a seat. A client without one counts as an error.
pub(crate) const SEATING: Duration = Duration::from_secs(40);

/// How long clients may take to leave.
pub(crate) const LEAVING: Duration = Duration::from_secs(2);

/// How long the server may take to answer the first requests.
const PROBE: Duration = Duration::from_secs(10);

/// How many clients connect at one time. More would only wait in the server's backlog.
pub(crate) const CONNECTING_AT_ONCE: usize = 64;

/// The number of rooms, unless the clients need more.
const ROOMS: usize = 10;

/// The time between the samples for plots.
const SAMPLE: Duration = Duration::from_millis(500);

/// The number of open files that a process needs beside its connections.
const OTHER_FILES: u64 = 64;

pub(crate) async fn run(args: &RunArgs) -> anyhow::Result<Report> {
    let (server, target, game) = reach(args).await?;
    let rooms = rooms_for(args.clients, args.rooms, &game)?;
    check_strength(args.strength, &game)?;
    let verifying = verifying(args);
    let mut clients = Clients::seat(args, rooms, target, &verifying);
    let window = clients.measure(args, &server).await?;
    clients.leave().await;
    server.stop().await;
    let mut errors = clients.tally.errors();
    for (kind, count) in clients.slow.iter().flat_map(|slow| slow.tally.errors()) {
        *errors.entry(kind).or_default() += count;
    }
    let whole = Totals {
        game: args.game.clone(),
        rooms,
        clients: args.clients,
        verifying: verifying.iter().filter(|verifies| **verifies).count(),
        counts: clients.tally.counts(),
        gaps: clients.tally.gaps(),
        slow: clients.slow.iter().map(|slow| (slow.habit, slow.tally.counts(), slow.tally.gaps(), slow.delays())).collect(),
        errors,
        differences: clients.tallies().flat_map(|tally| tally.differences()).collect(),
    };
    let gaps = whole.curves();
    let report = Report::new(whole, &window);
    if let Some(path) = &args.report {
        let page = Page { report: &report, gaps: &gaps, samples: &window.samples };
        std::fs::write(path, page.to_html()?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(report)
}

/// Starts the server if asked to, and looks up the game.
pub(crate) async fn reach(args: &RunArgs) -> anyhow::Result<(Server, Target, Game)> {
    raise_file_limit(args.clients)?;
    let server = match args.spawn {
        true => Server::spawn().await?,
        false => Server::Remote { url: args.url.trim_end_matches('/').to_owned() },
    };
    let ask = async {
        let target = Target::reach(server.url()).await?.over(args.transport);
        let game = probe(&target, &args.game).await?;
        anyhow::Ok((target, game))
    };
    let (target, game) =
        timeout(PROBE, ask).await.with_context(|| format!("{} did not answer within {} s", server.url(), PROBE.as_secs()))??;
    Ok((server, target, game))
}

pub(crate) fn raise_file_limit(clients: usize) -> anyhow::Result<()> {
    let needed = clients as u64 + OTHER_FILES;
    let limit = rlimit::increase_nofile_limit(needed).context("cannot read the limit on open files")?;
    if limit < needed {
        bail!("{clients} clients need {needed} open files, but the limit is {limit}: raise it with ulimit -n");
    }
    Ok(())
}

/// The fields of a game that this tool reads from the answer to `games`.
#[derive(Debug, Deserialize)]
pub(crate) struct Game {
    name: String,
    /// The minimum and the maximum.
    seats: (u32, u32),
    /// The strengths that its bots can have. Absent if there are none.
    #[serde(default)]
    strengths: Vec<Strength>,
}

#[derive(Deserialize)]
struct Games {
    games: Vec<Game>,
}

/// Looks up the game with one connection, before hundreds of clients connect.
async fn probe(target: &Target, name: &str) -> anyhow::Result<Game> {
    let ask = async {
        let mut connection = Connection::open(target, MSGPACK_PATH, Arc::new(Tally::new())).await?;
        connection.enter(LOBBY, &Name { name: "load".to_owned() }).await?;
        let Games { games } = connection.request(LOBBY, "games", None::<&()>).await?;
        connection.close().await;
        Ok::<_, Fault>(games)
    };
    let mut games = ask.await.with_context(|| format!("cannot use the server at {}", target.url))?;
    let Some(found) = games.iter().position(|game| game.name == name) else {
        let names: Vec<_> = games.iter().map(|game| game.name.as_str()).collect();
        bail!("{} hosts no game {name:?}; it hosts {}", target.url, names.join(", "));
    };
    Ok(games.swap_remove(found))
}

/// Returns how many rooms to create.
///
/// # Errors
///
/// If the clients do not fit into the rooms that were asked for.
fn rooms_for(clients: usize, asked: Option<usize>, game: &Game) -> anyhow::Result<usize> {
    let most = game.seats.1.max(1) as usize;
    let needed = clients.div_ceil(most);
    match asked {
        None => Ok(ROOMS.min(clients).max(needed)),
        Some(rooms) if rooms > 0 && rooms < needed => bail!(
            "{clients} clients do not fit into {rooms} rooms of {}, which has {most} seats a room: take at least {needed} rooms",
            game.name,
        ),
        Some(rooms) => Ok(rooms),
    }
}

/// Checks that the game's bots have the strength that is asked for, before the first room is refused.
///
/// # Errors
///
/// If they do not.
fn check_strength(asked: Option<Strength>, game: &Game) -> anyhow::Result<()> {
    let Some(strength) = asked else { return Ok(()) };
    strength.check(&game.strengths).with_context(|| format!("{} cannot be played with --strength {strength}", game.name))
}

/// Chooses the clients that verify frames, at random, so that they are spread over the rooms.
fn verifying(args: &RunArgs) -> Vec<bool> {
    let amount = args.verify.unwrap_or(args.clients.div_ceil(20)).min(args.clients);
    let mut rng = ChaCha8Rng::seed_from_u64(args.seed);
    let mut verifying = vec![false; args.clients];
    for chosen in rand::seq::index::sample(&mut rng, args.clients, amount) {
        verifying[chosen] = true;
    }
    verifying
}

/// All clients of a run.
struct Clients {
    tally: Arc<Tally>,
    /// The clients that are slow on purpose, by habit. The others are counted in `tally`.
    slow: Vec<Arc<Slow>>,
    tasks: JoinSet<Result<(), Fault>>,
    size: usize,
    started: Instant,
}

impl Clients {
    fn seat(args: &RunArgs, rooms: usize, target: Target, verifying: &[bool]) -> Self {
        let started = Instant::now();
        let tally = Arc::new(Tally::new());
        let slow: Vec<_> =
            Habit::ALL.into_iter().filter(|habit| args.slow.count(*habit) > 0).map(|habit| Arc::new(Slow::new(habit))).collect();
        let common = Arc::new(Common {
            target,
            tally: Arc::clone(&tally),
            game: args.game.clone(),
            config: args.config.clone(),
            strength: args.strength,
            input_hz: args.input_hz,
            lead: args.lead,
            seat_within: SEATING,
            connecting: Semaphore::new(CONNECTING_AT_ONCE),
        });
        let mut tasks = JoinSet::new();
        for (number, choice) in room_choices(args.clients, rooms).into_iter().enumerate() {
            let common = Arc::clone(&common);
            let seed = args.seed.wrapping_add(number as u64);
            let habit = args.slow.habit(number, args.clients);
            let slow = slow.iter().find(|slow| Some(slow.habit) == habit).cloned();
            let client = Client { common, number, seed, verify: verifying[number], slow };
            tasks.spawn(client.live(choice));
        }
        Self { tally, slow, tasks, size: args.clients, started }
    }

    /// Waits until every client is settled, warms up, and measures the window.
    async fn measure(&mut self, args: &RunArgs, server: &Server) -> anyhow::Result<Window> {
        let mut progress = Progress::new(self.started);
        while self.tally.counts()[Count::Settled] < self.size as u64 {
            self.watch_until(Instant::now() + Duration::from_millis(20), "seating", &mut progress).await?;
        }
        let warm = Instant::now() + Duration::from_secs_f64(args.warmup);
        self.watch_until(warm, "warming up", &mut progress).await?;

        self.tally.forget_gaps();
        self.slow.iter().for_each(|slow| slow.forget());
        let (begin, counts) = (Instant::now(), self.counts());
        let (server_before, own_before) = (server.usage().await, server::own_usage());
        let end = begin + Duration::from_secs_f64(args.seconds);
        let mut samples = Vec::new();
        if args.report.is_some() {
            samples.push(self.sample(server, begin).await);
            while Instant::now() + SAMPLE <= end {
                let next = begin + SAMPLE * samples.len() as u32;
                self.watch_until(next, "measuring", &mut progress).await?;
                samples.push(self.sample(server, begin).await);
            }
        }
        self.watch_until(end, "measuring", &mut progress).await?;
        let counts = self.counts().into_iter().zip(&counts).map(|(after, before)| after.since(before)).collect();
        let length = begin.elapsed();
        let (server_after, own_after) = (server.usage().await, server::own_usage());
        progress.end();
        Ok(Window { length, counts, server: (server_before, server_after), loadtest: (own_before, own_after), samples })
    }

    /// Returns the counts of the clients that keep up, then of the slow ones by habit.
    fn counts(&self) -> Vec<Counts> {
        self.tallies().map(|tally| tally.counts()).collect()
    }

    fn tallies(&self) -> impl Iterator<Item = &Tally> {
        [&*self.tally].into_iter().chain(self.slow.iter().map(|slow| &*slow.tally))
    }

    async fn sample(&self, server: &Server, begin: Instant) -> Sample {
        let counts = self.counts().iter().fold(Counts::default(), |sum, counts| sum.and(counts));
        let (server, ticks) = (server.usage().await, server.tick_times().await);
        Sample { at: begin.elapsed(), received: counts[Count::ReceivedBytes], server, loadtest: server::own_usage(), ticks }
    }

    async fn watch_until(&mut self, end: Instant, phase: &str, progress: &mut Progress) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = sleep_until(end) => return Ok(()),
                Some(ended) = self.tasks.join_next() => self.note_end(ended)?,
                _ = progress.ticks.tick() => progress.show(phase, &self.tally, self.size),
            }
        }
    }

    /// Handles a client that ended early.
    ///
    /// # Errors
    ///
    /// If the reason makes the whole run useless.
    fn note_end(&self, ended: Result<Result<(), Fault>, JoinError>) -> anyhow::Result<()> {
        match ended {
            Ok(Err(Fault::Refused { code, message })) if code == "bad_config" => {
                bail!("the game refuses --config: {message}")
            }
            Ok(_) => Ok(()),
            Err(e) => Err(e).context("a client of this tool panicked"),
        }
    }

    /// Asks all clients to leave, and drops those that do not.
    async fn leave(&mut self) {
        self.tallies().for_each(Tally::stop);
        let all_left = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(LEAVING, all_left).await.is_err() {
            self.tasks.shutdown().await;
        }
    }
}

/// Returns how each client gets into a room: the first ones create the rooms, the others join them in turn.
pub(crate) fn room_choices(clients: usize, rooms: usize) -> Vec<RoomChoice> {
    if rooms == 0 {
        return (0..clients).map(|_| RoomChoice::Quick).collect();
    }
    let (creators, ids): (Vec<_>, Vec<_>) = (0..rooms).map(|_| watch::channel(None)).unzip();
    let joiners = (rooms..clients).map(|number| RoomChoice::Join(ids[number % rooms].clone()));
    creators.into_iter().map(RoomChoice::Create).chain(joiners).collect()
}

/// The progress on stderr: one line that is rewritten in place on a terminal, else a line per second.
struct Progress {
    started: Instant,
    ticks: tokio::time::Interval,
    last: Counts,
    terminal: bool,
}

impl Progress {
    fn new(started: Instant) -> Self {
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { started, ticks, last: Counts::default(), terminal: std::io::stderr().is_terminal() }
    }

    fn show(&mut self, phase: &str, tally: &Tally, clients: usize) {
        let counts = tally.counts();
        let second = counts.since(&self.last);
        self.last = counts;
        let errors: u64 = tally.errors().values().sum();
        let line = format!(
            "{:>4} s  {phase}: {}/{clients} seated, {} frames/s, {} kB/s, {} inputs/s, {} desyncs, {errors} errors",
            self.started.elapsed().as_secs(),
            counts[Count::Seated],
            second[Count::Frames],
            second[Count::ReceivedBytes] / 1000,
            second[Count::Inputs],
            counts[Count::Desyncs],
        );
        // Writing fails if stderr is closed. The run goes on.
        let _ = match self.terminal {
            true => write!(std::io::stderr(), "\r\x1b[K{line}"),
            false => writeln!(std::io::stderr(), "{line}"),
        };
    }

    fn end(&self) {
        if self.terminal {
            let _ = writeln!(std::io::stderr());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rooms_suffice_for_the_clients() {
        let game = Game { name: "coins".to_owned(), seats: (1, 8), strengths: Vec::new() };
        let rooms = |clients, asked| rooms_for(clients, asked, &game).ok();
        assert_eq!([rooms(60, None), rooms(100, None), rooms(4, None)], [Some(10), Some(13), Some(4)]);
        assert_eq!([rooms(100, Some(13)), rooms(100, Some(12)), rooms(100, Some(0))], [Some(13), None, Some(0)]);
    }
}
