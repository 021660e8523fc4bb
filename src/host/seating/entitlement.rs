//! Decides who may sit or spectate: reservations, tickets, resume tokens and bans.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::Seating;
use crate::{
    host::{
        hold::Hold,
        outlet::Outlet,
        pass::Grant,
        quota::Asker,
        refusal::Refusal,
        stay::{Attendance, Stay},
        ticket::Ticket,
    },
    lobby::{Identity, UserId},
    observe::GameMeters,
    protocol::{ErrorCode, Seat},
    room::{Room, RoomError},
};

impl Seating {
    /// Refuses a user who was removed from this match.
    pub(in crate::host) fn check_banned(&self, user: &UserId) -> Result<(), Refusal> {
        let banned = self.banned.contains(user);
        if banned { Err(Refusal::banned()) } else { Ok(()) }
    }

    /// Records a ticket to spectate, and returns its number.
    pub(in crate::host) fn admit_spectator(&mut self, who: &Identity, life: Duration) -> Result<u128, Refusal> {
        if self.over_at.is_some() || self.room.is_none() {
            return Err(RoomError::Over.into());
        }
        self.check_banned(&who.user)?;
        self.spectators.let_in(who, life, &self.quotas, &self.audience.held)
    }

    /// Adds the spectator whose ticket this is.
    pub(in crate::host) fn spectate(&mut self, id: u128, hold: &Arc<Hold>, outlet: Arc<dyn Outlet>) -> Result<(), Refusal> {
        let room = self.room.as_mut().filter(|_| self.over_at.is_none()).ok_or_else(|| Refusal::from(RoomError::Over))?;
        self.spectators.take_place(id, &self.quotas, &self.audience.held)?;
        self.spectators.add(id, hold, outlet, room)
    }

    /// Reserves a seat. A user who has a seat keeps it, and gets another ticket for it.
    pub(in crate::host) fn reserve(
        &mut self, who: &Identity, by: Asker, life: Duration, meters: &GameMeters,
    ) -> Result<Grant, Refusal> {
        if self.over_at.is_some() {
            return Err(RoomError::Over.into());
        }
        self.check_banned(&who.user)?;
        let (seat, stay) = match self.stays.of(&who.user) {
            Some((seat, stay)) => (seat, stay.id),
            None => self.take_seat(who, by, life, meters)?,
        };
        Ok(self.grant(seat, stay, life))
    }

    /// Gives another ticket to a user whose seat is still reserved, or whose client may not have had its `welcome` yet.
    pub(in crate::host) fn renew(&mut self, user: &UserId, life: Duration) -> Option<Grant> {
        let (seat, stay) = self.stays.of(user).filter(|(_, stay)| self.over_at.is_none() && stay.is_unconfirmed())?;
        Some(self.grant(seat, stay.id, life))
    }

    fn grant(&mut self, seat: Seat, stay: u128, life: Duration) -> Grant {
        let reserved_until = self.stays.get(seat).and_then(|stay| stay.reserved_until());
        let left = reserved_until.map_or(life, |until| until.saturating_duration_since(Instant::now()));
        Grant { seat, stay, ticket: self.tickets.issue(seat, stay, life.min(left)) }
    }

    fn take_seat(&mut self, who: &Identity, by: Asker, life: Duration, meters: &GameMeters) -> Result<(Seat, u128), Refusal> {
        let held = self.quotas.seat(who, by)?;
        [&held.0, &held.1].into_iter().for_each(|held| self.audience.held.note(held));
        let seat = self.with(meters, |room| {
            let team = match by {
                Asker::Matchmaker(team) if room.team(Seat(1)).is_some() => Some(team),
                _ => None,
            };
            room.reserve_on(team, who.name.as_str())
        })??;
        let stay = Stay::reserve(who, life, held);
        let id = stay.id;
        self.stays.put(seat, stay);
        Ok((seat, id))
    }

    /// Returns whether a user who had a seat has taken it. `None` while it is reserved.
    pub(in crate::host) fn has_come(&self, user: &UserId) -> Option<bool> {
        match self.stays.of(user) {
            Some((_, stay)) => (!matches!(stay.attendance, Attendance::Reserved)).then_some(true),
            None => Some(self.attendees.has_left(user)),
        }
    }

    /// Returns how many seats of each team are free for people. `None` if the match is over.
    pub(in crate::host) fn open_seats(&self) -> Option<Vec<usize>> {
        self.room.as_ref().filter(|room| !room.is_over()).map(Room::open_seats)
    }

    /// Checks that a ticket is on record, and not used.
    pub(in crate::host) fn check_ticket(&self, id: u128) -> Result<(), Refusal> {
        self.tickets.get(id).or_else(|| self.spectators.ticket(id)).ok_or_else(Ticket::too_old)?.check()
    }

    /// Checks that a resume token is for a seat that is still kept, and that no client with a newer one has been heard.
    pub(in crate::host) fn check_resume(&self, seat: Seat, stay: u128, token: u128) -> Result<(), Refusal> {
        let Some(sitting) = self.stays.get(seat).filter(|sitting| sitting.id == stay && self.over_at.is_none()) else {
            return Err(Refusal::new(ErrorCode::ResumeExpired, "the seat was given up, or its room has ended"));
        };
        match sitting.is_resumed_by(token) {
            true => Ok(()),
            false => Err(Refusal::new(ErrorCode::BadResume, "a newer resume token has been given out for this seat")),
        }
    }
}
