//! When a room's steps are due. The schedule is absolute, so lateness never adds up.

use std::time::Duration;

use tokio::time::Instant;

/// The phases of a period in which rooms of one rate may begin. Rooms of the same phase step right after each other, so that their
/// writes are one burst instead of many.
const PHASES: u32 = 8;

const NANOS_A_SECOND: u128 = 1_000_000_000;

/// Returns the next time at which a room may begin. All rooms share `epoch`.
pub(super) fn next_phase(epoch: Instant, now: Instant, hz: u16) -> Instant {
    let phases_a_second = u128::from(hz.max(1)) * u128::from(PHASES);
    let phase = (now.saturating_duration_since(epoch).as_nanos() * phases_a_second).div_ceil(NANOS_A_SECOND);
    epoch + Duration::from_nanos_u128(phase * NANOS_A_SECOND / phases_a_second)
}

/// The next action of the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activity {
    /// Step: somebody plays, or may come back.
    Playing,
    /// Wait until this time, or until woken: nobody would see a step.
    Waiting(Instant),
    Closed,
}

/// A schedule of steps at a fixed rate.
#[derive(Debug)]
pub(super) struct Schedule {
    anchor: Instant,
    hz: u32,
    /// Steps taken since the anchor.
    taken: u64,
}

/// The steps to take now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// Steps to take at once.
    pub(super) steps: u32,
    /// When the last of them was due.
    pub(super) at: Instant,
    /// How late the first of them is.
    pub(super) late: Duration,
    /// Steps that are dropped, because the room is too far behind.
    pub(super) dropped: u64,
}

impl Schedule {
    /// Starts a schedule. The first step is due one period after `now`.
    pub(super) fn new(now: Instant, hz: u16) -> Self {
        Self { anchor: now, hz: u32::from(hz.max(1)), taken: 0 }
    }

    /// Returns when the next step is due.
    pub(super) fn next(&self) -> Instant {
        self.at(self.taken + 1)
    }

    /// Returns the steps due by `now`, at most `most`. Further ones are dropped.
    pub(super) fn due(&mut self, now: Instant, most: u32) -> Due {
        let due = self.passed(now).saturating_sub(self.taken);
        let late = now.saturating_duration_since(self.next());
        let steps = u32::try_from(due).unwrap_or(u32::MAX).min(most);
        let dropped = due - u64::from(steps);
        self.taken += due;
        Due { steps, at: self.at(self.taken), late, dropped }
    }

    /// Returns the steps that are due by now, if none was ever left out.
    pub(super) fn passed(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.anchor).as_nanos();
        u64::try_from(elapsed * u128::from(self.hz) / NANOS_A_SECOND).unwrap_or(u64::MAX)
    }

    /// Returns when a step is due, counted from 1.
    pub(super) fn at(&self, step: u64) -> Instant {
        let (seconds, part) = (step / u64::from(self.hz), step % u64::from(self.hz));
        self.anchor + Duration::from_secs(seconds) + Duration::from_nanos((part * 1_000_000_000).div_ceil(u64::from(self.hz)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "an arbitrary beginning")]
    fn start() -> Instant {
        Instant::from_std(std::time::Instant::now())
    }

    #[test]
    fn rooms_of_one_rate_begin_in_one_of_eight_phases() {
        let epoch = start();
        for now in (0..2000).map(|n| epoch + Duration::from_nanos(n * 7_777_777)) {
            let begins = next_phase(epoch, now, 30);
            assert!(now - Duration::from_nanos(1) <= begins && begins - now <= Duration::from_nanos(4_166_667));
            let off = (begins - epoch).as_nanos() * 240 % NANOS_A_SECOND;
            assert!(off == 0 || NANOS_A_SECOND - off < 240, "{off}");
        }
    }

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_step_is_due_each_period() {
        let start = start();
        let mut schedule = Schedule::new(start, 20);
        assert_eq!(schedule.next(), start + millis(50));
        assert_eq!(schedule.due(start + millis(49), 4).steps, 0);
        let due = schedule.due(start + millis(53), 4);
        assert_eq!(due, Due { steps: 1, at: start + millis(50), late: millis(3), dropped: 0 });
        assert_eq!(schedule.next(), start + millis(100), "lateness does not move the schedule");
    }

    #[test]
    fn catching_up_is_bounded() {
        let start = start();
        let mut schedule = Schedule::new(start, 20);
        let due = schedule.due(start + millis(1000), 4);
        assert_eq!((due.steps, due.dropped, due.at), (4, 16, start + millis(1000)));
        assert_eq!(schedule.next(), start + millis(1050));
    }

    proptest! {
        #[test]
        fn every_period_is_a_step_or_dropped(hz in 1u16..=128, waits in vec(0u64..300, 1..40)) {
            let start = start();
            let mut schedule = Schedule::new(start, hz);
            let (mut now, mut counted) = (start, 0);
            for wait in waits {
                now += millis(wait);
                let due = schedule.due(now, 4);
                prop_assert!(due.steps <= 4 && (due.dropped == 0 || due.steps == 4));
                counted += u64::from(due.steps) + due.dropped;
                prop_assert_eq!(u128::from(counted), (now - start).as_nanos() * u128::from(hz) / 1_000_000_000);
                prop_assert!(schedule.next() > now);
            }
        }
    }
}
