//! The figures of one repeat, and the medians over all repeats.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::compare::launch::Launch;
use crate::report::{Cost, Gap, ratio, round};
use crate::server::Usage;
use crate::tally::{Count, Counts};

/// Clients that keep their core busier than this are late themselves, which makes the figures invalid.
pub(crate) const LOAD_LIMIT: f64 = 0.8;

/// The measurements of the window.
pub(crate) struct Window {
    pub(crate) length: Duration,
    pub(crate) counts: Counts,
    pub(crate) server: (Usage, Usage),
    pub(crate) load: (Usage, Usage),
}

/// The figures of one repeat.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sample {
    cpu_us_per_frame: Option<f64>,
    bytes_per_frame: Option<f64>,
    frames_per_client_s: Option<f64>,
    gap_ms: Gap,
    rss_mb: Option<f64>,
    seated: u64,
    load_cores: Option<f64>,
    /// The average size of a state message, without its WebSocket header.
    pub(crate) payload: Option<u16>,
    /// Faults of clients and refusals of inputs, from the first connection on.
    pub(crate) errors: BTreeMap<String, u64>,
}

impl Sample {
    /// `seated` is the number of clients that held a seat until the end.
    pub(crate) fn new(window: &Window, gaps: &Histogram<u64>, seated: u64) -> Self {
        let frames = window.counts[Count::Frames];
        let seconds = window.length.as_secs_f64();
        let server = Cost::new(window.server, frames, seconds);
        let payload = ratio(window.counts[Count::FrameBytes] as f64, frames as f64);
        Self {
            cpu_us_per_frame: server.cpu_us_per_frame,
            bytes_per_frame: ratio(window.counts[Count::FrameWireBytes] as f64, frames as f64),
            frames_per_client_s: ratio(frames as f64, seated as f64 * seconds),
            gap_ms: Gap::new(gaps),
            rss_mb: server.rss_mb,
            seated,
            load_cores: Cost::new(window.load, frames, seconds).cpu_cores,
            payload: payload.map(|bytes| bytes.round() as u16),
            errors: BTreeMap::new(),
        }
    }
}

/// The figures of one server: medians of its repeats.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Row {
    /// The versions of the server and of its runtime.
    pub(crate) version: Option<String>,
    /// User and system time of the server process, over the state messages delivered.
    pub(crate) cpu_us_per_frame: Option<f64>,
    /// The CPU time relative to the floor's.
    pub(crate) ratio: Option<f64>,
    /// The size of a state message, with its WebSocket header.
    pub(crate) bytes_per_frame: Option<f64>,
    pub(crate) frames_per_client_s: Option<f64>,
    /// Between two state messages of one client.
    pub(crate) gap_ms: Gap,
    pub(crate) rss_mb: Option<f64>,
    /// The minimum over the repeats.
    pub(crate) seated: u64,
    /// How busy the clients kept their core: the maximum over the repeats.
    pub(crate) load_cores: Option<f64>,
    /// The errors of all repeats together.
    pub(crate) errors: BTreeMap<String, u64>,
    /// The number of repeats that were measured.
    pub(crate) repeats: usize,
    /// Whether the figures may be compared.
    pub(crate) valid: bool,
    /// Why the figures may not be compared.
    pub(crate) invalid_because: Option<String>,
    /// Why there are no figures.
    pub(crate) not_run: Option<String>,
}

impl Row {
    /// Makes the row of a server. A server that failed in any repeat has a reason and no figures.
    pub(crate) fn new(samples: &[Sample], launch: Result<Launch, String>) -> Self {
        match launch {
            Ok(launch) => Self { version: Some(launch.version), ..Self::of(samples) },
            Err(why) => Self { not_run: Some(why), ..Self::default() },
        }
    }

    fn of(samples: &[Sample]) -> Self {
        let middle = |figure: fn(&Sample) -> Option<f64>| median(samples.iter().filter_map(figure).collect());
        Self {
            cpu_us_per_frame: middle(|sample| sample.cpu_us_per_frame),
            bytes_per_frame: middle(|sample| sample.bytes_per_frame),
            frames_per_client_s: middle(|sample| sample.frames_per_client_s),
            gap_ms: Gap {
                p50: middle(|sample| sample.gap_ms.p50),
                p99: middle(|sample| sample.gap_ms.p99),
                max: middle(|sample| sample.gap_ms.max),
            },
            rss_mb: middle(|sample| sample.rss_mb),
            seated: samples.iter().map(|sample| sample.seated).min().unwrap_or(0),
            load_cores: samples.iter().filter_map(|sample| sample.load_cores).reduce(f64::max),
            errors: added(samples.iter().map(|sample| &sample.errors)),
            repeats: samples.len(),
            ..Self::default()
        }
    }

