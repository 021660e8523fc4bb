//! The builder that [`Game::build`](super::Game::build) fills in.

use std::{any::type_name, marker::PhantomData, time::Duration};

use bevy_ecs::{
    component::Mutable,
    prelude::*,
    system::{BoxedSystem, ScheduleSystem},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Bot, Game, GameCommand, GameEvent, MatchOptions, Outcome, ReplicatedSet,
    emit::RegisteredEvent,
    intents::IntentWriter,
    parts::{Mind, Parts},
    predicted::{PredictedAccess, PredictedSystems},
    received::CommandInbox,
    rewind::Rewind,
};
use crate::{
    protocol::{Audience, Replicate, Seat},
    replication::Grid,
};

/// Builds one match of a game. [`Game::build`](super::Game::build) calls its methods.
///
/// These methods accumulate and may be called several times: [`replicate`](Self::replicate), [`state`](Self::state),
/// [`resource`](Self::resource), [`event`](Self::event), [`command`](Self::command), [`on_join`](Self::on_join), [`on_leave`](Self::on_leave),
/// [`systems`](Self::systems), [`predicted`](Self::predicted), [`snap`](Self::snap) and [`rewind`](Self::rewind). Every other method
/// sets one value. Calling it twice is an error when the server starts: [`GameError::Repeated`](super::GameError::Repeated).
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
    pub(super) parts: Parts,
    pub(super) options: MatchOptions,
    /// The methods called so far that set one value.
    set: Vec<&'static str>,
    /// The first of those methods that was called a second time.
    pub(super) repeated: Option<&'static str>,
    /// The type of the first resource that was in the world already.
    pub(super) replaced: Option<&'static str>,
    marker: PhantomData<fn() -> G>,
}

impl<G: Game> MatchBuilder<G> {
    /// Starts a match, on a server or on a client.
    pub(super) fn new(parts: Parts) -> Self {
        let (options, set) = (MatchOptions::default(), Vec::new());
        Self { parts, options, set, repeated: None, replaced: None, marker: PhantomData }
    }

    pub(super) fn intents(&mut self) -> Option<IntentWriter<G::Input>> {
        let (server, world) = self.parts.server()?;
        Some(IntentWriter::new(world, &mut server.registry))
    }

    /// Registers a component, or several in a tuple, that clients see. Accumulates.
    ///
    /// Registering the same component twice is an error at start.
    pub fn replicate<C: ReplicatedSet>(&mut self) -> &mut Self {
        C::register(&mut self.parts);
        self
    }

    /// Registers a component that stays on the server. It is saved with the match. Accumulates.
    ///
    /// Registering the same component twice changes nothing.
    pub fn state<C: Component + Serialize + DeserializeOwned>(&mut self) -> &mut Self {
        if let Some((server, world)) = self.parts.server() {
            server.registry.state::<C>(world);
        }
        self
    }

