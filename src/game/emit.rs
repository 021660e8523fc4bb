//! How rules send game events.

use std::marker::PhantomData;

use bevy_ecs::{prelude::*, system::SystemParam};
use smallvec::SmallVec;

use super::GameEvent;
use crate::{
    protocol::Seat,
    sim::{OutgoingEvent, OutgoingEvents, Recipient},
};

/// Marks an event type as registered; `.event::<E>()` puts it into the world.
#[derive(Resource, Debug)]
pub(super) struct RegisteredEvent<E: GameEvent>(pub(super) PhantomData<fn() -> E>);

/// A system's way to tell players what happened: `fn shoot(mut hits: Emit<Hit>) { hits.everyone(Hit { .. }) }`. Events reach
/// clients in order, none is skipped, and they come before the state of their tick.
#[derive(SystemParam)]
pub struct Emit<'w, E: GameEvent> {
    outgoing: Res<'w, OutgoingEvents>,
    _registered: Res<'w, RegisteredEvent<E>>,
}

impl<E: GameEvent> Emit<'_, E> {
    /// Tells every seat.
    pub fn everyone(&mut self, event: E) {
        self.push(Recipient::Everyone, event);
    }

    /// Tells one seat.
    pub fn to(&mut self, seat: Seat, event: E) {
        self.push(Recipient::Seat(seat), event);
    }

    fn push(&mut self, to: Recipient, event: E) {
        let mut columns = SmallVec::from_elem(0, E::WIDTH);
        event.quantise(&mut columns);
        self.outgoing.push(OutgoingEvent { to, id: E::ID, columns });
    }
}
