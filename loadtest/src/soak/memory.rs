//! The memory that the server has for a connection that does nothing, and for one that plays.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use tickcast::game::Game;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::context::Soak;
use super::player::Player;
use super::reading::Reading;
use crate::client::{Client, Common};
use crate::drift::Drift;
use crate::run::{SEATING, room_choices};
use crate::tally::{Count, Tally};

/// Clients that connect at one time.
const AT_ONCE: usize = 32;

/// Clients that come before those that are counted, so that what all share is there.
const BEFORE: usize = 50;

/// How long the server may settle before it is measured.
const SETTLES: Duration = Duration::from_secs(2);

/// The command line of `memory`.
#[derive(Debug, Args)]
pub(crate) struct MemoryArgs {
    /// Clients that enter the lobby and do nothing.
    #[arg(long, default_value_t = 6000, value_parser = crate::args::at_least_one)]
    pub(crate) idle: usize,
    /// Clients that play.
    #[arg(long, default_value_t = 1000, value_parser = crate::args::at_least_one)]
    pub(crate) seated: usize,
    /// The rooms in which they play.
    #[arg(long, default_value_t = 100, value_parser = crate::args::at_least_one)]
    pub(crate) rooms: usize,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The bytes for one connection.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Held {
    connections: usize,
    heap: f64,
    resident: f64,
}

/// The memory of a connection.
#[derive(Debug, Serialize)]
pub(crate) struct Memory {
    pub(crate) idle: Held,
    pub(crate) seated: Held,
    pub(crate) rooms: usize,
}

/// Measures connections that do nothing.
pub(crate) async fn idle(soak: &Soak, clients: usize) -> anyhow::Result<Held> {
    let _first = come(soak, BEFORE).await?;
    let before = settled(soak).await?;
    let _clients = come(soak, clients).await?;
    Ok(Held::new(clients, &before, &settled(soak).await?))
}

/// Measures connections that play, with the rooms in which they do.
pub(crate) async fn seated(soak: &Soak, clients: usize, rooms: usize) -> anyhow::Result<Held> {
    let _first = come(soak, BEFORE).await?;
    let before = settled(soak).await?;
    let tally = Arc::new(Tally::new());
    let _players = play(soak, clients, rooms, &tally);
    let seated = async {
        while tally.counts()[Count::Settled] < clients as u64 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SEATING, seated).await.context("the clients got no seats in time")?;
    let with = settled(soak).await?;
    let seats = tally.counts()[Count::Seated];
    if seats < clients as u64 || !tally.errors().is_empty() {
        bail!("only {seats} of {clients} clients got a seat, or some lost it: {:?}", tally.errors());
    }
    Ok(Held::new(clients, &before, &with))
}

async fn come(soak: &Soak, clients: usize) -> anyhow::Result<Vec<Player>> {
    let clients = stream::iter(0..clients).map(|_| {
        let origin = soak.origin();
        async move { Player::come(&origin).await }
    });
    Ok(clients.buffer_unordered(AT_ONCE).try_collect().await?)
}

async fn settled(soak: &Soak) -> anyhow::Result<Reading> {
    sleep(SETTLES).await;
    Reading::take(&soak.server).await
}

impl Held {
    fn new(connections: usize, before: &Reading, with: &Reading) -> Self {
        let each = |bytes: f64| bytes / connections as f64;
        Self { connections, heap: each(with.heap - before.heap), resident: each(with.resident - before.resident) }
    }
}

/// Lets clients play for as long as the result is kept. Each has an address of its own, as people have.
fn play(soak: &Soak, clients: usize, rooms: usize, tally: &Arc<Tally>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for (number, choice) in room_choices(clients, rooms).into_iter().enumerate() {
        let common = Common {
            target: soak.origin().target,
            tally: Arc::clone(tally),
            game: Drift::NAME.to_owned(),
            config: None,
            strength: None,
            input_hz: None,
            lead: 2,
            seat_within: SEATING,
            connecting: Semaphore::new(1),
        };
        let client = Client { common: Arc::new(common), number, seed: soak.seed + number as u64, verify: false, slow: None };
        tasks.spawn(async move {
            // The tally has the fault.
            let _ = client.live(choice).await;
        });
    }
    tasks
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<40}{:>10}{:>14}", "a connection", "heap kB", "resident kB")?;
        let Held { connections, .. } = self.idle;
        let idle = format!("that does nothing, of {connections}");
        let Held { connections, .. } = self.seated;
        let seated = format!("that plays, of {connections} in {} rooms", self.rooms);
        for (name, Held { heap, resident, .. }) in [(idle, self.idle), (seated, self.seated)] {
            writeln!(f, "{name:<40}{:>10.1}{:>14.1}", heap / 1000.0, resident / 1000.0)?;
        }
        Ok(())
    }
}
