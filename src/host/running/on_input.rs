//! A running room whose match steps on input: time passes without steps, and whoever does something wakes its driver.

use tokio::time::Instant;

use super::Running;
use crate::{
    host::{budget::Usage, seating::Seating},
    protocol::Tick,
};

impl Running {
    /// Whether the match takes no steps while nothing happens.
    pub(in crate::host) fn steps_on_input(&self) -> bool {
        self.def.options().on_input
    }

    /// Lets time pass up to `time`, the newest tick that is due by now, and takes the inputs that have come. Returns the tick to step next,
    /// which is due if it is not later than `time`.
    pub(in crate::host) fn look_ahead(&self, time: Tick) -> Option<Tick> {
        self.drive(|seating| seating.look_ahead(time, &self.meters))
    }

    /// Steps a tick, which may leave out others before it.
    pub(in crate::host) fn step_at(&self, tick: Tick, due: Instant) -> Usage {
        self.step_after(due, |seating| seating.skip_to(Tick(tick.0 - 1)))
    }

    /// Whether the driver has to look after something that may expire soon.
    pub(in crate::host) fn may_expire(&self) -> bool {
        self.seating.lock().may_expire()
    }

    /// Calls `act` for somebody outside, at the room's present time.
    pub(super) fn act_in_time<R>(&self, seating: &mut Seating, act: impl FnOnce(&mut Seating) -> R) -> R {
        if self.steps_on_input() {
            seating.pass_time(Tick(self.ticks() as u32));
        }
        self.act(seating, act)
    }
}
