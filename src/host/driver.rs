//! The driver of one room: it knows what the room does next, and when. A thread of the host or a task calls it.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{
    budget::Budget,
    running::Running,
    schedule::{Activity, Due, Schedule},
};

/// The most steps that a room which fell behind makes up for. Further missing steps are dropped.
const MAX_STEPS: u32 = 4;

/// A room over its budget pauses after each step for this many times as long as the step took.
const SLOWED_PAUSE: u32 = 3;

/// The longest of these pauses, so that those who leave meanwhile are soon gone.
const MAX_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Driver {
    running: Arc<Running>,
    /// `None` while nobody plays.
    play: Option<Play>,
    budget: Budget,
}

/// A room while somebody plays in it.
struct Play {
    schedule: Schedule,
    /// Steps that are due and not taken yet.
    due: Option<Due>,
    /// A room over its budget takes no step before this time.
    not_before: Option<Instant>,
}

impl Driver {
    pub(super) fn new(running: Arc<Running>) -> Self {
        let budget = Budget::new(&running.services.limits, running.def.hz(), Instant::now());
        Self { running, play: None, budget }
    }

    pub(super) fn running(&self) -> &Arc<Running> {
        &self.running
    }

    /// Whether the room is over its budget, so that it gets fewer steps.
    pub(super) fn is_slowed(&self) -> bool {
        self.budget.is_over()
    }

    /// Does what is due, and takes one step at most. Returns when to be called next, or `None` once the room has closed. Calls
    /// before that time are harmless.
    pub(super) fn turn(&mut self, now: Instant) -> Option<Instant> {
        if let Some(play) = &mut self.play {
            play.step(&self.running, &mut self.budget, now);
            if let Some(excess) = self.budget.ends(now) {
                self.running.end_over_budget(&excess.to_string());
            }
            if self.running.upkeep_in_play(Instant::now()) == Activity::Playing {
                return Some(play.next(now));
            }
            self.play = None;
            self.running.stop();
        }
        let now = Instant::now();
        match self.running.upkeep(now) {
            Activity::Playing => {
                let schedule = Schedule::new(self.running.next_phase(now), self.running.def.hz());
                self.running.go(now);
                Some(self.play.insert(Play { schedule, due: None, not_before: None }).next(now))
            }
            Activity::Waiting(until) => Some(until),
            Activity::Closed => None,
        }
    }

    /// Calls [`turn`](Self::turn) whenever it is due, until the room has closed.
    pub(super) async fn drive(mut self) {
        let mut sleep = pin!(sleep_until(Instant::now()));
        poll_fn(|cx| {
            self.running.wakes(cx.waker());
            loop {
                let Some(next) = self.turn(Instant::now()) else { return Poll::Ready(()) };
                sleep.as_mut().reset(next);
                if sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await;
    }
}

impl Play {
    /// Takes a step if one is due.
    fn step(&mut self, running: &Running, budget: &mut Budget, now: Instant) {
        if self.not_before.is_some_and(|time| now < time) {
            return;
        }
        if self.due.is_none() {
            let due = self.schedule.due(now, if budget.is_over() { 1 } else { MAX_STEPS });
            if due.steps == 0 {
                return;
            }
            running.meters.tick_lateness.record(due.late);
            if due.dropped > 0 {
                running.drop_steps(due.dropped);
                tracing::debug!(room = %running.id, dropped = due.dropped, "the room fell too far behind, steps were dropped");
            }
            self.due = Some(due);
        }
        if let Some(due) = &mut self.due {
            let used = running.step(due.at);
            due.steps -= 1;
            let now = Instant::now();
            budget.note(used, now);
            self.not_before = budget.is_over().then(|| now + (used.time * SLOWED_PAUSE).min(MAX_PAUSE));
        }
        self.due.take_if(|due| due.steps == 0);
    }

    /// Returns when the next step is due. A step that is overdue waits its turn behind other rooms that are due by now.
    fn next(&self, now: Instant) -> Instant {
        let due = if self.due.is_some() { now } else { self.schedule.next() };
        self.not_before.map_or(due, |time| time.max(due))
    }
}
