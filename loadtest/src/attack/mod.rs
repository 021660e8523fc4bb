//! Attacks on a server of this machine: honest bots play while attackers do one bad thing after the other, and a table says what
//! that did to the bots, to `/healthz` and to the server's memory, and what the server counted.

mod keys;
mod log;
mod hostile_server;
mod raw;
mod attacker;
mod honest;
mod verdict;
mod kind;
mod websocket;
mod http;
mod routes;
mod socketio;
mod binary;
mod resources;
mod polling;
mod auth;
mod cheating;
mod people;
mod manners;
mod rooms;

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

use crate::connection::Target;
use crate::run::raise_file_limit;
use crate::server::Server;
use attacker::{Attacker, Try};
use honest::Honest;
pub(crate) use hostile_server::{HostileArgs, serve};
use kind::Attack;
use log::Log;
pub(crate) use verdict::Verdict;
use verdict::{Bounds, Counters, Row, added, counters};

/// The connections that all attackers together may open at a time.
const CONNECTIONS: usize = 8000;

/// How long the bots play before the first attack.
const WARMUP: Duration = Duration::from_secs(2);

/// The longest time for which the bots are measured before an attack.
const BEFORE: Duration = Duration::from_secs(2);

/// How long the bots are measured after an attack.
const SETTLE: Duration = Duration::from_millis(200);

/// How long the server may take to give memory back, in the long and in the short form. Sessions that never enter a namespace live
/// for ten seconds.
const COMES_BACK: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(12));

/// Limits of the short form, in which rooms that misbehave end sooner.
const SOONER: [&str; 2] = ["slowed_for=2", "stuck_after=5"];

/// How often an attack is tried on a machine that is too busy, or if memory is kept, and the pause before it is tried again.
const TRIES: u8 = 3;
const BETWEEN_TRIES: Duration = Duration::from_secs(3);

/// How long an attack may take beyond its length. Some wait for the server's slowest timeouts.
const BEYOND: Duration = Duration::from_secs(60);

/// The memory that the server may take and keep, in MiB. The allocator keeps some of what was freed.
const MEMORY: (f64, f64) = (96.0, 32.0);

/// The slowest answer of `/healthz`.
const HEALTHZ: Duration = Duration::from_millis(100);

/// The command line of `attack`.
#[derive(Debug, Args)]
pub(crate) struct AttackArgs {
    /// Run only these attacks; may be given several times.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// List the attacks and do nothing else.
    #[arg(long)]
    list: bool,
    /// Run the short form: one attack of each kind, for about a second each.
    #[arg(long)]
    quick: bool,
    /// Seconds that an attack goes on. Default: 6, or 1 in the short form.
    #[arg(long, value_parser = crate::args::seconds)]
    seconds: Option<f64>,
    /// The longest 99th percentile of the time between two frames of an honest bot, in ticks.
    #[arg(long, value_name = "TICKS", default_value_t = 1.5)]
    bound: f64,
    /// Print how late the bots and /healthz were, and do not judge it: for machines that do other things meanwhile.
    #[arg(long)]
    ignore_lateness: bool,
    /// Seed of the bots' inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    server: HostileArgs,
}

/// Attacks, and prints the table. Returns the worst verdict.
pub(crate) fn attack(args: &AttackArgs) -> anyhow::Result<Verdict> {
    let chosen = chosen(args)?;
    if args.list {
        for attack in all() {
            println!("{:<26}{}{}", attack.name, attack.about, if attack.quick { "" } else { " (not in the short form)" });
        }
        return Ok(Verdict::Held);
    }
    if !args.server.listen.ip().is_loopback() {
        bail!("--listen {} is not a loopback address: only a server of this machine is attacked", args.server.listen);
    }
    raise_file_limit(CONNECTIONS)?;
    // The attackers must not keep the bots from reading, so they have the lowest priority.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).on_thread_start(yield_to_others).enable_all().build()?;
    runtime.block_on(run(args, chosen))
}

/// Gives this thread the lowest priority.
fn yield_to_others() {
    #[cfg(unix)]
    {
        // It fails where the system forbids it, and then the bots are late more easily.
        let _ = rustix::process::setpriority_process(None, 19);
    }
}

fn chosen(args: &AttackArgs) -> anyhow::Result<Vec<(u8, &'static Attack)>> {
    let numbered = all().enumerate().map(|(number, attack)| (number as u8, attack));
    if let Some(unknown) = args.only.iter().find(|name| !all().any(|attack| attack.name == **name)) {
        bail!("there is no attack {unknown:?}; --list lists them");
    }
    let is_chosen = |attack: &Attack| match args.only.is_empty() {
        true => attack.quick || !args.quick,
        false => args.only.iter().any(|name| name == attack.name),
    };
    Ok(numbered.filter(|(_, attack)| is_chosen(attack)).collect())
}

