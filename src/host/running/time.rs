//! The time of a running room, in ticks.

use std::{
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::Running;
use crate::{host::schedule::next_phase, protocol::Tick, room::Room};

/// A room's time, which clients ask for between two steps.
pub(super) struct Clock {
    newest: Tick,
    /// When the newest tick was due. `None` while the room is not stepped: its time stands still.
    due: Option<Instant>,
}

impl Clock {
    /// A clock that stands still.
    pub(super) fn new(newest: Tick) -> Self {
        Self { newest, due: None }
    }
}

impl Running {
    /// Notes that a tick was stepped, which was due at this time.
    pub(super) fn stepped(&self, newest: Tick, due: Instant) {
        *self.clock() = Clock { newest, due: Some(due) };
    }

    /// Returns when the room may begin to step.
    pub(in crate::host) fn next_phase(&self, now: Instant) -> Instant {
        next_phase(self.services.board.epoch, now, self.def.hz())
    }

    /// Lets time go on from the newest tick. Returns that tick.
    pub(in crate::host) fn go(&self, from: Instant) -> Tick {
        let mut clock = self.clock();
        clock.due = Some(from);
        clock.newest
    }

    /// Stops time, and stops reading the clients.
    pub(in crate::host) fn stop(&self) {
        let seating = self.seating.lock();
        let newest = seating.room().map(Room::current_tick);
        let mut clock = self.clock();
        *clock = Clock { newest: newest.unwrap_or(clock.newest), due: None };
        drop(clock);
        seating.release();
    }

    /// Returns the room's time in ticks.
    pub(in crate::host) fn ticks(&self) -> f64 {
        let Clock { newest, due } = *self.clock();
        let since = due.map_or(Duration::ZERO, |due| due.elapsed());
        f64::from(newest.0) + since.as_secs_f64() * f64::from(self.def.hz())
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
