//! The components and resources that every match has: clock, random numbers, intents, teams and outgoing events.
//!
//! `#[derive(Resource)]` makes room for 64 values of a type of which a world has one: 1 kB and more. These are stored in tables, which
//! begin with room for four.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

use bevy_ecs::prelude::*;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::protocol::{Seat, Values};

/// Makes types resources that are stored in tables.
macro_rules! resource_in_table {
    ($resource:ty $(, $parameter:ident: $bound:path)?) => {
        impl$(<$parameter: $bound>)? ::bevy_ecs::component::Component for $resource {
            const STORAGE_TYPE: ::bevy_ecs::component::StorageType = ::bevy_ecs::component::StorageType::Table;
            type Mutability = ::bevy_ecs::component::Mutable;

            fn register_required_components(
                id: ::bevy_ecs::component::ComponentId,
                required: &mut ::bevy_ecs::component::RequiredComponentsRegistrator<'_, '_>,
            ) {
                required.register_required::<::bevy_ecs::resource::IsResource>(move || ::bevy_ecs::resource::IsResource::new(id));
            }
        }

        impl$(<$parameter: $bound>)? ::bevy_ecs::resource::Resource for $resource {}
    };
}

/// The time of the match, counted in ticks. Rules see no other clock.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// fn spawn_wave(clock: Res<Clock>, mut commands: Commands) {
///     if clock.tick % clock.ticks(10.0) == 1 {
///         // .. spawns something every ten seconds
///         # let _ = &mut commands;
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Clock {
    /// The tick that is being stepped, from 1.
    pub tick: u32,
    /// Ticks per second.
    pub hz: u16,
    /// Seconds per tick.
    pub dt: f32,
}

resource_in_table!(Clock);

impl Clock {
    pub(crate) fn new(hz: u16) -> Self {
        Self { tick: 0, hz, dt: 1.0 / f32::from(hz) }
    }

    /// Returns the seconds since the match began.
    pub fn seconds(&self) -> f32 {
        self.tick as f32 * self.dt
    }

    /// Returns how many ticks `seconds` take, at least 1.
    pub fn ticks(&self, seconds: f32) -> u32 {
        crate::protocol::ticks(seconds, self.hz)
    }
}

/// The tick in which a match that [steps on input](crate::game::MatchBuilder::steps_on_input) is stepped, even if nothing else happens.
///
/// It holds for one step: each step begins without a deadline, and the rules set the one that they need next.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// fn remind(clock: Res<Clock>, mut deadline: ResMut<Deadline>) {
///     deadline.by(clock.tick + clock.ticks(10.0));
/// }
///
/// let mut deadline = Deadline::default();
/// deadline.by(90);
/// deadline.by(120);
/// assert_eq!(deadline.tick(), Some(90), "the earliest counts");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline(Option<u32>);

resource_in_table!(Deadline);

impl Deadline {
    /// Has the match step in this tick, or earlier. A tick that is over means the next one.
    pub fn by(&mut self, tick: u32) {
        self.0 = Some(self.0.map_or(tick, |set| set.min(tick)));
    }

    /// Returns the earliest tick that was set in this step.
    pub fn tick(&self) -> Option<u32> {
        self.0
    }
}

/// The random numbers of the match: a seeded ChaCha8 generator that is saved with the match.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// fn roll(mut rng: ResMut<MatchRng>) {
///     let dice = rng.random_range(1..=6);
///     let weapon = ["bow", "axe"].choose(&mut rng);
///     # let _ = (dice, weapon);
/// }
///
/// let (mut one, mut other) = (MatchRng::seeded(7), MatchRng::seeded(7));
/// assert_eq!(one.random_range(0..1000), other.random_range(0..1000));
/// ```
#[derive(Debug)]
// In a box, because there is room for more than one.
pub struct MatchRng(pub Box<ChaCha8Rng>);

resource_in_table!(MatchRng);

