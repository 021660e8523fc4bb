//! The parts of a game that a builder collects: all of it for a server, or only what a client runs.

use std::{marker::PhantomData, sync::Arc};

use bevy_ecs::{
    component::ComponentId,
    prelude::*,
    schedule::{ScheduleLabel, SystemSet},
    system::{BoxedSystem, ScheduleSystem},
    world::EntityWorldMut,
};

use super::{
    Bot, Game, MatchOptions, Outcome, Strength,
    predicted::PredictedAccess,
    received::BotCommands,
    rewind::{Lags, Rewind, RewindError},
};
use crate::{
    protocol::{Audience, Columns as _, FieldKind, Replicate, Seat, TypeSpec},
    replication::{GridError, GridLayout, Replicator, View},
    sim::{Clock, MatchRng, Progress, Receiver, Registry, Sim, Team, Teams},
};

/// Whether this is a module for clients. Then nothing is built for a server, and nothing of a server is linked.
const ONLY_CLIENTS: bool = cfg!(all(feature = "client", target_arch = "wasm32"));

/// The parts that a builder has collected.
#[doc(hidden)]
pub struct Parts {
    pub(super) world: World,
    /// `None` for a client.
    server: Option<ServerParts>,
    pub(super) client: ClientParts,
}

/// The parts that a builder collects for a server.
pub(super) struct ServerParts {
    pub schedule: Schedule,
    pub registry: Registry,
    pub components: Vec<TypeSpec>,
    pub events: Vec<TypeSpec>,
    pub commands: Vec<TypeSpec>,
    pub receivers: Vec<Receiver>,
    pub replicate: Vec<fn(&mut Replicator, &mut World)>,
    /// The replicated components, and the ticks between two comparisons of each.
    pub replicated: Vec<(ComponentId, u32)>,
    /// The components and resources that the predicted systems read and write.
    pub predicted: Vec<PredictedAccess>,
    pub grid: Option<Result<GridLayout, GridError>>,
    pub rewinds: Vec<Rewind>,
    pub hooks: Hooks,
    stages: usize,
    pub progress: Arc<Progress>,
    /// The marks of the progress.
    marks: usize,
}

/// The parts that a builder collects for a client.
#[derive(Default)]
pub(super) struct ClientParts {
    pub components: Vec<ErasedComponent>,
    pub systems: Vec<BoxedSystem<(), ()>>,
    pub snaps: Vec<(ComponentId, f32)>,
}

