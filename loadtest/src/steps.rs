//! Counters of a scenario's steps: how many clients completed each, how long it took, and its errors.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::report::{Gap, shown};
use crate::tally::locked;

/// The longest time that the histograms record, in microseconds. Longer times count as this one.
const LONGEST: u64 = 300_000_000;

/// A step of the scenario, with the interval that is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// From the first packet to the session on `/lobby`.
    Connect,
    /// From `listen` to the client's own message.
    Chat,
    /// From entering `/matchmaking` to the place in the queue.
    Queue,
    /// From `accept` to its answer.
    Accept,
    /// From the place in the queue to the ticket.
    Match,
    /// From entering `/gameplay` to the first frame.
    Seat,
    /// From the first input to the frame that acknowledges it.
    Play,
    /// From `leave` to `over`.
    Leave,
}

impl Step {
    const ALL: [Self; 8] =
        [Self::Connect, Self::Chat, Self::Queue, Self::Accept, Self::Match, Self::Seat, Self::Play, Self::Leave];

    fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Chat => "chat",
            Self::Queue => "queue",
            Self::Accept => "accept",
            Self::Match => "match",
            Self::Seat => "seat",
            Self::Play => "play",
            Self::Leave => "leave",
        }
    }
}

struct StepRecord {
    micros: Histogram<u64>,
    errors: BTreeMap<String, u64>,
}

pub(crate) struct Steps(Mutex<[StepRecord; Step::ALL.len()]>);

impl Steps {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Step::ALL.map(|_| StepRecord {
            micros: Histogram::new_with_max(LONGEST, 3).expect("the bounds are valid"),
            errors: BTreeMap::new(),
        })))
    }

    pub(crate) fn done(&self, step: Step, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        locked(&self.0)[step as usize].micros.saturating_record(micros);
    }

    /// Counts errors by their protocol code, or by a kind that this tool defines.
    pub(crate) fn error(&self, step: Step, kind: &str, count: u64) {
        *locked(&self.0)[step as usize].errors.entry(kind.to_owned()).or_default() += count;
    }

    pub(crate) fn figures(&self) -> Vec<StepFigures> {
        let tried = locked(&self.0);
        Step::ALL.iter().zip(tried.iter()).map(|(step, tried)| StepFigures::new(*step, tried)).collect()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct StepFigures {
    pub(crate) step: &'static str,
    /// How many clients completed it.
    pub(crate) count: u64,
    pub(crate) ms: Gap,
    pub(crate) errors: BTreeMap<String, u64>,
}

impl StepFigures {
    fn new(step: Step, tried: &StepRecord) -> Self {
        Self { step: step.name(), count: tried.micros.len(), ms: Gap::new(&tried.micros), errors: tried.errors.clone() }
    }

    pub(crate) fn errors_total(&self) -> u64 {
        self.errors.values().sum()
    }
}

/// The figures of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct LobbyReport {
    pub(crate) game: String,
    pub(crate) clients: u64,
    /// Clients that completed every step.
    pub(crate) finished: u64,
    /// Clients that left the queue because too few were left for a match.
    pub(crate) left_over: u64,
    pub(crate) duration_s: f64,
    pub(crate) steps: Vec<StepFigures>,
    pub(crate) errors_total: u64,
}

impl LobbyReport {
    /// Returns whether every client completed the scenario without an error.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors_total == 0 && self.finished > 0 && self.finished + self.left_over == self.clients
    }

    /// Returns the outcome in one line.
    pub(crate) fn verdict(&self) -> String {
        let Self { clients, finished, errors_total, .. } = self;
        let errors = self.steps.iter().flat_map(|step| step.errors.iter().map(|(kind, count)| (step.step, kind, count)));
        let listed: Vec<_> = errors.map(|(step, kind, count)| format!("{step} {kind} {count}")).collect();
        let list = if listed.is_empty() { String::new() } else { format!(" ({})", listed.join(", ")) };
        format!("{finished} of {clients} clients finished, {errors_total} errors{list}")
    }
}

impl fmt::Display for LobbyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "lobby scenario: {} clients for {}, in {:.1} s", self.clients, self.game, self.duration_s)?;
        writeln!(f, "{:<9}{:>7}{:>8}{:>11}{:>11}{:>11}", "step", "count", "errors", "p50 ms", "p99 ms", "max ms")?;
        for step in &self.steps {
            let [p50, p99, max] = [step.ms.p50, step.ms.p99, step.ms.max].map(|ms| ms.map_or("-".to_owned(), |_| shown(ms)));
            writeln!(f, "{:<9}{:>7}{:>8}{p50:>11}{p99:>11}{max:>11}", step.step, step.count, step.errors_total())?;
        }
        if self.left_over > 0 {
            writeln!(f, "{} left the queue, too few for another match", self.left_over)?;
        }
        writeln!(f, "{}", self.verdict())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(steps: &Steps, finished: u64) -> LobbyReport {
        let figures = steps.figures();
        LobbyReport {
            game: "toy".to_owned(),
            clients: 3,
            finished,
            left_over: 1,
            duration_s: 1.0,
            errors_total: figures.iter().map(StepFigures::errors_total).sum(),
            steps: figures,
        }
    }

    #[test]
    fn errors_are_counted_by_step_and_spoil_the_run() {
        let steps = Steps::new();
        steps.done(Step::Leave, Duration::from_millis(3));
        assert!(report(&steps, 2).is_clean());
        assert!(!report(&steps, 1).is_clean());
        steps.error(Step::Chat, "rate_limited", 2);
        steps.error(Step::Match, "timeout", 1);
        let spoiled = report(&steps, 2);
        assert!(!spoiled.is_clean());
        assert_eq!(spoiled.verdict(), "2 of 3 clients finished, 3 errors (chat rate_limited 2, match timeout 1)");
        assert_eq!((spoiled.steps[7].step, spoiled.steps[7].count, spoiled.steps[7].ms.p50), ("leave", 1, Some(3.001)));
    }
}
