//! The result of a soak, as a table.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::reading::Reading;
use super::series::{Judged, Series};

/// The part of the visits that may fail, on a busy machine for example. With more, the soak has not done what it should.
const FAILED: f64 = 0.05;

/// The tasks and descriptors that a server at rest may have more than before.
const AT_REST: f64 = 2.0;

/// The result of a soak.
#[derive(Debug, Serialize)]
pub(crate) struct Soaked {
    /// The work that was done, one line a stage.
    pub(crate) done: Vec<String>,
    pub(crate) figures: Vec<Judged>,
    /// The stages with too few samples to be judged.
    pub(crate) unjudged: Vec<&'static str>,
    /// The server before its soak and after it, when everybody had gone.
    pub(crate) at_rest: (Reading, Reading),
    pub(crate) visits: u64,
    /// The visits that failed, by reason.
    pub(crate) failed: BTreeMap<String, u64>,
    /// The faults of the clients that stayed.
    pub(crate) lost: BTreeMap<String, u64>,
}

impl Soaked {
    /// Judges the figures of a stage.
    pub(crate) fn judge(&mut self, series: &[Series]) {
        for series in series {
            match series.judge() {
                Some(judged) => self.figures.push(judged),
                None => self.unjudged.push(series.stage),
            }
        }
    }

    /// Returns why the soak failed. Empty if it did not.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults: Vec<String> = self
            .figures
            .iter()
            .filter(|judged| judged.leaks)
            .map(|judged| format!("{} grow in the stage {:?}", judged.figure.name(), judged.stage))
            .collect();
        faults.extend(self.unjudged.iter().map(|stage| format!("the stage {stage:?} had too few samples")));
        let (before, after) = &self.at_rest;
        for (name, before, after) in
            [("tasks", before.tasks, after.tasks), ("descriptors", before.descriptors, after.descriptors)]
        {
            if after > before + AT_REST {
                faults.push(format!("{before} {name} at rest became {after}"));
            }
        }
        let failed: u64 = self.failed.values().sum();
        if failed as f64 > FAILED * self.visits as f64 {
            faults.push(format!("{failed} of {} visits failed", self.visits));
        }
        if !self.lost.is_empty() {
            faults.push(format!("clients that should stay were lost: {:?}", self.lost));
        }
        faults
    }
}

impl fmt::Display for Soaked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = ["stage", "figure", "samples", "from", "to", "rise", "scatter", "allowed", "verdict"];
        let [stage, figure, samples, from, to, rise, scatter, allowed, verdict] = heading;
        writeln!(f, "{stage:<10}{figure:<14}{samples:>8}{from:>11}{to:>11}{rise:>10}{scatter:>10}{allowed:>10}  {verdict}")?;
        for Judged { stage, figure, samples, from, to, scatter, allowed, leaks } in &self.figures {
            let [from, to, scatter, allowed] = [from, to, scatter, allowed].map(|value| value / figure.unit());
            let (figure, rise, verdict) = (figure.name(), to - from, if *leaks { "GROWS" } else { "holds" });
            writeln!(
                f,
                "{stage:<10}{figure:<14}{samples:>8}{from:>11.1}{to:>11.1}{rise:>10.1}{scatter:>10.1}{allowed:>10.1}  {verdict}"
            )?;
        }
        writeln!(f)?;
        self.done.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        writeln!(f, "{} visits, of which failed: {:?}", self.visits, self.failed)?;
        let (before, after) = &self.at_rest;
        writeln!(
            f,
            "at rest, before and after: {} and {} tasks, {} and {} descriptors, {:.0} and {:.0} KiB of heap",
            before.tasks,
            after.tasks,
            before.descriptors,
            after.descriptors,
            before.heap / 1024.0,
            after.heap / 1024.0,
        )?;
        match &self.faults()[..] {
            [] => writeln!(f, "nothing grows"),
            faults => faults.iter().try_for_each(|fault| writeln!(f, "FAILED: {fault}")),
        }
    }
}
