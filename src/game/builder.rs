//! What [`Game::build`](super::Game::build) writes on.

use std::{marker::PhantomData, ops::RangeInclusive, time::Duration};

use bevy_ecs::{
    component::Mutable,
    prelude::*,
    schedule::{ScheduleLabel, SystemSet},
    system::{BoxedSystem, ScheduleSystem},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Bot, Game, GameEvent, MatchOptions, Outcome, emit::RegisteredEvent, intents::IntentWriter};
use crate::{
    protocol::{Audience, Columns, Replicate, Seat, TypeSpec},
    replication::{Grid, GridError, GridLayout, Replicator, View},
    sim::{Clock, MatchRng, Registry, Sim, Team, Teams},
};

/// A rule that changes the world for a seat.
pub(crate) type SeatRule = Box<dyn Fn(Seat, &mut World) + Send + Sync>;

/// A bot without its game's types.
pub(crate) trait Brain: Send {
    fn think(&mut self, view: &View<'_>, rng: &mut MatchRng, columns: &mut Vec<i64>);
    fn save(&self) -> Vec<u8>;
    fn restore(&mut self, bytes: &[u8]) -> bool;
}

struct Mind<G, B>(B, PhantomData<fn() -> G>);

impl<G: Game, B: Bot<G>> Brain for Mind<G, B> {
    fn think(&mut self, view: &View<'_>, rng: &mut MatchRng, columns: &mut Vec<i64>) {
        use crate::protocol::Columns;
        columns.resize(G::Input::WIDTH, 0);
        self.0.think(view, rng).quantise(columns);
    }
    fn save(&self) -> Vec<u8> {
        rmp_serde::to_vec(&self.0).unwrap_or_else(|error| panic!("a bot cannot be saved: {error}"))
    }
    fn restore(&mut self, bytes: &[u8]) -> bool {
        rmp_serde::from_slice(bytes).map(|bot| self.0 = bot).is_ok()
    }
}

/// Puts one match of a game together. Every method says one thing about the game; order matters only for `systems`.
pub struct MatchBuilder<G: Game> {
    pub(super) world: World,
    pub(super) schedule: Schedule,
    pub(super) registry: Registry,
    pub(super) components: Vec<TypeSpec>,
    pub(super) events: Vec<TypeSpec>,
    pub(super) replicate: Vec<fn(&mut Replicator, &mut World)>,
    pub(super) options: MatchOptions,
    pub(super) grid: Option<Result<GridLayout, GridError>>,
    pub(super) hooks: Hooks,
    stages: usize,
    /// The methods called that set one value.
    set: Vec<&'static str>,
    /// The first of them that was called again.
    pub(super) repeated: Option<&'static str>,
    marker: PhantomData<fn() -> G>,
}

/// The rules that run outside of the schedule.
#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) join: Vec<SeatRule>,
    pub(crate) leave: Vec<SeatRule>,
    pub(crate) finish: Option<BoxedSystem<(), Option<Outcome>>>,
    pub(crate) bot: Option<fn() -> Box<dyn Brain>>,
}

#[derive(ScheduleLabel, Debug, Clone, PartialEq, Eq, Hash)]
struct TickSchedule;

#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
struct Stage(usize);

impl<G: Game> MatchBuilder<G> {
    pub(super) fn new(seed: u64) -> Self {
        let options = MatchOptions::default();
        let mut world = Sim::prepare(options.hz, seed);
        let mut registry = Registry::default();
        registry.replicated::<Seat>(&mut world);
        registry.state::<Team>(&mut world);
        registry.resource::<Teams>(&mut world);
        Self {
            world,
            schedule: Schedule::new(TickSchedule),
            registry,
            components: vec![Seat::spec(Some(Seat::ID), Some(Audience::Everyone))],
            events: Vec::new(),
            replicate: Vec::new(),
            options,
            grid: None,
            hooks: Hooks::default(),
            stages: 0,
            set: Vec::new(),
            repeated: None,
            marker: PhantomData,
        }
    }

