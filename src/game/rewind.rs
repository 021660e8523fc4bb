//! The pictures that seats saw: the past of components as it was sent, and the system parameter that looks at it as a seat did.
//!
//! A player acts on a picture that is older than the tick in which the input acts: frames take time, and are drawn a little later than
//! they come. Each input says how far behind the picture was. With the past of a component, rules can test a shot against what its
//! shooter aimed at.

use std::{
    collections::{BTreeMap, VecDeque},
    marker::PhantomData,
    time::Duration,
};

use bevy_ecs::{
    prelude::*,
    system::{BoxedSystem, SystemParam},
};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use thiserror::Error;

use crate::{
    protocol::{Audience, FieldKind, Replicate, Seat, TypeSpec, ticks},
    sim::{Clock, DueInput, EIGHTHS, Lag, Registry},
};

/// The longest window.
const MAX_WINDOW: Duration = Duration::from_secs(1);

/// The reason why a component cannot be rewound.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RewindError {
    /// The component is not replicated, so no seat saw it.
    #[error(".rewind::<{0}>(..) needs what clients saw, but {0} is not replicated: add .replicate::<{0}>()")]
    NotReplicated(&'static str),
    /// Only an owner or a team sees the component.
    #[error(".rewind::<{0}>(..) needs what every seat saw, but {0} goes to an owner or a team: replicate it to everyone")]
    NotForEveryone(&'static str),
    /// The component is not compared in every tick.
    #[error(".rewind::<{0}>(..) needs what clients saw in every tick, but {0} is sent less often: remove its `every`")]
    NotEveryTick(&'static str),
    /// The component is rewound twice.
    #[error(".rewind::<{0}>(..) must be called once at most, because a second call would replace what the first one set")]
    Twice(&'static str),
    /// The window is out of range.
    #[error(".rewind::<{name}>({window:?}): the window must be above 0 and at most {MAX_WINDOW:?}")]
    Window {
        /// The component's name.
        name: &'static str,
        /// The window.
        window: Duration,
    },
}

/// A component that is to be rewound.
pub(super) struct Rewind {
    name: &'static str,
    id: u8,
    to: Audience,
    every: u32,
    window: Duration,
    install: fn(&mut Registry, &mut World, u32) -> BoxedSystem<(), ()>,
}

impl Rewind {
    pub fn of<C: Component + Replicate>(window: Duration) -> Self {
        Self { name: C::NAME, id: C::ID, to: C::TO, every: C::EVERY, window, install: install::<C> }
    }

    /// Checks it against all of the game's, and against the replicated components.
    pub fn check(&self, all: &[Self], components: &[TypeSpec]) -> Result<(), RewindError> {
        let Self { name, window, .. } = *self;
        if components.iter().all(|spec| spec.id != Some(self.id) || spec.name != name) {
            return Err(RewindError::NotReplicated(name));
        }
        if self.to != Audience::Everyone {
            return Err(RewindError::NotForEveryone(name));
        }
        if self.every != 1 {
            return Err(RewindError::NotEveryTick(name));
        }
        if all.iter().filter(|other| other.id == self.id).count() > 1 {
            return Err(RewindError::Twice(name));
        }
        if window.is_zero() || window > MAX_WINDOW {
            return Err(RewindError::Window { name, window });
        }
        Ok(())
    }

    /// Registers what it needs. Returns the system that records the component after all others.
    pub fn install(&self, registry: &mut Registry, world: &mut World, hz: u16) -> BoxedSystem<(), ()> {
        (self.install)(registry, world, ticks(self.window.as_secs_f32(), hz))
    }
}

fn install<C: Component + Replicate>(registry: &mut Registry, world: &mut World, window: u32) -> BoxedSystem<(), ()> {
    let motions = C::fields().iter().flat_map(|field| field.kind.elements().flat_map(Motion::of).collect::<Vec<_>>()).collect();
    world.insert_resource(Rewound::<C> { window, motions, marker: PhantomData });
    registry.constant::<Rewound<C>>(world);
    registry.state::<Past<C>>(world);
    // An entity has both from the start, so that it does not change its archetype.
    world.register_required_components::<C, Past<C>>();
    Box::new(IntoSystem::into_system(record::<C>))
}

/// How a column moves in the picture between two ticks.
#[derive(Debug, Clone, Copy)]
enum Motion {
    /// It keeps its value until the next tick.
    Hold,
    /// It moves in a straight line.
    Line,
    /// It turns the short way round, in steps of a turn.
    Turn(i64),
}

impl Motion {
    fn of(kind: &FieldKind) -> impl Iterator<Item = Self> + use<> {
        let (motion, columns) = match *kind {
            FieldKind::Bool | FieldKind::Int { .. } | FieldKind::Choice { .. } => (Self::Hold, 1),
            // Components have no text and no bytes, and a list has its elements.
            FieldKind::Text { .. } | FieldKind::Bytes { .. } | FieldKind::List { .. } => (Self::Hold, 0),
            FieldKind::Float { .. } => (Self::Line, 1),
            FieldKind::Vec2 { .. } => (Self::Line, 2),
            FieldKind::Vec3 { .. } => (Self::Line, 3),
            FieldKind::Angle { steps } => (Self::Turn(steps.into()), 1),
        };
        std::iter::repeat_n(motion, columns)
    }

    /// Returns the column `part` eighths of a tick after `from`, rounded to a whole step.
    fn mix(self, from: i64, to: i64, part: i64) -> i64 {
        let eighths = i64::from(EIGHTHS);
        let along = |way: i64| (way * part + eighths / 2).div_euclid(eighths);
        match self {
            Self::Hold => from,
            Self::Line => from + along(to - from),
            Self::Turn(steps) => {
                let way = (to - from + steps / 2).rem_euclid(steps) - steps / 2;
                (from + along(way)).rem_euclid(steps)
            }
        }
    }
}

/// The window of a component that is rewound, and how its columns move.
#[derive(Resource, Debug)]
pub(super) struct Rewound<C: Component> {
    /// In ticks.
    window: u32,
    motions: Vec<Motion>,
    marker: PhantomData<fn() -> C>,
}

type Row = SmallVec<[i64; 4]>;

/// The newest values of a component of one entity, as clients hold them.
#[derive(Component, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) struct Past<C: Component> {
    /// The tick from which on each row holds, ascending. `None`: the entity does not have the component.
    rows: VecDeque<(u32, Option<Row>)>,
    #[serde(skip)]
    marker: PhantomData<fn() -> C>,
}

impl<C: Component> Default for Past<C> {
    fn default() -> Self {
        Self { rows: VecDeque::new(), marker: PhantomData }
    }
}

impl<C: Component> Past<C> {
    /// Adds the row of a tick, and forgets what is not needed any more for the tick `oldest` and later ones.
    fn push(&mut self, tick: u32, row: Option<Row>, oldest: u32) {
        while self.rows.get(1).is_some_and(|(tick, _)| *tick <= oldest) {
            self.rows.pop_front();
        }
        if self.rows.back().map_or(row.is_some(), |(_, newest)| *newest != row) {
            self.rows.push_back((tick, row));
        }
    }

    /// Returns the row of a tick.
    fn row(&self, tick: u32) -> Option<&Row> {
        let mut newest_first = self.rows.iter().rev();
        newest_first.find(|(from, _)| *from <= tick).and_then(|(_, row)| row.as_ref())
    }
}

fn row_of<C: Replicate>(value: &C) -> Row {
    let mut row = Row::from_elem(0, C::WIDTH);
    value.quantise(&mut row);
    row
}

/// Records what clients are sent of this tick.
fn record<C: Component + Replicate>(clock: Res<Clock>, rewound: Res<Rewound<C>>, mut all: Query<(Option<&C>, &mut Past<C>)>) {
    let oldest = clock.tick.saturating_sub(rewound.window);
    for (value, mut past) in &mut all {
        past.push(clock.tick, value.map(row_of), oldest);
    }
}

/// How far behind their own ticks the seats saw the others, by their newest inputs.
#[derive(Resource, Debug, Default, Serialize, Deserialize)]
pub(super) struct Lags(BTreeMap<Seat, Lag>);

impl Lags {
    /// Takes the inputs of a tick, ordered by seat and then by number.
    pub fn note(&mut self, taken: &[DueInput]) {
        // An input that held longer was not late in the later ticks: they have their own time at the client.
        self.0.values_mut().for_each(|lag| lag.late = 0);
        for DueInput { seat, lag, .. } in taken {
            match lag.behind {
                0 => self.0.remove(seat),
                _ => self.0.insert(*seat, *lag),
            };
        }
    }
}

/// How far in the past a seat saw the others. [`Seen::picture`] gives it, and [`Seen::at`] looks at it.
///
/// It says how far, and not in which tick. What flies for several ticks keeps the picture in which it was shot, and so meets in each tick
/// what its shooter sees in that tick. Store it in the component of the shot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// In eighths of a tick.
    behind: u32,
}

impl Picture {
    /// The picture of a seat that does not say what it saw, such as a bot: the others as they are in the tick that is being stepped.
    pub const PRESENT: Self = Self { behind: 0 };

    /// Returns how many ticks it is behind.
    pub fn ticks(self) -> f32 {
        self.behind as f32 / EIGHTHS as f32
    }
}

/// A system parameter that looks at a component as a seat saw it. [`MatchBuilder::rewind`](super::MatchBuilder::rewind) must register the
/// component.
///
/// Values are those that were sent, so they are rounded to the steps of their quantisation. Between two ticks, floats, vectors and angles
/// are interpolated as clients do. A grid is not taken into account: an entity is there also if the seat is too far away to see it.
///
/// Since it reads the component, a system that has it cannot write the component in a query.
///
/// # Examples
///
/// A shot hits at once what its shooter aimed at:
///
/// ```
/// use tickcast::prelude::*;
/// # #[derive(Component, Replicate, Clone, Copy)] #[replicate(id = 1)] struct Pos { #[q(step = 0.03125)] at: Vec2 }
/// # #[derive(Component, Replicate)] #[replicate(id = 2)] struct Hp(u8);
/// # #[derive(GameInput, Clone, Default)] struct Pad { #[q(step = 0.03125)] target: Vec2, #[one_shot] fire: bool }
///
/// fn shoot(gunners: Query<(&Seat, &Intent<Pad>)>, mut targets: Query<(Entity, &mut Hp)>, seen: Seen<Pos>) {
///     for (seat, intent) in gunners.iter().filter(|(_, intent)| intent.fire) {
///         let picture = seen.picture(*seat);
///         for (entity, mut hp) in &mut targets {
///             let Some(pos) = seen.at(picture, entity) else { continue };
///             if pos.at.distance(intent.target) < 0.5 {
///                 hp.0 = hp.0.saturating_sub(20);
///             }
///         }
///     }
/// }
/// # struct Range;
/// # impl Game for Range {
/// #     const NAME: &'static str = "range"; type Input = Pad; type Config = NoConfig;
/// #     fn build(m: &mut MatchBuilder<Self>) {
/// #         m.replicate::<(Pos, Hp)>().rewind::<Pos>(secs(0.2)).systems(shoot)
/// #             .on_join(|seat, w| w.spawn_avatar(seat, (Pos { at: Vec2::X * f32::from(seat.0) }, Hp(100))));
/// #     }
/// # }
/// # let mut test = TestRoom::<Range>::new(7).seats(2);
/// # test.run(9);
/// # test.press_behind(0, Pad { target: Vec2::X * 2.0, fire: true }, 4.0);
/// # test.run(1);
/// # assert_eq!(test.view(1).me::<Hp>().unwrap().0, 80);
/// ```
#[derive(SystemParam)]
pub struct Seen<'w, 's, C: Component + Replicate> {
    // The first of the resources names the component, if it is not registered.
    rewound: Res<'w, Rewound<C>>,
    lags: Res<'w, Lags>,
    clock: Res<'w, Clock>,
    all: Query<'w, 's, (Option<&'static C>, &'static Past<C>)>,
}

impl<C: Component + Replicate> Seen<'_, '_, C> {
    /// Returns how far in the past a seat sees the others, as its newest input says: at most the window, and no other picture than one
    /// that the seat had by what it acknowledged. It is [`Picture::PRESENT`] for bots and for clients that do not say it.
    pub fn picture(&self, seat: Seat) -> Picture {
        let Lag { behind, late } = self.lags.0.get(&seat).copied().unwrap_or_default();
        Picture { behind: (u32::from(behind) + u32::from(late)).min(self.rewound.window * EIGHTHS) }
    }

    /// Returns the component of an entity in a picture of this tick. `None` if the entity did not have it then.
    pub fn at(&self, picture: Picture, entity: Entity) -> Option<C> {
        let (value, past) = self.all.get(entity).ok()?;
        let present = || value.map(row_of);
        let drawn = (self.clock.tick * EIGHTHS).saturating_sub(picture.behind.min(self.rewound.window * EIGHTHS));
        let (tick, part) = (drawn / EIGHTHS, drawn % EIGHTHS);
        if tick == self.clock.tick {
            return present().map(|row| C::dequantise(&row));
        }
        let from = past.row(tick)?;
        // A client that does not have the component in the next tick draws it until then.
        let to = if tick + 1 == self.clock.tick { present() } else { past.row(tick + 1).cloned() };
        let Some(to) = to.filter(|_| part > 0) else { return Some(C::dequantise(from)) };
        let motions = self.rewound.motions.iter().zip(from.iter().zip(&to));
        let row: Row = motions.map(|(motion, (from, to))| motion.mix(*from, *to, part.into())).collect();
        Some(C::dequantise(&row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_move_as_in_the_picture_of_a_client() {
        let mixed = |motion: Motion, from, to| [0, 1, 4, 7].map(|part| motion.mix(from, to, part));
        assert_eq!(mixed(Motion::Line, -8, 8), [-8, -6, 0, 6]);
        assert_eq!(mixed(Motion::Line, 1, 0), [1, 1, 1, 0], "rounded to a step");
        assert_eq!(mixed(Motion::Hold, 3, 90), [3; 4]);
        assert_eq!(mixed(Motion::Turn(256), 250, 2), [250, 251, 254, 1], "over zero");
        assert_eq!(mixed(Motion::Turn(256), 2, 250), [2, 1, 254, 251]);
    }
}
