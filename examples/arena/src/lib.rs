//! Arena, a top-down shooter: walk with one hand, aim and shoot with the other, and the most frags win.
//!
//! This file says what a match is made of; `rules` says what happens in a tick, `map` where the walls are, `bot` how the bots play.
//! The browser view is in `view/`.

#![allow(elided_lifetimes_in_paths, reason = "systems name their parameters as bevy_ecs does, without lifetimes")]

mod bot;
mod map;
mod paths;
mod rules;

use tickcast::prelude::*;

pub use crate::bot::Chaser;
pub use crate::map::{Map, MapName, Wall, hit_circle};

/// Where the middle of an avatar is.
#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
#[replicate(id = 1)]
pub struct Pos {
    /// In units from the map's corner.
    #[q(step = 0.03125, range = 0.0..=64.0)]
    pub at: Vec2,
}

/// Which way an avatar's gun points.
#[derive(Component, Replicate, Clone, Copy, Debug, Default)]
#[replicate(id = 2)]
pub struct Aim(#[q(angle)] pub f32);

/// Health; at 0 the avatar is down.
#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
#[replicate(id = 3)]
pub struct Hp(pub u8);

/// How many others this seat has taken down.
#[derive(Component, Replicate, Clone, Copy, Debug, Default)]
#[replicate(id = 4)]
pub struct Frags(pub u16);

/// Rounds in the magazine; 0 while it reloads.
#[derive(Component, Replicate, Clone, Copy, Debug)]
#[replicate(id = 5, to = owner)]
pub struct Ammo(pub u8);

/// A flying shot. It flies straight, so where it started, when and which way is all that a client needs: no byte a tick.
#[derive(Component, Replicate, Clone, Copy, Debug)]
#[replicate(id = 6)]
pub struct Shot {
    /// The middle of the avatar that shot.
    #[q(step = 0.03125, range = 0.0..=64.0)]
    pub from: Vec2,
    /// The way it flies.
    #[q(angle = 1024)]
    pub heading: f32,
    /// The tick in which it started.
    pub born: u32,
}

/// The ground that an avatar walks on: the bots know it from here, as they see nothing but what travels.
#[derive(Component, Replicate, Clone, Copy, Debug)]
#[replicate(id = 7)]
pub struct Ground(pub MapName);

/// The team of an avatar, in a match with teams: shots pass through friends, and their frags count together.
#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq, Eq)]
#[replicate(id = 8)]
pub struct Side(pub u8);

/// A shot met an avatar.
#[derive(GameEvent, Clone, Debug)]
#[event(id = 1)]
pub struct Hit {
    /// Where.
    #[q(step = 0.03125, range = 0.0..=64.0)]
    pub at: Vec2,
    /// The seat that shot.
    pub shooter: u8,
    /// The seat that was hit.
    pub victim: u8,
    /// Whether that took the victim down.
    pub down: bool,
}

/// What a player does.
#[derive(GameInput, Clone, Default)]
pub struct Pad {
    /// The way to walk.
    pub dir: Dir8,
    /// The way to point the gun.
    #[q(angle = 1024)]
    pub aim: f32,
    /// The trigger: held, the gun shoots as fast as it can.
    pub fire: bool,
    /// Change a magazine that is not yet empty.
    #[one_shot]
    pub reload: bool,
}

/// How a match is to be played.
#[derive(Resource, Serialize, Deserialize, Clone)]
#[serde(default, deny_unknown_fields)]
pub struct ArenaConfig {
    /// Who first has so many frags wins: 1 to 100.
    pub frag_limit: u16,
    /// After so many minutes the leader wins: 1 to 60.
    pub minutes: u8,
    /// The ground.
    pub map: MapName,
}

impl Default for ArenaConfig {
    fn default() -> Self {
        ArenaConfig { frag_limit: 20, minutes: 5, map: MapName::default() }
    }
}

/// When a seat's gun can shoot again, or has changed its magazine.
#[derive(Component, Serialize, Deserialize, Clone, Default)]
pub(crate) struct Gun {
    pub(crate) ready: u32,
}

/// When an avatar that is down stands up again; 0 while it stands.
#[derive(Component, Serialize, Deserialize, Clone, Default)]
pub(crate) struct Down {
    pub(crate) until: u32,
}

/// What only the server needs to know of a shot.
#[derive(Component, Serialize, Deserialize, Clone)]
pub(crate) struct Flight {
    pub(crate) at: Vec2,
    pub(crate) way: Vec2,
    pub(crate) end: End,
}

/// How a shot's flight has ended.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq)]
pub(crate) enum End {
    Flying,
    Wall,
    Avatar(Seat),
}

/// The game.
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
            .replicate::<(Pos, Aim, Hp, Frags, Ammo, Shot, Ground, Side)>()
            .state::<Gun>()
            .state::<Down>()
            .state::<Flight>()
            .event::<Hit>()
            .on_join(rules::join)
            .reconnect_grace(secs(20.0))
            .spectator_delay(secs(2.0))
            .systems((rules::walk, rules::shoot, rules::fly, rules::strike, rules::respawn))
            .finish_when(rules::winner)
            .bot::<Chaser>()
            .fill(6);
    }
}
