//! The result of one attack: its effect on the server and on the bots, and whether that is within the bounds.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::honest::{HZ, Window};

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
}

/// The least share of the frames due that must come. Bots of a full room get one each tick.
const FRAMES: f64 = 0.9;

/// A machine that is busy with other things is late without any attack. So a bound is at least this many times what was measured
/// before it.
const TIMES_BEFORE: f64 = 1.5;

/// One attack, measured.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) attack: &'static str,
    pub(crate) before: Window,
    pub(crate) during: Window,
    /// The server's memory in bytes, before and after.
    pub(crate) memory: (f64, f64),
    pub(crate) counted: Counters,
    /// Any of these reasons and codes must be among those counted, if there are any.
    pub(crate) expected: &'static [&'static str],
    /// The attacker's observation, or the reason why the server's answer falls short.
    pub(crate) seen: Result<String, String>,
}

impl Row {
    /// Returns why the server falls short. Empty if it holds.
    pub(crate) fn shortfalls(&self, bounds: &Bounds) -> Vec<String> {
        let Self { before, during, memory: (memory_before, after), .. } = self;
        let mut short = Vec::new();
        let gap = bounds.gap(before);
        if during.gap > gap {
            short.push(format!("the bots' p99 gap is {} ms, beyond {} ms", ms(during.gap), ms(gap)));
        }
        if during.frames < FRAMES.min(before.frames * FRAMES) {
            short.push(format!("the bots got {:.0}% of their frames", during.frames * 100.0));
        }
        if !during.errors.is_empty() {
            short.push(format!("the bots had errors: {}", during.errors.join(", ")));
        }
        let healthz = bounds.healthz(before);
        if during.healthz > healthz {
            short.push(format!("/healthz took {} ms, beyond {} ms", ms(during.healthz), ms(healthz)));
        }
        for (what, bytes, bound) in [("at most", during.most_bytes, bounds.memory), ("afterwards", *after, bounds.kept)] {
            let more = (bytes - memory_before) / MIB;
            if more > bound {
                short.push(format!("{what} {more:.0} MiB more memory, beyond {bound} MiB"));
            }
        }
        if !self.expected.is_empty() && !self.expected.iter().any(|reason| self.counted.contains_key(*reason)) {
            short.push(format!("nothing was counted as {}", self.expected.join(" or ")));
        }
        short.extend(self.seen.as_ref().err().cloned());
        short
    }

    /// Returns whether the bots were late before the attack began, so that a bound had to be raised by more than a tenth.
    pub(crate) fn is_busy(&self, bounds: &Bounds) -> bool {
        let is_raised = |raised: Duration, bound: Duration| raised > bound.mul_f64(1.1);
        is_raised(bounds.gap(&self.before), bounds.gap(&Window::default()))
            || is_raised(bounds.healthz(&self.before), bounds.healthz)
    }

    /// The heading of the table.
    pub(crate) fn heading() -> String {
        format!(
            "{:<24}{:>17}{:>17}{:>24}   {:<11} counted\n{:<24}{:>8}{:>9}{:>8}{:>9}{:>8}{:>8}{:>8}",
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
        let short = self.shortfalls(bounds);
        let verdict = match (short.is_empty(), self.is_busy(bounds)) {
            (true, false) => "held",
            (true, true) => "held*",
            (false, _) => "FELL SHORT",
        };
        let mut text = format!(
            "{:<24}{:>8}{:>9}{:>8}{:>9}{:>8.0}{:>8.0}{:>8.0}   {:<12}{}",
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
        for line in short {
            text.push_str(&format!("\n    {line}"));
        }
        text
    }
}

impl Bounds {
    fn gap(&self, before: &Window) -> Duration {
        Duration::from_secs_f64(self.gap_ticks / HZ).max(before.gap.mul_f64(TIMES_BEFORE))
    }

    fn healthz(&self, before: &Window) -> Duration {
        self.healthz.max(before.healthz.mul_f64(TIMES_BEFORE))
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

    const BOUNDS: Bounds = Bounds { gap_ticks: 1.5, healthz: Duration::from_millis(100), memory: 64.0, kept: 16.0 };

    fn window(gap: u64, healthz: u64) -> Window {
        let (gap, healthz) = (Duration::from_millis(gap), Duration::from_millis(healthz));
        Window { gap, frames: 1.0, healthz, most_bytes: 50.0 * MIB, errors: Vec::new() }
    }

    fn row() -> Row {
        Row {
            attack: "flood",
            before: window(34, 2),
            during: window(40, 20),
            memory: (50.0 * MIB, 52.0 * MIB),
            counted: Counters::from([("connection_share".to_owned(), 3)]),
            expected: &["connection_share", "flood"],
            seen: Ok("3 cut".to_owned()),
        }
    }

    #[test]
    fn a_server_that_stays_within_the_bounds_holds() {
        assert_eq!(row().shortfalls(&BOUNDS), [""; 0]);
        assert!(row().shown(&BOUNDS).contains("held   "), "{}", row().shown(&BOUNDS));
    }

    #[test]
    fn each_bound_is_judged() {
        type Break = fn(&mut Row);
        let broken: [(&str, Break); 8] = [
            ("p99 gap is 60.0 ms, beyond 51.0 ms", |row| row.during.gap = Duration::from_millis(60)),
            ("50% of their frames", |row| row.during.frames = 0.5),
            ("errors: connection_lost 1", |row| row.during.errors.push("connection_lost 1".to_owned())),
            ("/healthz took 120.0 ms", |row| row.during.healthz = Duration::from_millis(120)),
            ("at most 100 MiB more", |row| row.during.most_bytes = 150.0 * MIB),
            ("afterwards 20 MiB more", |row| row.memory.1 = 70.0 * MIB),
            ("nothing was counted as connection_share or flood", |row| row.counted.clear()),
            ("not cut", |row| row.seen = Err("not cut".to_owned())),
        ];
        for (expected, breaks) in broken {
            let mut row = row();
            breaks(&mut row);
            let short = row.shortfalls(&BOUNDS);
            assert!(short.len() == 1 && short[0].contains(expected), "{expected}: {short:?}");
            assert!(row.shown(&BOUNDS).contains("FELL SHORT"));
        }
    }

    #[test]
    fn a_busy_machine_is_allowed_what_it_does_without_an_attack() {
        let mut row = row();
        row.before.gap = Duration::from_millis(80);
        row.during.gap = Duration::from_millis(110);
        assert_eq!(row.shortfalls(&BOUNDS), [""; 0]);
        assert!(row.shown(&BOUNDS).contains("held*"));
        row.during.gap = Duration::from_millis(130);
        assert_eq!(row.shortfalls(&BOUNDS).len(), 1);
    }

    #[test]
    fn counters_are_read_and_subtracted() {
        let before = counters("# TYPE x counter\ntickcast_drops_total{reason=\"flood\"} 2\n");
        let after = counters("tickcast_drops_total{reason=\"flood\"} 5\ntickcast_refused_total{code=\"bad_ack\"} 1\nother 4\n");
        assert_eq!(added(&before, &after), Counters::from([("flood".to_owned(), 3), ("bad_ack".to_owned(), 1)]));
        assert_eq!(added(&after, &after), Counters::new());
    }
}
