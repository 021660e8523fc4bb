//! Headless bots that drive a tickcast server and measure it, with a lean Socket.IO client of their own that follows
//! `docs/PROTOCOL.md`; and the same measure for its peers, side by side.

mod client;
mod compare;
mod drift;
mod floor;
mod replica;
mod throttle;
mod connection;
mod lobby;
mod page;
mod plot;
mod report;
mod run;
mod server;
mod slow;
mod steps;
mod tally;
mod lobby_client;
mod inputs;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::ArgPredicate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use tokio::runtime::{Builder, Runtime};

use crate::compare::CompareArgs;
use crate::report::Report;
use crate::slow::SlowMix;

/// Drives a tickcast server with headless bots and measures it.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit code: 0 if every client was seated and nothing went wrong (compare: if every figure counts), 1 if not, \
                  2 if it could not run."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Seat clients in rooms, let them play for a while, and print the figures.
    Run(RunArgs),
    /// Measure tickcast beside its peers, and beside the floor: one `write` a client and tick.
    Compare(CompareArgs),
    /// The floor's server.
    #[command(hide = true)]
    Floor {
        #[arg(long)]
        hz: u16,
        #[arg(long)]
        payload: u16,
    },
    /// Tickcast's server with the game of the comparison.
    #[command(hide = true)]
    Drift {
        #[arg(long)]
        hz: u16,
    },
}

#[derive(Debug, Args)]
struct RunArgs {
    /// What the clients do; left out, they take seats in rooms and play.
    #[arg(long, value_enum, conflicts_with_all = ["rooms", "warmup", "config", "lead", "verify", "slow", "report"])]
    scenario: Option<Scenario>,
    /// The game to play; arena if a scenario is named.
    #[arg(
        long,
        required = false,
        required_unless_present = "scenario",
        default_value_if("scenario", ArgPredicate::IsPresent, "arena")
    )]
    game: String,
    /// How many clients; 1000 if a scenario is named.
    #[arg(
        long,
        default_value_t = 100,
        default_value_if("scenario", ArgPredicate::IsPresent, "1000"),
        hide_default_value = true,
        value_parser = at_least_one
    )]
    clients: usize,
    /// How many clients of a scenario arrive in a second.
    #[arg(long, requires = "scenario", default_value_t = 50.0, value_parser = arrivals)]
    arrivals: f64,
    /// The mode to queue for in a scenario, on a server whose games have modes.
    #[arg(long, requires = "scenario")]
    mode: Option<String>,
    /// How many rooms to create; 0: `quick` puts every client where it likes. Left out: 10, or as many as the clients need.
    #[arg(long)]
    rooms: Option<usize>,
    /// How long to measure, or how long a client of a scenario holds its seat, in seconds.
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    seconds: f64,
    /// How long to wait between the last client's seat and the measurement, in seconds.
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    warmup: f64,
    /// The server to drive.
    #[arg(long, default_value = "http://127.0.0.1:3000", conflicts_with = "spawn")]
    url: String,
    /// Start the `arcade` server on a free port of this machine, and kill it at the end.
    #[arg(long)]
    spawn: bool,
    /// Configuration of the created rooms, a JSON object in the game's own terms.
    #[arg(long, value_name = "JSON", value_parser = json_object)]
    config: Option<serde_json::Value>,
    /// Inputs a second of each client; 0: none; as many as the room has ticks if left out.
    #[arg(long, value_name = "HZ")]
    input_hz: Option<u16>,
    /// For how many ticks after the newest frame's an input is meant.
    #[arg(long, value_name = "TICKS", default_value_t = 2)]
    lead: u32,
    /// How many clients decode every frame in full and check the checksums; one in 20 if left out.
    #[arg(long, value_name = "CLIENTS")]
    verify: Option<usize>,
    /// Clients that are slow on purpose, like `stall=5,crawl=5`: some stop reading for 5 s after every 5 s, some read 2 kB a
    /// second. They are counted apart from the others.
    #[arg(long, value_name = "MIX", default_value = "stall=0,crawl=0", hide_default_value = true)]
    slow: SlowMix,
    /// Write a page with plots, which needs nothing else, to this file.
    #[arg(long, value_name = "HTML")]
    report: Option<PathBuf>,
    /// Seed of the inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads for the clients. One is the leanest; take more when it has no time left.
    #[arg(long, default_value_t = 1, value_parser = at_least_one)]
    threads: usize,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// Each client connects as a guest, says a line in the lobby's chat, queues, accepts if it is asked, plays, and leaves.
    Lobby,
}