    /// Computes the ratio to the floor, and decides whether the figures are valid.
    pub(crate) fn judge(&mut self, floor: Option<f64>, clients: u64) {
        self.ratio = self.cpu_us_per_frame.zip(floor).and_then(|(cpu, floor)| ratio(cpu, floor));
        self.invalid_because = match self.load_cores {
            _ if self.not_run.is_some() => Some("it was not run".to_owned()),
            _ if self.seated < clients => Some(format!("it kept {} of {clients} clients", self.seated)),
            Some(busy) if busy > LOAD_LIMIT => {
                Some(format!("the load side used {:.0}% of its core, and {:.0}% is the limit", busy * 100.0, LOAD_LIMIT * 100.0))
            }
            None => Some("the CPU time of the load side is unknown".to_owned()),
            Some(_) if self.cpu_us_per_frame.is_none() => Some("no frame came, or the server's CPU time is unknown".to_owned()),
            Some(_) => None,
        };
        self.valid = self.invalid_because.is_none();
    }
}

fn added<'a>(counts: impl Iterator<Item = &'a BTreeMap<String, u64>>) -> BTreeMap<String, u64> {
    let mut sum = BTreeMap::new();
    for (kind, count) in counts.flatten() {
        *sum.entry(kind.clone()).or_insert(0) += count;
    }
    sum
}

/// Returns the middle value, or the mean of the two middle ones.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.get(values.len().checked_sub(1)? / 2)?, values.get(values.len() / 2)?);
    Some(round((low + high) / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(cpu: f64, load: f64) -> Sample {
        Sample { cpu_us_per_frame: Some(cpu), load_cores: Some(load), seated: 10, ..Sample::default() }
    }

    fn judged(samples: &[Sample]) -> Row {
        let mut row = Row::of(samples);
        row.judge(Some(10.0), 10);
        row
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]), Some(3.0));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn figures_are_medians_and_the_ratio_is_to_the_floor() {
        let row = judged(&[sample(12.0, 0.2), sample(90.0, 0.3), sample(15.0, 0.8)]);
        assert_eq!((row.cpu_us_per_frame, row.ratio, row.load_cores), (Some(15.0), Some(1.5), Some(0.8)));
        assert!(row.valid && row.repeats == 3);
    }

    #[test]
    fn one_repeat_with_a_busy_load_side_makes_the_row_invalid() {
        let row = judged(&[sample(12.0, 0.2), sample(12.0, 0.81)]);
        assert!(!row.valid);
        assert_eq!(row.invalid_because.unwrap(), "the load side used 81% of its core, and 80% is the limit");
    }

    #[test]
    fn a_row_that_lost_clients_is_invalid() {
        let row = judged(&[sample(12.0, 0.2), Sample { seated: 9, ..sample(12.0, 0.2) }]);
        assert_eq!((row.valid, row.seated), (false, 9));
        assert_eq!(row.invalid_because.unwrap(), "it kept 9 of 10 clients");
        assert!(!judged(&[Sample { load_cores: None, ..sample(12.0, 0.2) }]).valid);
        assert!(!judged(&[Sample { cpu_us_per_frame: None, ..sample(12.0, 0.2) }]).valid);
    }

    #[test]
    fn errors_add_up_over_the_repeats() {
        let with = |count| Sample { errors: [("rate_limited".to_owned(), count)].into(), ..sample(12.0, 0.2) };
        assert_eq!(judged(&[with(2), sample(12.0, 0.2), with(3)]).errors, [("rate_limited".to_owned(), 5)].into());
    }

    #[test]
    fn a_server_that_did_not_run_has_a_reason_and_no_figures() {
        let mut row = Row::new(&[sample(12.0, 0.2)], Err("no Node".to_owned()));
        row.judge(Some(10.0), 10);
        assert_eq!((row.not_run.as_deref(), row.valid, row.cpu_us_per_frame, row.ratio), (Some("no Node"), false, None, None));
    }

    #[test]
    fn a_sample_counts_the_servers_time_over_the_frames() {
        let tally = crate::tally::Tally::new();
        for (count, amount) in [(Count::Frames, 2000), (Count::FrameBytes, 140_900), (Count::FrameWireBytes, 144_900)] {
            tally.add(count, amount);
        }
        let usage = |cpu| Usage { cpu_seconds: Some(cpu), rss_bytes: Some(5e6) };
        let window = Window {
            length: Duration::from_secs(10),
            counts: tally.counts(),
            server: (usage(1.0), usage(1.03)),
            load: (usage(2.0), usage(7.0)),
        };
        let sample = Sample::new(&window, &tally.gaps(), 10);
        assert_eq!((sample.cpu_us_per_frame, sample.frames_per_client_s), (Some(15.0), Some(20.0)));
        assert_eq!((sample.bytes_per_frame, sample.payload), (Some(72.45), Some(70)));
        assert_eq!((sample.load_cores, sample.rss_mb, sample.seated), (Some(0.5), Some(5.0), 10));
    }
}
