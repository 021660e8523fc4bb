//! The comparison as a table for people and as JSON for programs.

use std::fmt;

use serde::Serialize;

use crate::compare::figures::Row;
use crate::compare::pin::{Cores, Pinning};
use crate::compare::scenario::{Peer, Scenario};
use crate::report::shown;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Comparison {
    #[serde(flatten)]
    setting: Setting,
    floor: Row,
    limit: Row,
    tickcast: Row,
    socketio: Row,
    colyseus: Row,
}

/// The scenario that was run, and the machine it ran on.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Setting {
    clients: usize,
    rooms: usize,
    hz: u16,
    seconds: f64,
    repeats: usize,
    /// The processor's model name.
    processor: Option<String>,
    /// The cores, if the processes were pinned.
    pinned: Option<Cores>,
    not_pinned_because: Option<String>,
}

impl Comparison {
    /// The rows are in the order of [`Peer::ALL`].
    pub(crate) fn new(scenario: Scenario, repeats: usize, pinning: &Pinning, mut rows: [Row; 5]) -> Self {
        let Scenario { clients, rooms, hz, seconds, .. } = scenario;
        let base = rows[Peer::Floor as usize].cpu_us_per_frame;
        for row in &mut rows {
            row.judge(base, clients as u64);
        }
        let setting = Setting {
            clients,
            rooms,
            hz,
            seconds,
            repeats,
            processor: processor(),
            pinned: pinning.cores(),
            not_pinned_because: pinning.why_not().map(str::to_owned),
        };
        let [floor, limit, tickcast, socketio, colyseus] = rows;
        Self { setting, floor, limit, tickcast, socketio, colyseus }
    }

    /// Returns whether there are figures and all of them are valid.
    pub(crate) fn is_valid(&self) -> bool {
        let mut ran = self.rows().into_iter().filter(|(_, row)| row.not_run.is_none()).peekable();
        ran.peek().is_some() && ran.all(|(_, row)| row.valid)
    }

    fn rows(&self) -> [(Peer, &Row); 5] {
        let rows = [&self.floor, &self.limit, &self.tickcast, &self.socketio, &self.colyseus];
        std::array::from_fn(|place| (Peer::ALL[place], rows[place]))
    }
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("model name"))?;
    Some(line.trim_start_matches([' ', '\t', ':']).to_owned())
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.setting)?;
        writeln!(
            f,
            "{:<10} {:>12} {:>6} {:>11} {:>10} {:>8} {:>8} {:>8} {:>7} {:>7} {:>5}  version",
            "", "CPU us/frame", "ratio", "bytes/frame", "frames/s", "gap p50", "gap p99", "gap max", "RSS MB", "seated", "load"
        )?;
        for (peer, row) in self.rows() {
            match &row.not_run {
                Some(why) => writeln!(f, "{peer:<10} not run: {why}")?,
                None => writeln!(f, "{peer:<10} {row}")?,
            }
        }
        for (peer, row) in self.rows() {
            if let (None, Some(why)) = (&row.not_run, &row.invalid_because) {
                writeln!(f, "INVALID: {peer}: {why}")?;
            }
            for (what, count) in &row.errors {
                writeln!(f, "{peer}: {what}: {count}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clients, rooms, hz, seconds, repeats, .. } = self;
        write!(f, "{clients} clients in {rooms} rooms, {hz} Hz, {seconds} s, medians of {repeats}; gaps in ms; ")?;
        match self.pinned {
            Some(Cores { server, load }) => write!(f, "server on core {server}, load on core {load}"),
            None => write!(f, "NOT pinned: {}", self.not_pinned_because.as_deref().unwrap_or("unknown")),
        }?;
        match &self.processor {
            Some(name) => write!(f, " of {name}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let load = self.load_cores.map_or_else(|| "?".to_owned(), |cores| format!("{:.0}%", cores * 100.0));
        let [cpu, ratio, bytes, rate] =
            [self.cpu_us_per_frame, self.ratio, self.bytes_per_frame, self.frames_per_client_s].map(shown);
        let [p50, p99, max, rss] = [self.gap_ms.p50, self.gap_ms.p99, self.gap_ms.max, self.rss_mb].map(shown);
        let version = self.version.as_deref().unwrap_or("unknown");
        write!(
            f,
            "{cpu:>12} {ratio:>6} {bytes:>11} {rate:>10} {p50:>8} {p99:>8} {max:>8} {rss:>7} {:>7} {load:>5}  {version}",
            self.seated
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn comparison(rows: [Row; 5]) -> Comparison {
        let scenario = Scenario { clients: 10, rooms: 2, hz: 20, seconds: 5.0, warmup: 1.0 };
        Comparison::new(scenario, 3, &Pinning::not("no taskset"), rows)
    }

    fn row(cpu: f64, load: f64) -> Row {
        let (cpu_us_per_frame, load_cores) = (Some(cpu), Some(load));
        Row { cpu_us_per_frame, load_cores, seated: 10, version: Some("1.0".to_owned()), ..Row::default() }
    }

    fn missing() -> Row {
        Row { not_run: Some("no Node".to_owned()), ..Row::default() }
    }

    #[test]
    fn the_json_has_a_key_for_each_server() {
        let value =
            serde_json::to_value(comparison([row(10.0, 0.3), row(7.5, 0.3), row(15.0, 0.3), row(40.0, 0.9), missing()])).unwrap();
        for server in ["floor", "limit", "tickcast", "socketio", "colyseus"] {
            for key in ["cpu_us_per_frame", "bytes_per_frame", "gap_ms", "rss_mb", "seated", "ratio", "version", "valid"] {
                assert!(value[server].get(key).is_some(), "{server}.{key}");
            }
        }
        assert_eq!(value["floor"]["gap_ms"], json!({"p50": null, "p99": null, "max": null}));
        let ratios = ["floor", "limit", "tickcast"].map(|server| &value[server]["ratio"]);
        assert_eq!(ratios, [&json!(1.0), &json!(0.75), &json!(1.5)]);
        assert_eq!((&value["tickcast"]["valid"], &value["socketio"]["valid"]), (&json!(true), &json!(false)));
        assert_eq!((&value["colyseus"]["not_run"], &value["colyseus"]["valid"]), (&json!("no Node"), &json!(false)));
        assert_eq!((&value["clients"], &value["pinned"]), (&json!(10), &json!(null)));
    }

    #[test]
    fn the_table_names_rows_that_are_invalid_or_did_not_run() {
        let table = comparison([row(10.0, 0.3), row(7.5, 0.3), row(15.0, 0.3), row(40.0, 0.9), missing()]).to_string();
        assert!(table.contains("NOT pinned: no taskset"), "{table}");
        assert!(table.contains("INVALID: socketio: the load side used 90% of its core"), "{table}");
        assert!(table.contains("colyseus   not run: no Node"), "{table}");
        assert!(!table.contains("INVALID: colyseus"), "{table}");
    }

    #[test]
    fn a_comparison_is_valid_if_every_row_that_ran_is() {
        assert!(comparison([row(10.0, 0.3), row(7.5, 0.3), row(15.0, 0.3), missing(), missing()]).is_valid());
        assert!(!comparison([row(10.0, 0.3), row(7.5, 0.3), row(15.0, 0.9), missing(), missing()]).is_valid());
        assert!(!comparison([missing(), missing(), missing(), missing(), missing()]).is_valid());
    }
}
