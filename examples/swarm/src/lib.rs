//! Swarm: cells eat, grow and split, a hundred players in one world with thousands of crumbs.
//!
//! It shows how many entities fit into one match: a grid limits what a seat sees, a budget limits its bytes, frames are packed, and
//! what nobody needs at once is sent less often.

mod bot;
mod rules;
mod space;

use tickcast::prelude::*;

pub use bot::Nibbler;
pub use rules::{MOST_CELLS, SPLIT_AT, START};

/// The side of the world, which is a square from (0, 0), in units.
pub const SIZE: f32 = 200.0;

/// Where a cell or a crumb is.
#[derive(Component, Replicate, Clone, Copy)]
#[replicate(id = 1)]
pub struct Pos {
    #[q(step = 0.0625, range = 0.0..=200.0)]
    /// In units, from the lower left corner of the world.
    pub at: Vec2,
}

/// The mass of a cell. Its radius is [`radius`].
#[derive(Component, Replicate, Clone, Copy)]
#[replicate(id = 2)]
pub struct Mass(#[q(step = 0.5, range = 0.0..=60000.0)] pub f32);

/// A crumb, which adds 1 to the mass of the cell that eats it.
#[derive(Component, Replicate, Clone, Copy)]
#[replicate(id = 3)]
pub struct Crumb;

/// A player: the avatar, to which the inputs go. It is nowhere, so that everybody sees it, and its cells are entities of its seat.
#[derive(Component, Replicate, Clone, Copy, Default)]
#[replicate(id = 4, every = 10)]
pub struct Standing {
    /// The mass of all cells; 0 while the player waits for a new one.
    pub mass: u16,
    /// The most that it has been in this match.
    pub best: u16,
    /// How many cells of others the player has eaten.
    pub eaten: u16,
}

/// What pushes a cell, in units a second: it has split off, or others of its seat are in the way.
#[derive(Component, Serialize, Deserialize, Clone, Copy, Default)]
pub struct Push(pub Vec2);

/// The tick from which a cell may merge with others of its seat.
#[derive(Component, Serialize, Deserialize, Clone, Copy, Default)]
pub struct Merges(pub u32);

/// The tick in which a player without cells gets a new one.
#[derive(Component, Serialize, Deserialize, Clone, Copy, Default)]
pub struct Returns(pub u32);

/// The player's wish.
#[derive(GameInput, Clone, Default)]
pub struct Pad {
    /// Where to go, in radians.
    #[q(angle)]
    pub aim: f32,
    /// How fast: the part of the full speed.
    #[q(step = 0.1, range = 0.0..=1.0)]
    pub pace: f32,
    /// Split every cell that is large enough.
    #[one_shot]
    pub split: bool,
}

/// Somebody has eaten a whole player.
#[derive(GameEvent, Clone, Debug, PartialEq)]
#[event(id = 1)]
pub struct Swallowed {
    /// The seat that has eaten.
    pub by: u8,
    /// The seat that has no cells left.
    pub whom: u8,
}

/// What the creator of a room may choose.
#[derive(Resource, Serialize, Deserialize, Clone)]
#[serde(default, deny_unknown_fields)]
pub struct SwarmConfig {
    /// How long the match takes, in minutes: 1 to 30.
    pub minutes: u8,
    /// How many crumbs there are: 0 to 5,000.
    pub crumbs: u16,
}

impl Default for SwarmConfig {
    fn default() -> Self {
        Self { minutes: 5, crumbs: 5000 }
    }
}

/// The game.
pub struct Swarm;

impl Game for Swarm {
    const NAME: &'static str = "swarm";
    type Input = Pad;
    type Config = SwarmConfig;

    fn check(config: &SwarmConfig) -> Result<(), String> {
        match config {
            SwarmConfig { minutes: 1..=30, crumbs: 0..=5000 } => Ok(()),
            SwarmConfig { minutes, crumbs } => {
                Err(format!("minutes {minutes} must be from 1 to 30, crumbs {crumbs} from 0 to 5000"))
            }
        }
    }

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(20)
            .seats(1..=100)
            .replicate::<(Pos, Mass, Crumb, Standing)>()
            .state::<Push>()
            .state::<Merges>()
            .state::<Returns>()
            .event::<Swallowed>()
            .interest(Grid::<Pos>::cells(16.0).radius(2).far_beyond(1, 3))
            .packed()
            .budget(1200)
            .on_join(rules::join)
            .reconnect_grace(secs(15.0))
            .systems((rules::sow, rules::appear, rules::split, rules::walk, rules::merge))
            .systems((rules::graze, rules::hunt, rules::count))
            .finish_when(rules::finish)
            .bot::<Nibbler>()
            .fill(30);
    }
}

/// Returns the radius of a cell of a mass, in units.
pub fn radius(mass: f32) -> f32 {
    0.4 * mass.sqrt()
}
