//! The result of one attack: its effect on the server and on the bots, and whether that is within the bounds.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::honest::{HZ, Window};
use super::log::Logged;

const MIB: f64 = 1024.0 * 1024.0;

/// Counters of `/metrics` by reason or code: what was thrown away or cut, and what was refused.
pub(crate) type Counters = BTreeMap<String, u64>;

/// How much an attack may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The longest 99th percentile of the gap between two frames of a bot, in ticks.
    pub(crate) gap_ticks: f64,
    /// The slowest answer of `/healthz`.
    pub(crate) healthz: Duration,
    /// The most memory beyond that before the attack, in MiB.
    pub(crate) memory: f64,
    /// The most memory that may stay after the attack, in MiB.
    pub(crate) kept: f64,
    /// Whether lateness of the bots and of `/healthz` counts.
    pub(crate) judges_lateness: bool,
}

/// The least share of the frames due that must come. Bots of a full room get one each tick.
const FRAMES: f64 = 0.9;

/// A machine is too busy to judge lateness if what was measured before the attack is beyond this part of a bound.
const QUIET: f64 = 0.8;

/// The lines that the log may gain at once: a burst for each kind of line that clients can cause. Then one a second is allowed.
const LOG_BURST: f64 = 60.0;

/// The outcome of an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// The server stayed within all bounds.
    Held,
    /// The server did no harm that can be told from that of a machine which was too busy before the attack.
    NotJudged,
    FellShort,
}

/// One attack, measured.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) attack: &'static str,
    pub(crate) before: Window,
    pub(crate) during: Window,
    /// How long the attack took.
    pub(crate) took: Duration,
    /// The server's memory in bytes, before and after.
    pub(crate) memory: (f64, f64),
    pub(crate) counted: Counters,
    /// Any of these reasons and codes must be among those counted, if there are any.
    pub(crate) expected: &'static [&'static str],
    pub(crate) log: Logged,
    /// The attacker's observation, or the reason why the server's answer falls short.
    pub(crate) seen: Result<String, String>,
}

impl Row {
    pub(crate) fn verdict(&self, bounds: &Bounds) -> Verdict {
        match (self.harm(bounds).is_empty(), self.lateness(bounds).is_empty() || !bounds.judges_lateness) {
            (true, true) => Verdict::Held,
            (true, false) if self.was_busy(bounds) => Verdict::NotJudged,
            _ => Verdict::FellShort,
        }
    }

    /// Returns the harm that a busy machine does not explain.
    pub(crate) fn harm(&self, bounds: &Bounds) -> Vec<String> {
        let Self { during, memory: (before, after), .. } = self;
        let mut harm = Vec::new();
        if !during.errors.is_empty() {
            harm.push(format!("the bots had errors: {}", during.errors.join(", ")));
        }
        for (what, bytes, bound) in [("at most", during.most_bytes, bounds.memory), ("afterwards", *after, bounds.kept)] {
            let more = (bytes - before) / MIB;
            if more > bound {
                harm.push(format!("{what} {more:.0} MiB more memory, beyond {bound} MiB"));
            }
        }
        if !self.expected.is_empty() && !self.expected.iter().any(|reason| self.counted.contains_key(*reason)) {
            harm.push(format!("nothing was counted as {}", self.expected.join(" or ")));
        }
        let most = LOG_BURST + self.took.as_secs_f64();
        if self.log.lines as f64 > most {
            harm.push(format!("the log gained {} lines, beyond {most:.0}", self.log.lines));
        }
        harm.extend(self.log.bad.iter().map(|line| format!("the log says: {line}")));
        harm.extend(self.seen.as_ref().err().cloned());
        harm
    }

    /// Returns whether the only harm is memory that did not come back. An allocator may keep it for the next time, and then another
    /// try takes no more of it.
    pub(crate) fn only_kept_memory(&self, bounds: &Bounds) -> bool {
        self.verdict(bounds) == Verdict::FellShort
            && Self { memory: (self.memory.0, self.memory.0), ..self.clone() }.verdict(bounds) == Verdict::Held
    }

    /// Returns where the bots or `/healthz` were late.
    pub(crate) fn lateness(&self, bounds: &Bounds) -> Vec<String> {
        let during = &self.during;
        let mut late = Vec::new();
        if during.gap > bounds.gap() {
            late.push(format!("the bots' p99 gap is {} ms, beyond {} ms", ms(during.gap), ms(bounds.gap())));
        }
        if during.frames < FRAMES {
            late.push(format!("the bots got {:.0}% of their frames", during.frames * 100.0));
        }
        if during.healthz > bounds.healthz {
            late.push(format!("/healthz took {} ms, beyond {} ms", ms(during.healthz), ms(bounds.healthz)));
        }
        late
    }

