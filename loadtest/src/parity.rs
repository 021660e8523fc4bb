//! The command `checksums`: runs the same matches in this program and in WebAssembly, and compares them on the way.
//!
//! The two are built by different compilers' back ends for machines of different widths, and the module has no C library. So rules
//! that depend on any of these are found out, while a third machine is not at hand.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use checksums::{SUBJECTS, Subject};
use clap::Args;
use clap::builder::PossibleValuesParser;
use tokio::time::Instant;

/// Ticks from one comparison to the next.
const EVERY: u32 = 1000;
/// The program that runs the module.
const RUN: &str = include_str!("../checksums/run.mjs");
const TARGET: &str = "wasm32-unknown-unknown";

#[derive(Debug, Args)]
pub(crate) struct ChecksumsArgs {
    /// Ticks to run of each game, rounded up to thousands. Matches follow one another.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    ticks: u32,
    /// One game only, or `maths`: the functions that rules may call.
    #[arg(long, value_parser = PossibleValuesParser::new(SUBJECTS.map(|(name, _)| name)))]
    game: Option<String>,
    /// Seed of the matches.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The module, if it is already built. Default: build it, which needs the target wasm32-unknown-unknown.
    #[arg(long, value_name = "WASM")]
    module: Option<PathBuf>,
}

/// A subject in WebAssembly: a process of Node that prints digests. It is killed when dropped.
struct Module {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// The result for a subject.
enum Outcome {
    /// Equal to the end. The times are sums over all ticks.
    Equal { native: Duration, wasm: Duration },
    /// Different at this tick for the first time, or at most [`EVERY`] ticks before.
    Different { at: u32 },
    /// The module printed nothing for this tick.
    Stopped { at: u32 },
}

/// Compares the subjects, and prints a line for each. Returns whether all were equal.
///
/// # Errors
/// The module cannot be built, or Node is missing.
pub(crate) fn compare(args: &ChecksumsArgs) -> anyhow::Result<bool> {
    let module = args.module.clone().map_or_else(build, Ok)?;
    let ticks = args.ticks.next_multiple_of(EVERY);
    let mut equal = true;
    println!("{:<8} {:>10} {:>8} {:>10} {:>10}", "", "ticks", "matches", "native", "wasm");
    for (at, (name, begin)) in SUBJECTS.iter().enumerate() {
        if args.game.as_ref().is_some_and(|game| game != name) {
            continue;
        }
        let mut native = begin(args.seed);
        let outcome = run(&mut *native, Module::start(&module, at, args.seed, ticks)?, ticks)?;
        equal &= matches!(outcome, Outcome::Equal { .. });
        print(name, ticks, native.matches(), &outcome);
    }
    Ok(equal)
}

fn print(name: &str, ticks: u32, matches: u32, outcome: &Outcome) {
    let a_tick = |time: &Duration| format!("{:.1} us", time.as_secs_f64() * 1e6 / f64::from(ticks));
    match outcome {
        Outcome::Equal { native, wasm } => {
            println!("{name:<8} {ticks:>10} {matches:>8} {:>10} {:>10}  equal", a_tick(native), a_tick(wasm));
        }
        Outcome::Different { at } => println!("{name:<8} {at:>10} {matches:>8}  DIFFERENT since a tick after {}", at - EVERY),
        Outcome::Stopped { at } => println!("{name:<8} {at:>10} {matches:>8}  the module STOPPED after tick {}", at - EVERY),
    }
}

fn run(native: &mut dyn Subject, mut module: Module, ticks: u32) -> anyhow::Result<Outcome> {
    let (mut spent, mut wasm) = (Duration::ZERO, Duration::ZERO);
    for at in (EVERY..=ticks).step_by(EVERY as usize) {
        let from = Instant::now();
        native.run(EVERY);
        spent += from.elapsed();
        let Some((digest, time)) = module.next()? else { return Ok(Outcome::Stopped { at }) };
        if digest != native.digest() {
            return Ok(Outcome::Different { at });
        }
        wasm = time;
    }
    Ok(Outcome::Equal { native: spent, wasm })
}

impl Module {
    fn start(module: &Path, subject: usize, seed: u64, ticks: u32) -> anyhow::Result<Self> {
        let mut child = Command::new("node")
            .args(["--input-type=module", "--eval", RUN, "--"])
            .arg(module)
            .args([subject.to_string(), seed.to_string(), ticks.to_string(), EVERY.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run `node`, which runs the module")?;
        let stdout = child.stdout.take().expect("stdout is piped");
        Ok(Self { child, lines: BufReader::new(stdout).lines() })
    }

    /// Returns the next digest, and the time that all ticks until then took. `None` if the module trapped; Node has said why.
    fn next(&mut self) -> anyhow::Result<Option<(u64, Duration)>> {
        let Some(line) = self.lines.next().transpose()? else { return Ok(None) };
        let (digest, spent) = line.split_once(' ').with_context(|| format!("the module's line is {line:?}"))?;
        Ok(Some((digest.parse()?, Duration::from_secs_f64(spent.parse::<f64>()? / 1e3))))
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds the module with cargo.
fn build() -> anyhow::Result<PathBuf> {
    let built = Command::new("cargo")
        .args(["rustc", "--release", "--package", "checksums", "--lib", "--crate-type", "cdylib", "--target", TARGET])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo to build the module")?;
    if !built.status.success() {
        bail!("cargo failed to build the module; `rustup target add {TARGET}` installs what it needs");
    }
    let printed = String::from_utf8(built.stdout)?;
    let messages = printed.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut files = messages.filter_map(|message| message["filenames"][0].as_str().map(PathBuf::from));
    files.find(|file| file.extension().is_some_and(|end| end == "wasm")).context("cargo built no module")
}
