//! The server under attack: the arena, and a game whose rules misbehave as its configuration says.

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use arena::Arena;
use clap::Args;
use serde::{Deserialize, Serialize};
use tickcast::identity::Jwt;
use tickcast::matchmaking::Mode;
use tickcast::prelude::*;

use super::keys::{AUDIENCE, ISSUER, RSA_PUBLIC};
use crate::drift::{Pos, Push, drift};

/// The entities that rules spawn in each tick if they are told to spawn.
const SPAWNS: usize = 20_000;

/// The command line of the hidden command `serve-hostile`.
#[derive(Debug, Clone, Args)]
pub(crate) struct HostileArgs {
    /// The address to listen on. It must be a loopback address.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
    /// Set a limit of the server, by its name in `docs/OPERATIONS.md`; may be given several times.
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    pub(crate) limits: Vec<String>,
}

/// The fault of the rules of [`Misbehaving`] in each tick.
#[derive(Resource, Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
enum Fault {
    #[default]
    Nothing,
    LoopForEver,
    SleepTwoSeconds,
    SpinTenthOfSecond,
    SpawnMany,
}

/// The configuration of [`Misbehaving`].
#[derive(Resource, Serialize, Deserialize, Clone, Default)]
#[serde(default, deny_unknown_fields)]
struct Rules {
    fault: Fault,
}

/// The game of the comparison, with rules that misbehave.
struct Misbehaving;

impl Game for Misbehaving {
    const NAME: &'static str = "misbehaving";
    type Input = Push;
    type Config = Rules;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(20)
            .seats(1..=8)
            .replicate::<Pos>()
            .on_join(|seat, world| world.spawn_avatar(seat, Pos { at: Vec2::ZERO }))
            .systems((drift, misbehave));
    }
}

fn misbehave(rules: Res<'_, Rules>, clock: Res<'_, Clock>, mut commands: Commands<'_, '_>) {
    // The host steps each game when it starts, and a room answers to its creator first.
    if clock.tick < 20 {
        return;
    }
    match rules.fault {
        Fault::Nothing => {}
        Fault::LoopForEver => loop {
            std::hint::spin_loop();
        },
        Fault::SleepTwoSeconds => std::thread::sleep(Duration::from_secs(2)),
        Fault::SpinTenthOfSecond => spin(Duration::from_millis(100)),
        Fault::SpawnMany => commands.spawn_batch((0..SPAWNS).map(|n| Pos { at: Vec2::splat((n % 1000) as f32) })),
    }
}

#[expect(clippy::disallowed_methods, reason = "these rules misbehave")]
fn spin(time: Duration) {
    let began = std::time::Instant::now();
    while began.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Serves until the process is killed.
pub(crate) fn serve(args: &HostileArgs) -> anyhow::Result<()> {
    let mut server = tickcast::server()
        .game::<Arena>()
        .game::<Misbehaving>()
        .mode::<Arena>("default", Mode::free_for_all(2..=16))
        .mode::<Arena>("asked", Mode::free_for_all(4..=4).ready_check(secs(10.0)))
        .jwt(Jwt::public_key(RSA_PUBLIC)?.issuer(ISSUER).audience(AUDIENCE))
        .config(|config| config.net.counts_local_addresses = true);
    for limit in &args.limits {
        let (name, value) = limit.split_once('=').with_context(|| format!("{limit:?} should be NAME=VALUE"))?;
        let mut set = Ok(());
        server = server.config(|config| set = config.set_limit(name, value));
        set?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = server.start(&args.listen.to_string()).await?;
        writeln!(std::io::stdout(), "Listening on {}", server.url())?;
        std::future::pending().await
    })
}
