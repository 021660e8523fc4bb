//! Headless bots that load a Tickcast server and measure it, with a lean Socket.IO client that follows `docs/PROTOCOL.md`. They
//! also measure Tickcast's peers, for comparison.

mod wire;
mod tally;
mod throttle;
mod polling;
mod connection;
mod replica;
mod inputs;
mod commands;
mod slow;
mod server;
mod report;
mod plot;
mod page;
mod steps;
mod client;
mod args;
mod run;
mod lobby_run;
mod lobby_client;
mod lobby;
mod compare;
mod drift;
mod floor;
mod attack;
mod heap;
mod soak;
mod flaky;
mod parity;
mod feel;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use crate::args::{RunArgs, Scenario};
use crate::attack::{AttackArgs, HostileArgs, Verdict};
use crate::compare::CompareArgs;
use crate::feel::{FeelArgs, FeelServerArgs};
use crate::flaky::FlakyServerArgs;
use crate::parity::ChecksumsArgs;
use crate::report::Report;
use crate::soak::{MemoryArgs, SoakArgs, SoakServerArgs};

/// Loads a Tickcast server with headless bots and measures it.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit code: 0 if every client was seated and nothing went wrong (compare: if every figure is valid; attack: if \
                  every attack held; soak: if nothing grew; checksums: if all are equal; feel: if no goal was missed, or without --check), 1 if not, \
                  2 if it could not run, 3 if no attack fell short, or no goal was missed, and some could not be judged."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Seat clients in rooms, let them play for a while, and print the figures.
    Run(RunArgs),
    /// Measure Tickcast, its peers, and the floor: a server that only does one `write` per client and tick.
    Compare(CompareArgs),
    /// Attack a server of this machine while honest bots play, and print what that did to them.
    Attack(AttackArgs),
    /// Let clients come and go for a long time, and print whether a server's memory, descriptors or tasks grow.
    Soak(SoakArgs),
    /// Measure the memory that a server has for a connection.
    Memory(MemoryArgs),
    /// Run the same matches natively and in WebAssembly, and compare their checksums on the way.
    Checksums(ChecksumsArgs),
    /// Measure what a player feels on lines of several profiles, in Chromium: Tickcast with and without prediction, and its peers.
    Feel(FeelArgs),
    /// Run the server of `feel`.
    #[command(hide = true)]
    ServeFeel(FeelServerArgs),
    /// Run the server of the soak and of the measurement of memory.
    #[command(hide = true)]
    ServeSoak(SoakServerArgs),
    /// Run the server of the scenario `flaky`.
    #[command(hide = true)]
    ServeFlaky(FlakyServerArgs),
    /// Run the server under attack.
    #[command(hide = true)]
    ServeHostile(HostileArgs),
    /// Run the server of the floor.
    #[command(hide = true)]
    Floor {
        #[arg(long)]
        hz: u16,
        #[arg(long)]
        payload: u16,
        /// Run the limit instead: read each socket right before writing to it.
        #[arg(long)]
        without_events: bool,
    },
    /// Run Tickcast with the game of the comparison.
    #[command(hide = true)]
    Drift {
        #[arg(long)]
        hz: u16,
    },
}

fn main() -> ExitCode {
    let code = match Cli::parse().command {
        Command::Run(args) if args.scenario == Some(Scenario::Lobby) => run_lobby(&args).map(code_if),
        Command::Run(args) if args.scenario == Some(Scenario::Flaky) => run_flaky(&args).map(code_if),
        Command::Run(args) => drive(&args).map(|report| {
            print(&args, &report);
            code_if(report.is_clean())
        }),
        Command::Compare(args) => compare(&args).map(code_if),
        Command::Attack(args) => attack::attack(&args).map(|verdict| match verdict {
            Verdict::NotJudged => NOT_JUDGED,
            verdict => code_if(verdict == Verdict::Held),
        }),
        Command::Soak(args) => soak::soak(&args).map(code_if),
        Command::Memory(args) => soak::memory(&args).map(|()| 0),
        Command::Checksums(args) => parity::compare(&args).map(code_if),
        Command::Feel(args) => run_feel(&args),
        Command::ServeFeel(args) => feel::serve(&args).map(|()| 0),
        Command::ServeSoak(args) => soak::serve(&args).map(|()| 0),
        Command::ServeFlaky(args) => flaky::serve(&args).map(|()| 0),
        Command::ServeHostile(args) => attack::serve(&args).map(|()| 0),
        Command::Floor { hz, payload, without_events } => floor::serve(hz, payload, !without_events).map(|()| 0),
        Command::Drift { hz } => drift::serve(hz).map(|()| 0),
    };
    match code {
        Ok(code) => ExitCode::from(code),
        Err(e) => {
            eprintln!("loadtest: {e:#}");
            ExitCode::from(2)
        }
    }
}

/// The exit code where nothing fell short, and something could not be judged.
const NOT_JUDGED: u8 = 3;

fn code_if(is_clean: bool) -> u8 {
    u8::from(!is_clean)
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
    if args.rooms == Some(0) && args.strength.is_some() {
        bail!("--strength is for rooms that are created, and --rooms 0 creates none");
    }
    runtime(args.threads)?.block_on(until_interrupted(run::run(args)))
}

fn run_lobby(args: &RunArgs) -> anyhow::Result<bool> {
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

fn run_flaky(args: &RunArgs) -> anyhow::Result<bool> {
    let report = runtime(args.threads)?.block_on(until_interrupted(flaky::run(args)))?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{report}");
    }
    if !report.is_clean() {
        eprintln!("loadtest: something was lost:\n{}", report.verdict());
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

fn run_feel(args: &FeelArgs) -> anyhow::Result<u8> {
    if let Some(folder) = &args.film {
        runtime(1)?.block_on(until_interrupted(feel::film(args, folder)))?;
        return Ok(0);
    }
    let table = runtime(1)?.block_on(until_interrupted(feel::feel(args)))?;
    if args.json {
        println!("{}", serde_json::to_string(&table)?);
    } else {
        print!("{table}");
    }
    Ok(match table.verdict() {
        feel::Verdict::Missed(_) if args.check => 1,
        feel::Verdict::NotJudged(_) => NOT_JUDGED,
        _ => 0,
    })
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
        eprintln!("loadtest was short of CPU time, so the gaps may be its own: raise --threads");
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
