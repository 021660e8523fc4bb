//! The pace of log lines that clients can cause.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The lines at once after a pause.
const BURST: u32 = 20;

/// The time in which one more line is allowed.
const INTERVAL: Duration = Duration::from_secs(1);

/// Bounds how often one kind of line is logged: 20 at once, and one a second for long. Lines beyond that are counted for the next
/// one, so that a log tells how much it leaves out.
#[derive(Default)]
pub(crate) struct Pace(Mutex<State>);

#[derive(Default)]
struct State {
    /// When the burst will be whole again.
    full_at: Option<Instant>,
    left_out: u64,
}

impl Pace {
    /// Takes a line. Returns how many were left out since the last one, or `None` if this one is to be left out, too.
    pub(crate) fn take(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = state.full_at.filter(|at| *at > now).unwrap_or(now) + INTERVAL;
        if full_at > now + BURST * INTERVAL {
            state.left_out += 1;
            return None;
        }
        state.full_at = Some(full_at);
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lines_beyond_the_pace_are_counted_for_the_next_one() {
        let pace = Pace::default();
        let taken = (0..100).filter(|_| pace.take(Instant::now()) == Some(0)).count();
        assert_eq!(taken, 20, "a burst");
        tokio::time::advance(INTERVAL).await;
        assert_eq!(pace.take(Instant::now()), Some(80));
        assert_eq!(pace.take(Instant::now()), None, "one a second");
        tokio::time::advance(100 * INTERVAL).await;
        assert_eq!(pace.take(Instant::now()), Some(1));
        assert_eq!((0..100).filter(|_| pace.take(Instant::now()).is_some()).count(), 19, "no more than a burst is saved up");
    }
}
