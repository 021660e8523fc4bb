//! The interface between a rules crate and the server.
//!
//! This module knows games, their components, inputs, events and bots. It does not know how a match is hosted or which clients
//! are connected, and its only clock is the match's own.

mod strength;
mod emit;
mod received;
mod rewind;
mod intents;
mod options;
mod predicted;
mod parts;
mod replicated;
mod builder;
mod settings;
mod client;
mod rules_module;
mod def;

use std::time::Duration;

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    protocol::{Columns, Fields, Seat},
    replication::View,
    sim::MatchRng,
};

pub use builder::MatchBuilder;
pub(crate) use client::{ClientRules, UsedComponent};
pub(crate) use def::Match;
pub use def::{ConfigError, GameDef, GameError, panic_message};
pub use emit::Emit;
pub use intents::SpawnAvatar;
pub use options::MatchOptions;
pub(crate) use parts::{Brain, ErasedComponent, Hooks};
pub use predicted::{PredictedFilter, PredictedParam, PredictedSystems};
pub use received::{BotCommands, Received};
pub use replicated::ReplicatedSet;
pub use rewind::{Picture, RewindError, Seen};
pub use rules_module::RulesModule;
pub use strength::{Strength, StrengthError};

/// A game. Its rules are plain systems on a `bevy_ecs` world, registered in [`Game::build`].
///
/// A match can be saved, restored and replayed bit for bit if its rules are deterministic and keep their state only in
/// registered components and resources. That excludes clocks other than [`crate::sim::Clock`], random numbers other than
/// [`MatchRng`], `Local` state, `Changed` and `Added` filters, and iteration over hash maps.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// #[derive(Component, Replicate)]
/// #[replicate(id = 1)]
/// struct Steps(u16);
///
/// #[derive(GameInput, Clone, Default)]
/// struct Pad {
///     go: bool,
/// }
///
/// struct Race;
///
/// impl Game for Race {
///     const NAME: &'static str = "race";
///     type Input = Pad;
///     type Config = NoConfig;
///
///     fn build(m: &mut MatchBuilder<Self>) {
///         m.replicate::<Steps>()
///             .on_join(|seat, world| world.spawn_avatar(seat, Steps(0)))
///             .systems(walk)
///             .finish_when(finish);
///     }
/// }
///
/// fn walk(mut runners: Query<(&Intent<Pad>, &mut Steps)>) {
///     for (intent, mut steps) in &mut runners {
///         steps.0 += u16::from(intent.go);
///     }
/// }
///
/// fn finish(runners: Query<(&Seat, &Steps)>) -> Option<Outcome> {
///     runners.iter().find(|(_, steps)| steps.0 >= 10).map(|(seat, _)| Outcome::winner(*seat))
/// }
///
/// let mut test = TestRoom::<Race>::new(7).seats(2);
/// test.press(1, Pad { go: true });
/// test.run(10);
/// assert_eq!(test.outcome(), Some(&Outcome::winner(Seat(2))));
/// ```
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

crate::sim::resource_in_table!(NoConfig);

/// The input of a player. Implemented with `#[derive(GameInput, Clone, Default)]`.
///
/// # Examples
///
/// ```
/// use tickcast::{game::GameInput as _, prelude::*};
///
/// #[derive(GameInput, Clone, Default)]
/// struct Pad {
///     dir: Dir8,
///     #[one_shot]
///     jump: bool,
/// }
///
/// let mut pad = Pad { dir: Dir8::N, jump: true };
/// pad.clear_shots();
/// assert!(pad.dir == Dir8::N && !pad.jump);
/// ```
pub trait GameInput: Columns + Clone + Default + Send + Sync + 'static {
    /// Copies the one-shot fields that are set in an earlier input of the same tick, so that no shot is lost.
    fn keep_shots(&mut self, earlier: &Self);
    /// Resets the one-shot fields after the tick in which they took effect.
    fn clear_shots(&mut self);
}

