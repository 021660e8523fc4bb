//! A client's prediction of its own seat: the game's predicted systems, on a world of what the client holds.
//!
//! This room knows the state that frames told, the inputs that were sent, and what the rules make of both. It refuses to know rooms,
//! sockets and clocks, and it compiles to WebAssembly.
//!
//! ```text
//! frames ──> mirror ──> load: the server's state of tick A
//!                         │ compare with what was predicted for A
//! inputs ──> log by tick ─┴─> base A, then A+1 .. P ──> read: the state of tick P, and the errors to blend
//! ```

mod log;
mod agreement;
mod entities;
pub mod module;

use std::collections::VecDeque;

use bevy_ecs::{prelude::*, system::BoxedSystem};

use crate::{
    game::{ClientRules, Game},
    protocol::{Columns, Id, Seat, Tick},
    replication::{Applied, Mirror},
    sim::{Clock, Intent},
};

use entities::{Difference, Entities, Tracked};
use log::InputLog;

/// The seconds for which a client predicts without a word from the server. The server takes no inputs for ticks further ahead either.
const MOST_SECONDS: u32 = 2;

/// The state of a match at a tick, as a client predicts it for its own seat.
///
/// # Examples
///
/// ```
/// use tickcast::{predict::Predictor, prelude::*, protocol::{Id, Tick}};
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
/// # struct Walk;
/// # impl Game for Walk {
/// #     const NAME: &'static str = "walk"; type Input = Pad; type Config = NoConfig;
/// fn build(m: &mut MatchBuilder<Self>) {
///     m.replicate::<Steps>().predicted(walk);
/// }
/// # }
/// fn walk(mut all: Query<(&Intent<Pad>, &mut Steps)>) {
///     all.iter_mut().for_each(|(intent, mut steps)| steps.0 += u16::from(intent.go));
/// }
///
/// let mut predictor = Predictor::<Walk>::new(Seat(1), 0, NoConfig {});
/// // A frame told of tick 10: entity 0 is the avatar, with 7 steps.
/// predictor.load(Told { tick: Tick(10), ack: 0, avatar: Some(Id(0)) }, &[0, 1, 7]);
/// predictor.input(1, Tick(11), &[1]);
/// predictor.advance(Tick(13));
/// assert_eq!(predictor.component::<Steps>().unwrap().0, 10);
/// # use tickcast::predict::Told;
/// ```
pub struct Predictor<G: Game> {
    world: World,
    systems: Vec<BoxedSystem<(), ()>>,
    tracked: Vec<Tracked>,
    sees_others: bool,
    seat: Seat,
    entities: Entities,
    avatar: Option<Entity>,
    log: InputLog<G::Input>,
    /// The predictions for the ticks from the base to now.
    past: VecDeque<Past>,
    /// Buffers to use again.
    spare: Vec<Vec<u8>>,
    most: u32,
    errors: Vec<f64>,
}

/// The prediction for a tick: the components of the own entities to the last bit.
struct Past {
    tick: Tick,
    bytes: Vec<u8>,
}

/// A component that predicted systems name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PredictedComponent {
    /// The wire id.
    pub id: u8,
    /// The number of columns.
    pub columns: usize,
    /// Whether a system writes it.
    pub is_written: bool,
}

/// The part of a frame that is not state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The tick whose state the mirror holds.
    pub tick: Tick,
    /// The low 16 bits of the number of the newest input that the server has taken.
    pub ack: u16,
    /// The seat's avatar.
    pub avatar: Option<Id>,
}

/// The result of comparing a prediction with the server's state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loaded {
    /// Whether the prediction was wrong: the server's state differs in what the predicted systems write, or in what they read so that
    /// the newest tick comes out otherwise, by more than a step. A hit that leaves the avatar walking, for example, corrects nothing.
    pub is_corrected: bool,
    /// Whether the correction is so large that it must be drawn at once.
    pub is_snapped: bool,
    /// The ticks that were predicted anew.
    pub replayed: u32,
}

impl<G: Game> Predictor<G> {
    /// Makes a predictor for a seat. `teams` and `config` are those of `welcome`.
    pub fn new(seat: Seat, teams: u8, config: G::Config) -> Self {
        let ClientRules { world, systems, used, sees_others } = ClientRules::of::<G>(teams, config);
        let most = MOST_SECONDS * u32::from(world.resource::<Clock>().hz);
        Self {
            world,
            systems,
            tracked: used.into_iter().map(Tracked::new).collect(),
            sees_others,
            seat,
            entities: Entities::default(),
            avatar: None,
            log: InputLog::new(),
            past: VecDeque::new(),
            spare: Vec::new(),
            most,
            errors: Vec::new(),
        }
    }