async fn run(args: &AttackArgs, chosen: Vec<(u8, &'static Attack)>) -> anyhow::Result<Verdict> {
    let began = Instant::now();
    let stage = Stage::build(args).await?;
    let judges_lateness = !args.ignore_lateness;
    let bounds = Bounds { gap_ticks: args.bound, healthz: HEALTHZ, memory: MEMORY.0, kept: MEMORY.1, judges_lateness };
    println!("{}", Row::heading());
    let mut rows = Vec::new();
    for (attack_number, attack) in &chosen {
        let mut row = stage.play(Try { attack: *attack_number, number: 0 }, attack).await?;
        println!("{}", row.shown(&bounds));
        for number in 1..TRIES {
            if row.verdict(&bounds) != Verdict::NotJudged && !row.only_kept_memory(&bounds) {
                break;
            }
            println!("    tried again:");
            sleep(BETWEEN_TRIES).await;
            row = stage.play(Try { attack: *attack_number, number }, attack).await?;
            println!("{}", row.shown(&bounds));
        }
        rows.push(row);
    }
    let took = began.elapsed().as_secs();
    let of = |verdict| rows.iter().filter(move |row| row.verdict(&bounds) == verdict).map(|row| row.attack).collect::<Vec<_>>();
    println!("\n{} of {} attacks held, after {} min {:02} s", of(Verdict::Held).len(), rows.len(), took / 60, took % 60);
    for (verdict, text) in [
        (Verdict::FellShort, "These fell short"),
        (Verdict::NotJudged, "These were not judged, because the machine was too busy before"),
    ] {
        let names = of(verdict);
        if !names.is_empty() {
            println!("{text}: {}", names.join(", "));
        }
    }
    Ok(rows.iter().map(|row| row.verdict(&bounds)).max().unwrap_or(Verdict::Held))
}

/// The server, the honest bots, and how long to attack.
struct Stage {
    server: Arc<Server>,
    log: Log,
    target: Target,
    honest: Honest,
    length: Duration,
    quick: bool,
}

impl Stage {
    async fn build(args: &AttackArgs) -> anyhow::Result<Self> {
        let (server, log) = start(&args.server, args.quick).await?;
        let server = Arc::new(server);
        let target = Target::reach(server.url()).await?;
        let honest = Honest::play(&server, &target, args.seed).await?;
        let length = Duration::from_secs_f64(args.seconds.unwrap_or(if args.quick { 1.0 } else { 6.0 }));
        sleep(WARMUP).await;
        Ok(Self { server, log, target, honest, length, quick: args.quick })
    }

    /// Measures the bots without and with one attack.
    async fn play(&self, number: Try, attack: &'static Attack) -> anyhow::Result<Row> {
        let counted_before = self.counters().await?;
        let begun = self.honest.begin();
        sleep(self.length.min(BEFORE)).await;
        let before = self.honest.end(&begun);
        let memory_before = self.honest.memory().await;

        self.log.take();
        let (begun, began) = (self.honest.begin(), Instant::now());
        let attacker = Attacker::new(&self.target, number, self.length, self.quick);
        let attacking = tokio::spawn((attack.run)(attacker));
        let abort = attacking.abort_handle();
        let seen = match timeout(self.length + BEYOND, attacking).await {
            Ok(Ok(seen)) => seen.map_err(|error| format!("{error:#}")),
            Ok(Err(panicked)) => bail!("the attack {} failed: {panicked}", attack.name),
            Err(_) => {
                abort.abort();
                Err("the attack did not end".to_owned())
            }
        };
        // A bot that got nothing until now shows its gap with its next frame.
        sleep(SETTLE).await;
        let during = self.honest.end(&begun);
        let counted = added(&counted_before, &self.counters().await?);
        let after = self.memory_after(memory_before).await;
        Ok(Row {
            attack: attack.name,
            before,
            during,
            took: began.elapsed(),
            memory: (memory_before, after),
            counted,
            expected: attack.counted,
            log: self.log.take(),
            seen,
        })
    }

    async fn counters(&self) -> anyhow::Result<Counters> {
        match self.server.metrics().await {
            Some(metrics) => Ok(counters(&metrics)),
            None => bail!("/metrics does not answer any more; the log's last lines are:\n{}", self.log.last()),
        }
    }

    /// The server's memory once it has come back, or when it had the time to.
    async fn memory_after(&self, before: f64) -> f64 {
        let end = Instant::now() + if self.quick { COMES_BACK.1 } else { COMES_BACK.0 };
        loop {
            let now = self.honest.memory().await;
            if now <= before + MEMORY.1 * 1024.0 * 1024.0 || Instant::now() > end {
                return now;
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Starts the server under attack, and follows its log.
async fn start(args: &HostileArgs, quick: bool) -> anyhow::Result<(Server, Log)> {
    let own = std::env::current_exe().context("cannot find the path of this binary")?;
    let mut command = Command::new(own);
    command.args(["serve-hostile", "--listen", &args.listen.to_string()]).stderr(Stdio::piped());
    let sooner = SOONER.into_iter().filter(|_| quick);
    for limit in sooner.chain(args.limits.iter().map(String::as_str)) {
        command.args(["--limit", limit]);
    }
    let log = Log::default();
    let mut server = Server::start(command, "the server under attack").await?;
    if let Some(stderr) = server.take_stderr() {
        drop(tokio::spawn(log.clone().follow(stderr)));
    }
    Ok((server, log))
}

/// All attacks, in the order in which they run. Rooms that never end a step come last, because they keep a core busy.
fn all() -> impl Iterator<Item = &'static Attack> {
    let groups = [
        websocket::ATTACKS,
        http::ATTACKS,
        routes::ATTACKS,
        socketio::ATTACKS,
        binary::ATTACKS,
        resources::ATTACKS,
        polling::ATTACKS,
        auth::ATTACKS,
        cheating::ATTACKS,
        people::ATTACKS,
        manners::ATTACKS,
        rooms::ATTACKS,
    ];
    groups.into_iter().flatten()
}