/// An event that players receive exactly once, such as a hit. Send it with [`Emit`]. Implemented with a derive.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// #[derive(GameEvent)]
/// #[event(id = 1)]
/// struct Hit {
///     damage: u8,
/// }
/// ```
pub trait GameEvent: Fields + Send + Sync + 'static {
    /// The id on the wire, 1 to 127. It must stay the same for the life of the game.
    const ID: u8;
}

/// A command of a player: something to say once, of a size that inputs are not, such as a guess or a stroke of a pen. Commands are neither
/// lost nor repeated, and act in the order of sending. Rules read them with [`Received`]. Implemented with a derive.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// #[derive(GameCommand)]
/// #[command(id = 1)]
/// struct Stroke {
///     color: u8,
///     points: Blob<512>,
/// }
/// ```
pub trait GameCommand: Fields + Send + Sync + 'static {
    /// The id on the wire, 1 to 127. It must stay the same for the life of the game.
    const ID: u8;
}

/// Returns a duration of `seconds` seconds.
///
/// # Panics
/// If `seconds` is negative or not finite.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// assert_eq!(secs(1.5).as_millis(), 1500);
/// ```
#[track_caller]
pub fn secs(seconds: f32) -> Duration {
    assert!(seconds.is_finite() && seconds >= 0.0, "secs({seconds}): a time is finite and not below 0");
    Duration::from_secs_f32(seconds)
}

/// The result of a match.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// assert_eq!(Outcome::winner(Seat(2)).winners, [Seat(2)]);
/// assert_eq!(Outcome::winners([Seat(1), Seat(3)]).winners.len(), 2);
/// assert!(Outcome::draw().winners.is_empty());
/// ```
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
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
/// # #[derive(Component, Replicate)] #[replicate(id = 1)] struct Pos { #[q(step = 0.0625)] at: Vec2 }
/// # #[derive(Component, Replicate)] #[replicate(id = 2)] struct Coin;
/// # #[derive(GameInput, Clone, Default)] struct Pad { dir: Dir8 }
/// # struct Coins;
/// # impl Game for Coins {
/// #     const NAME: &'static str = "coins"; type Input = Pad; type Config = NoConfig;
/// #     fn build(m: &mut MatchBuilder<Self>) { m.replicate::<(Pos, Coin)>().bot::<Miser>().fill(1); }
/// # }
///
/// /// Walks to the first coin that it sees.
/// #[derive(Default, Serialize, Deserialize)]
/// struct Miser;
///
/// impl Bot<Coins> for Miser {
///     fn think(&mut self, view: &View<'_>, _rng: &mut MatchRng) -> Pad {
///         let Some(me) = view.me::<Pos>() else { return Pad::default() };
///         let coin = view.iter::<Coin>().find_map(|(id, _)| view.get::<Pos>(id));
///         Pad { dir: coin.map_or(Dir8::None, |coin| Dir8::nearest(coin.at - me.at, 0.2)) }
///     }
/// }
/// # TestRoom::<Coins>::new(7).bots().run(3);
/// ```
pub trait Bot<G: Game>: Default + Serialize + DeserializeOwned + Send + 'static {
    /// The strengths that the bot can have, the weakest first. Default: none, and the bot plays alike in every room.
    const STRENGTHS: &'static [Strength] = &[];

    /// Returns the input for the next tick. Called once per tick.
    ///
    /// `rng` is a generator for bots, separate from the rules' generator.
    fn think(&mut self, view: &View<'_>, rng: &mut MatchRng) -> G::Input;

    /// Sends commands. Called after each [`think`](Self::think). Default: a no-op.
    fn command(&mut self, _view: &View<'_>, _rng: &mut MatchRng, _commands: &mut BotCommands) {}

    /// Sets how strong the bot plays from now on. Called with one of [`STRENGTHS`](Self::STRENGTHS) before the first
    /// [`think`](Self::think), and when the strength of the room's bots changes. Default: a no-op.
    ///
    /// A bot should be weaker as a person is: slower to notice, less exact, less clever. It should never know more than its view.
    fn set_strength(&mut self, _strength: Strength) {}
}