    pub(super) fn intents(&mut self) -> IntentWriter<G::Input> {
        IntentWriter::new(&mut self.world, &mut self.registry)
    }

    /// Ticks a second, 1 to 128; 30 if not said.
    pub fn tick_rate(&mut self, hz: u16) -> &mut Self {
        self.once(".tick_rate(..)");
        self.options.hz = hz;
        self.world.insert_resource(Clock::new(hz));
        self
    }

    /// How many seats: the matchmaker starts a match with the least, a room takes the most. 1 to 16 if not said.
    pub fn seats(&mut self, seats: RangeInclusive<u8>) -> &mut Self {
        self.once(".seats(..)");
        self.options.seats = seats;
        self
    }

    /// Components that clients see.
    pub fn replicate<C: ReplicatedSet>(&mut self) -> &mut Self {
        C::register(self);
        self
    }

    /// A component that only the server knows; it is saved with the match.
    pub fn state<C: Component + Serialize + DeserializeOwned>(&mut self) -> &mut Self {
        self.registry.state::<C>(&mut self.world);
        self
    }

    /// A resource that the rules read or write, with its first value; it is saved with the match.
    pub fn resource<R: Resource<Mutability = Mutable> + Serialize + DeserializeOwned>(&mut self, first: R) -> &mut Self {
        self.world.insert_resource(first);
        self.registry.resource::<R>(&mut self.world);
        self
    }

    /// Registers a game event. Systems send it through [`Emit`](super::Emit).
    pub fn event<E: GameEvent>(&mut self) -> &mut Self {
        self.world.insert_resource(RegisteredEvent::<E>(PhantomData));
        self.registry.constant::<RegisteredEvent<E>>(&mut self.world);
        self.events.push(E::spec(Some(E::ID), Some(Audience::Everyone)));
        self
    }

    /// What happens to the world when a seat is taken; usually an avatar is spawned.
    pub fn on_join<R>(&mut self, rule: impl Fn(Seat, &mut World) -> R + Send + Sync + 'static) -> &mut Self {
        self.hooks.join.push(Box::new(move |seat, world| drop(rule(seat, world))));
        self
    }

    /// What happens to the world when a seat becomes free, before its entities are despawned.
    pub fn on_leave<R>(&mut self, rule: impl Fn(Seat, &mut World) -> R + Send + Sync + 'static) -> &mut Self {
        self.hooks.leave.push(Box::new(move |seat, world| drop(rule(seat, world))));
        self
    }

    /// Keeps a player's seat for `grace` after the connection drops, so that the player can come back to it; 20 seconds if not said.
    pub fn reconnect_grace(&mut self, grace: Duration) -> &mut Self {
        self.once(".reconnect_grace(..) or .leave_at_once()");
        self.options.reconnect_grace = grace;
        self
    }

    /// Frees a player's seat as soon as the connection drops.
    pub fn leave_at_once(&mut self) -> &mut Self {
        self.reconnect_grace(Duration::ZERO)
    }

    /// How long a connected player may send no input before the seat is taken away; for ever if not said.
    pub fn idle_after(&mut self, time: Duration) -> &mut Self {
        self.once(".idle_after(..)");
        self.options.idle_after = Some(time);
        self
    }

    /// How far spectators are behind, so that nobody scouts for a player; not at all if not said.
    pub fn spectator_delay(&mut self, time: Duration) -> &mut Self {
        self.once(".spectator_delay(..)");
        self.options.spectator_delay = time;
        self
    }

    /// Lets the game's bot play for a player whose connection is gone, until they come back or the grace time is over.
    pub fn bots_hold_seats(&mut self) -> &mut Self {
        self.once(".bots_hold_seats()");
        self.options.bots_hold_seats = true;
        self
    }

