//! The figures of a run, as a table for people and as JSON for programs.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::server::{TickTimes, Usage};
use crate::slow::{Delays, Habit};
use crate::tally::{Count, Counts, Difference};

/// The figures of a run. All rates are over the measured window, which begins when every client has its seat.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Report {
    pub(crate) game: String,
    pub(crate) rooms: usize,
    pub(crate) clients: u64,
    pub(crate) seated: u64,
    /// Clients that decode every frame in full and check it.
    pub(crate) verifying: u64,
    /// The length of the window.
    pub(crate) duration_s: f64,
    pub(crate) frames_per_client_s: Option<f64>,
    /// Everything received, WebSocket headers included.
    pub(crate) bytes_per_client_s: Option<f64>,
    /// The frame alone, as in the event `s`.
    pub(crate) bytes_per_frame: Option<f64>,
    /// The WebSocket frame that carries it.
    pub(crate) wire_bytes_per_frame: Option<f64>,
    pub(crate) gap_ms: Gap,
    /// Clients that were slow on purpose. The figures above are those of the others.
    pub(crate) slow: Vec<SlowFigures>,
    pub(crate) inputs_sent: u64,
    pub(crate) frames_verified: u64,
    pub(crate) server: Cost,
    /// The cost of the clients. Without a core of its own, loadtest measures itself, too.
    pub(crate) loadtest: Cost,
    pub(crate) rejoins: u64,
    pub(crate) desyncs: u64,
    /// Details of the first desyncs that were mended.
    pub(crate) differences: Vec<Difference>,
    /// By protocol code, or by a kind that this tool defines, over the whole run and not only the window.
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) errors_total: u64,
}

/// The time between consecutive frames of one client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Gap {
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) max: Option<f64>,
}

/// The figures of the clients with one habit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct SlowFigures {
    pub(crate) habit: &'static str,
    pub(crate) clients: u64,
    pub(crate) frames_per_client_s: Option<f64>,
    pub(crate) bytes_per_client_s: Option<f64>,
    pub(crate) merged: u64,
    pub(crate) gap_ms: Gap,
    /// The delay of each frame, in excess of the fastest frame's.
    pub(crate) lag_ms: Gap,
    /// The time from the end of a stall to the first current frame.
    pub(crate) recovery_ms: Gap,
    /// The largest number of outdated frames that a client read after a stall.
    pub(crate) stale_frames: u64,
}

/// The resources a process used in the window; `None` where unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Cost {
    pub(crate) cpu_us_per_frame: Option<f64>,
    /// Cores kept busy.
    pub(crate) cpu_cores: Option<f64>,
    pub(crate) rss_mb: Option<f64>,
}

/// The measurements of the window.
pub(crate) struct Window {
    pub(crate) length: Duration,
    /// The counts of the clients that keep up, then of the slow ones by habit.
    pub(crate) counts: Vec<Counts>,
    pub(crate) server: (Usage, Usage),
    pub(crate) loadtest: (Usage, Usage),
    /// Periodic samples; empty if no plots were asked for.
    pub(crate) samples: Vec<Sample>,
}

/// A sample of the counters in the window. They start with the run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) at: Duration,
    /// Bytes that all clients have received.
    pub(crate) received: u64,
    pub(crate) server: Usage,
    pub(crate) loadtest: Usage,
    pub(crate) ticks: Option<TickTimes>,
}

/// The figures of the whole run.
pub(crate) struct Totals {
    pub(crate) game: String,
    pub(crate) rooms: usize,
    pub(crate) clients: usize,
    pub(crate) verifying: usize,
    pub(crate) counts: Counts,
    pub(crate) gaps: Histogram<u64>,
    pub(crate) slow: Vec<(Habit, Counts, Histogram<u64>, Delays)>,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) differences: Vec<Difference>,
}

impl Totals {
    /// Returns the gaps of the clients that keep up, then of the slow ones by habit, with their names.
    pub(crate) fn curves(&self) -> Vec<(&'static str, Histogram<u64>)> {
        let prompt = if self.slow.is_empty() { "all clients" } else { "clients that keep up" };
        let slow = self.slow.iter().map(|(habit, _, gaps, _)| (habit.name(), gaps.clone()));
        [(prompt, self.gaps.clone())].into_iter().chain(slow).collect()
    }
}

impl SlowFigures {
    fn new((habit, whole, gaps, delays): &(Habit, Counts, Histogram<u64>, Delays), window: &Counts, seconds: f64) -> Self {
        let clients = whole[Count::Seated];
        let a_client_second = |count| ratio(window[count] as f64, clients as f64 * seconds);
        Self {
            habit: habit.name(),
            clients,
            frames_per_client_s: a_client_second(Count::Frames),
            bytes_per_client_s: a_client_second(Count::ReceivedBytes),
            merged: window[Count::Merged],
            gap_ms: Gap::new(gaps),
            lag_ms: Gap::of(&delays.lag, 1.0),
            recovery_ms: Gap::of(&delays.recovery, 1.0),
            stale_frames: delays.stale,
        }
    }
}

