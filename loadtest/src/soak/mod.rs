//! A soak: clients come to a server of this machine, play and leave, a thousand times and then for many ticks in all ways at once, and
//! a match is stepped as often in this process. A table says whether memory, descriptors or tasks grew.

mod series;
mod soak_server;
mod player;
mod visit;
mod reading;
mod table;
mod one_room;
mod context;
mod cycles;
mod churn;
mod memory;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::Context;
use clap::Args;
use tokio::process::Command;
use tokio::time::Instant;

use crate::connection::Target;
use crate::run::raise_file_limit;
use crate::server::Server;
use crate::tally::{Count, Tally};
use context::Soak;
use memory::Memory;
pub(crate) use memory::MemoryArgs;
use reading::Reading;
pub(crate) use soak_server::{SoakServerArgs, serve};
use table::Soaked;

/// The connections of this process beside those of the clients.
const MORE_CONNECTIONS: usize = 200;

/// The command line of `soak`.
#[derive(Debug, Args)]
pub(crate) struct SoakArgs {
    /// Ticks of the rooms that live while clients come and go, counted over all of them, and of the match in this process.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1000..))]
    ticks: u32,
    /// Clients that connect, play and leave before that.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(40..))]
    cycles: u32,
    /// Clients that come and go at a time.
    #[arg(long, default_value_t = 40, value_parser = crate::args::at_least_one)]
    clients: usize,
    /// Seed of what clients do.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Stop after the cycles.
    #[arg(long)]
    only_cycles: bool,
    #[command(flatten)]
    server: SoakServerArgs,
}

/// Soaks a server, and prints the table. Returns whether nothing grew.
pub(crate) fn soak(args: &SoakArgs) -> anyhow::Result<bool> {
    raise_file_limit(args.clients + MORE_CONNECTIONS)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut soaked = runtime.block_on(crate::until_interrupted(run(args)))?;
    drop(runtime);
    if !args.only_cycles {
        let begun = Instant::now();
        soaked.judge(&[one_room::run(args.ticks, args.seed)?]);
        soaked.done.push(format!("one room: {} ticks of a match in this process in {:.0?}", args.ticks, begun.elapsed()));
    }
    if args.json {
        println!("{}", serde_json::to_string(&soaked)?);
    } else {
        print!("{soaked}");
    }
    Ok(soaked.faults().is_empty())
}

/// Measures the memory of a connection, and prints it.
pub(crate) fn memory(args: &MemoryArgs) -> anyhow::Result<()> {
    raise_file_limit(args.idle.max(args.seated) + MORE_CONNECTIONS)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let memory = runtime.block_on(crate::until_interrupted(async {
        let server = SoakServerArgs { leak: 0 };
        let idle = memory::idle(&begin(&server, 1).await?, args.idle).await?;
        // Another server, because what the first one has freed would not be seen as resident again.
        let seated = memory::seated(&begin(&server, 1).await?, args.seated, args.rooms).await?;
        Ok(Memory { idle, seated, rooms: args.rooms })
    }))?;
    if args.json {
        println!("{}", serde_json::to_string(&memory)?);
    } else {
        print!("{memory}");
    }
    Ok(())
}

async fn begin(args: &SoakServerArgs, seed: u64) -> anyhow::Result<Soak> {
    let server = Arc::new(start(args).await?);
    let target = Target::reach(server.url()).await?;
    Ok(Soak { server, target, tally: Arc::new(Tally::new()), seed, next: Arc::new(AtomicU64::new(0)) })
}

async fn run(args: &SoakArgs) -> anyhow::Result<Soaked> {
    let soak = begin(&args.server, args.seed).await?;
    let keepers = Arc::new(Tally::new());
    let mut soaked = Soaked {
        done: Vec::new(),
        figures: Vec::new(),
        unjudged: Vec::new(),
        at_rest: (Reading::at_rest(&soak.server).await?, Reading::at_rest(&soak.server).await?),
        visits: 0,
        failed: BTreeMap::new(),
        lost: BTreeMap::new(),
    };
    let begun = Instant::now();
    soaked.judge(&cycles::run(&soak, args.cycles as usize).await?);
    soaked.done.push(format!("cycles: {} clients came, played and left in {:.0?}", args.cycles, begun.elapsed()));
    // Everything that is made once and kept has been made by now.
    soaked.at_rest.0 = Reading::at_rest(&soak.server).await?;
    if !args.only_cycles {
        let begun = Instant::now();
        soaked.judge(&churn::run(&soak, args.ticks, args.clients, &keepers).await?);
        let (ticks, rooms, hz) = (args.ticks, churn::ROOMS, soak_server::HZ);
        soaked.done.push(format!("churn: {ticks} ticks, over {rooms} rooms of {hz} Hz, in {:.0?}", begun.elapsed()));
    }
    soaked.at_rest.1 = Reading::at_rest(&soak.server).await?;
    (soaked.visits, soaked.failed, soaked.lost) = (soak.tally.counts()[Count::Settled], soak.tally.errors(), keepers.errors());
    Ok(soaked)
}

async fn start(args: &SoakServerArgs) -> anyhow::Result<Server> {
    let own = std::env::current_exe().context("cannot find the path of this binary")?;
    let mut command = Command::new(own);
    command.args(["serve-soak", "--leak", &args.leak.to_string()]);
    Server::start(command, "the server of the soak").await
}