impl MatchRng {
    /// Makes a generator. The same seed gives the same numbers on every machine.
    pub fn seeded(seed: u64) -> Self {
        Self(Box::new(ChaCha8Rng::seed_from_u64(seed)))
    }
}

impl Serialize for MatchRng {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.0.get_seed().to_vec(), self.0.get_stream(), self.0.get_word_pos()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MatchRng {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (seed, stream, position) = <(Vec<u8>, u64, u128)>::deserialize(deserializer)?;
        let seed = seed.as_slice().try_into().map_err(|_| D::Error::custom("a seed has 32 bytes"))?;
        let mut rng = ChaCha8Rng::from_seed(seed);
        rng.set_stream(stream);
        rng.set_word_pos(position);
        Ok(Self(Box::new(rng)))
    }
}

impl Deref for MatchRng {
    type Target = ChaCha8Rng;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for MatchRng {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// The newest input of the seat that owns this entity. One-shot fields are set only in the one tick in which they act.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
/// # #[derive(Component, Replicate)] #[replicate(id = 1)] struct Pos(#[q(step = 0.0625)] Vec2);
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
/// ```
#[derive(Component, Debug, Clone, Default, PartialEq)]
pub struct Intent<I: Send + Sync + 'static>(pub I);

impl<I: Send + Sync + 'static> Deref for Intent<I> {
    type Target = I;
    fn deref(&self) -> &I {
        &self.0
    }
}

/// The team of an entity. On a seat's avatar it is also the team of the seat. It is not sent to clients; components of the entity
/// with `to = team` go to the seats of the team.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Team(pub u8);

/// The teams of a match that the matchmaker made in a mode with teams. Seats take turns: seat 1 is in team 1, seat 2 in team 2, and
/// so on. This holds from the start, before anybody sits there. In other matches there are no teams.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// fn join(seat: Seat, world: &mut World) {
///     let teams = *world.resource::<Teams>();
///     // `None` in a match without teams.
///     let is_red = teams.of(seat) == Some(Team(1));
///     # let _ = is_red;
/// }
///
/// assert_eq!(Teams::default().of(Seat(1)), None);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Teams(u8);

resource_in_table!(Teams);

impl Teams {
    pub(crate) fn new(count: u8) -> Self {
        Self(count)
    }

    /// Returns the number of teams; 0 if everybody plays for themselves.
    pub fn count(self) -> u8 {
        self.0
    }

    /// Returns the team of a seat, from 1.
    pub fn of(self, seat: Seat) -> Option<Team> {
        Some(Team((seat.0.checked_sub(1)?).checked_rem(self.0)? + 1))
    }
}

/// The seats that get a game event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipient {
    /// Every seat.
    Everyone,
    /// One seat.
    Seat(Seat),
}

/// A game event that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingEvent {
    /// The seats that get it.
    pub to: Recipient,
    /// Its wire id.
    pub id: u8,
    /// Its values.
    pub values: Values,
}

/// The game events of the tick that is being stepped, in order. It has a lock inside, so that one system can send several kinds.
///
/// A clone is the same queue: the simulation has one, and takes the events without a look-up in the world.
#[derive(Debug, Clone, Default)]
pub struct OutgoingEvents(Arc<Mutex<Vec<OutgoingEvent>>>);

resource_in_table!(OutgoingEvents);

impl OutgoingEvents {
    /// Adds an event.
    pub fn push(&self, event: OutgoingEvent) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// Takes all events out.
    pub fn take(&self) -> Vec<OutgoingEvent> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(crate) use resource_in_table;

#[cfg(test)]
mod tests {
    use rand::{RngExt, seq::IndexedRandom};

    use super::*;

    #[test]
    fn match_rng_works_wherever_rand_wants_a_generator() {
        fn roll(mut rng: ResMut<MatchRng>) {
            assert!([1, 2, 3].choose(&mut rng).is_some() && rng.random_range(0..6) < 6);
        }
        let mut world = World::new();
        world.insert_resource(MatchRng::seeded(1));
        world.run_system_cached(roll).expect("the system runs");
    }
}
