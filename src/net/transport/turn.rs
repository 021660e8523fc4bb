//! Turns: how long one connection may keep a worker before others have theirs.

use std::{task::Waker, time::Duration};

use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

/// The time after which a turn ends.
const LENGTH: Duration = Duration::from_micros(200);

/// The steps after which a turn ends, however quick they were.
const MAX_STEPS: u16 = 256;

/// The time between two turns. It also lets the worker look at timers and at other sockets: Tokio's workers do so seldom while tasks
/// wake themselves.
const PAUSE: Duration = Duration::from_millis(1);

/// The turn of a connection whose input goes to other code in steps. What that code does with a step counts as the connection's time.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    began: Option<Instant>,
    steps: u16,
}

impl Turn {
    /// Begins the next step. Returns false if the turn is over; then the connection must pause.
    pub(crate) fn step(&mut self) -> bool {
        let now = Instant::now();
        let began = *self.began.get_or_insert(now);
        self.steps += 1;
        let goes_on = self.steps <= MAX_STEPS && now.saturating_duration_since(began) < LENGTH;
        if !goes_on {
            self.end();
        }
        goes_on
    }

    /// Ends the turn: the connection has nothing more to do.
    pub(crate) fn end(&mut self) {
        *self = Self::default();
    }
}

/// Waits for the pause between two turns.
pub(crate) async fn pause() {
    sleep(PAUSE).await;
}

/// Wakes a task after the pause between two turns.
pub(crate) fn wake_after_pause(runtime: &Handle, waker: Waker) {
    drop(runtime.spawn(async move {
        pause().await;
        waker.wake();
    }));
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_turn_ends_after_its_time() {
        let mut turn = Turn::default();
        assert!(turn.step() && turn.step());
        advance(LENGTH).await;
        assert!(!turn.step());
        assert!(turn.step(), "the next turn has begun");
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_ends_after_many_quick_steps() {
        let mut turn = Turn::default();
        assert_eq!((0..1_000).position(|_| !turn.step()), Some(usize::from(MAX_STEPS)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_has_nothing_more_to_do_starts_afresh() {
        let mut turn = Turn::default();
        assert!(turn.step());
        turn.end();
        advance(LENGTH).await;
        assert!(turn.step());
    }
}