    /// Iterates over the components that the predicted systems name, by ascending wire id. [`load`](Self::load) wants these and no others.
    pub fn components(&self) -> impl Iterator<Item = PredictedComponent> {
        let facts = |tracked: &Tracked| PredictedComponent {
            id: tracked.component.id,
            columns: tracked.component.width,
            is_written: tracked.is_written,
        };
        self.tracked.iter().map(facts)
    }

    /// Returns the tick rate in ticks per second.
    pub fn hz(&self) -> u16 {
        self.world.resource::<Clock>().hz
    }

    /// Returns whether the predicted systems look at other entities than the avatar. If not, [`load`](Self::load) wants the avatar alone.
    pub fn sees_others(&self) -> bool {
        self.sees_others
    }

    /// Returns the newest tick that was predicted; 0 before the first state.
    pub fn now(&self) -> Tick {
        self.past.back().map_or(Tick(0), |past| past.tick)
    }

    /// Returns the tick of the newest state that was loaded.
    pub fn base(&self) -> Tick {
        self.past.front().map_or(Tick(0), |past| past.tick)
    }

    /// Notes an input that is sent to the server, with its number and the tick for which it is meant.
    pub fn input(&mut self, seq: u32, tick: Tick, columns: &[i64]) {
        if columns.len() == G::Input::WIDTH {
            self.log.push(seq, tick, G::Input::dequantise(columns));
        }
    }

    /// Predicts up to a tick. Returns the ticks that it stepped: fewer than wanted if the newest state is more than two seconds old.
    pub fn advance(&mut self, to: Tick) -> u32 {
        let mut steps = 0;
        while !self.past.is_empty() && self.now() < to && self.now().since(self.base()) < self.most {
            self.step();
            steps += 1;
        }
        steps
    }

    /// Forgets the state and the inputs, for a new connection.
    pub fn reset(&mut self) {
        self.entities.clear(&mut self.world);
        self.avatar = None;
        self.log = InputLog::new();
        self.forget_all();
        self.errors.clear();
    }

    /// Loads what a mirror holds after a frame.
    pub fn load_mirror(&mut self, mirror: &Mirror, applied: &Applied) -> Loaded {
        let avatar = mirror.avatar();
        let mut rows = Vec::new();
        for (id, components) in mirror.entities().filter(|(id, _)| self.sees_others || Some(*id) == avatar) {
            for (component, columns) in components {
                if self.tracked.iter().any(|tracked| tracked.component.id == *component) {
                    rows.extend([i64::from(id.0), i64::from(*component)]);
                    rows.extend_from_slice(columns);
                }
            }
        }
        self.load(Told { tick: applied.tick, ack: applied.ack, avatar }, &rows)
    }

    /// Loads the server's state of a tick, compares it with what was predicted for that tick, and predicts again if they differ.
    ///
    /// `rows` has the [`components`](Self::components) of the avatar, or of all entities if the systems
    /// [see others](Self::sees_others): an entity's id, the component's wire id, then the columns. Entities are in ascending order.
    /// A state that is not newer than the last one is ignored.
    pub fn load(&mut self, told: Told, rows: &[i64]) -> Loaded {
        let ahead = self.now();
        if told.tick <= self.base() {
            return Loaded::default();
        }
        self.errors.clear();
        let is_moved = self.log.acknowledge(told.tick, told.ack);
        let difference = self.difference(told, rows);
        let is_known = told.tick <= ahead;
        if difference == Difference::None && !is_moved && !self.sees_others {
            self.forget(told.tick);
            return Loaded::default();
        }
        let mut before = Vec::new();
        self.read(ahead, &mut before);
        self.rebase(told, rows, difference);
        let replayed = self.advance(ahead);
        if !is_known {
            return Loaded { is_corrected: false, is_snapped: true, replayed };
        }
        let mut after = Vec::new();
        self.read(ahead, &mut after);
        let is_snapped = entities::errors(&self.tracked, &before, &after, &mut self.errors);
        let is_corrected = match difference {
            Difference::None => false,
            Difference::InRead => entities::changed(&self.tracked, &before, &after),
            Difference::InWritten => true,
        };
        Loaded { is_corrected, is_snapped, replayed }
    }

    /// Appends the state that was predicted for a tick, without rounding: for each own entity and each component that the predicted systems
    /// write, the entity's id, the component's wire id, and a number for each column in the unit of the game. Appends nothing for a tick
    /// that is not kept: kept are those from the [`base`](Self::base) to [`now`](Self::now).
    pub fn read(&self, tick: Tick, to: &mut Vec<f64>) {
        if let Some(past) = self.past.iter().rev().find(|past| past.tick == tick) {
            self.entities.values(&self.tracked, &past.bytes, to);
        }
    }

