//! The figures of the scenario, as a table for people and as JSON for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::account::Counts;
use super::schedule::{Death, Kind, Moment, Step};
use crate::connection::Transport;
use crate::report::round;

/// The deaths at one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StepDeaths {
    pub(crate) step: &'static str,
    pub(crate) before: usize,
    pub(crate) after: usize,
    pub(crate) half_open: usize,
    pub(crate) reset: usize,
    pub(crate) swallowed: usize,
    pub(crate) closed: usize,
}

impl StepDeaths {
    fn count(step: Step, deaths: &[Death]) -> Self {
        let of = |is_meant: &dyn Fn(&Death) -> bool| deaths.iter().filter(|death| death.step == step && is_meant(death)).count();
        Self {
            step: step.name(),
            before: of(&|death| death.moment == Moment::Before),
            after: of(&|death| death.moment == Moment::After),
            half_open: of(&|death| death.kind == Kind::HalfOpen),
            reset: of(&|death| death.kind == Kind::Reset),
            swallowed: of(&|death| matches!(death.kind, Kind::SwallowedToServer | Kind::SwallowedToClient)),
            closed: of(&|death| death.kind == Kind::Closed),
        }
    }
}

/// The figures of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct FlakyReport {
    pub(crate) clients: usize,
    pub(crate) seed: u64,
    pub(crate) transport: Transport,
    pub(crate) duration_s: f64,
    pub(crate) steps: Vec<StepDeaths>,
    pub(crate) deaths: usize,
    pub(crate) reconnections: u64,
    /// Connections that were lost although their line was alive.
    pub(crate) unplanned: u64,
    /// Refusals after which a client went on, by code.
    pub(crate) refusals: BTreeMap<String, u64>,
    /// Clients that played in one match when all did.
    pub(crate) in_a_match: usize,
    /// From the first request for a match to the seat.
    pub(crate) match_p50_s: Option<f64>,
    pub(crate) match_p95_s: Option<f64>,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) errors_total: u64,
    /// The faults, with the names of the clients.
    pub(crate) failures: Vec<String>,
}

/// The part of a report that is known before the counts are read.
pub(crate) struct Outcome {
    pub(crate) clients: usize,
    pub(crate) seed: u64,
    pub(crate) transport: Transport,
    pub(crate) duration: Duration,
    pub(crate) in_a_match: usize,
    pub(crate) failures: Vec<String>,
}

impl FlakyReport {
    pub(crate) fn new(outcome: Outcome, mut counts: Counts, deaths: &[Death]) -> Self {
        let Outcome { clients, seed, transport, duration, in_a_match, mut failures } = outcome;
        counts.waits.sort_unstable();
        failures.extend(counts.named);
        Self {
            clients,
            seed,
            transport,
            duration_s: round(duration.as_secs_f64()),
            steps: Step::ALL.into_iter().map(|step| StepDeaths::count(step, deaths)).collect(),
            deaths: deaths.len(),
            reconnections: counts.reconnections,
            unplanned: counts.unplanned,
            refusals: counts.refusals,
            in_a_match,
            match_p50_s: percentile(&counts.waits, 0.5),
            match_p95_s: percentile(&counts.waits, 0.95),
            errors_total: counts.errors.values().sum(),
            errors: counts.errors,
            failures,
        }
    }

    /// Returns whether nothing was lost.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors_total == 0 && self.failures.is_empty()
    }

    /// Returns what was wrong, one line each.
    pub(crate) fn verdict(&self) -> String {
        self.failures.join("\n")
    }
}

/// The value at a part of sorted times, in seconds.
fn percentile(sorted: &[Duration], part: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    Some(round(sorted[(last as f64 * part).round() as usize].as_secs_f64()))
}

fn listed(counts: &BTreeMap<String, u64>) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    counts.iter().map(|(code, count)| format!("{code} {count}")).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for FlakyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "flaky scenario: {} clients, transport {:?}, seed {}, in {:.1} s",
            self.clients, self.transport, self.seed, self.duration_s
        )?;
        let heads = ["before", "after", "half-open", "reset", "swallowed", "closed"].map(|head| format!("{head:>11}"));
        writeln!(f, "{:<11}{}", "death at", heads.concat())?;
        for step in &self.steps {
            let columns = [step.before, step.after, step.half_open, step.reset, step.swallowed, step.closed];
            writeln!(f, "{:<11}{}", step.step, columns.map(|count| format!("{count:>11}")).concat())?;
        }
        let Self { deaths, reconnections, unplanned, .. } = self;
        writeln!(f, "{deaths} deaths, {reconnections} reconnections, {unplanned} of them from a line that was alive")?;
        let [p50, p95] = [self.match_p50_s, self.match_p95_s].map(|s| s.map_or("-".to_owned(), |s| format!("{s:.1} s")));
        writeln!(f, "time to a match: p50 {p50}, p95 {p95}")?;
        writeln!(f, "refusals on the way: {}", listed(&self.refusals))?;
        writeln!(f, "{} of {} clients in one match each; errors: {}", self.in_a_match, self.clients, listed(&self.errors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(counts: Counts, failures: Vec<String>) -> FlakyReport {
        let outcome = Outcome {
            clients: 4,
            seed: 1,
            transport: Transport::Mixed,
            duration: Duration::from_secs(9),
            in_a_match: 4,
            failures,
        };
        let death = |moment, kind| Death { step: Step::Join, moment, kind, delay: Duration::ZERO };
        FlakyReport::new(outcome, counts, &[death(Moment::Before, Kind::Reset), death(Moment::After, Kind::SwallowedToClient)])
    }

    #[test]
    fn deaths_are_counted_by_step_and_kind() {
        let report = report(Counts::default(), Vec::new());
        let join = StepDeaths { step: "join", before: 1, after: 1, half_open: 0, reset: 1, swallowed: 1, closed: 0 };
        assert_eq!((&report.steps[6], report.deaths), (&join, 2));
        assert!(report.is_clean());
    }

    #[test]
    fn an_error_or_a_failure_spoils_the_run() {
        assert!(!report(Counts::default(), vec!["flaky 3 is waiting".to_owned()]).is_clean());
        let errors = BTreeMap::from([("bad_resume".to_owned(), 1)]);
        let spoiled = report(Counts { errors, named: vec!["flaky 2: bad_resume".to_owned()], ..Counts::default() }, Vec::new());
        assert!(!spoiled.is_clean());
        assert_eq!(spoiled.verdict(), "flaky 2: bad_resume");
    }

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let waits: Vec<_> = (0..=100).rev().map(Duration::from_secs).collect();
        let report = report(Counts { waits, ..Counts::default() }, Vec::new());
        assert_eq!((report.match_p50_s, report.match_p95_s), (Some(50.0), Some(95.0)));
    }
}