impl Report {
    /// The width of the column of names.
    pub(crate) const NAME_WIDTH: usize = 17;

    pub(crate) fn new(whole: Totals, window: &Window) -> Self {
        let seated = whole.counts[Count::Seated];
        let seconds = window.length.as_secs_f64();
        let (prompt, others) = window.counts.split_first().expect("the first counts are of the clients that keep up");
        let all = others.iter().fold(*prompt, |sum, counts| sum.and(counts));
        let keep_up = seated - whole.slow.iter().map(|(_, counts, ..)| counts[Count::Seated]).sum::<u64>();
        let a_client_second = |count| ratio(prompt[count] as f64, keep_up as f64 * seconds);
        let a_frame = |count| ratio(prompt[count] as f64, prompt[Count::Frames] as f64);
        let frames = all[Count::Frames];
        Self {
            game: whole.game,
            rooms: whole.rooms,
            clients: whole.clients as u64,
            seated,
            verifying: whole.verifying as u64,
            duration_s: round(seconds),
            frames_per_client_s: a_client_second(Count::Frames),
            bytes_per_client_s: a_client_second(Count::ReceivedBytes),
            bytes_per_frame: a_frame(Count::FrameBytes),
            wire_bytes_per_frame: a_frame(Count::FrameWireBytes),
            gap_ms: Gap::new(&whole.gaps),
            slow: whole.slow.iter().zip(others).map(|(slow, window)| SlowFigures::new(slow, window, seconds)).collect(),
            inputs_sent: all[Count::Inputs],
            frames_verified: all[Count::Verified],
            server: Cost::new(window.server, frames, seconds),
            loadtest: Cost::new(window.loadtest, frames, seconds),
            rejoins: whole.counts[Count::Rejoins],
            desyncs: whole.counts[Count::Desyncs] + whole.slow.iter().map(|(_, counts, ..)| counts[Count::Desyncs]).sum::<u64>(),
            differences: whole.differences,
            errors_total: whole.errors.values().sum(),
            errors: whole.errors,
        }
    }

    /// Returns whether every client was seated and nothing went wrong.
    pub(crate) fn is_clean(&self) -> bool {
        self.seated == self.clients && self.desyncs == 0 && self.errors_total == 0
    }
}

impl Gap {
    pub(crate) fn new(micros: &Histogram<u64>) -> Self {
        Self::of(micros, 1000.0)
    }

    fn of(gaps: &Histogram<u64>, units_a_ms: f64) -> Self {
        if gaps.is_empty() {
            return Self::default();
        }
        let ms = |value: u64| Some(round(value as f64 / units_a_ms));
        Self { p50: ms(gaps.value_at_quantile(0.5)), p99: ms(gaps.value_at_quantile(0.99)), max: ms(gaps.max()) }
    }
}

impl Cost {
    pub(crate) fn new((before, after): (Usage, Usage), frames: u64, seconds: f64) -> Self {
        let cpu = after.cpu_seconds.zip(before.cpu_seconds).map(|(after, before)| after - before);
        Self {
            cpu_us_per_frame: cpu.and_then(|cpu| ratio(cpu * 1e6, frames as f64)),
            cpu_cores: cpu.and_then(|cpu| ratio(cpu, seconds)),
            rss_mb: after.rss_bytes.map(|bytes| round(bytes / 1e6)),
        }
    }

