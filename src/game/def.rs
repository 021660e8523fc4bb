//! A game with its types erased, from which hosts make matches.

use std::{
    ops::RangeInclusive,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bevy_ecs::prelude::*;
use serde_json::Value;
use thiserror::Error;

use super::{
    Game, MatchBuilder, MatchOptions, Strength, StrengthError,
    parts::{Hooks, Parts, ServerParts},
    predicted::ClientHas,
    rewind::RewindError,
    rules_module::RulesModule,
};
use crate::{
    protocol::{Columns, InputError, Schema, SchemaError, Seat, TypeSpec, decode_input, ticks},
    replication::{GridError, Replicator},
    sim::{Clock, Deadline, Intent, Sim, SimError, Systems, Teams},
};

/// The number of ticks that are run at start to find mistakes in the rules.
const TRIAL_TICKS: u32 = 3;

/// A checked game with its types erased. Cheap to clone.
#[derive(Clone)]
pub struct GameDef(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    name: &'static str,
    options: MatchOptions,
    /// The strengths of the game's bots. `None` if it has no bots.
    bots: Option<&'static [Strength]>,
    schema: Arc<Schema>,
    make: fn(Option<&Value>, u64) -> Result<Made, ConfigError>,
    rules: Option<RulesModule>,
}

/// One match, ready to run in a room.
pub(crate) struct Match {
    pub(crate) sim: Sim,
    pub(crate) replicator: Replicator,
    pub(crate) hooks: Hooks,
    /// The default input, in columns: a player who does nothing.
    pub(crate) rest: Vec<i64>,
    pub(crate) config: Value,
}

/// A match, and the declarations of its builder.
struct Made {
    game: Match,
    options: MatchOptions,
    repeated: Option<&'static str>,
    replaced: Option<&'static str>,
    unpredictable: Option<(String, String)>,
    grid: Result<(), GridError>,
    /// The first call that needs every tick.
    needs_every_tick: Option<&'static str>,
    /// Whether something is rewound.
    rewind: Result<bool, RewindError>,
    components: Vec<TypeSpec>,
    events: Vec<TypeSpec>,
    commands: Vec<TypeSpec>,
}

/// The reason why a game refuses a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// A mistake in a game, found when the server starts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GameError {
    /// The name contains characters that are not allowed, or is empty.
    #[error("the game's name {0:?} must be of lower-case letters, digits and -")]
    Name(String),
    /// A method that sets one value was called twice.
    #[error("{game}: {method} must be called once at most, because a second call would replace what the first one set")]
    Repeated {
        /// The game's name.
        game: &'static str,
        /// The call of the method, such as `.seats(..)`.
        method: &'static str,
    },
    /// A resource was registered twice, or is one that every match has.
    #[error("{game}: .resource(..) must not replace {name}, which the match already has")]
    Resource {
        /// The game's name.
        game: &'static str,
        /// The name of the resource's type.
        name: &'static str,
    },
    /// The tick rate is out of range.
    #[error("{game}: the tick rate {hz} must be from 1 to 128")]
    TickRate {
        /// The game's name.
        game: &'static str,
        /// The tick rate in ticks per second.
        hz: u16,
    },
    /// The range of seats is empty or starts at 0, or bots are to fill more seats than there are.
    #[error(
        "{game}: .seats({least}..={most}) must go upwards from at least 1, and .fill({fill}) must not be more than there are"
    )]
    Seats {
        /// The game's name.
        game: &'static str,
        /// The fewest players that start a match.
        least: u8,
        /// The number of seats in a room.
        most: u8,
        /// The number of seats that bots fill.
        fill: u8,
    },
    /// A component or an event is registered twice, or out of range.
    #[error("{game}: {error}")]
    Schema {
        /// The game's name.
        game: &'static str,
        /// The cause.
        error: SchemaError,
    },
    /// A system or a rule uses a component, a resource or an event that is not registered.
    #[error("{game}: {name} is used by the rules but not registered: {help}")]
    Unregistered {
        /// The game's name.
        game: &'static str,
        /// The name of the type.
        name: String,
        /// The method that registers it.
        help: &'static str,
    },
    /// A predicted system does something that a client cannot do.
    #[error(
        "{game}: {system} cannot be predicted, because {reason}: replicate what it needs, or add it with .systems(..) instead"
    )]
    Unpredictable {
        /// The game's name.
        game: &'static str,
        /// The name of the system.
        system: String,
        /// The thing that a client cannot do.
        reason: String,
    },
    /// The grid of [`MatchBuilder::interest`] is invalid.
    #[error("{game}: {error}")]
    Grid {
        /// The game's name.
        game: &'static str,
        /// The cause.
        error: GridError,
    },
    /// A component cannot be rewound as [`MatchBuilder::rewind`] says.
    #[error("{game}: {error}")]
    Rewind {
        /// The game's name.
        game: &'static str,
        /// The cause.
        error: RewindError,
    },
    /// The game steps on input, and has something that needs every tick.
    #[error("{game}: .steps_on_input() cannot go with {with}, which needs every tick")]
    OnInput {
        /// The game's name.
        game: &'static str,
        /// The call that needs every tick, such as `.predicted(..)`.
        with: &'static str,
    },
    /// Bots are to play, but the game has no bot.
    #[error("{game}: .fill(..) and .bots_hold_seats() need bots: add .bot::<..>()")]
    NoBot {
        /// The game's name.
        game: &'static str,
    },
    /// The game refuses its own default configuration.
    #[error("{game}: the default configuration is refused: {error}")]
    DefaultConfig {
        /// The game's name.
        game: &'static str,
        /// The reason.
        error: ConfigError,
    },
    /// The rules failed in the trial run at start.
    #[error("{game}: the rules failed when tried for {TRIAL_TICKS} ticks: {message}")]
    Rules {
        /// The game's name.
        game: &'static str,
        /// The error or the panic message.
        message: String,
    },
}

