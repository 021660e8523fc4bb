//! The fixed step: it takes the inputs of a tick and moves the world on by one tick.
//!
//! This room knows a world, a schedule, seeded random numbers, and how to save them to the last bit. It refuses to know clocks,
//! sockets and spectators. A match is a pure function of its seed, its rules and its inputs by tick.

mod inputs;
mod commands;
mod progress;
mod registry;
mod resources;
mod saved;
mod systems;

use std::sync::Arc;

use bevy_ecs::{error::FallbackErrorHandler, prelude::*};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    prefetch::prefetch,
    protocol::{Id, Seat, Tick},
};

pub use commands::Commands;
pub(crate) use commands::Receiver;
pub use inputs::{DueInput, EIGHTHS, Inputs, Lag, NewInput, Offered};
pub use progress::{Part, Progress};
pub use registry::Registry;
pub(crate) use resources::resource_in_table;
pub use resources::{Clock, Deadline, Intent, MatchRng, OutgoingEvent, OutgoingEvents, Recipient, Team, Teams};
pub(crate) use systems::Systems;

/// Writes inputs into the world, in the rules' own type.
pub trait Intents: Send {
    /// Writes the inputs of this tick into the world, and ends the one-shot fields of the tick before.
    fn apply(&mut self, world: &mut World, taken: &[DueInput]);

    /// Returns the avatars of the seats.
    fn avatars(&self, world: &World) -> Vec<(Seat, Entity)>;

    /// Returns the avatars of the seats without a search for their archetypes, for each tick.
    fn find_avatars(&mut self, world: &World) -> Vec<(Seat, Entity)>;
}

/// The simulation of one match.
pub struct Sim {
    world: World,
    systems: Systems,
    intents: Box<dyn Intents>,
    registry: Registry,
    inputs: Inputs,
    commands: Commands,
    receivers: Vec<Receiver>,
    outgoing: OutgoingEvents,
    tick: Tick,
    archetypes_seen: usize,
    progress: Arc<Progress>,
}

/// The reason why a simulation cannot go on, or cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SimError {
    /// An entity has a component that is not registered, so it would be lost when the match is saved.
    #[error("the component {0} is not registered: add it to .replicate::<(..)>() or to .state::<..>()")]
    Unregistered(String),
    /// The bytes are not a saved match of these rules.
    #[error("not a saved match of these rules")]
    NotSaved,
}

impl Sim {
    /// Makes a simulation before its first step. `world` comes from [`Sim::prepare`].
    pub(crate) fn new(world: World, systems: Systems, intents: Box<dyn Intents>, registry: Registry) -> Self {
        let (inputs, commands, receivers) = (Inputs::default(), Commands::default(), Vec::new());
        let progress = Arc::default();
        let outgoing = world.resource::<OutgoingEvents>().clone();
        Self {
            world,
            systems,
            intents,
            registry,
            inputs,
            commands,
            receivers,
            outgoing,
            tick: Tick(0),
            archetypes_seen: 0,
            progress,
        }
    }

    /// Sets where the systems of the schedule note what is going on.
    pub(crate) fn set_progress(&mut self, progress: Arc<Progress>) {
        self.progress = progress;
    }

    /// Sets who gives commands to the rules, by type.
    pub(crate) fn set_receivers(&mut self, receivers: Vec<Receiver>) {
        self.receivers = receivers;
    }

    /// Returns what the match is doing, for other threads to read.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Makes a world with the resources that every match has: a clock, seeded random numbers, teams and the outgoing events.
    pub fn prepare(hz: u16, seed: u64) -> World {
        let mut world = World::new();
        world.insert_resource(FallbackErrorHandler(bevy_ecs::error::panic));
        world.insert_resource(Clock::new(hz));
        world.insert_resource(MatchRng::seeded(seed));
        world.insert_resource(OutgoingEvents::default());
        world.insert_resource(Teams::default());
        world
    }

    /// Steps once: applies the inputs and commands that are due, runs the rules' systems, and checks the components that they made.
    ///
    /// # Errors
    /// The rules spawned a component that is not registered.
    ///
    /// # Panics
    /// If the rules panic. The match is over then.
    pub fn step(&mut self) -> Result<(), SimError> {
        self.tick.0 += 1;
        self.world.resource_mut::<Clock>().tick = self.tick.0;
        let taken = self.inputs.take(self.tick);
        self.intents.apply(&mut self.world, taken);
        commands::hand_over(&mut self.commands, &self.receivers, &mut self.world);
        self.systems.run(&mut self.world);
        self.check()
    }