/// A replicated component with its type erased.
#[derive(Clone, Copy)]
pub(crate) struct ErasedComponent {
    pub component: ComponentId,
    /// The wire id.
    pub id: u8,
    /// The number of columns.
    pub width: usize,
    pub fields: fn() -> Vec<FieldKind>,
    /// Puts the value of some columns into an entity.
    pub set: fn(&mut EntityWorldMut<'_>, ComponentId, &[i64]),
    pub remove: fn(&mut EntityWorldMut<'_>),
    /// Appends the value to the last bit. Returns false, and appends nothing, if the entity does not have it.
    pub save: fn(&World, Entity, &mut Vec<u8>) -> bool,
    /// Puts a saved value into an entity.
    pub restore: fn(&mut EntityWorldMut<'_>, ComponentId, &mut &[u8]) -> Option<()>,
    /// Writes the columns of a saved value.
    pub quantise: fn(&mut &[u8], &mut [i64]) -> Option<()>,
    /// Writes a saved value without rounding it, one number for each column.
    pub values: fn(&mut &[u8], &mut [f64]) -> Option<()>,
}

impl ErasedComponent {
    pub(super) fn of<C: Component + Replicate>(world: &mut World) -> Self {
        Self {
            component: world.register_component::<C>(),
            id: C::ID,
            width: C::WIDTH,
            fields: || C::fields().into_iter().map(|field| field.kind).collect(),
            set: |entity, id, columns| put(entity, id, C::dequantise(columns)),
            remove: |entity| {
                entity.remove::<C>();
            },
            save: |world, entity, to| world.get::<C>(entity).map(|value| value.save(to)).is_some(),
            restore: |entity, id, from| {
                put(entity, id, C::restore(from)?);
                Some(())
            },
            quantise: |from, columns| {
                C::restore(from)?.quantise(columns);
                Some(())
            },
            values: |from, values| {
                C::restore(from)?.values(values);
                Some(())
            },
        }
    }
}

/// Puts a component into an entity. `id` is the component's.
fn put<C: Component>(entity: &mut EntityWorldMut<'_>, id: ComponentId, value: C) {
    match entity.get_mut_by_id(id) {
        #[expect(unsafe_code, reason = "a correction writes many components, and an insertion takes ten times as long")]
        // SAFETY: `id` is the id of `C` in the world of the entity: `ErasedComponent::of` registered it there.
        Ok(held) => *unsafe { held.with_type::<C>() } = value,
        Err(_) => {
            entity.insert(value);
        }
    }
}

/// The rules that run outside the schedule.
#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) join: Vec<SeatRule>,
    pub(crate) leave: Vec<SeatRule>,
    pub(crate) finish: Option<BoxedSystem<(), Option<Outcome>>>,
    pub(crate) bot: Option<fn() -> Box<dyn Brain>>,
    pub(crate) strengths: &'static [Strength],
}

/// A rule that runs when a seat is taken or becomes free.
pub(crate) type SeatRule = Box<dyn Fn(Seat, &mut World) + Send + Sync>;

/// A bot with its types erased.
pub(crate) trait Brain: Send {
    fn think(&mut self, view: &View<'_>, rng: &mut MatchRng, columns: &mut Vec<i64>);
    fn command(&mut self, view: &View<'_>, rng: &mut MatchRng, commands: &mut BotCommands);
    fn set_strength(&mut self, strength: Strength);
    fn save(&self) -> Vec<u8>;
    fn restore(&mut self, bytes: &[u8]) -> bool;
}

/// A bot of a game.
pub(super) struct Mind<G, B>(pub B, pub PhantomData<fn() -> G>);

impl<G: Game, B: Bot<G>> Brain for Mind<G, B> {
    fn think(&mut self, view: &View<'_>, rng: &mut MatchRng, columns: &mut Vec<i64>) {
        columns.resize(G::Input::WIDTH, 0);
        self.0.think(view, rng).quantise(columns);
    }
    fn command(&mut self, view: &View<'_>, rng: &mut MatchRng, commands: &mut BotCommands) {
        self.0.command(view, rng, commands);
    }
    fn set_strength(&mut self, strength: Strength) {
        self.0.set_strength(strength);
    }
    fn save(&self) -> Vec<u8> {
        rmp_serde::to_vec(&self.0).unwrap_or_else(|error| panic!("a bot cannot be saved: {error}"))
    }
    fn restore(&mut self, bytes: &[u8]) -> bool {
        rmp_serde::from_slice(bytes).map(|bot| self.0 = bot).is_ok()
    }
}

#[derive(ScheduleLabel, Debug, Clone, PartialEq, Eq, Hash)]
struct TickSchedule;

#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
struct Stage(usize);

impl ServerParts {
    fn new(world: &mut World) -> Self {
        let mut registry = Registry::default();
        registry.replicated::<Seat>(world);
        registry.state::<Team>(world);
        registry.resource::<Teams>(world);
        Self {
            schedule: Schedule::new(TickSchedule),
            registry,
            components: vec![Seat::spec(Some(Seat::ID), Some(Audience::Everyone))],
            events: Vec::new(),
            commands: Vec::new(),
            receivers: Vec::new(),
            replicate: Vec::new(),
            replicated: vec![(world.register_component::<Seat>(), Seat::EVERY)],
            predicted: Vec::new(),
            grid: None,
            rewinds: Vec::new(),
            hooks: Hooks::default(),
            stages: 0,
            progress: Arc::default(),
            marks: 0,
        }
    }

    pub fn add_systems<M>(&mut self, systems: impl IntoScheduleConfigs<ScheduleSystem, M>) {
        if self.stages > 0 {
            self.schedule.configure_sets(Stage(self.stages).after(Stage(self.stages - 1)));
        }
        let systems = self.progress.mark(systems.chain(), &mut self.marks);
        self.schedule.add_systems(systems.in_set(Stage(self.stages)));
        self.stages += 1;
    }

    /// Returns the first call that does not go with steps on input.
    pub fn needs_every_tick(&self) -> Option<&'static str> {
        let seldom = self.replicated.iter().any(|(_, every)| *every > 1);
        let calls = [
            (!self.predicted.is_empty(), ".predicted(..)"),
            (!self.rewinds.is_empty(), ".rewind::<..>(..)"),
            (self.grid.is_some(), ".interest(..)"),
            (seldom, "#[replicate(every = ..)]"),
        ];
        calls.into_iter().find_map(|(is_called, call)| is_called.then_some(call))
    }

    /// Adds what the rewound components need, after all other systems. Returns whether there are any.
    pub fn install_rewinds(&mut self, world: &mut World, hz: u16) -> Result<bool, RewindError> {
        let rewinds = std::mem::take(&mut self.rewinds);
        rewinds.iter().try_for_each(|rewind| rewind.check(&rewinds, &self.components))?;
        if rewinds.is_empty() {
            return Ok(false);
        }
        world.insert_resource(Lags::default());
        self.registry.resource::<Lags>(world);
        for rewind in rewinds {
            let record = rewind.install(&mut self.registry, world, hz);
            self.add_systems(record);
        }
        Ok(true)
    }
}

impl Parts {
    /// Starts with what every match on a server has.
    pub(super) fn for_server(seed: u64) -> Self {
        let mut world = Sim::prepare(MatchOptions::default().hz, seed);
        let server = ServerParts::new(&mut world);
        Self { world, server: Some(server), client: ClientParts::default() }
    }

    /// Starts with what every client has.
    pub(super) fn for_client() -> Self {
        let mut world = World::new();
        world.insert_resource(Clock::new(MatchOptions::default().hz));
        let client = ClientParts { components: vec![ErasedComponent::of::<Seat>(&mut world)], ..ClientParts::default() };
        Self { world, server: None, client }
    }

    /// Returns the parts for a server, unless they are for a client.
    pub(super) fn server(&mut self) -> Option<(&mut ServerParts, &mut World)> {
        if ONLY_CLIENTS {
            return None;
        }
        Some((self.server.as_mut()?, &mut self.world))
    }

    pub(super) fn into_server(self) -> Option<(ServerParts, World)> {
        Some((self.server?, self.world))
    }

    pub(super) fn into_client(self) -> (ClientParts, World) {
        // There is nothing to free, but the compiler cannot know that, and would link the code.
        std::mem::forget(self.server);
        (self.client, self.world)
    }

    pub(super) fn replicate<C: Component + Replicate>(&mut self) {
        let Some((server, world)) = self.server() else {
            return self.client.components.push(ErasedComponent::of::<C>(&mut self.world));
        };
        server.replicated.push((world.register_component::<C>(), C::EVERY));
        server.registry.replicated::<C>(world);
        server.components.push(C::spec(Some(C::ID), Some(C::TO)));
        server.replicate.push(Replicator::register::<C>);
    }
}