impl GameDef {
    /// Checks a game: builds a match of it and runs that for a few ticks.
    ///
    /// # Errors
    /// Returns the first mistake in the registration or the rules. The message names the type or method concerned.
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
        let bots = made.game.hooks.bot.map(|_| made.game.hooks.strengths);
        let schema = Arc::new(schema);
        let inner = Inner { name: game, options: made.options, bots, schema, make: make::<G>, rules: None };
        Ok(Self(Arc::new(inner)))
    }

    /// Returns the game's name.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Returns the options of the game's matches.
    pub fn options(&self) -> &MatchOptions {
        &self.0.options
    }

    /// Returns the tick rate in ticks per second.
    pub fn hz(&self) -> u16 {
        self.0.options.hz
    }

    /// Returns the fewest players that start a match, and the number of seats in a room.
    pub fn seats(&self) -> RangeInclusive<u8> {
        self.0.options.seats.clone()
    }

    /// Returns the delay of spectators in ticks.
    pub fn spectator_delay(&self) -> u32 {
        ticks(self.0.options.spectator_delay.as_secs_f32(), self.hz())
    }

    /// Returns the strengths of the game's bots, the weakest first, which may be none. `None` if the game has no bots.
    pub fn bots(&self) -> Option<&'static [Strength]> {
        self.0.bots
    }

    /// Checks that the game's bots have a strength.
    ///
    /// # Errors
    /// They do not have it, or the game has no bots.
    pub fn check_strength(&self, wanted: Strength) -> Result<(), StrengthError> {
        wanted.check(self.0.bots.unwrap_or_default())
    }

    /// Returns the schema, which clients need to decode a match.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.0.schema
    }

    /// Adds the WebAssembly module that [`predictor!`](crate::predictor) makes of the rules, for clients to predict with.
    pub fn with_rules(mut self, module: impl Into<RulesModule>) -> Self {
        Arc::make_mut(&mut self.0).rules = Some(module.into());
        self
    }

    /// Returns the module of the rules, if there is one.
    pub fn rules(&self) -> Option<&RulesModule> {
        self.0.rules.as_ref()
    }

    /// Checks that bytes are a valid input of this game.
    ///
    /// # Errors
    /// Returns an error if the bytes cannot be decoded as an input.
    pub fn check_input(&self, bytes: &[u8]) -> Result<(), InputError> {
        decode_input(self.schema(), bytes).map(|_| ())
    }

    /// Builds a match.
    ///
    /// # Errors
    /// Returns the reason if the game refuses the configuration.
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
    let mut m = MatchBuilder::<G>::new(Parts::for_server(seed));
    let intents = m.intents().expect(SERVER);
    m.parts.world.insert_resource(config);
    if let Some((server, world)) = m.parts.server() {
        server.registry.accept_known(world);
    }
    G::build(&mut m);
    let unpredictable = unpredictable::<G>(&mut m.parts);
    let MatchBuilder { parts, options, repeated, replaced, .. } = m;
    let (mut parts, mut world) = parts.into_server().expect(SERVER);
    let needs_every_tick = parts.needs_every_tick();
    if options.on_input {
        world.insert_resource(Deadline::default());
        parts.registry.resource::<Deadline>(&mut world);
    }
    let rewind = parts.install_rewinds(&mut world, options.hz);
    let ServerParts { schedule, registry, components, events, commands, receivers, replicate, hooks, grid, progress, .. } = parts;
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
    let systems = Systems::order(schedule, &mut world, |schedule| progress.name_systems(schedule));
    let systems = systems.unwrap_or_else(|error| panic!("{error}"));
    let mut sim = Sim::new(world, systems, Box::new(intents), registry);
    sim.set_progress(progress);
    sim.set_receivers(receivers);
    let mut rest = vec![0; G::Input::WIDTH];
    G::Input::default().quantise(&mut rest);
    let game = Match { sim, replicator, hooks, rest, config: text };
    Ok(Made { game, options, repeated, replaced, unpredictable, grid, needs_every_tick, rewind, components, events, commands })
}

