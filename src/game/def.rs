//! A game without its types: what hosts hold, and what makes matches.

use std::{
    ops::RangeInclusive,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bevy_ecs::prelude::*;
use serde_json::Value;
use thiserror::Error;

use super::{Game, MatchBuilder, MatchOptions, builder::Hooks};
use crate::{
    protocol::{Columns, InputError, Schema, SchemaError, Seat, TypeSpec, decode_input, ticks},
    replication::{GridError, Replicator},
    sim::{Sim, SimError},
};

/// How many ticks are tried at start, to find mistakes in the rules.
const TRIAL_TICKS: u32 = 3;

/// A game as its hosts see it. Cheap to clone.
#[derive(Clone)]
pub struct GameDef(Arc<Inner>);

struct Inner {
    name: &'static str,
    options: MatchOptions,
    has_bot: bool,
    schema: Arc<Schema>,
    make: fn(Option<&Value>, u64) -> Result<Made, ConfigError>,
}

/// One match, put together: what a room runs.
pub(crate) struct Match {
    pub(crate) sim: Sim,
    pub(crate) replicator: Replicator,
    pub(crate) hooks: Hooks,
    /// The input of a player who wants nothing.
    pub(crate) rest: Vec<i64>,
    pub(crate) config: Value,
}

/// A match and what its builder said of the game.
struct Made {
    game: Match,
    options: MatchOptions,
    repeated: Option<&'static str>,
    grid: Result<(), GridError>,
    components: Vec<TypeSpec>,
    events: Vec<TypeSpec>,
}

/// A configuration that the game refuses.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// A mistake in a game's rules, found at start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GameError {
    /// The name is not one that links can carry.
    #[error("the game's name {0:?} must be of lower-case letters, digits and -")]
    Name(String),
    /// A method that sets one value was called twice.
    #[error("{game}: {method} must be called once at most, because a second call would replace what the first one set")]
    Repeated {
        /// The game.
        game: &'static str,
        /// The method, as it is called.
        method: &'static str,
    },
    /// A tick rate out of range.
    #[error("{game}: the tick rate {hz} must be from 1 to 128")]
    TickRate {
        /// The game.
        game: &'static str,
        /// Its tick rate.
        hz: u16,
    },
    /// No seats, a range that goes downwards, or more to fill than there are.
    #[error(
        "{game}: .seats({least}..={most}) must go upwards from at least 1, and .fill({fill}) must not be more than there are"
    )]
    Seats {
        /// The game.
        game: &'static str,
        /// The least that start a match.
        least: u8,
        /// The most that a room has.
        most: u8,
        /// How many are filled with bots.
        fill: u8,
    },
    /// Something is registered twice, or out of range.
    #[error("{game}: {error}")]
    Schema {
        /// The game.
        game: &'static str,
        /// What is wrong.
        error: SchemaError,
    },
    /// A system or a rule uses a component or resource that is not registered.
    #[error("{game}: {name} is used by the rules but not registered: {help}")]
    Unregistered {
        /// The game.
        game: &'static str,
        /// The type.
        name: String,
        /// How to register it.
        help: &'static str,
    },
    /// The grid that limits what seats see makes no sense.
    #[error("{game}: {error}")]
    Grid {
        /// The game.
        game: &'static str,
        /// What is wrong.
        error: GridError,
    },
    /// Bots are to fill seats, but there is no bot.
    #[error("{game}: .fill(..) and .bots_hold_seats() need bots: add .bot::<..>()")]
    NoBot {
        /// The game.
        game: &'static str,
    },
    /// The default configuration is refused by the game itself.
    #[error("{game}: the default configuration is refused: {error}")]
    DefaultConfig {
        /// The game.
        game: &'static str,
        /// Why.
        error: ConfigError,
    },
    /// The rules failed when they were tried.
    #[error("{game}: the rules failed when tried for {TRIAL_TICKS} ticks: {message}")]
    Rules {
        /// The game.
        game: &'static str,
        /// What they said.
        message: String,
    },
}

impl GameDef {
    /// Takes a game in: builds a match of it, and tries that for a few ticks.
    ///
    /// # Errors
    /// A mistake in the registration or the rules; the message names the culprit.
    pub fn new<G: Game>() -> Result<Self, GameError> {
        let game = G::NAME;
        if game.is_empty() || !game.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(GameError::Name(game.into()));
        }
        let tried = catch_unwind(|| {
            let made = make::<G>(None, 0).map_err(|error| GameError::DefaultConfig { game, error })?;
            let schema = made.check(game, G::Input::spec(None, None))?;
            Ok((made, schema))
        });
        let (mut made, schema) = tried.map_err(|panic| GameError::Rules { game, message: panic_message(&*panic) })??;
        made.game.try_out(game)?;
        let has_bot = made.game.hooks.bot.is_some();
        let inner = Inner { name: game, options: made.options, has_bot, schema: Arc::new(schema), make: make::<G> };
        Ok(Self(Arc::new(inner)))
    }

    /// The game's name.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// What the game says about its matches.
    pub fn options(&self) -> &MatchOptions {
        &self.0.options
    }

    /// Ticks per second.
    pub fn hz(&self) -> u16 {
        self.0.options.hz
    }

    /// The fewest seats that start a match and the most that a room has.
    pub fn seats(&self) -> RangeInclusive<u8> {
        self.0.options.seats.clone()
    }

    /// How many ticks spectators are behind.
    pub fn spectator_delay(&self) -> u32 {
        ticks(self.0.options.spectator_delay.as_secs_f32(), self.hz())
    }

    /// Whether it has a bot.
    pub fn has_bot(&self) -> bool {
        self.0.has_bot
    }

    /// What clients must know to follow a match.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.0.schema
    }

    /// Whether the bytes are an input of this game, without doing anything with it.
    ///
    /// # Errors
    /// They are not.
    pub fn check_input(&self, bytes: &[u8]) -> Result<(), InputError> {
        decode_input(self.schema(), bytes).map(|_| ())
    }

    /// Puts a match together.
    ///
    /// # Errors
    /// The game refuses the configuration.
    pub(crate) fn make(&self, config: Option<&Value>, seed: u64) -> Result<Match, ConfigError> {
        (self.0.make)(config, seed).map(|made| made.game)
    }
}