    /// Returns whether the process used more than 90% of this many cores.
    pub(crate) fn saturates(&self, cores: usize) -> bool {
        self.cpu_cores.is_some_and(|used| used > 0.9 * cores as f64)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rooms = match self.rooms {
            0 => "as many rooms as needed".to_owned(),
            rooms => format!("{rooms} rooms"),
        };
        let [p50, p99, max] = [self.gap_ms.p50, self.gap_ms.p99, self.gap_ms.max].map(shown);
        let frame = shown(self.bytes_per_frame);
        let on_the_wire = shown(self.wire_bytes_per_frame);
        let mut errors = self.errors_total.to_string();
        for (kind, count) in &self.errors {
            write!(errors, ", {kind} {count}")?;
        }
        row(f, "game", format_args!("{} in {rooms}", self.game))?;
        row(f, "clients", format_args!("{} ({} verifying)", self.clients, self.verifying))?;
        row(f, "seated", self.seated)?;
        row(f, "measured", format_args!("{:.1} s", self.duration_s))?;
        row(f, "frames", format_args!("{} /client/s", shown(self.frames_per_client_s)))?;
        row(f, "bytes", format_args!("{} /client/s", shown(self.bytes_per_client_s)))?;
        row(f, "bytes per frame", format_args!("{frame} ({on_the_wire} on the wire)"))?;
        row(f, "gap", format_args!("p50 {p50} ms, p99 {p99} ms, max {max} ms"))?;
        for slow in &self.slow {
            row(f, slow.habit, slow)?;
        }
        row(f, "inputs sent", self.inputs_sent)?;
        row(f, "server", self.server)?;
        row(f, "loadtest", self.loadtest)?;
        row(f, "rejoins", self.rejoins)?;
        row(f, "desyncs", format_args!("{} in {} frames verified", self.desyncs, self.frames_verified))?;
        for difference in &self.differences {
            row(f, "", difference)?;
        }
        row(f, "errors", errors)
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, value: impl fmt::Display) -> fmt::Result {
    writeln!(f, "{name:<width$}{value}", width = Report::NAME_WIDTH)
}

impl fmt::Display for SlowFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (frames, bytes, merged) = (shown(self.frames_per_client_s), shown(self.bytes_per_client_s), self.merged);
        write!(f, "{} clients, {frames} frames and {bytes} bytes /client/s, {merged} merged diffs, ", self.clients)?;
        write!(f, "lag p50 {} ms, max {} ms", shown(self.lag_ms.p50), shown(self.lag_ms.max))?;
        if self.recovery_ms.max.is_some() {
            let (p50, max) = (shown(self.recovery_ms.p50), shown(self.recovery_ms.max));
            write!(f, ", current again after p50 {p50} ms, max {max} ms, at most {} stale frames", self.stale_frames)?;
        }
        Ok(())
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cpu, cores, rss) = (shown(self.cpu_us_per_frame), shown(self.cpu_cores), shown(self.rss_mb));
        write!(f, "{cpu} us CPU per frame, {cores} cores busy, {rss} MB")
    }
}

pub(crate) fn ratio(amount: f64, of: f64) -> Option<f64> {
    (of > 0.0).then(|| round(amount / of))
}

/// Rounds to three decimals, which is all the precision of the measurements.
pub(crate) fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

pub(crate) fn shown(value: Option<f64>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Tally;

    fn usage(cpu_seconds: f64) -> Usage {
        Usage { cpu_seconds: Some(cpu_seconds), rss_bytes: Some(50e6) }
    }

    fn report(seated: u64, frames: u64) -> Report {
        let tally = Tally::new();
        for (count, amount) in [
            (Count::Seated, seated),
            (Count::Frames, frames),
            (Count::FrameBytes, frames * 100),
            (Count::FrameWireBytes, frames * 130),
            (Count::ReceivedBytes, frames * 150),
        ] {
            tally.add(count, amount);
        }
        for gap in [30, 33, 36, 90] {
            tally.gap(Duration::from_millis(gap));
        }
        let window = Window {
            length: Duration::from_secs(10),
            counts: vec![tally.counts()],
            samples: Vec::new(),
            server: (usage(1.0), usage(1.6)),
            loadtest: (Usage::default(), usage(1.0)),
        };
        let whole = Totals {
            game: "arena".to_owned(),
            rooms: 1,
            clients: 2,
            verifying: 1,
            counts: tally.counts(),
            gaps: tally.gaps(),
            slow: Vec::new(),
            errors: tally.errors(),
            differences: tally.differences(),
        };
        Report::new(whole, &window)
    }

    #[test]
    fn rates_are_over_seated_clients_and_the_window() {
        let report = report(2, 600);
        assert_eq!((report.frames_per_client_s, report.bytes_per_client_s), (Some(30.0), Some(4500.0)));
        assert_eq!((report.bytes_per_frame, report.wire_bytes_per_frame), (Some(100.0), Some(130.0)));
        assert_eq!(report.server, Cost { cpu_us_per_frame: Some(1000.0), cpu_cores: Some(0.06), rss_mb: Some(50.0) });
        assert_eq!(report.loadtest, Cost { cpu_us_per_frame: None, cpu_cores: None, rss_mb: Some(50.0) });
        assert!((89.0..91.0).contains(&report.gap_ms.max.unwrap()));
        assert!(report.is_clean());
    }

    #[test]
    fn a_run_without_frames_has_no_rates() {
        let report = report(0, 0);
        assert_eq!((report.frames_per_client_s, report.bytes_per_frame), (None, None));
        assert!(!report.is_clean());
        assert!(report.to_string().contains("unknown"));
    }
}
