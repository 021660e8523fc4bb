//! A small game that has one of everything, for the tests below the seam.
//!
//! It has rules of its own, because the walking game has one component and one kind of input. The golden frames record this game.

use serde::{Deserialize, Serialize};
use tickcast::prelude::*;

pub use crate::walk::Pos;

#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 2)]
pub struct Hp(pub u8);

#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 3, to = owner)]
pub struct Ammo(pub u8);

#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 4, to = team)]
pub struct Plan {
    pub goal: i32,
    pub kind: Kind,
}

#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 5)]
pub struct Facing(#[q(angle)] pub f32);

#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 6)]
pub struct Shield;

#[derive(Choice, Debug, Clone, Copy, PartialEq, Default)]
pub enum Kind {
    #[default]
    Wait,
    Attack,
    Hide,
}

#[derive(Component, Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Vel(pub Vec2);

/// The number of ticks that are left until the entity despawns.
#[derive(Component, Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fuse(pub u32);

#[derive(Resource, Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Shots(pub u32);

#[derive(GameInput, Debug, Clone, Default, PartialEq)]
pub struct Pad {
    pub dir: Dir8,
    #[q(angle)]
    pub aim: f32,
    #[one_shot]
    pub fire: bool,
}

#[derive(GameEvent, Debug, Clone, PartialEq)]
#[event(id = 1)]
pub struct Fired {
    #[q(step = 0.03125)]
    pub at: Vec2,
    pub by: u8,
}

#[derive(GameEvent, Debug, Clone, PartialEq)]
#[event(id = 2)]
pub struct Click {}

/// Values of the kinds that only events and commands have.
#[derive(GameEvent, Debug, Clone, PartialEq)]
#[event(id = 3)]
pub struct FirstShot {
    pub by: u8,
    pub sound: Text<12>,
    pub smoke: Blob<4>,
}

#[derive(Resource, Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeadowConfig {
    /// The match is over after this many shots.
    pub shots: u32,
    /// The rules panic in this tick. 0: they never do.
    pub panic_at: u32,
}

impl Default for MeadowConfig {
    fn default() -> Self {
        Self { shots: 1000, panic_at: 0 }
    }
}

pub struct Meadow;

impl Game for Meadow {
    const NAME: &'static str = "meadow";
    type Input = Pad;
    type Config = MeadowConfig;

    fn check(config: &MeadowConfig) -> Result<(), String> {
        if config.shots == 0 { Err("shots must be above 0".into()) } else { Ok(()) }
    }

    fn build(m: &mut MatchBuilder<Self>) {
        lay_out(m);
    }
}

/// The meadow with packed lists.
pub struct PackedMeadow;

impl Game for PackedMeadow {
    const NAME: &'static str = "packed-meadow";
    type Input = Pad;
    type Config = MeadowConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        lay_out(m);
        m.packed();
    }
}

fn lay_out<G: Game<Input = Pad>>(m: &mut MatchBuilder<G>) {
    m.tick_rate(20)
        .seats(2..=4)
        .replicate::<(Pos, Hp, Ammo, Plan, Facing, Shield)>()
        .state::<Vel>()
        .state::<Fuse>()
        .resource(Shots::default())
        .event::<Fired>()
        .event::<Click>()
        .event::<FirstShot>()
        .on_join(|seat, w: &mut World| {
            let at = Vec2::new(f32::from(seat.0) * 4.0, 0.0);
            let start = (Pos { at }, Vel(Vec2::ZERO), Hp(100), Ammo(30), Facing(0.0));
            w.spawn_avatar(seat, (start, Team(seat.0 % 2), Plan { goal: 0, kind: Kind::Wait }))
        })
        .reconnect_grace(secs(5.0))
        .systems((panic_on_demand, steer, wander, shoot, move_all, burn))
        .finish_when(enough_shots)
        .bot::<Walker>()
        .fill(3);
}

fn panic_on_demand(clock: Res<Clock>, config: Res<MeadowConfig>) {
    assert!(config.panic_at == 0 || clock.tick < config.panic_at, "asked to panic");
}

fn steer(mut avatars: Query<(&Intent<Pad>, &mut Vel, &mut Facing)>) {
    for (intent, mut vel, mut facing) in &mut avatars {
        vel.0 = intent.dir.unit() * 6.0;
        facing.0 = intent.aim;
    }
}

/// Changes the direction of shots at random, so that random numbers and the order of iteration matter.
fn wander(mut shots: Query<&mut Vel, With<Fuse>>, mut rng: ResMut<MatchRng>) {
    for mut vel in &mut shots {
        vel.0 += Vec2::new(rng.random_range(-0.1..0.1), rng.random_range(-0.1..0.1));
    }
}

fn shoot(
    mut commands: Commands, mut avatars: Query<(&Intent<Pad>, &Seat, &Pos, &Facing, &mut Ammo)>, mut fired: Emit<Fired>,
    mut clicks: Emit<Click>, mut first: Emit<FirstShot>, mut shots: ResMut<Shots>,
) {
    for (intent, seat, pos, facing, mut ammo) in &mut avatars {
        if !intent.fire {
            continue;
        }
        if ammo.0 == 0 {
            clicks.to(*seat, Click {});
            continue;
        }
        ammo.0 -= 1;
        if shots.0 == 0 {
            first.everyone(FirstShot { by: seat.0, sound: Text::new("päng päng päng"), smoke: Blob::new(&[0, 128, 255]) });
        }
        shots.0 += 1;
        fired.everyone(Fired { at: pos.at, by: seat.0 });
        commands.spawn((*pos, Vel(Vec2::from_angle(facing.0) * 10.0), Fuse(15)));
    }
}

fn move_all(clock: Res<Clock>, mut moving: Query<(&mut Pos, &Vel)>) {
    for (mut pos, vel) in &mut moving {
        pos.at += vel.0 * clock.dt;
    }
}

fn burn(mut commands: Commands, mut shots: Query<(Entity, &mut Fuse)>) {
    for (entity, mut fuse) in &mut shots {
        fuse.0 -= 1;
        if fuse.0 == 0 {
            commands.entity(entity).despawn();
        }
    }
}

fn enough_shots(config: Res<MeadowConfig>, shots: Res<Shots>) -> Option<Outcome> {
    (shots.0 >= config.shots).then(|| Outcome::winner(Seat(1)))
}

/// Walks at random and shoots sometimes. It counts what it sees, so that the state of a restored bot matters.
#[derive(Default, Serialize, Deserialize)]
pub struct Walker {
    dir: Dir8,
    seen: u32,
}

impl<G: Game<Input = Pad>> Bot<G> for Walker {
    fn think(&mut self, view: &View<'_>, rng: &mut MatchRng) -> Pad {
        self.seen += view.iter::<Pos>().count() as u32;
        if rng.random_range(0..10) == 0 {
            let dirs = [Dir8::E, Dir8::NE, Dir8::N, Dir8::NW, Dir8::W, Dir8::SW, Dir8::S, Dir8::SE];
            self.dir = dirs[rng.random_range(0..8)];
        }
        Pad { dir: self.dir, aim: rng.random_range(0.0..6.0), fire: self.seen.is_multiple_of(7) }
    }
}

pub fn east() -> Pad {
    Pad { dir: Dir8::E, ..Pad::default() }
}

pub fn fire() -> Pad {
    Pad { fire: true, ..Pad::default() }
}
