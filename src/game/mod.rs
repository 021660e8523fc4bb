//! The interface between a rules crate and the server.
//!
//! This module knows games, their components, inputs, events and bots. It does not know how a match is hosted or which clients
//! are connected, and its only clock is the match's own.

mod emit;
mod intents;
mod options;
mod builder;
mod def;

use std::time::Duration;

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    protocol::{Columns, Seat},
    replication::View,
    sim::MatchRng,
};

pub use builder::MatchBuilder;
pub(crate) use builder::{Brain, Hooks};
pub(crate) use def::Match;
pub use def::{ConfigError, GameDef, GameError, panic_message};
pub use emit::Emit;
pub use intents::SpawnAvatar;
pub use options::MatchOptions;

/// A game. Its rules are plain systems on a `bevy_ecs` world, registered in [`Game::build`].
///
/// A match can be saved, restored and replayed bit for bit if its rules are deterministic and keep their state only in
/// registered components and resources. That excludes clocks other than [`crate::sim::Clock`], random numbers other than
/// [`MatchRng`], `Local` state, `Changed` and `Added` filters, and iteration over hash maps.
pub trait Game: Sized + Send + Sync + 'static {
    /// The game's name in the protocol and in links. It consists of lower-case letters, digits and `-`.
    const NAME: &'static str;
    /// The input of a player for one tick.
    type Input: GameInput;
    /// The settings that the creator of a room can choose. Rules read them as `Res<Config>`. Use [`NoConfig`] if there are none.
    type Config: Resource + Serialize + DeserializeOwned + Default + Clone;

    /// Checks a configuration. The default implementation accepts every configuration.
    ///
    /// # Errors
    /// Returns a sentence for players that says which value is wrong and what would be right.
    fn check(config: &Self::Config) -> Result<(), String> {
        let _ = config;
        Ok(())
    }

    /// Registers the game's components, events, systems and options.
    ///
    /// Called once for each match, and once when the server starts to find mistakes.
    fn build(m: &mut MatchBuilder<Self>);
}

/// The configuration of a game without settings.
#[derive(Resource, Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// The input of a player. Implemented with `#[derive(GameInput, Clone, Default)]`.
pub trait GameInput: Columns + Clone + Default + Send + Sync + 'static {
    /// Copies the one-shot fields that are set in an earlier input of the same tick, so that no shot is lost.
    fn keep_shots(&mut self, earlier: &Self);
    /// Resets the one-shot fields after the tick in which they took effect.
    fn clear_shots(&mut self);
}

/// An event that players receive exactly once, such as a hit. Send it with [`Emit`]. Implemented with a derive:
///
/// ```
/// # use tickcast::prelude::*;
/// #[derive(GameEvent)]
/// #[event(id = 1)]
/// struct Hit {
///     damage: u8,
/// }
/// ```
///
/// An event without an id, or with an id out of range, does not compile:
///
/// ```compile_fail
/// # use tickcast::prelude::*;
/// #[derive(GameEvent)]
/// struct Hit {
///     damage: u8,
/// }
/// ```
///
/// ```compile_fail
/// # use tickcast::prelude::*;
/// #[derive(GameEvent)]
/// #[event(id = 128)]
/// struct Hit {
///     damage: u8,
/// }
/// ```
pub trait GameEvent: Columns + Send + Sync + 'static {
    /// The id on the wire, 1 to 127. It must stay the same for the life of the game.
    const ID: u8;
}

/// Returns a duration of `seconds` seconds.
///
/// # Panics
/// If `seconds` is negative or not finite.
#[track_caller]
pub fn secs(seconds: f32) -> Duration {
    assert!(seconds.is_finite() && seconds >= 0.0, "secs({seconds}): a time is finite and not below 0");
    Duration::from_secs_f32(seconds)
}

/// The result of a match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The seats that won. Empty if nobody won.
    pub winners: Vec<Seat>,
}

impl Outcome {
    /// Returns the outcome that one seat won.
    pub fn winner(seat: Seat) -> Self {
        Self { winners: vec![seat] }
    }

    /// Returns the outcome that several seats won together.
    pub fn winners(seats: impl IntoIterator<Item = Seat>) -> Self {
        Self { winners: seats.into_iter().collect() }
    }

    /// Returns the outcome that nobody won.
    pub fn draw() -> Self {
        Self::default()
    }
}

/// A computer player. It sees what a client in its seat would see, and returns an input for each tick.
///
/// A bot is serialized when its match is saved.
pub trait Bot<G: Game>: Default + Serialize + DeserializeOwned + Send + 'static {
    /// Returns the input for the next tick. Called once per tick.
    ///
    /// `rng` is a generator for bots, separate from the rules' generator.
    fn think(&mut self, view: &View<'_>, rng: &mut MatchRng) -> G::Input;
}