    /// Returns whether the machine was too busy before the attack to judge lateness.
    fn was_busy(&self, bounds: &Bounds) -> bool {
        let Window { gap, healthz, frames, .. } = self.before;
        gap > bounds.gap().mul_f64(QUIET) || healthz > bounds.healthz.mul_f64(QUIET) || frames < FRAMES
    }

    /// The heading of the table.
    pub(crate) fn heading() -> String {
        format!(
            "{:<26}{:>17}{:>17}{:>24}   {:<11} counted\n{:<26}{:>8}{:>9}{:>8}{:>9}{:>8}{:>8}{:>8}",
            "attack",
            "p99 gap, ms",
            "/healthz, ms",
            "memory, MiB",
            "verdict",
            "",
            "before",
            "during",
            "before",
            "during",
            "before",
            "most",
            "after",
        )
    }

    /// The row of the table, and a line for each shortfall.
    pub(crate) fn shown(&self, bounds: &Bounds) -> String {
        let verdict = match self.verdict(bounds) {
            Verdict::Held => "held",
            Verdict::NotJudged => "not judged",
            Verdict::FellShort => "FELL SHORT",
        };
        let mut text = format!(
            "{:<26}{:>8}{:>9}{:>8}{:>9}{:>8.0}{:>8.0}{:>8.0}   {:<12}{}",
            self.attack,
            ms(self.before.gap),
            ms(self.during.gap),
            ms(self.before.healthz),
            ms(self.during.healthz),
            self.memory.0 / MIB,
            self.during.most_bytes / MIB,
            self.memory.1 / MIB,
            verdict,
            Counted(&self.counted),
        );
        if let Ok(seen) = &self.seen {
            text.push_str(&format!(" ({seen})"));
        }
        let why_not = match (bounds.judges_lateness, self.was_busy(bounds)) {
            (false, _) => " (not judged)",
            (true, true) => " (not judged: the machine was too busy before)",
            (true, false) => "",
        };
        let late = self.lateness(bounds).into_iter().map(|line| line + why_not);
        for line in self.harm(bounds).into_iter().chain(late) {
            text.push_str(&format!("\n    {line}"));
        }
        text
    }
}

impl Bounds {
    fn gap(&self) -> Duration {
        Duration::from_secs_f64(self.gap_ticks / HZ)
    }
}

struct Counted<'a>(&'a Counters);

