//! The process of the server under test: starts it, and reads its CPU time and memory.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;

/// How long a started server may take to print its URL.
const START: Duration = Duration::from_secs(30);

/// How long `/metrics` may take to answer, in seconds.
const SCRAPE_SECONDS: u64 = 5;

/// Linux counts CPU time for `/proc` in hundredths of a second on every architecture that Rust supports well.
const CLOCK_TICKS_A_SECOND: f64 = 100.0;

/// CPU time used so far and memory in use. `None` where unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Usage {
    pub(crate) cpu_seconds: Option<f64>,
    pub(crate) rss_bytes: Option<f64>,
}

/// The steps of all rooms, as `/metrics` counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct TickTimes {
    pub(crate) count: f64,
    pub(crate) seconds: f64,
}

impl TickTimes {
    fn read(metrics: &str) -> Option<Self> {
        let sum = |name: &str| metric(metrics, name, "");
        Some(Self { count: sum("tickcast_tick_seconds_count")?, seconds: sum("tickcast_tick_seconds_sum")? })
    }
}

/// Returns the sum of a metric's samples that have a label like `game="arena"`, or of all samples if the label is empty. `None` if
/// there are none.
pub(crate) fn metric(page: &str, name: &str, label: &str) -> Option<f64> {
    let samples = page.lines().filter_map(|line| line.strip_prefix(name));
    let samples = samples.filter(|rest| rest.starts_with(['{', ' ']) && rest.contains(label));
    samples.filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok()).reduce(|sum, value| sum + value)
}

pub(crate) enum Server {
    /// Started by this run. Killed when the run ends in any way.
    Spawned { child: Child, url: String },
    /// Started by somebody else. It keeps running.
    Remote { url: String },
}

impl Server {
    /// Starts the `arcade` binary in the folder of this one. Builds it first if it is missing.
    pub(crate) async fn spawn() -> anyhow::Result<Self> {
        let program = arcade().await?;
        let mut command = Command::new(&program);
        // Logs at `info` would break up the progress line.
        command.args(["--listen", "127.0.0.1:0", "--log", "warn"]);
        Self::start(command, &program.display().to_string()).await
    }

    /// Starts any server that prints its URL. `name` is for messages.
    pub(crate) async fn start(mut command: Command, name: &str) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut lines = BufReader::new(stdout).lines();
        let url = match timeout(START, printed_url(&mut lines)).await {
            Ok(Some(url)) => url,
            Ok(None) => bail!("{name} ended before it printed its URL"),
            Err(_) => bail!("{name} printed no URL within {} s", START.as_secs()),
        };
        // A full pipe would stop the server at its next line.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self::Spawned { child, url })
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Spawned { url, .. } | Self::Remote { url } => url,
        }
    }

    /// Returns the standard error of a server that this run started with a pipe for it.
    pub(crate) fn take_stderr(&mut self) -> Option<ChildStderr> {
        match self {
            Self::Spawned { child, .. } => child.stderr.take(),
            Self::Remote { .. } => None,
        }
    }

    /// Kills the server if this run started it.
    pub(crate) async fn stop(self) {
        if let Self::Spawned { mut child, .. } = self {
            // It fails only for a server that has ended by itself.
            let _ = child.kill().await;
        }
    }

    pub(crate) async fn usage(&self) -> Usage {
        match self {
            Self::Spawned { child, .. } => child.id().map(|pid| process_usage(&pid.to_string())).unwrap_or_default(),
            Self::Remote { .. } => self.metrics().await.as_deref().map(metrics_usage).unwrap_or_default(),
        }
    }

    /// Returns the time that the server's steps have taken so far, or `None` if it serves no such metrics.
    pub(crate) async fn tick_times(&self) -> Option<TickTimes> {
        TickTimes::read(&self.metrics().await?)
    }

    /// Returns the page `/metrics`, or `None` if it is not served.
    pub(crate) async fn metrics(&self) -> Option<String> {
        self.page("/metrics").await
    }

    /// Returns a page, or `None` if it is not served.
    pub(crate) async fn page(&self, path: &str) -> Option<String> {
        let url = format!("{}{path}", self.url());
        let scraped = tokio::task::spawn_blocking(move || {
            let response = minreq::get(url).with_timeout(SCRAPE_SECONDS).send().ok()?;
            (response.status_code == 200).then(|| response.as_str().map(str::to_owned).ok())?
        });
        scraped.await.ok().flatten()
    }
}