const SERVER: &str = "the match is built for a server";

/// Returns the first predicted system that a client cannot run, and the reason.
fn unpredictable<G: Game>(parts: &mut Parts) -> Option<(String, String)> {
    let (server, world) = parts.server()?;
    let has = ClientHas {
        replicated: server.replicated.iter().map(|(id, _)| *id).collect(),
        seldom: server.replicated.iter().filter(|(_, every)| *every > 1).map(|(id, _)| *id).collect(),
        intent: world.register_component::<Intent<G::Input>>(),
        resources: vec![
            world.register_component::<Clock>(),
            world.register_component::<Teams>(),
            world.register_component::<G::Config>(),
        ],
    };
    server.predicted.iter().find_map(|access| access.refusal(&has, world))
}

impl Made {
    fn check(&self, game: &'static str, input: TypeSpec) -> Result<Schema, GameError> {
        let MatchOptions { hz, fill, bots_hold_seats, packed, on_input, .. } = self.options;
        if let Some(method) = self.repeated {
            return Err(GameError::Repeated { game, method });
        }
        if let Some(name) = self.replaced {
            return Err(GameError::Resource { game, name });
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
        if let Some(with) = self.needs_every_tick.filter(|_| on_input) {
            return Err(GameError::OnInput { game, with });
        }
        if let Err(error) = &self.grid {
            return Err(GameError::Grid { game, error: error.clone() });
        }
        let rewind = self.rewind.clone().map_err(|error| GameError::Rewind { game, error })?;
        if let Some(name) = self.game.sim.registry().unregistered(self.game.sim.world()) {
            return Err(unregistered(game, name));
        }
        if let Some((system, reason)) = self.unpredictable.clone() {
            return Err(GameError::Unpredictable { game, system, reason });
        }
        let (components, events) = (self.components.clone(), self.events.clone());
        let schema = Schema::new(game, hz, components, events, input);
        let schema = schema.and_then(|schema| schema.with_commands(self.commands.clone()));
        let mut schema = schema.map_err(|error| GameError::Schema { game, error })?;
        (schema.packed, schema.rewind, schema.on_input) = (packed, rewind, on_input);
        Ok(schema)
    }
}

impl Match {
    /// Lets one seat join and runs a few ticks.
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
    if name.ends_with("::Deadline") {
        return GameError::Unregistered { game, name, help: "add .steps_on_input()" };
    }
    // The parameters of systems need resources of their own, which name the game's type.
    let named = [
        ("RegisteredEvent<", "add .event::<..>()"),
        ("Rewound<", "add .rewind::<..>(..)"),
        ("CommandInbox<", "add .command::<..>()"),
    ];
    let inner = named.iter().find_map(|(marker, help)| Some((name.split_once(marker)?.1.trim_end_matches('>'), help)));
    if let Some((inner, help)) = inner {
        return GameError::Unregistered { game, name: inner.into(), help };
    }
    let help = "add .replicate::<(..)>() if clients see it, .state::<..>() if only the server does, .resource(..) if it is one";
    GameError::Unregistered { game, name, help }
}

/// Returns the message of a panic.
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a message".into())
}
