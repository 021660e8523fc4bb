//! The table for people and for programs.

use std::fmt;

use serde::Serialize;

use super::figures::Shares;
use super::row::{Figures, Row, System, Verdict};

/// All rows, and how they were measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Table {
    /// The kind of line: the delaying proxy, or a network of its own.
    pub(crate) backend: String,
    /// The versions of what ran.
    pub(crate) versions: Vec<String>,
    pub(crate) seconds: f64,
    pub(crate) seed: u64,
    pub(crate) rows: Vec<Row>,
}

impl Table {
    /// Notes the version of what runs.
    pub(crate) fn name(&mut self, version: &str) {
        if !self.versions.iter().any(|known| known == version) {
            self.versions.push(version.to_owned());
        }
    }

    /// The worst of the rows.
    pub(crate) fn verdict(&self) -> Verdict {
        self.rows.iter().map(|row| row.verdict.clone()).max().unwrap_or(Verdict::NoGoal)
    }
}

const HEADING: &str = "\
                           key to own movement        state age of others      error p95        corrections/min    others stop  frame
                           p50 ms  p95 ms  frames      p50    p95    p99 ms   straight  fight   straight   fight     a minute  p95 ms";

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "line: {}; {} s of straight play, and a fight of half of that; seed {}",
            self.backend, self.seconds, self.seed
        )?;
        writeln!(f, "{}", self.versions.join(", "))?;
        writeln!(f, "{HEADING}")?;
        let mut profile = "";
        for row in &self.rows {
            if row.profile.name != profile {
                writeln!(f, "{}", row.profile)?;
                profile = &row.profile.name;
            }
            match &row.figures {
                Ok(figures) => show(f, row.system, figures)?,
                Err(why) => writeln!(f, "  {:<24} not run: {why}", row.system.name())?,
            }
            show_verdict(f, &row.verdict)?;
        }
        Ok(())
    }
}

fn show(f: &mut fmt::Formatter<'_>, system: System, figures: &Figures) -> fmt::Result {
    let of = |shares: Option<Shares>, which: fn(Shares) -> f64| number(shares.map(which), 0);
    writeln!(
        f,
        "  {:<24}{:>7}{:>8}{:>8}{:>9}{:>7}{:>7}{:>14}{:>7}{:>11}{:>8}{:>13}{:>8}",
        system.name(),
        of(figures.input_ms, |shares| shares.p50),
        of(figures.input_ms, |shares| shares.p95),
        of(figures.input_frames, |shares| shares.p95),
        of(figures.age_ms, |shares| shares.p50),
        of(figures.age_ms, |shares| shares.p95),
        of(figures.age_ms, |shares| shares.p99),
        number(figures.error_straight, 3),
        number(figures.error_fight, 2),
        number(Some(figures.visible_corrections), 1),
        number(figures.fight_corrections, 1),
        number(Some(figures.underruns), 1),
        of(figures.frame_ms, |shares| shares.p95),
    )?;
    if let Some(recovery) = figures.recovery {
        writeln!(
            f,
            "    after a blackout: in step within {:.0} ms, jump of {:.1} units where {:.1} were due",
            recovery.in_step_ms, recovery.jump, recovery.owed
        )?;
    }
    Ok(())
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
}

fn show_verdict(f: &mut fmt::Formatter<'_>, verdict: &Verdict) -> fmt::Result {
    let (what, reasons) = match verdict {
        Verdict::NoGoal | Verdict::Reached => return Ok(()),
        Verdict::NotJudged(reasons) => ("not judged", reasons),
        Verdict::Missed(reasons) => ("MISSED", reasons),
    };
    reasons.iter().try_for_each(|reason| writeln!(f, "    {what}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(system: System, figures: Result<Figures, String>) -> Row {
        Row::new("average".parse().unwrap(), system, figures)
    }

    fn table(rows: Vec<Row>) -> Table {
        Table { backend: "a proxy".into(), versions: vec!["Tickcast 0".into()], seconds: 20.0, seed: 1, rows }
    }

    #[test]
    fn a_table_shows_figures_and_reasons() {
        let shares = Shares { p50: 12.0, p95: 20.0, p99: 30.0, samples: 9 };
        let figures = Figures { input_ms: Some(shares), frame_ms: Some(shares), ..Figures::default() };
        let text = table(vec![row(System::Tickcast, Ok(figures)), row(System::Colyseus, Err("no Node".into()))]).to_string();
        for part in ["line: a proxy", "average: 100 ms", "12      20", "MISSED: the age of others", "not run: no Node"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn the_worst_row_decides() {
        let rows = vec![row(System::Colyseus, Err("no Node".into())), row(System::Tickcast, Err("no Node".into()))];
        assert!(matches!(table(rows).verdict(), Verdict::NotJudged(_)));
        assert_eq!(table(Vec::new()).verdict(), Verdict::NoGoal);
    }

    #[test]
    fn a_table_is_json_too() {
        let text = serde_json::to_value(table(vec![row(System::Tickcast, Err("no Node".into()))])).unwrap();
        assert_eq!((&text["rows"][0]["system"], &text["rows"][0]["verdict"]), (&"tickcast".into(), &"not_judged".into()));
    }
}
