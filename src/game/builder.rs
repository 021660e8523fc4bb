//! The builder that [`Game::build`](super::Game::build) fills in.

use std::{any::type_name, marker::PhantomData, ops::RangeInclusive, sync::Arc, time::Duration};

use bevy_ecs::{
    component::{ComponentId, Mutable},
    prelude::*,
    schedule::{ScheduleLabel, SystemSet},
    system::{BoxedSystem, ScheduleSystem},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Bot, Game, GameEvent, MatchOptions, Outcome,
    emit::RegisteredEvent,
    intents::IntentWriter,
    predicted::{ClientHas, PredictedAccess, PredictedSystems},
};
use crate::{
    protocol::{Audience, Columns, Replicate, Seat, TypeSpec},
    replication::{Grid, GridError, GridLayout, Replicator, View},
    sim::{Clock, Intent, MatchRng, Progress, Registry, Sim, Team, Teams},
};

/// A rule that runs when a seat is taken or becomes free.
pub(crate) type SeatRule = Box<dyn Fn(Seat, &mut World) + Send + Sync>;

/// A bot with its types erased.
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

/// Builds one match of a game. [`Game::build`](super::Game::build) calls its methods.
///
/// These methods accumulate and may be called several times: [`replicate`](Self::replicate), [`state`](Self::state),
/// [`resource`](Self::resource), [`event`](Self::event), [`on_join`](Self::on_join), [`on_leave`](Self::on_leave),
/// [`systems`](Self::systems) and [`predicted`](Self::predicted). Every other method sets one value. Calling it twice is an error when the server starts:
/// [`GameError::Repeated`](super::GameError::Repeated).
///
/// The order of the calls matters only for the systems, `on_join` and `on_leave`, which run in the order in which they were added.
///
/// # Examples
///
/// ```
/// # use tickcast::prelude::*;
/// # #[derive(Component, Replicate)] #[replicate(id = 1)] struct Pos(#[q(step = 0.0625)] Vec2);
/// # #[derive(Resource, Serialize, Deserialize)] struct Round(u32);
/// # #[derive(GameEvent)] #[event(id = 1)] struct Hit { damage: u8 }
/// # #[derive(GameInput, Clone, Default)] struct Pad {}
/// # struct Duel;
/// # fn walk() {}
/// # fn shoot(_: Emit<Hit>) {}
/// # impl Game for Duel {
/// #     const NAME: &'static str = "duel"; type Input = Pad; type Config = NoConfig;
/// fn build(m: &mut MatchBuilder<Self>) {
///     m.tick_rate(20)
///         .seats(2..=2)
///         .replicate::<Pos>()
///         .resource(Round(1))
///         .event::<Hit>()
///         .on_join(|seat, world| world.spawn_avatar(seat, Pos(Vec2::ZERO)))
///         .reconnect_grace(secs(15.0))
///         .systems((walk, shoot))
///         .finish_when(|clock: Res<Clock>| (clock.seconds() > 300.0).then(Outcome::draw));
/// }
/// # }
/// # TestRoom::<Duel>::new(7).seats(2).run(1);
/// ```
pub struct MatchBuilder<G: Game> {
    pub(super) world: World,
    pub(super) schedule: Schedule,
    pub(super) registry: Registry,
    pub(super) components: Vec<TypeSpec>,
    pub(super) events: Vec<TypeSpec>,
    pub(super) replicate: Vec<fn(&mut Replicator, &mut World)>,
    /// The replicated components, and the ticks between two comparisons of each.
    replicated: Vec<(ComponentId, u32)>,
    /// What the predicted systems read and write.
    predicted: Vec<PredictedAccess>,
    pub(super) options: MatchOptions,
    pub(super) grid: Option<Result<GridLayout, GridError>>,
    pub(super) hooks: Hooks,
    stages: usize,
    pub(super) progress: Arc<Progress>,
    /// The marks of the progress.
    marks: usize,
    /// The methods called so far that set one value.
    set: Vec<&'static str>,
    /// The first of those methods that was called a second time.
    pub(super) repeated: Option<&'static str>,
    /// The type of the first resource that was in the world already.
    pub(super) replaced: Option<&'static str>,
    marker: PhantomData<fn() -> G>,
}

