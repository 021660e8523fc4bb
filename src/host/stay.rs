//! A person's stay in a seat.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    hold::{Hold, Line},
    outlet::Outlet,
    quota::Held,
};
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
    resume: u128,
    /// The number of the resume token with which the newest connection came, until its client is heard: the `welcome` with the newest
    /// token may be lost.
    shown: Option<u128>,
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
            shown: None,
            attendance: Attendance::Reserved,
            reserved_until,
            _seat: seat,
            unused: Some(unused),
        }
    }

    /// Gives the seat a new resume token. `shown` is the one with which the connection came, if it did not come with a ticket.
    pub(super) fn renew(&mut self, token: u128, shown: Option<u128>) {
        (self.resume, self.shown) = (token, shown);
    }

    /// Whether somebody may come back with this resume token.
    pub(super) fn is_resumed_by(&self, token: u128) -> bool {
        !matches!(self.attendance, Attendance::Reserved) && (self.resume == token || self.shown == Some(token))
    }

    /// Notes that the newest connection's client has sent something, so it had its `welcome`.
    pub(super) fn heard(&mut self) {
        (self.unused, self.shown) = (None, None);
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
pub(super) struct Stays {
    all: Vec<Option<Stay>>,
    /// The connections that the room reads from and writes to itself, by seat. They are side by side for every step.
    lines: Vec<Option<Arc<dyn Line>>>,
    /// Counts what may have changed a stay, so that a step in which nobody comes or goes looks at no stay. Wraps.
    changes: u32,
    /// Whether somebody may be away.
    may_be_away: bool,
}

impl Stays {
    /// Returns a number that is another one after each change of the stays.
    pub(super) fn changes(&self) -> u32 {
        self.changes
    }

    /// Returns whether somebody is away.
    pub(super) fn is_any_away(&mut self) -> bool {
        self.may_be_away = self.may_be_away && self.iter().any(|stay| matches!(stay.attendance, Attendance::Away));
        self.may_be_away
    }

    /// Returns the seats from 0 to the highest one ever taken.
    pub(super) fn seats(&self) -> impl Iterator<Item = Seat> + use<> {
        (0..=u8::MAX).map(Seat).take(self.all.len())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Stay> + Clone {
        self.all.iter().flatten()
    }

    /// Iterates over the connections that the room reads itself.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Arc<dyn Line>> {
        self.lines.iter().flatten()
    }

    /// Returns the connection of a seat that the room writes to itself.
    pub(super) fn line(&self, seat: Seat) -> Option<&dyn Line> {
        self.lines.get(usize::from(seat.0))?.as_deref()
    }

    /// Returns what holds a seat and where its messages go, if somebody is connected.
    pub(super) fn connected(&self, seat: Seat) -> Option<(&Arc<Hold>, &Arc<dyn Outlet>)> {
        match &self.get(seat)?.attendance {
            Attendance::Connected { hold, outlet, .. } => Some((hold, outlet)),
            _ => None,
        }
    }

    /// Has the room read and write a seat's connection itself, if that can be done by now.
    pub(super) fn open_line(&mut self, seat: Seat) {
        let Some(line) = self.connected(seat).and_then(|(hold, _)| hold.line()) else { return };
        if let Some(place) = self.lines.get_mut(usize::from(seat.0)) {
            *place = Some(line);
        }
    }

    /// Gives a seat to a connection that has entered now.
    pub(super) fn connect(&mut self, seat: Seat, hold: Arc<Hold>, outlet: Arc<dyn Outlet>) {
        self.close_line(seat);
        if let Some(stay) = self.get_mut(seat) {
            stay.attendance = Attendance::Connected { hold, outlet, silent_since: Some(Instant::now()) };
        }
    }

    /// Takes a seat from its connection, if it has one.
    pub(super) fn disconnect(&mut self, seat: Seat) -> Option<(Arc<Hold>, Arc<dyn Outlet>)> {
        self.close_line(seat);
        let stay = self.get_mut(seat).filter(|stay| matches!(stay.attendance, Attendance::Connected { .. }))?;
        let before = std::mem::replace(&mut stay.attendance, Attendance::Away);
        self.may_be_away = true;
        match before {
            Attendance::Connected { hold, outlet, .. } => Some((hold, outlet)),
            _ => None,
        }
    }

    fn close_line(&mut self, seat: Seat) {
        if let Some(line) = self.lines.get_mut(usize::from(seat.0)) {
            *line = None;
        }
    }

    /// Iterates over the stays with their seats.
    pub(super) fn seated(&self) -> impl Iterator<Item = (Seat, &Stay)> {
        (0..).map(Seat).zip(&self.all).filter_map(|(seat, stay)| Some((seat, stay.as_ref()?)))
    }

    pub(super) fn get(&self, seat: Seat) -> Option<&Stay> {
        self.all.get(usize::from(seat.0))?.as_ref()
    }

    pub(super) fn get_mut(&mut self, seat: Seat) -> Option<&mut Stay> {
        self.note_change();
        self.all.get_mut(usize::from(seat.0))?.as_mut()
    }

    /// Returns the seat of a user, and their stay.
    pub(super) fn of(&self, user: &UserId) -> Option<(Seat, &Stay)> {
        self.seated().find(|(_, stay)| stay.who.user == *user)
    }

    pub(super) fn put(&mut self, seat: Seat, stay: Stay) {
        self.note_change();
        let at = usize::from(seat.0);
        if at >= self.all.len() {
            let more = at + 1 - self.all.len();
            self.all.reserve_exact(more);
            self.all.resize_with(at + 1, || None);
            self.lines.reserve_exact(more);
            self.lines.resize_with(at + 1, || None);
        }
        self.all[at] = Some(stay);
        self.lines[at] = None;
    }

    pub(super) fn take(&mut self, seat: Seat) -> Option<Stay> {
        self.note_change();
        self.close_line(seat);
        self.all.get_mut(usize::from(seat.0)).and_then(Option::take)
    }

    /// Takes all stays.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Stay> {
        self.note_change();
        self.lines.clear();
        self.all.iter_mut().filter_map(Option::take)
    }

    fn note_change(&mut self) {
        self.changes = self.changes.wrapping_add(1);
    }
}
