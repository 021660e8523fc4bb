//! The scenario `flaky`: clients go through lobby, queue, ready check and match over lines that die before and after each step. In the
//! end everybody must sit in one match, and after that nobody may be left in any.

mod schedule;
mod orders;
mod proxy;
mod account;
mod messages;
mod server;
mod seat;
mod stage;
mod player;
mod census;
mod report;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::args::RunArgs;
use crate::connection::Target;
use crate::run::raise_file_limit;
use crate::server::Server;
use account::Shared;
use census::Census;
use player::Player;
use proxy::Line;
use report::{FlakyReport, Outcome};
use schedule::Death;
pub(crate) use server::{FlakyServerArgs, serve};
use server::{GRACE, PING, PLAYERS};

/// The files that a client and its proxy may need: a listener, and three sockets for each connection, also for those that are half open.
const FILES_A_CLIENT: usize = 48;

/// The time between the first connections of two clients.
const ARRIVAL: Duration = Duration::from_millis(10);

/// How long it may take until everybody plays, beyond the time that they play. This is generous, for busy machines.
const SETTLES_WITHIN: Duration = Duration::from_secs(180);

/// How long everybody may take to leave.
const LEAVES_WITHIN: Duration = Duration::from_secs(60);

/// The time between two censuses.
const LOOK: Duration = Duration::from_millis(500);

/// How long the server may take to notice that nobody is left: the pings, the grace, and as long again for a busy machine.
const CLEARS_WITHIN: Duration = Duration::from_secs(2 * (PING.0.as_secs() + PING.1.as_secs() + GRACE.as_secs()));

pub(crate) async fn run(args: &RunArgs) -> anyhow::Result<FlakyReport> {
    if !args.clients.is_multiple_of(PLAYERS) {
        bail!("{} clients do not fill matches of {PLAYERS}: take a multiple of {PLAYERS}", args.clients);
    }
    raise_file_limit(args.clients * FILES_A_CLIENT)?;
    let server = server::start().await?;
    let target = Target::reach(server.url()).await?;
    if !target.address().ip().is_loopback() {
        bail!("{} is not a loopback address: only a server of this machine is driven", target.address());
    }
    let shared = Arc::new(Shared::new(target, args));
    let begun = Instant::now();
    let mut run = FlakyRun { shared, server, lines: Vec::new(), players: JoinSet::new(), begun };
    run.start().await?;
    let (in_a_match, mut failures) = run.wait_until_together().await?;
    // The state of a run that has failed says more than how it goes apart.
    if failures.is_empty() {
        failures = run.wait_until_apart().await?;
    }
    let outcome = Outcome {
        clients: args.clients,
        seed: args.seed,
        transport: args.transport,
        duration: begun.elapsed(),
        in_a_match,
        failures,
    };
    let deaths: Vec<Death> = run.lines.iter().flat_map(|line| line.deaths()).collect();
    let report = FlakyReport::new(outcome, run.shared.counts(), &deaths);
    run.server.stop().await;
    Ok(report)
}

struct FlakyRun {
    shared: Arc<Shared>,
    server: Server,
    /// All lines. They stay open to the end, because some are half open.
    lines: Vec<Arc<Line>>,
    players: JoinSet<()>,
    begun: Instant,
}

impl FlakyRun {
    async fn start(&mut self) -> anyhow::Result<()> {
        for number in 0..self.shared.accounts().len() {
            let line = Arc::new(Line::open(self.shared.target.address()).await.context("cannot open a proxy")?);
            self.lines.push(Arc::clone(&line));
            let player = Player::new(Arc::clone(&self.shared), number, line);
            self.players.spawn(async move {
                sleep(ARRIVAL * number as u32).await;
                player.live().await;
            });
        }
        Ok(())
    }

    /// Waits until everybody plays. Returns how many do, and what is wrong after the longest time.
    async fn wait_until_together(&mut self) -> anyhow::Result<(usize, Vec<String>)> {
        let longest = self.shared.play + SETTLES_WITHIN;
        let mut shown = Instant::now();
        loop {
            sleep(LOOK).await;
            while let Some(ended) = self.players.try_join_next() {
                ended.context("a client of this tool panicked")?;
            }
            let accounts = self.shared.accounts();
            let settled = accounts.iter().filter(|account| account.is_settled).count();
            if shown.elapsed() >= Duration::from_secs(1) {
                shown = Instant::now();
                self.show_progress(settled);
            }
            let is_late = self.begun.elapsed() > longest;
            if settled < accounts.len() && !is_late {
                continue;
            }
            let wrong = Census::take(&self.shared, &self.server).await?.together();
            if wrong.is_empty() || is_late {
                return Ok((settled, wrong));
            }
        }
    }

    /// Lets everybody leave, and waits until the server knows it.
    async fn wait_until_apart(&mut self) -> anyhow::Result<Vec<String>> {
        self.shared.leaving.send_replace(true);
        let all_left = async {
            while let Some(ended) = self.players.join_next().await {
                ended.context("a client of this tool panicked")?;
            }
            anyhow::Ok(())
        };
        match timeout(LEAVES_WITHIN, all_left).await {
            Ok(left) => left?,
            Err(_) => return Ok(vec![format!("{} clients could not leave", self.players.len())]),
        }
        let end = Instant::now() + CLEARS_WITHIN;
        loop {
            let wrong = Census::take(&self.shared, &self.server).await?.apart();
            if wrong.is_empty() || Instant::now() > end {
                return Ok(wrong);
            }
            sleep(LOOK).await;
        }
    }

    fn show_progress(&self, settled: usize) {
        let deaths: usize = self.lines.iter().map(|line| line.deaths().len()).sum();
        let counts = self.shared.counts();
        let errors: u64 = counts.errors.values().sum();
        eprintln!(
            "{:>4} s  {settled} play, {deaths} deaths, {} reconnections, {errors} errors",
            self.begun.elapsed().as_secs(),
            counts.reconnections
        );
    }
}