    /// Lets time pass without a step. The next step is that of the tick after this one.
    pub(crate) fn skip_to(&mut self, tick: Tick) {
        self.tick = tick;
        // Rules for seats that come and go run before the step.
        self.world.resource_mut::<Clock>().tick = tick.0;
    }

    /// Forgets the deadline of the last step, in a match that has one.
    pub(crate) fn forget_deadline(&mut self) {
        *self.world.resource_mut::<Deadline>() = Deadline::default();
    }

    /// Returns the deadline that the rules have set in the last step.
    pub(crate) fn deadline(&self) -> Option<Tick> {
        self.world.resource::<Deadline>().tick().map(Tick)
    }

    /// Returns the newest tick that was stepped or skipped.
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// Returns the avatars of the seats.
    pub fn avatars(&self) -> Vec<(Seat, Entity)> {
        self.intents.avatars(&self.world)
    }

    /// Returns the avatars of the seats, as fast as each tick needs it.
    pub(crate) fn find_avatars(&mut self) -> Vec<(Seat, Entity)> {
        self.intents.find_avatars(&self.world)
    }

    /// Returns the world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Returns the world, to change it between two steps.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// Begins to fetch what the next step looks at into the CPU's caches.
    pub(crate) fn prefetch(&self) {
        prefetch(&*self.intents);
        prefetch(&*self.progress);
        for table in self.world.storages().tables.iter() {
            prefetch(table.entities());
            table.iter_columns().for_each(prefetch);
        }
        self.inputs.prefetch();
    }

    /// Returns the earliest tick for which an input or a command waits.
    pub(crate) fn next_input(&self) -> Option<Tick> {
        let command = (!self.commands.is_empty()).then_some(Tick(self.tick.0 + 1));
        self.inputs.next_due().into_iter().chain(command).min()
    }

    /// Returns the number of the newest command that was taken from a seat; 0 before the first.
    pub(crate) fn newest_command(&self, seat: Seat) -> u32 {
        self.commands.newest(seat)
    }

    /// Returns the commands that wait for the next step.
    pub fn commands(&mut self) -> &mut Commands {
        &mut self.commands
    }

    /// Returns the inputs that wait for their ticks.
    pub fn inputs(&mut self) -> &mut Inputs {
        &mut self.inputs
    }

    /// Takes the game events of the newest tick.
    pub fn take_events(&mut self) -> Vec<OutgoingEvent> {
        self.outgoing.take()
    }

    /// Returns the components and resources that make up a match.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Saves everything that the future of the match depends on, to the last bit. `id` gives the ids of entities that clients know.
    pub fn save(&self, id: impl Fn(Entity) -> Option<Id>) -> Vec<u8> {
        saved::save(self, id)
    }

    /// Restores a saved match into this simulation, which must be newly built by the same rules. Returns the entities with their
    /// ids.
    ///
    /// # Errors
    /// The bytes are not a saved match of these rules. Drop the simulation then.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<Vec<(Entity, Id)>, SimError> {
        let ids = saved::restore(self, bytes).ok_or(SimError::NotSaved)?;
        self.check()?;
        Ok(ids)
    }

    /// Returns a checksum of the whole match. Two matches that agree have the same future under the same inputs.
    pub fn checksum(&self) -> u64 {
        xxh3_64(&saved::essence(self))
    }

    /// Returns the number of entities in the world, including one for each resource. Fast while there are at most `enough`: then the
    /// number may be too high, but never above `enough`.
    pub(crate) fn entities(&self, enough: usize) -> usize {
        let entities = self.world.entities();
        // Indices are used again, so as many entities were there at one time.
        let indices = entities.len() as usize;
        if indices > enough { entities.count_spawned() as usize } else { indices }
    }

    /// Forgets a seat's inputs and commands.
    pub fn forget(&mut self, seat: Seat) {
        self.inputs.forget(seat);
        self.commands.forget(seat);
    }

    /// Checks that all components of new archetypes are registered. Costs one comparison when there are none.
    ///
    /// # Errors
    /// A component is not registered.
    pub fn check(&mut self) -> Result<(), SimError> {
        let archetypes = self.world.archetypes();
        if archetypes.len() != self.archetypes_seen {
            self.registry.look(&self.world, self.archetypes_seen)?;
            self.archetypes_seen = archetypes.len();
        }
        Ok(())
    }
}
