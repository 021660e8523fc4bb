//! Logs to standard error, filtered by a text like `info,tickcast=debug`, coloured on a terminal.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

/// Starts logging with a filter: levels, each for all targets or for one (`info,tickcast=debug`). A process that already
/// logs keeps its own set-up.
///
/// # Errors
///
/// If the filter cannot be parsed.
pub(crate) fn start_logs(filter: &str) -> Result<(), ParseError> {
    // `EnvFilter` can filter by a span's fields too. The regular expressions for that took 12 s of CPU time to build.
    let filter: Targets = filter.parse()?;
    // A line that cannot be written, as on a full disk, is lost: a message about it on standard error would fail too, and panic.
    let lines = fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal()).log_internal_errors(false);
    // Fails if a program that embeds the server has set up logging: its set-up stays.
    let _ = registry().with(filter).with(lines).try_init();
    Ok(())
}
