//! The report page of a run: its figures and plots in one self-contained HTML file.

#![expect(clippy::disallowed_methods, reason = "plots may differ in the last bit from machine to machine")]

use std::fmt::Write;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::anyhow;
use hdrhistogram::Histogram;

use crate::plot::{Plot, Series};
use crate::report::{Report, Sample};

/// The curves of gaps end at this many nines: 99.99%.
const NINES: f64 = 4.0;

const STYLE: &str = "
:root { color-scheme: light; --ink: #1d2433; --soft: #667085; --line: #e4e7ec; --paper: #f6f7f9; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, 'Segoe UI', sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 32px 24px 48px; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 16px; margin: 0 0 8px; }
p { margin: 4px 0; color: var(--soft); }
code { display: block; margin: 12px 0 0; padding: 10px 14px; background: #1d2433; color: #e6edf3; border-radius: 8px;
  font: 13px/1.5 ui-monospace, 'DejaVu Sans Mono', monospace; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(520px, 1fr)); gap: 20px; margin-top: 24px; }
section { background: #fff; border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px; }
section.wide { grid-column: 1 / -1; }
svg { width: 100%; height: auto; display: block; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-top: 1px solid var(--line); vertical-align: top; }
tr:first-child > * { border-top: 0; }
th { width: 9em; color: var(--soft); font-weight: 500; }
td { font-variant-numeric: tabular-nums; }
";

/// The data that a page shows.
pub(crate) struct Page<'a> {
    pub(crate) report: &'a Report,
    /// Gaps in microseconds, by group of clients.
    pub(crate) gaps: &'a [(&'static str, Histogram<u64>)],
    pub(crate) samples: &'a [Sample],
}

impl Page<'_> {
    pub(crate) fn to_html(&self) -> anyhow::Result<String> {
        let title = format!("{} clients play {}", self.report.clients, self.report.game);
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title} – loadtest</title>\n<style>{STYLE}</style>\n\
             <main>\n<h1>{}</h1>\n<p>{}</p>\n<code>{}</code>\n<div class=\"cards\">\n",
            escaped(&title),
            escaped(&format!("{} · {} · tickcast loadtest {}", now(), machine(), env!("CARGO_PKG_VERSION"))),
            escaped(&command_line()),
        );
        self.write_figures(&mut page)?;
        for plot in self.plots() {
            let svg = plot.to_svg().map_err(|e| anyhow!("cannot draw {}: {e}", plot.title))?;
            write!(page, "<section>\n<h2>{}</h2>\n{svg}</section>\n", escaped(plot.title))?;
        }
        page.push_str("</div>\n</main>\n</html>\n");
        Ok(page)
    }

    /// Writes the figures as on the terminal: each row has a name and a value.
    fn write_figures(&self, page: &mut String) -> std::fmt::Result {
        page.push_str("<section class=\"wide\">\n<h2>Figures</h2>\n<table>\n");
        for line in self.report.to_string().lines() {
            let (name, value) = line.split_at_checked(Report::NAME_WIDTH).unwrap_or((line, ""));
            writeln!(page, "<tr><th>{}</th><td>{}</td></tr>", escaped(name.trim()), escaped(value.trim()))?;
        }
        page.push_str("</table>\n</section>\n");
        Ok(())
    }

    fn plots(&self) -> Vec<Plot> {
        let rate = |value: fn(&Sample) -> Option<f64>| {
            let pairs = self.samples.windows(2).filter_map(move |pair| {
                let seconds = (pair[1].at - pair[0].at).as_secs_f64();
                Some((pair[1].at.as_secs_f64(), (value(&pair[1])? - value(&pair[0])?) / seconds))
            });
            pairs.collect::<Vec<_>>()
        };
        let tick_times = self.samples.windows(2).filter_map(|pair| {
            let (before, after) = (pair[0].ticks?, pair[1].ticks?);
            let steps = after.count - before.count;
            (steps > 0.0).then(|| (pair[1].at.as_secs_f64(), (after.seconds - before.seconds) / steps * 1e6))
        });
        let keep_up = &self.gaps[..1];
        let mut plots = vec![Plot {
            y: "gap, ms",
            ..Plot::percentiles(
                "Time between two frames of a client",
                keep_up.iter().map(|(name, gaps)| curve(name, gaps, |ms| ms)),
            )
        }];
        if self.gaps.len() > 1 {
            // Slow and prompt clients in one plot need a logarithmic scale.
            let series = self.gaps.iter().map(|(name, gaps)| curve(name, gaps, |ms| ms.max(1.0).log10()));
            let plot = Plot::percentiles("Time between two frames, slow clients included", series);
            plots.push(Plot { y: "gap, ms (logarithmic)", y_label: |tens| format!("{:.0}", 10f64.powf(*tens)), ..plot });
        }
        plots.extend([
            Plot::over_time(
                "Bytes received",
                "kB a second, all clients",
                [Series::new("received", rate(|sample| Some(sample.received as f64 / 1000.0)))],
            ),
            Plot::over_time(
                "One step of a room on the server",
                "mean, microseconds",
                [Series::new("step", tick_times.collect())],
            ),
            Plot::over_time(
                "CPU time",
                "cores kept busy",
                [
                    Series::new("server", rate(|sample| sample.server.cpu_seconds)),
                    Series::new("loadtest", rate(|sample| sample.loadtest.cpu_seconds)),
                ],
            ),
        ]);
        plots
    }
}

/// Returns the gap at each percentile. The x value is the number of nines of the percentile.
fn curve(name: &'static str, gaps: &Histogram<u64>, scale: fn(f64) -> f64) -> Series {
    let steps = (0..=200).map(|step| NINES * f64::from(step) / 200.0).filter(|_| !gaps.is_empty());
    let points = steps.map(|nines| {
        let share = 1.0 - 10f64.powf(-nines);
        (nines, scale(gaps.value_at_quantile(share) as f64 / 1000.0))
    });
    Series::new(name, points.collect())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn command_line() -> String {
    let mut words = std::env::args();
    let program = words.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let quoted = words.map(|word| if word.contains([' ', '"']) { format!("'{word}'") } else { word });
    [program].into_iter().chain(quoted).collect::<Vec<_>>().join(" ")
}

/// Returns processor, cores and kernel, as far as they are known.
fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':')).map(|(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores of {}, {} {}", model.unwrap_or("an unknown processor"), std::env::consts::OS, kernel.trim())
}

/// Returns the time in UTC, to the minute.
fn now() -> String {
    #[expect(clippy::disallowed_methods, reason = "a page says when it was made")]
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = date(seconds / 86_400);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", seconds / 3600 % 24, seconds / 60 % 60)
}

/// Returns the year, month and day of a day counted from 1970.
fn date(mut days: u64) -> (u64, u64, u64) {
    let is_leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(59), (1970, 3, 1));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(20_779), (2026, 11, 22));
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escaped("<a & b>"), "&lt;a &amp; b&gt;");
    }

    #[test]
    fn a_curve_rises_to_its_last_nines() {
        let mut gaps = Histogram::new(3).unwrap();
        (0..990).for_each(|_| gaps.record(50_000).unwrap());
        (0..10).for_each(|_| gaps.record(80_000).unwrap());
        let Series { points, .. } = curve("all", &gaps, |ms| ms);
        assert_eq!(points.first().map(|(nines, _)| *nines), Some(0.0));
        let at = |nines: f64| points.iter().find(|(at, _)| *at >= nines).unwrap().1.round();
        assert_eq!((at(1.0), at(3.0)), (50.0, 80.0));
    }
}