fn make<G: Game>(config: Option<&Value>, seed: u64) -> Result<Made, ConfigError> {
    let config: G::Config = match config {
        None | Some(Value::Null) => G::Config::default(),
        Some(given) => serde_json::from_value(given.clone()).map_err(|error| ConfigError(error.to_string()))?,
    };
    G::check(&config).map_err(ConfigError)?;
    let text = serde_json::to_value(&config).map_err(|error| ConfigError(error.to_string()))?;
    let mut m = MatchBuilder::<G>::new(seed);
    let intents = m.intents();
    m.world.insert_resource(config);
    m.registry.accept_known(&m.world);
    G::build(&mut m);
    let MatchBuilder { mut world, mut schedule, registry, components, events, replicate, hooks, options, .. } = m;
    let MatchBuilder { grid, repeated, .. } = m;
    let mut replicator = Replicator::new(&mut world, options.hz);
    if options.packed {
        replicator.pack();
    }
    replicate.iter().for_each(|register| register(&mut replicator, &mut world));
    let grid = grid.map_or(Ok(()), |layout| {
        let layout = layout?;
        if components.iter().all(|spec| spec.id != Some(layout.component) || spec.name != layout.name) {
            return Err(GridError::NotReplicated(layout.name));
        }
        replicator.set_grid(layout);
        Ok(())
    });
    if let Err(error) = schedule.initialize(&mut world) {
        panic!("{}", error.to_string(schedule.graph(), &world));
    }
    let sim = Sim::new(world, schedule, Box::new(intents), registry);
    let mut rest = vec![0; G::Input::WIDTH];
    G::Input::default().quantise(&mut rest);
    let game = Match { sim, replicator, hooks, rest, config: text };
    Ok(Made { game, options, repeated, grid, components, events })
}

impl Made {
    fn check(&self, game: &'static str, input: TypeSpec) -> Result<Schema, GameError> {
        let MatchOptions { hz, fill, bots_hold_seats, packed, .. } = self.options;
        if let Some(method) = self.repeated {
            return Err(GameError::Repeated { game, method });
        }
        if !(1..=128).contains(&hz) {
            return Err(GameError::TickRate { game, hz });
        }
        let (least, most) = (*self.options.seats.start(), *self.options.seats.end());
        if least == 0 || least > most || fill > most {
            return Err(GameError::Seats { game, least, most, fill });
        }
        if (fill > 0 || bots_hold_seats) && self.game.hooks.bot.is_none() {
            return Err(GameError::NoBot { game });
        }
        if let Err(error) = &self.grid {
            return Err(GameError::Grid { game, error: error.clone() });
        }
        if let Some(name) = self.game.sim.registry().unregistered(self.game.sim.world()) {
            return Err(unregistered(game, name));
        }
        let (components, events) = (self.components.clone(), self.events.clone());
        let schema = Schema::new(game, hz, components, events, input);
        let mut schema = schema.map_err(|error| GameError::Schema { game, error })?;
        schema.packed = packed;
        Ok(schema)
    }
}

impl Match {
    /// Lets a seat join and steps a few ticks.
    fn try_out(&mut self, game: &'static str) -> Result<(), GameError> {
        let tried = catch_unwind(AssertUnwindSafe(|| {
            self.hooks.join.iter().for_each(|rule| rule(Seat(1), self.sim.world_mut()));
            (0..TRIAL_TICKS).try_for_each(|_| {
                self.sim.step()?;
                let tick = self.sim.tick();
                self.replicator.collect(self.sim.world_mut(), tick);
                Ok(())
            })
        }));
        match tried {
            Ok(Ok(())) => Ok(()),
            Ok(Err(SimError::Unregistered(name))) => Err(unregistered(game, name)),
            Ok(Err(error)) => Err(GameError::Rules { game, message: error.to_string() }),
            Err(panic) => Err(GameError::Rules { game, message: panic_message(&*panic) }),
        }
    }
}

fn unregistered(game: &'static str, name: String) -> GameError {
    match name.find("RegisteredEvent<") {
        Some(at) => {
            let name = name[at + "RegisteredEvent<".len()..].trim_end_matches('>').into();
            GameError::Unregistered { game, name, help: "add .event::<..>()" }
        }
        None => {
            let help =
                "add .replicate::<(..)>() if clients see it, .state::<..>() if only the server does, .resource(..) if it is one";
            GameError::Unregistered { game, name, help }
        }
    }
}

/// What a panic said, for people.
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a message".into())
}