/// Returns the resources that this process has used.
pub(crate) fn own_usage() -> Usage {
    process_usage("self")
}

async fn arcade() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find the path of this binary")?;
    let profile_dir = own.parent().context("the path of this binary has no folder")?;
    let name = format!("arcade{}", std::env::consts::EXE_SUFFIX);
    let beside = profile_dir.join(&name);
    if beside.is_file() {
        return Ok(beside);
    }
    let target_dir = profile_dir.parent().context("this binary is not in a target folder")?;
    build_arcade(target_dir).await?;
    let built = target_dir.join("release").join(&name);
    if !built.is_file() {
        bail!("cargo did not build {}; start a server yourself and pass its --url", built.display());
    }
    Ok(built)
}

async fn build_arcade(target_dir: &Path) -> anyhow::Result<()> {
    eprintln!("no arcade binary beside this one: building it");
    let status = Command::new("cargo")
        .args(["build", "--release", "-p", "arcade", "--target-dir"])
        .arg(target_dir)
        .status()
        .await
        .context("cannot run cargo to build the server; start one yourself and pass its --url")?;
    if !status.success() {
        bail!("cargo failed to build the server; start one yourself and pass its --url");
    }
    Ok(())
}

async fn printed_url(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<String> {
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(url) = find_url(&line) {
            return Some(url);
        }
    }
    None
}

fn find_url(line: &str) -> Option<String> {
    const START: &str = "http://127.0.0.1:";
    let after = &line[line.find(START)? + START.len()..];
    let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    (digits > 0).then(|| format!("{START}{}", &after[..digits]))
}

fn process_usage(pid: &str) -> Usage {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok();
    Usage { cpu_seconds: read("stat").as_deref().and_then(cpu_seconds), rss_bytes: read("status").as_deref().and_then(rss_bytes) }
}

/// Reads user and system time from `/proc/<pid>/stat`: its fields 14 and 15. The name before them may contain any character.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).map(str::parse::<f64>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    Some((user + system) / CLOCK_TICKS_A_SECOND)
}

fn rss_bytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}

fn metrics_usage(text: &str) -> Usage {
    let value = |name: &str| {
        let samples = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        samples.filter_map(|rest| rest.split_whitespace().next()?.parse().ok()).next()
    };
    Usage { cpu_seconds: value("process_cpu_seconds_total"), rss_bytes: value("process_resident_memory_bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_found_in_a_line() {
        assert_eq!(find_url("  listening on http://127.0.0.1:40123/, stop with Ctrl-C").unwrap(), "http://127.0.0.1:40123");
        assert_eq!(find_url("http://127.0.0.1:"), None);
        assert_eq!(find_url("http://0.0.0.0:3000"), None);
    }

    #[test]
    fn proc_files_are_read() {
        let stat = "17 (a) b) S 1 17 17 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 100 1 1";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(rss_bytes("Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t1\n"), Some(2_097_152.0));
        assert_eq!((cpu_seconds("17 (a"), rss_bytes("Name:\tx\n")), (None, None));
    }

    #[test]
    fn metrics_are_found_or_missing() {
        let text = "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total_x 9\nprocess_cpu_seconds_total 1.5\n\
                    process_resident_memory_bytes 4.2e7 1700000000\n";
        assert_eq!(metrics_usage(text), Usage { cpu_seconds: Some(1.5), rss_bytes: Some(4.2e7) });
        assert_eq!(metrics_usage("other 1\n"), Usage::default());
        let text = "tickcast_tick_seconds_sum{game=\"a\"} 0.5\ntickcast_tick_seconds_count{game=\"a\"} 90\n\
                    tickcast_tick_seconds_sum{game=\"b\"} 0.25\ntickcast_tick_seconds_count{game=\"b\"} 10\n";
        assert_eq!(TickTimes::read(text), Some(TickTimes { count: 100.0, seconds: 0.75 }));
        assert_eq!(TickTimes::read("other 1\n"), None);
        let count = |label| metric(text, "tickcast_tick_seconds_count", label);
        assert_eq!((count("game=\"b\""), count("game=\"c\"")), (Some(10.0), None));
        assert_eq!(metric(text, "tickcast_tick_seconds", ""), None, "the name of a sample is whole");
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(own_usage().rss_bytes.unwrap() > 100_000.0);
        assert!(own_usage().cpu_seconds.unwrap() >= 0.0);
    }
}
