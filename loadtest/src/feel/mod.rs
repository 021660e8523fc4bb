//! Measures what a player feels: how soon the own avatar answers, how old others are, and how well prediction does, on lines of several
//! profiles, for Tickcast and its peers. `docs/NETCODE.md` explains the figures.

mod profile;
mod game;
mod trace;
mod figures;
mod recovery;
mod row;
mod table;
mod schedule;
mod proxy;
#[cfg(target_os = "linux")]
mod network;
mod line;
mod servers;
mod browser;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use tokio::time::Instant;

use crate::args;
use crate::compare::find_node;
use crate::server::Server;
use browser::{Browser, Match, Order};
pub(crate) use game::{FeelServerArgs, serve};
use line::{Backend, Line};
use profile::{Blackout, Profile};
pub(crate) use row::Verdict;
use row::{Figures, Row, System};
use servers::Program;
pub(crate) use table::Table;

/// The blackouts that a run may have.
const MOST_BLACKOUTS: u32 = 100;

/// The command line of `feel`.
#[derive(Debug, Clone, Args)]
pub(crate) struct FeelArgs {
    /// Measure on these lines only: lan, good, average, poor, mobile.
    #[arg(long, value_delimiter = ',', value_name = "PROFILES")]
    profile: Vec<Profile>,
    /// Measure these only.
    #[arg(long, value_delimiter = ',', value_name = "SYSTEMS")]
    only: Vec<System>,
    /// Seconds of straight play on each line. A fight of half of that follows.
    #[arg(long, default_value_t = 26.0, value_parser = args::seconds)]
    seconds: f64,
    /// The kind of line. Without it, a network of its own where that can be made, else a delaying proxy.
    #[arg(long, value_name = "KIND")]
    line: Option<Backend>,
    /// Seed of the line and of the keys.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Film a dodge at 200 ms with and without prediction instead: ten pictures each, and a strip of all.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) film: Option<PathBuf>,
    /// Fail if Tickcast misses a goal, or if that could not be judged.
    #[arg(long)]
    pub(crate) check: bool,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Measures, and prints on the way what runs. The row of a system that cannot run has the reason.
pub(crate) async fn feel(args: &FeelArgs) -> anyhow::Result<Table> {
    let node = find_node().await.map_err(anyhow::Error::msg)?;
    let browser = Browser::find(node.program.clone())?;
    let backend = args.line.unwrap_or_else(Backend::best);
    let mut table =
        Table { backend: backend.to_string(), versions: Vec::new(), seconds: args.seconds, seed: args.seed, rows: Vec::new() };
    let profiles = if args.profile.is_empty() { Profile::all() } else { args.profile.clone() };
    let wanted = |system: &System| args.only.is_empty() || args.only.contains(system);
    for profile in profiles {
        for system in System::ALL.into_iter().filter(wanted) {
            eprintln!("{}: {}", profile.name, system.name());
            let figures = match Program::of(system, &node).await {
                Ok(program) => {
                    table.name(&program.version);
                    measure((args, backend), &browser, &profile, (system, program)).await
                }
                Err(error) => Err(error),
            };
            table.rows.push(Row::new(profile.clone(), system, figures.map_err(|error| format!("{error:#}"))));
        }
    }
    Ok(table)
}

/// Films a dodge on a line of 200 ms that loses nothing. Prints where the pictures are.
pub(crate) async fn film(args: &FeelArgs, folder: &Path) -> anyhow::Result<()> {
    let node = find_node().await.map_err(anyhow::Error::msg)?;
    let browser = Browser::find(node.program.clone())?;
    let program = Program::of(System::Tickcast, &node).await?;
    let far = Profile { jitter_ms: 0.0, loss: 0.0, .."poor".parse().map_err(anyhow::Error::msg)? };
    let mut line = Line::lay(Backend::Proxy, &far, args.seed, Instant::now())?;
    let server = Server::start(program.start(&[], Vec::new()), System::Tickcast.name()).await?;
    let addresses = line.reach(server.url()).await?;
    let order = Order {
        seat: program.seat,
        chromium: browser.chromium.clone(),
        line: addresses.line,
        direct: addresses.direct,
        predict: true,
        seed: args.seed,
        film: Some(std::path::absolute(folder)?),
        rooms: Vec::new(),
    };
    let filmed = browser.play(&order, &[]).await;
    server.stop().await;
    filmed?;
    println!("{}", folder.join("strip.png").display());
    Ok(())
}

async fn measure(
    (args, backend): (&FeelArgs, Backend), browser: &Browser, profile: &Profile, (system, program): (System, Program),
) -> anyhow::Result<Figures> {
    let (begun, epoch) = (Instant::now(), epoch_ms());
    let mut line = Line::lay(backend, profile, args.seed, begun)?;
    let server = Server::start(program.start(&line.beside_server(), line.listen(system)), system.name()).await?;
    let addresses = line.reach(server.url()).await?;
    let order = Order {
        seat: program.seat,
        chromium: browser.chromium.clone(),
        line: addresses.line,
        direct: addresses.direct,
        predict: system != System::TickcastUnpredicted,
        seed: args.seed,
        film: None,
        rooms: vec![Match { fight: false, seconds: args.seconds }, Match { fight: true, seconds: args.seconds / 2.0 }],
    };
    let run = browser.play(&order, &line.beside_client()).await;
    server.stop().await;
    let run = run?;
    Ok(Figures::of(&run, &blackouts(profile, epoch - run.epoch)))
}

/// Returns the blackouts of a line that began at a time in milliseconds.
fn blackouts(profile: &Profile, begun: f64) -> Vec<(f64, f64)> {
    let Some(Blackout { every_s, for_s }) = profile.blackout else { return Vec::new() };
    let start = |n: u32| begun + (f64::from(n) + 0.5) * every_s * 1000.0;
    (0..MOST_BLACKOUTS).map(|n| (start(n), start(n) + for_s * 1000.0)).collect()
}

#[expect(clippy::disallowed_methods, reason = "the browser's clock and this one meet in the time since 1970")]
fn epoch_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64() * 1000.0
}
