//! The records of tickets, kept until the tickets expire.
//!
//! A ticket may be tried again until a client has shown that it was welcomed, because the line may break before `welcome` arrives.
//! Then the ticket is used.

use std::time::Duration;

use tokio::time::Instant;

use super::refusal::Refusal;
use crate::protocol::{ErrorCode, Seat};

/// The most tickets that one person may hold for one seat, for several windows. The oldest one expires when there are more.
const MAX_TICKETS_PER_STAY: usize = 4;

pub(super) struct Ticket {
    pub(super) id: u128,
    pub(super) until: Instant,
    /// A connection has taken the seat with this ticket.
    entered: bool,
    used: bool,
}

impl Ticket {
    pub(super) fn new(life: Duration) -> Self {
        Self { id: rand::random(), until: Instant::now() + life, entered: false, used: false }
    }

    /// Refuses a ticket that is used.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.used { Err(Refusal::new(ErrorCode::TicketUsed, "this ticket was used already")) } else { Ok(()) }
    }

    /// Notes that a connection has taken the seat with this ticket.
    pub(super) fn enter(&mut self) {
        self.entered = true;
    }

    /// Uses up the ticket.
    pub(super) fn spend(&mut self) {
        self.used = true;
    }

    /// Notes that a client with the seat has shown that it was welcomed. That uses up the ticket that it came with.
    pub(super) fn confirm(&mut self) {
        self.used |= self.entered;
    }

    /// The refusal of a ticket that is not on record any more.
    pub(super) fn too_old() -> Refusal {
        Refusal::new(ErrorCode::TicketExpired, "this ticket has expired, ask for a new one")
    }
}

/// The tickets for the seats of one room, the oldest first.
#[derive(Default)]
pub(super) struct SeatTickets {
    all: Vec<SeatTicket>,
    /// No ticket expires before this time, so that a step looks at none.
    soonest: Option<Instant>,
}

struct SeatTicket {
    ticket: Ticket,
    stay: u128,
    seat: Seat,
}

impl SeatTickets {
    /// Records another ticket for a stay, and returns its number. The older ones live as long, because the answer with this one may be
    /// lost: whoever holds the seat is not refused before they have heard of it.
    pub(super) fn issue(&mut self, seat: Seat, stay: u128, life: Duration) -> u128 {
        let ticket = Ticket::new(life);
        let (id, held) = (ticket.id, |other: &SeatTicket| other.stay == stay);
        for older in self.all.iter_mut().filter(|other| held(other)) {
            older.ticket.until = older.ticket.until.max(ticket.until);
        }
        if self.all.iter().filter(|other| held(other)).count() >= MAX_TICKETS_PER_STAY {
            self.all.remove(self.all.iter().position(held).expect("the count found some"));
        }
        self.soonest = Some(self.soonest.map_or(ticket.until, |soonest| soonest.min(ticket.until)));
        self.all.reserve_exact(1);
        self.all.push(SeatTicket { ticket, stay, seat });
        id
    }

    pub(super) fn get(&self, id: u128) -> Option<&Ticket> {
        self.all.iter().map(|held| &held.ticket).find(|ticket| ticket.id == id)
    }

    /// See [`Ticket::enter`].
    pub(super) fn enter(&mut self, id: u128) {
        self.all.iter_mut().filter(|held| held.ticket.id == id).for_each(|held| held.ticket.enter());
    }

    /// See [`Ticket::confirm`].
    pub(super) fn confirm(&mut self, stay: u128) {
        self.all.iter_mut().filter(|held| held.stay == stay).for_each(|held| held.ticket.confirm());
    }

    /// Uses up the tickets of a stay that ends, if somebody has entered with them. The others are as good as expired.
    pub(super) fn give_up(&mut self, stay: u128) {
        self.confirm(stay);
        self.all.retain(|held| held.stay != stay || held.ticket.used);
    }

    /// Returns when the next ticket expires.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.all.iter().map(|held| held.ticket.until).min()
    }

    /// Forgets the tickets that have expired. Returns the seats and stays for which none is left.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<(Seat, u128)> {
        if self.soonest.is_none_or(|soonest| now < soonest) {
            return Vec::new();
        }
        let expired: Vec<_> = self.all.extract_if(.., |held| held.ticket.until <= now).collect();
        self.soonest = self.next_expiry();
        let is_last = |gone: &SeatTicket| self.all.iter().all(|held| held.stay != gone.stay);
        expired.iter().filter(|gone| is_last(gone)).map(|gone| (gone.seat, gone.stay)).collect()
    }
}
