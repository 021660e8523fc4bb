//! The server under attack: the arena, a game whose rules misbehave as its configuration says, a namespace and routes of a host's
//! own, and people who are blocked a moment after they came in.

use std::convert::Infallible;
use std::io::{Write, stderr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use arena::Arena;
use clap::Args;
use serde::{Deserialize, Serialize};
use tickcast::axum::{self, Router};
use tickcast::host::Host;
use tickcast::identity::{Hook, HookFuture, Jwt, VerifiedUser};
use tickcast::lobby::{Identity, UserId};
use tickcast::matchmaking::Mode;
use tickcast::net::in_order;
use tickcast::prelude::*;
use tickcast::server::ServerBuilder;
use tickcast::socketioxide::extract::{AckSender, Data, SocketRef};
use tickcast::socketioxide::handler::ConnectHandler;

use super::keys::{AUDIENCE, ISSUER, RSA_PUBLIC};
use crate::drift::{Pos, Push, drift};

/// The entities that rules spawn in each tick if they are told to spawn.
const SPAWNS: usize = 20_000;

/// How the tokens, and the ids, of people begin whom the server blocks a moment after they came in.
pub(crate) const REVOKED: &str = "revoked-";

/// That moment.
pub(crate) const REVOKED_AFTER: Duration = Duration::from_secs(2);

/// The namespace of the host's own. Its event `echo` is answered with its argument.
pub(crate) const DESK: &str = "/desk";

/// The route of the host's own. It answers with the length of a body.
pub(crate) const LENGTH: &str = "/own/length";

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

/// Knows the tokens of people who are blocked a moment after they came in.
struct Revoking(Arc<OnceLock<Host>>);

impl Hook for Revoking {
    fn recognise<'a>(&'a self, token: &'a str) -> HookFuture<'a, Option<VerifiedUser>> {
        let user = UserId::parse(token).filter(|_| token.starts_with(REVOKED));
        Box::pin(async move { Ok(user.map(VerifiedUser::new)) })
    }

    fn permit<'a>(&'a self, identity: &'a Identity) -> HookFuture<'a, ()> {
        if identity.user.as_str().starts_with(REVOKED) {
            let (host, user) = (self.0.clone(), identity.user.clone());
            drop(tokio::spawn(async move {
                tokio::time::sleep(REVOKED_AFTER).await;
                if let Some(host) = host.get() {
                    host.block(&user);
                }
            }));
        }
        Box::pin(async { Ok(()) })
    }
}

/// Adds what a host may have of its own.
fn with_additions(server: ServerBuilder) -> ServerBuilder {
    let admit = async |socket: SocketRef| {
        socket.on(
            "echo",
            in_order(|Data(value): Data<serde_json::Value>, ack: AckSender| {
                // The client may have gone.
                let _ = ack.send(&value);
            }),
        );
        Ok::<_, Infallible>(())
    };
    let length = async |body: axum::body::Bytes| body.len().to_string();
    server
        .namespaces(move |io, _| io.ns(DESK, (async || {}).with(admit)))
        .routes("/own", move |_| Router::new().route("/length", axum::routing::post(length)))
}

/// Serves until the process is killed.
pub(crate) fn serve(args: &HostileArgs) -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(stderr).with_ansi(false).init();
    let host = Arc::new(OnceLock::new());
    let mut server = with_additions(tickcast::server())
        .game::<Arena>()
        .game::<Misbehaving>()
        .mode::<Arena>("default", Mode::free_for_all(2..=16))
        .mode::<Arena>("asked", Mode::free_for_all(4..=4).ready_check(secs(10.0)))
        .jwt(Jwt::public_key(RSA_PUBLIC)?.issuer(ISSUER).audience(AUDIENCE))
        .hook(Revoking(host.clone()))
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
        host.get_or_init(|| server.host().clone());
        writeln!(std::io::stdout(), "Listening on {}", server.url())?;
        std::future::pending().await
    })
}
