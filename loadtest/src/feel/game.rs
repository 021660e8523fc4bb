//! The game of [`mod@crate::feel`]: avatars that walk, and in a fight go down and respawn. `peers/` has the same rules for clients and
//! for the peers.
//!
//! Events that a client cannot foresee come by the clock: in a fight each avatar is hit every two seconds, falls at the fifth hit, and
//! respawns elsewhere. Bots would make the figures of two runs, or of two servers, hard to compare.

use std::io::Write;
use std::net::TcpListener;

use clap::Args;
use tickcast::prelude::*;

pub(crate) const GAME: &str = "feel";
pub(crate) const HZ: u16 = 30;

/// The speed of an avatar, in units per second, as in arena.
pub(crate) const WALK: f32 = 6.5;
/// The side of the field, in units.
const SIZE: f32 = 48.0;
const FULL_HP: u8 = 100;
const DAMAGE: u8 = 20;
/// The ticks from one hit to the next, and by how many the hits of two seats are apart.
const BETWEEN_HITS: u32 = 60;
const APART: u32 = 13;
/// The ticks from falling to respawning.
const RESPAWN: u32 = 75;
/// How far from the middle of the field avatars spawn.
const AWAY: f32 = 6.0;

/// The centre of an avatar.
#[derive(Component, Replicate)]
#[replicate(id = 1)]
pub(crate) struct Pos {
    #[q(step = 0.03125, range = 0.0..=64.0)]
    at: Vec2,
}

/// The health of an avatar. At 0 it is down.
#[derive(Component, Replicate)]
#[replicate(id = 2)]
pub(crate) struct Hp(u8);

/// The tick in which a fallen avatar respawns. 0 while it stands.
#[derive(Component, Serialize, Deserialize, Clone, Default)]
pub(crate) struct Down {
    until: u32,
}

#[derive(GameInput, Clone, Default)]
pub(crate) struct Pad {
    dir: Dir8,
}

/// The configuration of a match.
#[derive(Resource, Serialize, Deserialize, Clone, Default)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FeelConfig {
    /// Whether avatars are hit.
    fight: bool,
}

pub(crate) struct Feel;

impl Game for Feel {
    const NAME: &'static str = GAME;
    type Input = Pad;
    type Config = FeelConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(HZ)
            .seats(1..=2)
            .replicate::<(Pos, Hp)>()
            .state::<Down>()
            .on_join(|seat, world| world.spawn_avatar(seat, (Pos { at: place(u32::from(seat.0)) }, Hp(FULL_HP), Down::default())))
            .predicted(walk)
            .systems(strike);
    }
}

/// Returns one of four places around the middle.
fn place(number: u32) -> Vec2 {
    let corner = [Vec2::new(1.0, 1.0), Vec2::new(-1.0, -1.0), Vec2::new(1.0, -1.0), Vec2::new(-1.0, 1.0)][number as usize % 4];
    Vec2::splat(SIZE / 2.0) + corner * AWAY
}

fn walk(clock: Res<'_, Clock>, mut avatars: Query<'_, '_, (&Intent<Pad>, &Hp, &mut Pos)>) {
    for (intent, hp, mut pos) in &mut avatars {
        if hp.0 > 0 {
            let at = pos.at + intent.dir.unit() * WALK * clock.dt;
            pos.at = at.clamp(Vec2::ZERO, Vec2::splat(SIZE));
        }
    }
}

fn strike(clock: Res<'_, Clock>, config: Res<'_, FeelConfig>, mut all: Query<'_, '_, (&Seat, &mut Pos, &mut Hp, &mut Down)>) {
    for (seat, mut pos, mut hp, mut down) in &mut all {
        if hp.0 == 0 {
            if clock.tick >= down.until {
                (pos.at, *hp) = (place(clock.tick / HZ as u32), Hp(FULL_HP));
            }
        } else if config.fight && (clock.tick + APART * u32::from(seat.0)).is_multiple_of(BETWEEN_HITS) {
            hp.0 -= DAMAGE;
            down.until = clock.tick + RESPAWN;
        }
    }
}

/// The command line of the hidden command `serve-feel`.
#[derive(Debug, Args)]
pub(crate) struct FeelServerArgs {
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    listen: std::net::IpAddr,
    /// The addresses by which pages reach the server, without the port.
    #[arg(long, default_value = "127.0.0.1", value_delimiter = ',')]
    named: Vec<String>,
}

/// Serves on a free port until the process is killed. Its page comes from one of its addresses and talks to another.
pub(crate) fn serve(args: &FeelServerArgs) -> anyhow::Result<()> {
    let port = TcpListener::bind((args.listen, 0))?.local_addr()?.port();
    let mut server = tickcast::server().game::<Feel>();
    for name in &args.named {
        server = server.allow_origin(format!("http://{name}:{port}"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let _server = server.start(&format!("{}:{port}", args.listen)).await?;
        writeln!(std::io::stdout(), "Listening on http://127.0.0.1:{port}")?;
        std::future::pending().await
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(fight: bool) -> TestRoom<Feel> {
        TestRoom::with_config(7, FeelConfig { fight }).seats(1)
    }

    #[test]
    fn an_avatar_walks_at_its_speed() {
        let mut room = room(false);
        room.run(2);
        let from = room.view(0).me::<Pos>().unwrap().at;
        room.press(0, Pad { dir: Dir8::E });
        room.run(30);
        let way = room.view(0).me::<Pos>().unwrap().at - from;
        assert!((way.x - WALK).abs() < 0.3 && way.y == 0.0, "{way}");
    }

    #[test]
    fn only_in_a_fight_an_avatar_falls_and_respawns() {
        let (mut peaceful, mut fight) = (room(false), room(true));
        let mut lives = Vec::new();
        for _ in 0..400 {
            peaceful.run(1);
            fight.run(1);
            assert_eq!(peaceful.view(0).me::<Hp>().unwrap().0, FULL_HP);
            lives.push(fight.view(0).me::<Hp>().unwrap().0);
        }
        lives.dedup();
        assert_eq!(lives, [100, 80, 60, 40, 20, 0, 100]);
    }
}
