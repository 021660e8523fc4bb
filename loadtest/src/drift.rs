//! The game of [`mod@crate::compare`], hosted by Tickcast with the library's defaults. The servers in `peers/` have the same
//! rules.

use std::io::Write;
use std::sync::OnceLock;

use tickcast::prelude::*;

/// Positions and moves are multiples of this step.
const STEP: f32 = 1.0 / 32.0;

/// The largest coordinate that fits into 16 bits of steps.
const LIMIT: f32 = 32_767.0 * STEP;

/// The tick rate of this process. It is a static because `build` takes no arguments.
static TICK_RATE: OnceLock<u16> = OnceLock::new();

#[derive(Component, Replicate)]
#[replicate(id = 1)]
pub(crate) struct Pos {
    #[q(step = 0.03125, range = -1023.96875..=1023.96875)]
    pub(crate) at: Vec2,
}

/// How far to move each tick, in steps.
#[derive(GameInput, Clone, Default)]
pub(crate) struct Push {
    dx: i8,
    dy: i8,
}

pub(crate) struct Drift;

impl Game for Drift {
    const NAME: &'static str = "drift";
    type Input = Push;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(TICK_RATE.get().copied().unwrap_or(20))
            .seats(1..=250)
            .replicate::<Pos>()
            .on_join(|seat, world| world.spawn_avatar(seat, Pos { at: Vec2::ZERO }))
            .systems(drift);
    }
}

pub(crate) fn drift(mut avatars: Query<'_, '_, (&Intent<Push>, &mut Pos)>) {
    for (push, mut pos) in &mut avatars {
        let moved = pos.at + Vec2::new(push.dx.into(), push.dy.into()) * STEP;
        pos.at = moved.clamp(Vec2::splat(-LIMIT), Vec2::splat(LIMIT));
    }
}

/// Serves on a free port until the process is killed.
pub(crate) fn serve(hz: u16) -> anyhow::Result<()> {
    TICK_RATE.set(hz).expect("a process serves once");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = tickcast::server().game::<Drift>().start("127.0.0.1:0").await?;
        writeln!(std::io::stdout(), "Listening on {}", server.url())?;
        std::future::pending().await
    })
}
