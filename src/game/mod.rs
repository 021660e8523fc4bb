//! The plug-in contract: what a rules crate says about its game.
//!
//! This room knows games, their components, inputs, events and bots. It refuses to know how a match is hosted, who is
//! connected, and every clock but the match's own.

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

/// A game: its rules are plain systems on a `bevy_ecs` world, registered in [`Game::build`].
///
/// The rules must be a pure function of what is registered: no clocks but [`crate::sim::Clock`], no random numbers but
/// [`MatchRng`], no `Local` state, no `Changed` or `Added` filters and no iteration over hash maps. Then a match can be saved,
/// restored and replayed to the last bit.
pub trait Game: Sized + Send + Sync + 'static {
    /// The game's name, as clients and links know it: lower-case letters, digits and `-`.
    const NAME: &'static str;
    /// What a player wants in a tick.
    type Input: GameInput;
    /// What whoever creates a room may choose; rules read it as `Res<Config>`. [`NoConfig`] if there is nothing to choose.
    type Config: Resource + Serialize + DeserializeOwned + Default + Clone;

    /// Refuses a configuration that makes no sense, with a sentence that says what would be right.
    ///
    /// # Errors
    /// The configuration is refused.
    fn check(config: &Self::Config) -> Result<(), String> {
        let _ = config;
        Ok(())
    }

    /// Registers everything. Called once for each match, and once at start to find mistakes.
    fn build(m: &mut MatchBuilder<Self>);
}

/// The configuration of a game that has nothing to choose.
#[derive(Resource, Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// What a player wants. Derived: `#[derive(GameInput, Clone, Default)]`.
pub trait GameInput: Columns + Clone + Default + Send + Sync + 'static {
    /// Takes over the one-shot fields of an earlier input of the same tick, so that no shot is lost.
    fn keep_shots(&mut self, earlier: &Self);
    /// Ends the one-shot fields: they have acted.
    fn clear_shots(&mut self);
}

/// Something that happened, sent to players once and reliably. Derived:
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
/// An event without an id does not compile, nor does one whose id is out of range:
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
    /// The wire id: stable, 1 to 127.
    const ID: u8;
}

/// A duration of `seconds` seconds.
///
/// # Panics
/// If `seconds` is negative or not finite.
#[track_caller]
pub fn secs(seconds: f32) -> Duration {
    assert!(seconds.is_finite() && seconds >= 0.0, "secs({seconds}): a time is finite and not below 0");
    Duration::from_secs_f32(seconds)
}

/// How a match ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The seats that won; none if nobody did.
    pub winners: Vec<Seat>,
}

impl Outcome {
    /// One seat won.
    pub fn winner(seat: Seat) -> Self {
        Self { winners: vec![seat] }
    }

    /// Several seats won together.
    pub fn winners(seats: impl IntoIterator<Item = Seat>) -> Self {
        Self { winners: seats.into_iter().collect() }
    }

    /// Nobody won.
    pub fn draw() -> Self {
        Self::default()
    }
}

/// A player that is part of the rules crate. It sees what a client in its seat would see, and answers with an input.
pub trait Bot<G: Game>: Default + Serialize + DeserializeOwned + Send + 'static {
    /// What to do next. Called once a tick, with random numbers that are the bots' own.
    fn think(&mut self, view: &View<'_>, rng: &mut MatchRng) -> G::Input;
}
