//! A person's stay in a seat.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{hold::Hold, outlet::Outlet, quota::Held};
use crate::{
    lobby::{Identity, Sitting, UserId},
    protocol::Seat,
};

/// The most lives of a ticket for which a seat stays reserved. Without a limit a person could keep others from a seat for ever, by
/// asking for another ticket again and again.
pub(super) const MAX_RESERVATIONS: u32 = 2;

/// One person's time in a seat, from reservation to leaving.
pub(super) struct Stay {
    pub(super) id: u128,
    pub(super) who: Identity,
    /// The number of the newest resume token.
    pub(super) resume: u128,
    pub(super) attendance: Attendance,
    reserved_until: Instant,
    /// The seat in the count of the person.
    pub(super) _seat: Held,
    /// The ticket in the count of the person, until their client has shown that it was welcomed.
    pub(super) unused: Option<Held>,
}

impl Stay {
    /// A stay that begins with a reservation. `held` is the seat and the ticket in the count of the person.
    pub(super) fn reserve(who: &Identity, life: Duration, (seat, unused): (Held, Held)) -> Self {
        let id = rand::random();
        let reserved_until = Instant::now() + life * MAX_RESERVATIONS;
        Self {
            id,
            who: who.clone(),
            resume: id,
            attendance: Attendance::Reserved,
            reserved_until,
            _seat: seat,
            unused: Some(unused),
        }
    }

    /// Whether the person may not have had a `welcome` yet.
    pub(super) fn is_unconfirmed(&self) -> bool {
        self.unused.is_some()
    }

    /// When the reservation ends, however many tickets there are for it. `None` once the person has come.
    pub(super) fn reserved_until(&self) -> Option<Instant> {
        matches!(self.attendance, Attendance::Reserved).then_some(self.reserved_until)
    }

    /// Whether the person plays or is away. `None` until they have used their ticket.
    pub(super) fn sitting(&self) -> Option<Sitting> {
        match self.attendance {
            Attendance::Reserved => None,
            Attendance::Connected { .. } => Some(Sitting::Playing),
            Attendance::Away => Some(Sitting::Away),
        }
    }
}

pub(super) enum Attendance {
    Reserved,
    /// `silent_since` is when the connection entered, until it has sent an input or an acknowledgement.
    Connected {
        hold: Arc<Hold>,
        outlet: Arc<dyn Outlet>,
        silent_since: Option<Instant>,
    },
    Away,
}

/// The stays of everybody who has a seat, in the order of the seats.
#[derive(Default)]
pub(super) struct Stays(Vec<Option<Stay>>);

impl Stays {
    /// Returns the seats from 0 to the highest one ever taken.
    pub(super) fn seats(&self) -> impl Iterator<Item = Seat> + use<> {
        (0..=u8::MAX).map(Seat).take(self.0.len())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Stay> + Clone {
        self.0.iter().flatten()
    }

    /// Iterates over the stays with their seats.
    pub(super) fn seated(&self) -> impl Iterator<Item = (Seat, &Stay)> {
        (0..).map(Seat).zip(&self.0).filter_map(|(seat, stay)| Some((seat, stay.as_ref()?)))
    }

    pub(super) fn get(&self, seat: Seat) -> Option<&Stay> {
        self.0.get(usize::from(seat.0))?.as_ref()
    }

    pub(super) fn get_mut(&mut self, seat: Seat) -> Option<&mut Stay> {
        self.0.get_mut(usize::from(seat.0))?.as_mut()
    }

    /// Returns the seat of a user, and their stay.
    pub(super) fn of(&self, user: &UserId) -> Option<(Seat, &Stay)> {
        self.seated().find(|(_, stay)| stay.who.user == *user)
    }

    pub(super) fn put(&mut self, seat: Seat, stay: Stay) {
        let at = usize::from(seat.0);
        self.0.resize_with(self.0.len().max(at + 1), || None);
        self.0[at] = Some(stay);
    }

    pub(super) fn take(&mut self, seat: Seat) -> Option<Stay> {
        self.0.get_mut(usize::from(seat.0)).and_then(Option::take)
    }

    /// Takes all stays.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Stay> {
        self.0.iter_mut().filter_map(Option::take)
    }
}