    /// Appends the state that the next tick would have with an input, in rows like those of [`read`](Self::read). The prediction stays as
    /// it is. A client draws with it the part of a tick that has passed.
    pub fn peek(&mut self, columns: &[i64], to: &mut Vec<f64>) {
        let now = self.now();
        if self.past.is_empty() || columns.len() != G::Input::WIDTH {
            return;
        }
        self.step_with(G::Input::dequantise(columns));
        self.read(self.now(), to);
        self.spare.extend(self.past.pop_back().map(|past| past.bytes));
        if let Some(past) = self.past.back() {
            self.entities.restore(&mut self.world, &self.tracked, &past.bytes);
        }
        self.world.resource_mut::<Clock>().tick = now.0;
    }

    /// Returns what the last [`load`](Self::load) changed in the newest tick, as far as it is not drawn at once: by how much the earlier
    /// prediction is ahead of the present one, in rows like those of [`read`](Self::read).
    pub fn errors(&self) -> &[f64] {
        &self.errors
    }

    /// Returns a component of the avatar as it is predicted now.
    pub fn component<C: Component>(&self) -> Option<&C> {
        self.world.get(self.avatar?)
    }

    /// Compares the rows of the own entities with what was predicted for their tick.
    fn difference(&self, told: Told, rows: &[i64]) -> Difference {
        let Some(past) = self.past.iter().find(|past| past.tick == told.tick) else { return Difference::InWritten };
        if told.avatar.and_then(|id| self.entities.get(id)) != self.avatar {
            return Difference::InWritten;
        }
        self.entities.difference(&self.tracked, &past.bytes, rows, self.own(told))
    }

    /// Returns the rule by which an entity is one that this client predicts.
    fn own(&self, told: Told) -> entities::Own {
        entities::Own { avatar: told.avatar, seat: self.sees_others.then_some(self.seat) }
    }

    /// Makes a state of the server the one from which predictions start. What was predicted rightly keeps its unrounded values.
    fn rebase(&mut self, told: Told, rows: &[i64], difference: Difference) {
        let is_first = self.past.is_empty();
        let past = self.past.iter().position(|past| past.tick == told.tick).and_then(|at| self.past.remove(at));
        let own = self.own(told);
        self.entities.set(&mut self.world, &self.tracked, rows, own);
        if let Some(Past { bytes, .. }) = past {
            match difference {
                Difference::None => self.entities.restore(&mut self.world, &self.tracked, &bytes),
                Difference::InRead => self.entities.restore_written(&mut self.world, &self.tracked, &bytes),
                Difference::InWritten => {}
            }
            self.spare.push(bytes);
        }
        let avatar = told.avatar.and_then(|id| self.entities.get(id));
        if let Some(old) = self.avatar.filter(|old| Some(*old) != avatar)
            && let Ok(mut old) = self.world.get_entity_mut(old)
        {
            old.remove::<Intent<G::Input>>();
        }
        if avatar != self.avatar && !is_first {
            self.log.release();
        }
        if let Some(avatar) = avatar {
            self.world.entity_mut(avatar).insert_if_new(Intent(G::Input::default()));
        }
        self.avatar = avatar;
        self.forget_all();
        self.keep(told.tick);
    }

    fn step(&mut self) {
        self.step_with(self.log.at(Tick(self.now().0 + 1)));
    }

    fn step_with(&mut self, input: G::Input) {
        let now = Tick(self.now().0 + 1);
        self.world.resource_mut::<Clock>().tick = now.0;
        if let Some(mut intent) = self.avatar.and_then(|avatar| self.world.get_mut::<Intent<G::Input>>(avatar)) {
            intent.0 = input;
        }
        for system in &mut self.systems {
            // An error only says that a `Single` found no entity, and the system was skipped as on the server. Predicted systems have no
            // commands to apply.
            let _ = system.run_without_applying_deferred((), &mut self.world);
        }
        self.keep(now);
    }

    /// Keeps the state as what was predicted for a tick.
    fn keep(&mut self, tick: Tick) {
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        self.entities.save(&self.world, &self.tracked, &mut bytes);
        self.past.push_back(Past { tick, bytes });
    }

    /// Forgets what was predicted for the ticks before one.
    fn forget(&mut self, before: Tick) {
        while self.past.front().is_some_and(|past| past.tick < before) {
            self.spare.extend(self.past.pop_front().map(|past| past.bytes));
        }
    }

    fn forget_all(&mut self) {
        self.spare.extend(self.past.drain(..).map(|past| past.bytes));
    }
}
