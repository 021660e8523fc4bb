//! The system parameter that sends game events.

use std::marker::PhantomData;

use bevy_ecs::{prelude::*, system::SystemParam};

use super::GameEvent;
use crate::{
    protocol::{Seat, Values},
    sim::{OutgoingEvent, OutgoingEvents, Recipient, resource_in_table},
};

/// Marks an event type as registered. [`MatchBuilder::event`](super::MatchBuilder::event) inserts it into the world.
#[derive(Debug)]
pub(super) struct RegisteredEvent<E: GameEvent>(pub(super) PhantomData<fn() -> E>);

resource_in_table!(RegisteredEvent<E>, E: GameEvent);

/// A system parameter that sends game events to players.
///
/// Clients receive every event, in order, and before the state of the same tick. The event type must be registered with
/// [`MatchBuilder::event`](super::MatchBuilder::event).
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// #[derive(GameEvent)]
/// #[event(id = 1)]
/// struct Hit {
///     damage: u8,
/// }
///
/// fn shoot(mut hits: Emit<Hit>) {
///     hits.everyone(Hit { damage: 5 });
///     hits.to(Seat(1), Hit { damage: 1 });
/// }
/// ```
#[derive(SystemParam)]
pub struct Emit<'w, E: GameEvent> {
    outgoing: Res<'w, OutgoingEvents>,
    _registered: Res<'w, RegisteredEvent<E>>,
}

impl<E: GameEvent> Emit<'_, E> {
    /// Sends an event to every seat.
    pub fn everyone(&mut self, event: E) {
        self.push(Recipient::Everyone, event);
    }

    /// Sends an event to one seat.
    pub fn to(&mut self, seat: Seat, event: E) {
        self.push(Recipient::Seat(seat), event);
    }

    fn push(&mut self, to: Recipient, event: E) {
        let mut values = Values::new();
        event.write(&mut values);
        self.outgoing.push(OutgoingEvent { to, id: E::ID, values });
    }
}