impl fmt::Display for Counted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing");
        }
        for (at, (reason, count)) in self.0.iter().enumerate() {
            write!(f, "{}{reason} {count}", if at > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

fn ms(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

/// Reads the counters of drops and refusals from the text of `/metrics`.
pub(crate) fn counters(metrics: &str) -> Counters {
    let prefixes = ["tickcast_drops_total{reason=\"", "tickcast_refused_total{code=\""];
    let read = |line: &str| {
        let (name, value) = prefixes.iter().find_map(|prefix| line.strip_prefix(prefix))?.split_once("\"} ")?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    metrics.lines().filter_map(read).collect()
}

/// Returns the increase of each counter.
pub(crate) fn added(before: &Counters, after: &Counters) -> Counters {
    let more = |(name, count): (&String, &u64)| {
        let more = count - before.get(name).copied().unwrap_or_default().min(*count);
        (more > 0).then(|| (name.clone(), more))
    };
    after.iter().filter_map(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds =
        Bounds { gap_ticks: 1.5, healthz: Duration::from_millis(100), memory: 64.0, kept: 16.0, judges_lateness: true };

    fn window(gap: u64, healthz: u64) -> Window {
        let (gap, healthz) = (Duration::from_millis(gap), Duration::from_millis(healthz));
        Window { gap, frames: 1.0, healthz, most_bytes: 50.0 * MIB, errors: Vec::new() }
    }

    fn row() -> Row {
        Row {
            attack: "flood",
            before: window(34, 2),
            during: window(40, 20),
            took: Duration::from_secs(6),
            memory: (50.0 * MIB, 52.0 * MIB),
            counted: Counters::from([("connection_share".to_owned(), 3)]),
            expected: &["connection_share", "flood"],
            log: Logged { lines: 60, bad: Vec::new() },
            seen: Ok("3 cut".to_owned()),
        }
    }

    type Change = fn(&mut Row);

    const HARM: [(&str, Change); 7] = [
        ("errors: connection_lost 1", |row| row.during.errors.push("connection_lost 1".to_owned())),
        ("at most 100 MiB more", |row| row.during.most_bytes = 150.0 * MIB),
        ("afterwards 20 MiB more", |row| row.memory.1 = 70.0 * MIB),
        ("nothing was counted as connection_share or flood", |row| row.counted.clear()),
        ("the log gained 67 lines", |row| row.log.lines = 67),
        ("thread panicked", |row| row.log.bad.push("thread panicked".to_owned())),
        ("not cut", |row| row.seen = Err("not cut".to_owned())),
    ];

    const LATENESS: [(&str, Change); 3] = [
        ("p99 gap is 60.0 ms, beyond 50.0 ms", |row| row.during.gap = Duration::from_millis(60)),
        ("50% of their frames", |row| row.during.frames = 0.5),
        ("/healthz took 120.0 ms", |row| row.during.healthz = Duration::from_millis(120)),
    ];

    #[test]
    fn a_server_that_stays_within_the_bounds_holds() {
        assert_eq!((row().harm(&BOUNDS), row().lateness(&BOUNDS)), (Vec::new(), Vec::new()));
        assert_eq!(row().verdict(&BOUNDS), Verdict::Held);
        assert!(row().shown(&BOUNDS).contains("held   "), "{}", row().shown(&BOUNDS));
    }

    #[test]
    fn each_bound_is_judged() {
        for (expected, changes) in HARM.into_iter().chain(LATENESS) {
            let mut row = row();
            changes(&mut row);
            let short = [row.harm(&BOUNDS), row.lateness(&BOUNDS)].concat();
            assert!(short.len() == 1 && short[0].contains(expected), "{expected}: {short:?}");
            assert_eq!(row.verdict(&BOUNDS), Verdict::FellShort, "{expected}");
            assert!(row.shown(&BOUNDS).contains("FELL SHORT") && row.shown(&BOUNDS).contains(expected));
        }
    }

    #[test]
    fn lateness_is_not_judged_on_a_machine_that_was_busy_before() {
        let busy: [Change; 3] = [
            |row| row.before.gap = Duration::from_millis(41),
            |row| row.before.healthz = Duration::from_millis(81),
            |row| row.before.frames = 0.8,
        ];
        for was_busy in busy {
            let mut busy_row = row();
            was_busy(&mut busy_row);
            assert_eq!(busy_row.verdict(&BOUNDS), Verdict::Held, "what is within the bounds holds");
            for (expected, late) in LATENESS {
                let mut row = busy_row.clone();
                late(&mut row);
                assert_eq!(row.verdict(&BOUNDS), Verdict::NotJudged, "{expected}");
                let shown = row.shown(&BOUNDS);
                assert!(shown.contains(expected) && shown.contains("(not judged: the machine was too busy before)"), "{shown}");
            }
            for (expected, harms) in HARM {
                let mut row = busy_row.clone();
                harms(&mut row);
                assert_eq!(row.verdict(&BOUNDS), Verdict::FellShort, "{expected}");
            }
        }
    }

    #[test]
    fn lateness_is_shown_where_it_does_not_count() {
        let bounds = Bounds { judges_lateness: false, ..BOUNDS };
        for (expected, late) in LATENESS {
            let mut row = row();
            late(&mut row);
            assert_eq!(row.verdict(&bounds), Verdict::Held);
            assert!(row.shown(&bounds).contains(expected) && row.shown(&bounds).contains("(not judged)"));
        }
        for (expected, harms) in HARM {
            let mut row = row();
            harms(&mut row);
            assert_eq!(row.verdict(&bounds), Verdict::FellShort, "{expected}");
        }
    }

    #[test]
    fn memory_that_is_kept_is_told_from_other_harm() {
        let mut kept = row();
        kept.memory.1 = 70.0 * MIB;
        assert!(kept.only_kept_memory(&BOUNDS));
        assert!(!row().only_kept_memory(&BOUNDS), "there is none");
        for (expected, harms) in HARM.into_iter().chain(LATENESS).filter(|(expected, _)| !expected.starts_with("afterwards")) {
            let mut row = kept.clone();
            harms(&mut row);
            assert!(!row.only_kept_memory(&BOUNDS), "{expected}");
        }
    }

    #[test]
    fn the_worst_verdict_is_that_of_the_run() {
        assert_eq!([Verdict::Held, Verdict::NotJudged].into_iter().max(), Some(Verdict::NotJudged));
        assert_eq!([Verdict::FellShort, Verdict::NotJudged].into_iter().max(), Some(Verdict::FellShort));
    }

    #[test]
    fn counters_are_read_and_subtracted() {
        let before = counters("# TYPE x counter\ntickcast_drops_total{reason=\"flood\"} 2\n");
        let after = counters("tickcast_drops_total{reason=\"flood\"} 5\ntickcast_refused_total{code=\"bad_ack\"} 1\nother 4\n");
        assert_eq!(added(&before, &after), Counters::from([("flood".to_owned(), 3), ("bad_ack".to_owned(), 1)]));
        assert_eq!(added(&after, &after), Counters::new());
    }
}
