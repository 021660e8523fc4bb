//! The server of the scenario: a game for four with a ready check and backfill, and times so short that a dead line is noticed soon.

use std::io::Write;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use tickcast::matchmaking::Mode;
use tickcast::prelude::*;
use tokio::process::Command;

use crate::drift::{Pos, Push, drift};
use crate::server::Server;

pub(crate) const GAME: &str = "flaky";

/// The players of a match.
pub(crate) const PLAYERS: usize = 4;

/// How long a seat is kept for a player whose line has died.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// The server pings so often, and waits so long for the answer. A client waits for both together.
pub(crate) const PING: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(2));

/// How long a ready check waits for its answers: a player whose line dies has the time to come back.
const READY: Duration = Duration::from_secs(6);

/// The command line of the hidden command `serve-flaky`.
#[derive(Debug, Args)]
pub(crate) struct FlakyServerArgs {
    /// The address to listen on. It must be a loopback address.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: std::net::SocketAddr,
}

struct Flaky;

impl Game for Flaky {
    const NAME: &'static str = GAME;
    type Input = Push;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(10)
            .seats(1..=PLAYERS as u8)
            .reconnect_grace(GRACE)
            .replicate::<Pos>()
            .on_join(|seat, world| world.spawn_avatar(seat, Pos { at: Vec2::ZERO }))
            .systems(drift);
    }
}

/// Starts the server as a process of its own, on a free port of this machine.
pub(crate) async fn start() -> anyhow::Result<Server> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("serve-flaky");
    Server::start(command, "the server of the scenario").await
}

/// Serves until the process is killed.
pub(crate) fn serve(args: &FlakyServerArgs) -> anyhow::Result<()> {
    if !args.listen.ip().is_loopback() {
        bail!("--listen {} is not a loopback address", args.listen);
    }
    let mode = Mode::free_for_all(PLAYERS..=PLAYERS).ready_check(READY).backfill();
    let server = tickcast::server().game::<Flaky>().mode::<Flaky>("default", mode).config(|config| {
        (config.net.ping_interval, config.net.ping_timeout) = PING;
        config.host.ticket_life = Duration::from_secs(10);
        config.host.empty_linger = Duration::from_secs(1);
        config.host.ready_check_pause = Duration::from_millis(500);
        config.host.ready_check_pause_longest = Duration::from_secs(2);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = server.start(&args.listen.to_string()).await?;
        writeln!(std::io::stdout(), "Listening on {}", server.url())?;
        std::future::pending().await
    })
}
