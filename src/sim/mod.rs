//! The fixed step: inputs by tick go in, the world moves on by one tick.
//!
//! This room knows a world, a schedule, seeded random numbers and how to save it all to the last bit. It refuses to know
//! clocks, sockets, and who watches. A match is a pure function of its seed, its rules and its inputs by tick.

mod inputs;
mod registry;
mod resources;
mod saved;

use bevy_ecs::{error::FallbackErrorHandler, prelude::*, schedule::SingleThreadedExecutor};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use crate::protocol::{Id, Seat, Tick};

pub use inputs::{DueInput, Inputs, Offered};
pub use registry::Registry;
pub use resources::{Clock, Intent, MatchRng, OutgoingEvent, OutgoingEvents, Recipient, Team, Teams};

/// How inputs reach the world: the rules' own type is behind it.
pub trait Intents: Send {
    /// Puts what was taken this tick, by seat, into the world, and ends the one-shot fields of the tick before.
    fn apply(&mut self, world: &mut World, taken: &[DueInput]);

    /// The entities by which seats play.
    fn avatars(&self, world: &World) -> Vec<(Seat, Entity)>;
}

/// One match's simulation.
pub struct Sim {
    world: World,
    schedule: Schedule,
    intents: Box<dyn Intents>,
    registry: Registry,
    inputs: Inputs,
    tick: Tick,
    archetypes_seen: usize,
}

/// Why a simulation cannot go on, or cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SimError {
    /// An entity holds a component that nobody registered, so that it would be lost when the match is saved.
    #[error("the component {0} is not registered: add it to .replicate::<(..)>(), or say .state::<..>()")]
    Unregistered(String),
    /// Bytes that are not a match of these rules.
    #[error("not a saved match of these rules")]
    NotSaved,
}

impl Sim {
    /// A simulation before its first step. `world` has been prepared with [`Sim::prepare`].
    pub fn new(world: World, mut schedule: Schedule, intents: Box<dyn Intents>, registry: Registry) -> Self {
        schedule.set_executor(SingleThreadedExecutor::new());
        Self { world, schedule, intents, registry, inputs: Inputs::default(), tick: Tick(0), archetypes_seen: 0 }
    }

    /// A world with what every match has: a clock, seeded random numbers, the outgoing events.
    pub fn prepare(hz: u16, seed: u64) -> World {
        let mut world = World::new();
        world.insert_resource(FallbackErrorHandler(bevy_ecs::error::panic));
        world.insert_resource(Clock::new(hz));
        world.insert_resource(MatchRng::seeded(seed));
        world.insert_resource(OutgoingEvents::default());
        world.insert_resource(Teams::default());
        world
    }

    /// Steps once: inputs due, the rules' systems, then a look at what the rules made.
    ///
    /// # Errors
    /// The rules spawned something unregistered.
    ///
    /// # Panics
    /// When the rules do; the match is over then.
    pub fn step(&mut self) -> Result<(), SimError> {
        self.tick.0 += 1;
        self.world.resource_mut::<Clock>().tick = self.tick.0;
        let taken = self.inputs.take(self.tick);
        self.intents.apply(&mut self.world, taken);
        self.schedule.run(&mut self.world);
        self.check()
    }

    /// The newest tick stepped.
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// The entities by which seats play.
    pub fn avatars(&self) -> Vec<(Seat, Entity)> {
        self.intents.avatars(&self.world)
    }

    /// The world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The world, to change it between two steps.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// The inputs that wait for their ticks.
    pub fn inputs(&mut self) -> &mut Inputs {
        &mut self.inputs
    }

    /// The components and resources that make up a match.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Everything that the future of the match depends on, to the last bit; `id` names the entities that clients know.
    pub fn save(&self, id: impl Fn(Entity) -> Option<Id>) -> Vec<u8> {
        saved::save(self, id)
    }

    /// Takes the place of a saved match. This simulation must be newly built by the same rules. Gives back which entity had
    /// which id.
    ///
    /// # Errors
    /// The bytes are not a saved match of these rules. The simulation is of no use then.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<Vec<(Entity, Id)>, SimError> {
        let ids = saved::restore(self, bytes).ok_or(SimError::NotSaved)?;
        self.check()?;
        Ok(ids)
    }

    /// A checksum of the whole match: two that agree have the same future under the same inputs.
    pub fn checksum(&self) -> u64 {
        xxh3_64(&saved::essence(self))
    }

    /// Leaves a seat's inputs behind.
    pub fn forget(&mut self, seat: Seat) {
        self.inputs.forget(seat);
    }

    /// Looks at archetypes that are new since the last look: all their components must be registered. Costs one comparison
    /// when there are none.
    pub fn check(&mut self) -> Result<(), SimError> {
        let archetypes = self.world.archetypes();
        if archetypes.len() != self.archetypes_seen {
            self.registry.look(&self.world, self.archetypes_seen)?;
            self.archetypes_seen = archetypes.len();
        }
        Ok(())
    }
}