/// The rules that run outside the schedule.
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
        let seat = world.register_component::<Seat>();
        registry.state::<Team>(&mut world);
        registry.resource::<Teams>(&mut world);
        Self {
            world,
            schedule: Schedule::new(TickSchedule),
            registry,
            components: vec![Seat::spec(Some(Seat::ID), Some(Audience::Everyone))],
            events: Vec::new(),
            replicate: Vec::new(),
            replicated: vec![(seat, Seat::EVERY)],
            predicted: Vec::new(),
            options,
            grid: None,
            hooks: Hooks::default(),
            stages: 0,
            progress: Arc::default(),
            marks: 0,
            set: Vec::new(),
            repeated: None,
            replaced: None,
            marker: PhantomData,
        }
    }

    pub(super) fn intents(&mut self) -> IntentWriter<G::Input> {
        IntentWriter::new(&mut self.world, &mut self.registry)
    }

    /// Sets the tick rate in ticks per second, 1 to 128. Default 30.
    ///
    /// # Examples
    ///
    /// ```
    /// # use tickcast::prelude::*;
    /// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
    /// m.tick_rate(20); // a tick lasts 50 ms
    /// # }
    /// ```
    pub fn tick_rate(&mut self, hz: u16) -> &mut Self {
        self.once(".tick_rate(..)");
        self.options.hz = hz;
        self.world.insert_resource(Clock::new(hz));
        self
    }

    /// Sets how many players a match takes. Default `1..=16`.
    ///
    /// The matchmaker starts a match with at least the lower bound. A room has as many seats as the upper bound.
    pub fn seats(&mut self, seats: RangeInclusive<u8>) -> &mut Self {
        self.once(".seats(..)");
        self.options.seats = seats;
        self
    }

    /// Registers a component, or several in a tuple, that clients see. Accumulates.
    ///
    /// Registering the same component twice is an error at start.
    pub fn replicate<C: ReplicatedSet>(&mut self) -> &mut Self {
        C::register(self);
        self
    }

    /// Registers a component that stays on the server. It is saved with the match. Accumulates.
    ///
    /// Registering the same component twice changes nothing.
    pub fn state<C: Component + Serialize + DeserializeOwned>(&mut self) -> &mut Self {
        self.registry.state::<C>(&mut self.world);
        self
    }

    /// Inserts a resource with its initial value. It is saved with the match. Accumulates.
    ///
    /// A second resource of the same type is an error at start. So is a resource that every match has, such as [`MatchRng`] or the
    /// game's configuration.
    ///
    /// # Examples
    ///
    /// ```
    /// use tickcast::prelude::*;
    ///
    /// #[derive(Resource, Serialize, Deserialize)]
    /// struct Mint {
    ///     next: u32,
    /// }
    ///
    /// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
    /// m.resource(Mint { next: 1 });
    /// # }
    /// ```
    pub fn resource<R: Resource<Mutability = Mutable> + Serialize + DeserializeOwned>(&mut self, first: R) -> &mut Self {
        if self.world.contains_resource::<R>() {
            self.replaced.get_or_insert(type_name::<R>());
        }
        self.world.insert_resource(first);
        self.registry.resource::<R>(&mut self.world);
        self
    }

    /// Registers a game event, which systems send through [`Emit`](super::Emit). Accumulates.
    ///
    /// Registering the same event twice is an error at start.
    ///
    /// # Examples
    ///
    /// ```
    /// use tickcast::prelude::*;
    ///
    /// #[derive(GameEvent)]
    /// #[event(id = 1)]
    /// struct Collected {
    ///     worth: u8,
    /// }
    ///
    /// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
    /// m.event::<Collected>();
    /// # }
    /// ```
    pub fn event<E: GameEvent>(&mut self) -> &mut Self {
        self.world.insert_resource(RegisteredEvent::<E>(PhantomData));
        self.registry.constant::<RegisteredEvent<E>>(&mut self.world);
        self.events.push(E::spec(Some(E::ID), Some(Audience::Everyone)));
        self
    }

    /// Adds a rule that runs when a seat is taken. It usually spawns the seat's avatar.
    ///
    /// Accumulates: rules run in the order added.
    ///
    /// # Examples
    ///
    /// ```
    /// # use tickcast::prelude::*;
    /// # #[derive(Component, Replicate)] #[replicate(id = 1)] struct Pos(#[q(step = 0.0625)] Vec2);
    /// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
    /// m.on_join(|seat, world| {
    ///     let at = Vec2::new(2.0 * f32::from(seat.0), 0.0);
    ///     world.spawn_avatar(seat, Pos(at))
    /// });
    /// # }
    /// ```
    pub fn on_join<R>(&mut self, rule: impl Fn(Seat, &mut World) -> R + Send + Sync + 'static) -> &mut Self {
        self.hooks.join.push(Box::new(move |seat, world| drop(rule(seat, world))));
        self
    }

    /// Adds a rule that runs when a seat becomes free, before the seat's entities are despawned.
    ///
    /// Accumulates: rules run in the order added.
    pub fn on_leave<R>(&mut self, rule: impl Fn(Seat, &mut World) -> R + Send + Sync + 'static) -> &mut Self {
        self.hooks.leave.push(Box::new(move |seat, world| drop(rule(seat, world))));
        self
    }

    /// Sets how long a player's seat is kept after the connection drops, so that the player can return. Default 20 seconds.
    ///
    /// Excludes [`leave_at_once`](Self::leave_at_once).
    pub fn reconnect_grace(&mut self, grace: Duration) -> &mut Self {
        self.once(".reconnect_grace(..) or .leave_at_once()");
        self.options.reconnect_grace = grace;
        self
    }

    /// Frees a player's seat as soon as the connection drops. Same as a [`reconnect_grace`](Self::reconnect_grace) of zero.
    pub fn leave_at_once(&mut self) -> &mut Self {
        self.reconnect_grace(Duration::ZERO)
    }

    /// Sets how long a connected player may send no input before losing the seat. Default: no limit.
    pub fn idle_after(&mut self, time: Duration) -> &mut Self {
        self.once(".idle_after(..)");
        self.options.idle_after = Some(time);
        self
    }

    /// Sets the delay at which spectators see the match, so that they cannot scout for a player. Default: no delay.
    pub fn spectator_delay(&mut self, time: Duration) -> &mut Self {
        self.once(".spectator_delay(..)");
        self.options.spectator_delay = time;
        self
    }

    /// Lets the game's bot play for a player whose connection dropped, until the player returns or the grace time is over.
    ///
    /// Requires [`bot`](Self::bot). Default: off.
    pub fn bots_hold_seats(&mut self) -> &mut Self {
        self.once(".bots_hold_seats()");
        self.options.bots_hold_seats = true;
        self
    }

    /// Adds systems to the tick. Accumulates: systems run one after another in the order added.
    ///
    /// Each system sees the entities that earlier systems spawned in the same tick.
    ///
    /// # Examples
    ///
    /// ```
    /// # use tickcast::prelude::*;
    /// # fn walk() {}
    /// # fn collect() {}
    /// # fn count() {}
    /// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
    /// m.systems((walk, collect)).systems(count);
    /// # }
    /// ```
    pub fn systems<M>(&mut self, systems: impl IntoScheduleConfigs<ScheduleSystem, M>) -> &mut Self {
        if self.stages > 0 {
            self.schedule.configure_sets(Stage(self.stages).after(Stage(self.stages - 1)));
        }
        let systems = self.progress.mark(systems.chain(), &mut self.marks);
        self.schedule.add_systems(systems.in_set(Stage(self.stages)));
        self.stages += 1;
        self
    }

    /// Adds systems to the tick that clients run too, so that players see at once what their own inputs do. Accumulates.
    ///
    /// On the server they are like those of [`systems`](Self::systems), and run in the order in which all of them were added. A predicted
    /// system sees only what clients have: replicated components, [`Intent`], [`Clock`], [`Teams`] and the configuration. It writes only
    /// replicated components. On a client the `Intent` is only on the avatar of the client's own seat.
    ///
    /// # Examples
    ///
    /// ```
    /// use tickcast::prelude::*;
    ///
    /// #[derive(Component, Replicate)]
    /// #[replicate(id = 1)]
    /// struct Pos(#[q(step = 0.0625)] Vec2);
    ///
    /// #[derive(GameInput, Clone, Default)]
    /// struct Pad {
    ///     dir: Dir8,
    /// }
    ///
    /// fn walk(clock: Res<Clock>, mut avatars: Query<(&Intent<Pad>, &mut Pos)>) {
    ///     for (intent, mut pos) in &mut avatars {
    ///         pos.0 += intent.dir.unit() * 5.0 * clock.dt;
    ///     }
    /// }
    ///
    /// # fn score() {}
    /// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
    /// m.replicate::<Pos>().predicted(walk).systems(score);
    /// # }
    /// ```
    ///
    /// # Errors
    /// Functions with other parameters do not compile:
    ///
    /// ```compile_fail,E0277
    /// # use tickcast::prelude::*;
    /// fn roll(mut rng: ResMut<MatchRng>) {
    ///     let _ = rng.random_range(0..6);
    /// }
    /// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
    /// m.predicted(roll); // error: a predicted system cannot have the parameter `ResMut<'_, MatchRng>`
    /// # }
    /// ```
    ///
    /// A component or a resource that clients do not have is an error at start, which names the system and the type:
    /// [`GameError::Unpredictable`](super::GameError::Unpredictable).
    pub fn predicted<M>(&mut self, systems: impl PredictedSystems<M>) -> &mut Self {
        systems.each(&mut |mut system| {
            self.predicted.push(PredictedAccess::of(&mut system, &mut self.world));
            self.systems(system);
        });
        self
    }

    /// Sets the rule that ends the match: a system that runs after each tick and returns the outcome, or `None` to play on.
    ///
    /// Default: the rules never end the match.
    ///
    /// # Examples
    ///
    /// ```
    /// # use tickcast::prelude::*;
    /// # #[derive(Component, Replicate)] #[replicate(id = 1)] struct Purse(u16);
    /// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
    /// m.finish_when(|clock: Res<Clock>, purses: Query<(&Seat, &Purse)>| {
    ///     let rich = purses.iter().find(|(_, purse)| purse.0 >= 30);
    ///     let winner = rich.map(|(seat, _)| Outcome::winner(*seat));
    ///     winner.or_else(|| (clock.seconds() > 180.0).then(Outcome::draw))
    /// });
    /// # }
    /// ```
    pub fn finish_when<M>(&mut self, rule: impl IntoSystem<(), Option<Outcome>, M> + 'static) -> &mut Self {
        self.once(".finish_when(..)");
        let mut system: BoxedSystem<(), Option<Outcome>> = Box::new(IntoSystem::into_system(rule));
        system.initialize(&mut self.world);
        self.hooks.finish = Some(system);
        self
    }

    /// Sets the type of the game's bots. Default: the game has no bots.
    ///
    /// # Examples
    ///
    /// ```
    /// # use tickcast::prelude::*;
    /// # #[derive(GameInput, Clone, Default)] struct Pad {}
    /// #[derive(Default, Serialize, Deserialize)]
    /// struct Idler;
    ///
    /// impl<G: Game<Input = Pad>> Bot<G> for Idler {
    ///     fn think(&mut self, _view: &View<'_>, _rng: &mut MatchRng) -> Pad {
    ///         Pad::default()
    ///     }
    /// }
    ///
    /// # fn build<G: Game<Input = Pad>>(m: &mut MatchBuilder<G>) {
    /// m.bot::<Idler>().fill(3); // three seats are never empty
    /// # }
    /// ```
    pub fn bot<B: Bot<G>>(&mut self) -> &mut Self {
        self.once(".bot::<..>()");
        self.hooks.bot = Some(|| Box::new(Mind::<G, B>(B::default(), PhantomData)));
        self
    }

    /// Sets the number of seats that bots fill until people take them. Requires [`bot`](Self::bot). Default 0.
    pub fn fill(&mut self, seats: u8) -> &mut Self {
        self.once(".fill(..)");
        self.options.fill = seats;
        self
    }

    /// Packs changes into bits instead of bytes. Default: off.
    ///
    /// Packing saves about half of the bytes if many entities change in every tick. It costs more work on both sides, and clients
    /// must be able to decode it.
    pub fn packed(&mut self) -> &mut Self {
        self.once(".packed()");
        self.options.packed = true;
        self
    }

    /// Limits what each seat sees to the entities near it on a grid. Default: every seat sees everything.
    ///
    /// # Examples
    ///
    /// ```
    /// use tickcast::prelude::*;
    ///
    /// #[derive(Component, Replicate)]
    /// #[replicate(id = 1)]
    /// struct Pos(#[q(step = 0.0625)] Vec2);
    ///
    /// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
    /// m.replicate::<Pos>().interest(Grid::<Pos>::cells(64.0).radius(2));
    /// # }
    /// ```
    pub fn interest<C: Component + Replicate>(&mut self, grid: Grid<C>) -> &mut Self {
        self.once(".interest(..)");
        self.grid = Some(grid.layout());
        self
    }

    /// Limits the bytes of state that a seat gets per tick, approximately. Default: no limit.
    ///
    /// The most important changes are sent first, and the others in later ticks. Despawns, the seat's own entities, components
    /// for teams and owners, and snapshots are always sent.
    pub fn budget(&mut self, bytes_a_tick: usize) -> &mut Self {
        self.once(".budget(..)");
        self.options.budget = Some(bytes_a_tick);
        self
    }

    /// Records the call of a method that sets one value. A second call is reported when the server starts.
    fn once(&mut self, method: &'static str) {
        if self.set.contains(&method) {
            self.repeated.get_or_insert(method);
        }
        self.set.push(method);
    }

    /// Returns the first predicted system that a client cannot run, and the reason.
    pub(super) fn unpredictable(&mut self) -> Option<(String, String)> {
        let world = &mut self.world;
        let has = ClientHas {
            replicated: self.replicated.iter().map(|(id, _)| *id).collect(),
            seldom: self.replicated.iter().filter(|(_, every)| *every > 1).map(|(id, _)| *id).collect(),
            intent: world.register_component::<Intent<G::Input>>(),
            resources: vec![
                world.register_component::<Clock>(),
                world.register_component::<Teams>(),
                world.register_component::<G::Config>(),
            ],
        };
        self.predicted.iter().find_map(|access| access.refusal(&has, &self.world))
    }

    fn replicate_one<C: Component + Replicate>(&mut self) {
        self.replicated.push((self.world.register_component::<C>(), C::EVERY));
        self.registry.replicated::<C>(&mut self.world);
        self.components.push(C::spec(Some(C::ID), Some(C::TO)));
        self.replicate.push(Replicator::register::<C>);
    }
}

/// A replicated component, or a tuple of up to twelve. The argument of [`MatchBuilder::replicate`].
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