    /// Inserts a resource with its initial value. It is saved with the match. Accumulates.
    ///
    /// A second resource of the same type is an error at start. So is a resource that every match has, such as [`MatchRng`](crate::sim::MatchRng) or the
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
        let is_replaced = self.parts.world.contains_resource::<R>();
        if let Some((server, world)) = self.parts.server() {
            world.insert_resource(first);
            server.registry.resource::<R>(world);
            if is_replaced {
                self.replaced.get_or_insert(type_name::<R>());
            }
        }
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
        if let Some((server, world)) = self.parts.server() {
            world.insert_resource(RegisteredEvent::<E>(PhantomData));
            server.registry.constant::<RegisteredEvent<E>>(world);
            server.events.push(E::description(E::ID, Some(Audience::Everyone)));
        }
        self
    }

    /// Registers a command, which systems read with [`Received`](super::Received). Accumulates.
    ///
    /// Registering the same command twice is an error at start.
    ///
    /// # Examples
    ///
    /// ```
    /// use tickcast::prelude::*;
    ///
    /// #[derive(GameCommand)]
    /// #[command(id = 1)]
    /// struct Guess {
    ///     word: Text<40>,
    /// }
    ///
    /// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
    /// m.command::<Guess>();
    /// # }
    /// ```
    pub fn command<C: GameCommand>(&mut self) -> &mut Self {
        if let Some((server, world)) = self.parts.server() {
            world.insert_resource(CommandInbox::<C>::new());
            server.registry.constant::<CommandInbox<C>>(world);
            server.receivers.push(CommandInbox::<C>::receiver());
            server.commands.push(C::description(C::ID, None));
        }
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
        if let Some((server, _)) = self.parts.server() {
            server.hooks.join.push(Box::new(move |seat, world| drop(rule(seat, world))));
        }
        self
    }

    /// Adds a rule that runs when a seat becomes free, before the seat's entities are despawned.
    ///
    /// Accumulates: rules run in the order added.
    pub fn on_leave<R>(&mut self, rule: impl Fn(Seat, &mut World) -> R + Send + Sync + 'static) -> &mut Self {
        if let Some((server, _)) = self.parts.server() {
            server.hooks.leave.push(Box::new(move |seat, world| drop(rule(seat, world))));
        }
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
        if let Some((server, _)) = self.parts.server() {
            server.add_systems(systems);
        }
        self
    }

    /// Adds systems to the tick that clients run too, so that players see at once what their own inputs do. Accumulates.
    ///
    /// On the server they are like those of [`systems`](Self::systems), and run in the order in which all of them were added. A predicted
    /// system sees only what clients have: replicated components, [`Intent`](crate::sim::Intent),
    /// [`Clock`](crate::sim::Clock), [`Teams`](crate::sim::Teams) and the configuration. It writes only
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
            if let Some((server, world)) = self.parts.server() {
                server.predicted.push(PredictedAccess::of(&mut system, world));
                server.add_systems(system);
            } else {
                self.parts.client.systems.push(system);
            }
        });
        self
    }

    /// Sets the distance beyond which a correction of a predicted component is drawn at once, in units of the game. Default: 64 steps of
    /// its quantisation. Accumulates: each component has a distance of its own.
    ///
    /// A smaller correction is blended into the picture within some frames. It comes from what a client cannot foresee, such as a hit. A
    /// larger one is meant to be seen, such as a respawn. Only floats and vectors have a distance.
    ///
    /// # Examples
    ///
    /// ```
    /// # use tickcast::prelude::*;
    /// # #[derive(Component, Replicate)] #[replicate(id = 1)] struct Pos(#[q(step = 0.0625)] Vec2);
    /// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
    /// m.snap::<Pos>(3.0);
    /// # }
    /// ```
    pub fn snap<C: Component + Replicate>(&mut self, distance: f32) -> &mut Self {
        if self.parts.server().is_none() {
            self.parts.client.snaps.push((self.parts.world.register_component::<C>(), distance));
        }
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
    ///     rich.map(|(seat, _)| Outcome::winner(*seat)).or_else(|| (clock.seconds() > 180.0).then(Outcome::draw))
    /// });
    /// # }
    /// ```
    pub fn finish_when<M>(&mut self, rule: impl IntoSystem<(), Option<Outcome>, M> + 'static) -> &mut Self {
        self.once(".finish_when(..)");
        if let Some((server, world)) = self.parts.server() {
            let mut system: BoxedSystem<(), Option<Outcome>> = Box::new(IntoSystem::into_system(rule));
            system.initialize(world);
            server.hooks.finish = Some(system);
        }
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
        if let Some((server, _)) = self.parts.server() {
            server.hooks.bot = Some(|| Box::new(Mind::<G, B>(B::default(), PhantomData)));
            server.hooks.strengths = B::STRENGTHS;
        }
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
        if let Some((server, _)) = self.parts.server() {
            server.grid = Some(grid.layout());
        }
        self
    }

    /// Keeps what clients saw of a component for a while, so that rules can look at it as [`Seen`](super::Seen) does. Accumulates: each
    /// component has a window of its own.
    ///
    /// `window` is the longest time by which a shooter's picture may be older than the tick in which the shot is tested: above 0, and at
    /// most one second. So nobody is hit where they were longer ago. Each entity with the component takes memory for every tick of the
    /// window in which it changed.
    /// The component must be replicated to everyone, in every tick. Registering the same component twice is an error at start.
    ///
    /// # Examples
    ///
    /// ```
    /// # use tickcast::prelude::*;
    /// # #[derive(Component, Replicate)] #[replicate(id = 1)] struct Pos(#[q(step = 0.0625)] Vec2);
    /// # fn shoot(_: Seen<Pos>) {}
    /// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
    /// m.replicate::<Pos>().rewind::<Pos>(secs(0.2)).systems(shoot);
    /// # }
    /// ```
    pub fn rewind<C: Component + Replicate>(&mut self, window: Duration) -> &mut Self {
        if let Some((server, _)) = self.parts.server() {
            server.rewinds.push(Rewind::of::<C>(window));
        }
        self
    }

    /// Records the call of a method that sets one value. A second call is reported when the server starts.
    pub(super) fn once(&mut self, method: &'static str) {
        if self.set.contains(&method) {
            self.repeated.get_or_insert(method);
        }
        self.set.push(method);
    }
}
