//! The server of the soak, and its game at the highest tick rate that a game may have, under two names: rooms of `steady` live for
//! the whole soak, rooms of `brief` come and go.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Args;
use tickcast::axum::{Router, routing::get};
use tickcast::matchmaking::Mode;
use tickcast::prelude::*;

use crate::drift::{Drift, Pos, Push, drift};
use crate::heap;

/// Ticks per second, the most that a game may ask for.
pub(crate) const HZ: u16 = 128;

/// The ticks for which a shot flies.
const FLIES: u8 = 32;

/// The bytes that each player who joins leaks. A static because the rules of a game have no arguments.
static LEAK: AtomicUsize = AtomicUsize::new(0);

/// The command line of the hidden command `serve-soak`.
#[derive(Debug, Clone, Args)]
pub(crate) struct SoakServerArgs {
    /// Bytes to leak with each player who joins.
    #[arg(long, default_value_t = 0)]
    pub(crate) leak: usize,
}

#[derive(Component, Replicate)]
#[replicate(id = 2)]
struct Shot {
    left: u8,
}

#[derive(GameEvent)]
#[event(id = 1)]
struct Fired {
    by: u8,
}

/// The game of the rooms that live for the whole soak.
pub(crate) struct Steady;

/// The game of the rooms that come and go.
pub(crate) struct Brief;

impl Game for Steady {
    const NAME: &'static str = "steady";
    type Input = Push;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        rules(m);
    }
}

impl Game for Brief {
    const NAME: &'static str = "brief";
    type Input = Push;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        rules(m);
    }
}

/// Players who drift and shoot, so that entities come and go in each tick.
fn rules<G: Game<Input = Push>>(m: &mut MatchBuilder<G>) {
    m.tick_rate(HZ)
        .seats(1..=8)
        .reconnect_grace(secs(2.0))
        .replicate::<(Pos, Shot)>()
        .event::<Fired>()
        .on_join(|seat, world| {
            Vec::leak(vec![0_u8; LEAK.load(Ordering::Relaxed)]);
            world.spawn_avatar(seat, Pos { at: Vec2::ZERO });
        })
        .systems((drift, shoot, fly));
}

fn shoot(
    avatars: Query<'_, '_, (&Seat, &Pos)>, clock: Res<'_, Clock>, mut fired: Emit<'_, Fired>, mut commands: Commands<'_, '_>,
) {
    for (seat, pos) in &avatars {
        if clock.tick % 8 == u32::from(seat.0 % 8) {
            commands.spawn((Pos { at: pos.at }, Shot { left: FLIES }));
            fired.everyone(Fired { by: seat.0 });
        }
    }
}

fn fly(mut shots: Query<'_, '_, (Entity, &mut Shot)>, mut commands: Commands<'_, '_>) {
    for (entity, mut shot) in &mut shots {
        shot.left -= 1;
        if shot.left == 0 {
            commands.entity(entity).despawn();
        }
    }
}

/// Serves until the process is killed.
pub(crate) fn serve(args: &SoakServerArgs) -> anyhow::Result<()> {
    heap::count();
    LEAK.store(args.leak, Ordering::Relaxed);
    let server = tickcast::server()
        .game::<Steady>()
        .game::<Brief>()
        .game::<Drift>()
        .mode::<Brief>("default", Mode::free_for_all(2..=4))
        .routes("/heap", |_| Router::new().route("/", get(async || heap::bytes_in_use().to_string())))
        .config(|config| {
            // Each client has an address of its own, which the server must forget.
            config.net.counts_local_addresses = true;
            config.host.empty_linger = Duration::from_millis(200);
            config.host.over_linger = Duration::from_millis(200);
        });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = server.start("127.0.0.1:0").await?;
        writeln!(std::io::stdout(), "Listening on {}", server.url())?;
        std::future::pending().await
    })
}
