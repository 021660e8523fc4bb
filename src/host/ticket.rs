//! The record of a ticket. It is kept until the ticket expires, so that a second use is noticed.

use std::time::Duration;

use tokio::time::Instant;

use super::refusal::Refusal;
use crate::protocol::ErrorCode;

pub(super) struct Ticket {
    pub(super) id: u128,
    pub(super) until: Instant,
    used: bool,
}

impl Ticket {
    pub(super) fn new(life: Duration) -> Self {
        Self { id: rand::random(), until: Instant::now() + life, used: false }
    }

    /// Marks the ticket as used. Refuses a second use.
    pub(super) fn take(&mut self) -> Result<(), Refusal> {
        if std::mem::replace(&mut self.used, true) {
            return Err(Refusal::new(ErrorCode::TicketUsed, "this ticket was used already"));
        }
        Ok(())
    }

    /// The refusal of a ticket that is not on record any more.
    pub(super) fn too_old() -> Refusal {
        Refusal::new(ErrorCode::TicketExpired, "this ticket has expired, ask for a new one")
    }
}
