//! Arena, a top-down shooter. The player or team with the most frags wins.
//!
//! This file declares the components, the input and the configuration. `rules` has the systems, `map` the maps and their
//! geometry, and `bot` the bots. The browser view is in `view/`.

#![allow(elided_lifetimes_in_paths, reason = "systems name their parameters as bevy_ecs does, without lifetimes")]

mod bot;
mod map;
mod paths;
mod rules;

use tickcast::prelude::*;

pub use crate::bot::Chaser;
pub use crate::map::{Map, MapName, Wall, hit_circle};

/// The centre of an avatar.
#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
#[replicate(id = 1)]
pub struct Pos {
    /// In units, from the map's corner.
    #[q(step = 0.03125, range = 0.0..=64.0)]
    pub at: Vec2,
}

/// The direction of an avatar's gun.
#[derive(Component, Replicate, Clone, Copy, Debug, Default)]
#[replicate(id = 2)]
pub struct Aim(#[q(angle)] pub f32);

/// The health of an avatar. At 0 it is down.
#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
#[replicate(id = 3)]
pub struct Hp(pub u8);

/// The number of enemies that this seat has taken down.
#[derive(Component, Replicate, Clone, Copy, Debug, Default)]
#[replicate(id = 4)]
pub struct Frags(pub u16);

/// The rounds in the magazine. 0 while the gun reloads.
#[derive(Component, Replicate, Clone, Copy, Debug)]
#[replicate(id = 5, to = owner)]
pub struct Ammo(pub u8);

/// A flying shot. Shots fly straight, so clients compute the flight from its start, and later ticks send nothing.
#[derive(Component, Replicate, Clone, Copy, Debug)]
#[replicate(id = 6)]
pub struct Shot {
    /// The centre of the avatar that fired.
    #[q(step = 0.03125, range = 0.0..=64.0)]
    pub from: Vec2,
    /// The direction of flight.
    #[q(angle = 1024)]
    pub heading: f32,
    /// The tick in which it was fired.
    pub born: u32,
}

/// The map of the match. It is replicated because bots see only replicated state.
#[derive(Component, Replicate, Clone, Copy, Debug)]
#[replicate(id = 7)]
pub struct Ground(pub MapName);

/// The team of an avatar, in a match with teams. Shots pass through team mates, and the frags of a team are added up.
#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq, Eq)]
#[replicate(id = 8)]
pub struct Side(pub u8);

/// Protects an avatar that has just spawned. For two seconds shots pass through it, and its gun does not shoot. Nothing ends this early.
#[derive(Component, Replicate, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[replicate(id = 9)]
pub struct Shield {
    /// The first tick in which it can be hurt, and can shoot.
    pub until: u32,
}

/// The gun of an avatar. Its owner's client predicts it, and so sees a shot in the tick in which the gun fires.
#[derive(Component, Replicate, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[replicate(id = 10, to = owner)]
pub struct Gun {
    /// The tick from which it can shoot again, or is reloaded.
    pub ready: u32,
    /// The tick of the newest shot. 0 before the first.
    pub fired: u32,
}

/// A shot hit an avatar.
#[derive(GameEvent, Clone, Debug)]
#[event(id = 1)]
pub struct Hit {
    /// The point of impact.
    #[q(step = 0.03125, range = 0.0..=64.0)]
    pub at: Vec2,
    /// The seat that fired.
    pub shooter: u8,
    /// The seat that was hit.
    pub victim: u8,
    /// Whether the hit took the victim down.
    pub down: bool,
}

/// The input of a player.
#[derive(GameInput, Clone, Default)]
pub struct Pad {
    /// The direction to walk in.
    pub dir: Dir8,
    /// The direction to point the gun in.
    #[q(angle = 1024)]
    pub aim: f32,
    /// Whether the trigger is held. The gun then shoots as fast as it can.
    pub fire: bool,
    /// Reloads before the magazine is empty.
    #[one_shot]
    pub reload: bool,
}

/// The configuration of a match.
#[derive(Resource, Serialize, Deserialize, Clone)]
#[serde(default, deny_unknown_fields)]
pub struct ArenaConfig {
    /// The number of frags that wins the match, 1 to 100. Default 20.
    pub frag_limit: u16,
    /// The length of the match in minutes, 1 to 60. Then the leader wins. Default 5.
    pub minutes: u8,
    /// The map.
    pub map: MapName,
}

impl Default for ArenaConfig {
    fn default() -> Self {
        ArenaConfig { frag_limit: 20, minutes: 5, map: MapName::default() }
    }
}

/// The tick in which a fallen avatar respawns. 0 while it stands.
#[derive(Component, Serialize, Deserialize, Clone, Default)]
pub(crate) struct Down {
    pub(crate) until: u32,
}

/// The state of a shot that stays on the server.
#[derive(Component, Serialize, Deserialize, Clone)]
pub(crate) struct Flight {
    pub(crate) at: Vec2,
    pub(crate) way: Vec2,
    pub(crate) end: End,
    /// The shooter's picture of the others. The shot is tested against that as long as it flies.
    pub(crate) picture: Picture,
}

/// The thing that a shot has hit, if any.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq)]
pub(crate) enum End {
    Flying,
    Wall,
    Avatar(Seat),
}

/// The game, for `tickcast::server().game::<Arena>()`.
pub struct Arena;

impl Game for Arena {
    const NAME: &'static str = "arena";
    type Input = Pad;
    type Config = ArenaConfig;

    fn check(config: &ArenaConfig) -> Result<(), String> {
        let ArenaConfig { frag_limit, minutes, .. } = config;
        if !(1..=100).contains(frag_limit) {
            return Err(format!("frag_limit is {frag_limit}, but must be from 1 to 100"));
        }
        if !(1..=60).contains(minutes) {
            return Err(format!("minutes is {minutes}, but must be from 1 to 60"));
        }
        Ok(())
    }

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(30)
            .seats(2..=16)
            .replicate::<(Pos, Aim, Hp, Frags, Ammo, Shot, Ground, Side, Shield, Gun)>()
            .state::<Down>()
            .state::<Flight>()
            .rewind::<Pos>(secs(rules::FAVOUR))
            .event::<Hit>()
            .on_join(rules::join)
            .reconnect_grace(secs(20.0))
            .spectator_delay(secs(2.0))
            .predicted((rules::walk, rules::trigger))
            .systems((rules::shoot, rules::fly, rules::strike, rules::respawn))
            .finish_when(rules::winner)
            .bot::<Chaser>()
            .fill(6);
    }
}