fn main() -> ExitCode {
    let clean = match Cli::parse().command {
        Command::Run(args) if args.scenario == Some(Scenario::Lobby) => go_through_lobby(&args),
        Command::Run(args) => drive(&args).map(|report| {
            print(&args, &report);
            report.is_clean()
        }),
        Command::Compare(args) => compare(&args),
        Command::Floor { hz, payload } => floor::serve(hz, payload).map(|()| true),
        Command::Drift { hz } => drift::serve(hz).map(|()| true),
    };
    match clean {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(e) => {
            eprintln!("loadtest: {e:#}");
            ExitCode::from(2)
        }
    }
}

fn drive(args: &RunArgs) -> anyhow::Result<Report> {
    use anyhow::bail;
    if let Some(rooms) = args.rooms.filter(|rooms| *rooms > args.clients) {
        bail!("{} clients cannot create {rooms} rooms: take at most one room a client", args.clients);
    }
    if args.slow.total() >= args.clients {
        bail!("--slow asks for {} of {} clients: at least one must keep up", args.slow.total(), args.clients);
    }
    if args.rooms == Some(0) && args.config.is_some() {
        bail!("--config is for rooms that are created, and --rooms 0 creates none");
    }
    runtime(args.threads)?.block_on(until_interrupted(run::run(args)))
}

fn go_through_lobby(args: &RunArgs) -> anyhow::Result<bool> {
    let report = runtime(args.threads)?.block_on(until_interrupted(lobby::run(args)))?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{report}");
    }
    if !report.is_clean() {
        eprintln!("loadtest: {}", report.verdict());
    }
    Ok(report.is_clean())
}

fn compare(args: &CompareArgs) -> anyhow::Result<bool> {
    let comparison = runtime(1)?.block_on(until_interrupted(compare::compare(args)))?;
    if args.json {
        println!("{}", serde_json::to_string(&comparison)?);
    } else {
        print!("{comparison}");
    }
    Ok(comparison.is_valid())
}

/// Dropping the work kills the server that it started.
async fn until_interrupted<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::select! {
        done = work => done,
        _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
    }
}

fn runtime(threads: usize) -> std::io::Result<Runtime> {
    match threads {
        1 => Builder::new_current_thread().enable_all().build(),
        _ => Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    }
}

fn print(args: &RunArgs, report: &Report) {
    if args.json {
        println!("{}", serde_json::to_string(report).expect("a report is plain data"));
    } else {
        print!("{report}");
    }
    if report.loadtest.saturates(args.threads) {
        eprintln!("the load tool itself was short of CPU time: gaps may be its own (see --threads)");
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(e) => Err(format!("{e}")),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=1e6).contains(&seconds) => Ok(seconds),
        _ => Err("must be a number of seconds from 0 to 1000000".to_owned()),
    }
}

fn arrivals(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.1..=1e4).contains(&rate) => Ok(rate),
        _ => Err("must be a number a second from 0.1 to 10000".to_owned()),
    }
}

fn json_object(text: &str) -> Result<serde_json::Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ serde_json::Value::Object(_)) => Ok(value),
        Ok(_) => Err("must be a JSON object".to_owned()),
        Err(e) => Err(format!("not JSON: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
