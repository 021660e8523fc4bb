//! The driver of one room: it knows what the room does next, and when. A thread of the host or a task calls it.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{
    budget::{Budget, Usage},
    running::Running,
    schedule::{Activity, Due, Schedule},
};
use crate::protocol::Tick;

/// The most steps that a room which fell behind makes up for. Further missing steps are dropped.
const MAX_STEPS: u32 = 4;

/// How often the driver of a match that steps on input looks whether something has expired, while something may.
const EXPIRY_LOOK: Duration = Duration::from_secs(1);

/// How often it looks otherwise.
const REST_LOOK: Duration = Duration::from_secs(60);

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
    /// The tick that was the newest when somebody began to play.
    began: Tick,
    /// In a match that steps on input: when it is to be looked at again.
    look: Instant,
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
            if self.running.steps_on_input() {
                play.step_on_input(&self.running, &mut self.budget, now);
            } else {
                play.step(&self.running, &mut self.budget, now);
            }
            if let Some(excess) = self.budget.ends(now) {
                self.running.end_over_budget(&excess.to_string());
            }
            if self.running.upkeep_in_play(Instant::now()) == Activity::Playing {
                return Some(play.next(now, self.running.steps_on_input()));
            }
            self.play = None;
            self.running.stop();
        }
        let now = Instant::now();
        match self.running.upkeep(now) {
            Activity::Playing => {
                let anchor = self.running.next_phase(now);
                let schedule = Schedule::new(anchor, self.running.def.hz());
                let began = self.running.go(anchor);
                let play = self.play.insert(Play { schedule, due: None, not_before: None, began, look: now });
                Some(play.next(now, self.running.steps_on_input()))
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
            self.note(used, budget);
        }
        self.due.take_if(|due| due.steps == 0);
    }

    /// Takes a step if the match needs one by now, and otherwise lets the time pass.
    fn step_on_input(&mut self, running: &Running, budget: &mut Budget, now: Instant) {
        if self.not_before.is_some_and(|time| now < time) {
            return;
        }
        let time = Tick(self.began.0.saturating_add(u32::try_from(self.schedule.passed(now)).unwrap_or(u32::MAX)));
        let next = running.look_ahead(time);
        let Some(tick) = next.filter(|next| *next <= time) else {
            let rest = if running.may_expire() { EXPIRY_LOOK } else { REST_LOOK };
            self.look = next.map_or(now + rest, |next| self.at(next).min(now + rest));
            return;
        };
        running.meters.tick_lateness.record(now.saturating_duration_since(self.at(tick)));
        // A room that is far behind takes the newest tick, and leaves the others out.
        let tick = if time.since(tick) >= MAX_STEPS { time } else { tick };
        let used = running.step_at(tick, self.at(tick));
        self.look = now;
        self.note(used, budget);
    }

    /// Notes what a step has used.
    fn note(&mut self, used: Usage, budget: &mut Budget) {
        let now = Instant::now();
        budget.note(used, now);
        self.not_before = budget.is_over().then(|| now + (used.time * SLOWED_PAUSE).min(MAX_PAUSE));
    }

    /// Returns when a tick is due.
    fn at(&self, tick: Tick) -> Instant {
        self.schedule.at(tick.since(self.began).into())
    }

    /// Returns when the next step is due. A step that is overdue waits its turn behind other rooms that are due by now.
    fn next(&self, now: Instant, on_input: bool) -> Instant {
        let due = match on_input {
            true => self.look,
            false if self.due.is_some() => now,
            false => self.schedule.next(),
        };
        self.not_before.map_or(due, |time| time.max(due))
    }
}
