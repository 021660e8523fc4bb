//! The budget of a room: the average time of its steps, and the average bytes of its frames and events.

use std::{fmt, time::Duration};

use tokio::time::Instant;

use super::limits::Limits;

/// The time and bytes that a room has used since its window began.
#[derive(Debug)]
pub(super) struct Budget {
    allowed: Usage,
    window: Duration,
    patience: Duration,
    began: Instant,
    steps: u32,
    used: Usage,
    over: Option<Over>,
}

/// The time and bytes of some steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) time: Duration,
    pub(super) bytes: u64,
}

/// A room that is over its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Over {
    since: Instant,
    excess: Excess,
}

/// The part of the budget that a room exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    Time { mean: Duration, allowed: Duration },
    Bytes { mean: u64, allowed: u64 },
}

impl Budget {
    pub(super) fn new(limits: &Limits, hz: u16, now: Instant) -> Self {
        let seconds = f64::from(limits.step_share) / f64::from(hz.max(1));
        let time = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let allowed = Usage { time, bytes: limits.bytes_per_tick as u64 };
        let (window, patience) = (limits.budget_window, limits.slowed_for);
        Self { allowed, window, patience, began: now, steps: 0, used: Usage::default(), over: None }
    }

    /// Counts a step. At the end of a window the room is judged by the mean of its steps.
    pub(super) fn note(&mut self, step: Usage, now: Instant) {
        self.steps += 1;
        self.used.time += step.time;
        self.used.bytes += step.bytes;
        if now < self.began + self.window {
            return;
        }
        let (time, bytes) = (self.used.time / self.steps, self.used.bytes / u64::from(self.steps));
        let excess = if time > self.allowed.time {
            Some(Excess::Time { mean: time, allowed: self.allowed.time })
        } else if bytes > self.allowed.bytes {
            Some(Excess::Bytes { mean: bytes, allowed: self.allowed.bytes })
        } else {
            None
        };
        let since = self.over.map_or(self.began, |over| over.since);
        self.over = excess.map(|excess| Over { since, excess });
        (self.began, self.steps, self.used) = (now, 0, Usage::default());
    }

    /// Whether the room gets fewer steps.
    pub(super) fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// Returns why the room ends, once it has been over its budget for too long.
    pub(super) fn ends(&self, now: Instant) -> Option<Excess> {
        self.over.filter(|over| now >= over.since + self.patience).map(|over| over.excess)
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time { mean, allowed } => {
                write!(f, "a step of this match took {mean:.1?} on average, and {allowed:.1?} are allowed")
            }
            Self::Bytes { mean, allowed } => {
                write!(f, "a tick of this match sent {mean} bytes on average, and {allowed} are allowed")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of 20 Hz, of which half may be used; windows of a second, and three seconds of patience.
    fn budget(now: Instant) -> Budget {
        let mut limits = Limits::default();
        (limits.step_share, limits.bytes_per_tick) = (0.5, 1000);
        (limits.budget_window, limits.slowed_for) = (Duration::from_secs(1), Duration::from_secs(3));
        Budget::new(&limits, 20, now)
    }

    #[expect(clippy::disallowed_methods, reason = "an arbitrary beginning")]
    fn start() -> Instant {
        Instant::from_std(std::time::Instant::now())
    }

    /// Counts steps until so many seconds after the beginning.
    fn run(budget: &mut Budget, now: &mut Instant, seconds: u64, millis: u64, bytes: u64) {
        let end = *now + Duration::from_secs(seconds);
        while *now < end {
            *now += Duration::from_millis(50.max(millis));
            budget.note(Usage { time: Duration::from_millis(millis), bytes }, *now);
        }
    }

    #[test]
    fn a_room_within_its_budget_is_left_alone() {
        let mut now = start();
        let mut budget = budget(now);
        run(&mut budget, &mut now, 60, 25, 1000);
        assert!(!budget.is_over() && budget.ends(now).is_none());
    }

    #[test]
    fn one_long_step_is_forgiven() {
        let mut now = start();
        let mut budget = budget(now);
        run(&mut budget, &mut now, 1, 900, 0);
        assert!(budget.is_over());
        run(&mut budget, &mut now, 2, 5, 0);
        assert!(!budget.is_over());
        run(&mut budget, &mut now, 1, 900, 0);
        assert_eq!(budget.ends(now), None, "patience begins anew");
    }

    #[test]
    fn a_room_that_stays_over_its_budget_ends() {
        for (millis, bytes, text) in [
            (100, 0, "a step of this match took 100.0ms on average, and 25.0ms are allowed"),
            (2000, 0, "a step of this match took 2.0s on average, and 25.0ms are allowed"),
            (1, 1001, "a tick of this match sent 1001 bytes on average, and 1000 are allowed"),
        ] {
            let mut now = start();
            let mut budget = budget(now);
            run(&mut budget, &mut now, 2, millis, bytes);
            assert!(budget.is_over() && budget.ends(now).is_none(), "{text}");
            run(&mut budget, &mut now, 2, millis, bytes);
            assert_eq!(budget.ends(now).map(|excess| excess.to_string()), Some(text.to_owned()));
        }
    }
}