    /// The systems that make up a tick. They run in the order written, one after the other, and see what those before them
    /// spawned.
    pub fn systems<M>(&mut self, systems: impl IntoScheduleConfigs<ScheduleSystem, M>) -> &mut Self {
        if self.stages > 0 {
            self.schedule.configure_sets(Stage(self.stages).after(Stage(self.stages - 1)));
        }
        self.schedule.add_systems(systems.chain().in_set(Stage(self.stages)));
        self.stages += 1;
        self
    }

    /// The rule that ends the match: a system that is asked after each tick.
    pub fn finish_when<M>(&mut self, rule: impl IntoSystem<(), Option<Outcome>, M> + 'static) -> &mut Self {
        self.once(".finish_when(..)");
        let mut system: BoxedSystem<(), Option<Outcome>> = Box::new(IntoSystem::into_system(rule));
        system.initialize(&mut self.world);
        self.hooks.finish = Some(system);
        self
    }

    /// The game's bots.
    pub fn bot<B: Bot<G>>(&mut self) -> &mut Self {
        self.once(".bot::<..>()");
        self.hooks.bot = Some(|| Box::new(Mind::<G, B>(B::default(), PhantomData)));
        self
    }

    /// How many seats are filled with bots until people take them; 0 if not said.
    pub fn fill(&mut self, seats: u8) -> &mut Self {
        self.once(".fill(..)");
        self.options.fill = seats;
        self
    }

    /// Packs what changes into bits: about half the bytes where many entities change in every tick, for more work on both
    /// sides, and for clients that can read it.
    pub fn packed(&mut self) -> &mut Self {
        self.once(".packed()");
        self.options.packed = true;
        self
    }

    /// Seats see what is near them, by a grid, instead of everything.
    pub fn interest<C: Component + Replicate>(&mut self, grid: Grid<C>) -> &mut Self {
        self.once(".interest(..)");
        self.grid = Some(grid.layout());
        self
    }

    /// How many bytes of state a seat gets in a tick, about. If there is more for it, what is most important goes first,
    /// and the rest in later ticks. Its own entities, what is gone, what goes to teams and owners, and snapshots go in any case.
    pub fn budget(&mut self, bytes_a_tick: usize) -> &mut Self {
        self.once(".budget(..)");
        self.options.budget = Some(bytes_a_tick);
        self
    }

    /// Notes that a method which sets one value was called; a second call is a mistake that is reported at start.
    fn once(&mut self, method: &'static str) {
        if self.set.contains(&method) {
            self.repeated.get_or_insert(method);
        }
        self.set.push(method);
    }

    fn replicate_one<C: Component + Replicate>(&mut self) {
        self.registry.replicated::<C>(&mut self.world);
        self.components.push(C::spec(Some(C::ID), Some(C::TO)));
        self.replicate.push(Replicator::register::<C>);
    }
}

/// One component, or several in a tuple, that clients see.
pub trait ReplicatedSet {
    #[doc(hidden)]
    fn register<G: Game>(m: &mut MatchBuilder<G>);
}

impl<C: Component + Replicate> ReplicatedSet for C {
    fn register<G: Game>(m: &mut MatchBuilder<G>) {
        m.replicate_one::<C>();
    }
}

macro_rules! sets {
    ($($name:ident)+) => {
        impl<$($name: ReplicatedSet),+> ReplicatedSet for ($($name,)+) {
            fn register<G: Game>(m: &mut MatchBuilder<G>) {
                $($name::register(m);)+
            }
        }
    };
}
sets!(A);
sets!(A B);
sets!(A B C);
sets!(A B C D);
sets!(A B C D E);
sets!(A B C D E F);
sets!(A B C D E F H);
sets!(A B C D E F H I);
sets!(A B C D E F H I J);
sets!(A B C D E F H I J K);
sets!(A B C D E F H I J K L);
sets!(A B C D E F H I J K L M);
