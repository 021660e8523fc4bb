//! A client's hold on its seat, as its room sees it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::intake::Inlet;
use crate::protocol::Seat;

/// The seat number on the tickets of spectators, who have no seat.
pub(super) const SPECTATOR_SEAT: Seat = Seat(0);

/// One connection's hold on a seat, or on a place to spectate.
pub(super) struct Hold {
    pub(super) seat: Seat,
    pub(super) inlet: Inlet,
    /// Changes under the room's lock, and is read without it.
    live: AtomicBool,
}

impl Hold {
    /// A hold that is not live yet.
    pub(super) fn new(seat: Seat, inlet: Inlet) -> Self {
        Self { seat, inlet, live: AtomicBool::new(false) }
    }

    /// Whether the connection has its seat, or spectates, now.
    pub(super) fn is_live(&self) -> bool {
        self.live.load(Ordering::Acquire)
    }

    pub(super) fn is_spectator(&self) -> bool {
        self.seat == SPECTATOR_SEAT
    }

    /// Begins or ends the hold. The inlet is open meanwhile, unless this is a spectator: they send no inputs.
    pub(super) fn set_live(&self, live: bool) {
        self.live.store(live, Ordering::Release);
        match live {
            true if self.is_spectator() => {}
            true => self.inlet.open(),
            false => self.inlet.close(),
        }
    }
}
