//! Logs to standard error, filtered by a text like `info,tickcast=debug`, coloured on a terminal.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging with a filter. A process that already logs keeps its own set-up.
///
/// # Errors
///
/// If the filter cannot be parsed.
pub(crate) fn start_logs(filter: &str) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::try_new(filter)?;
    // Fails if a program that embeds the server has set up logging: its set-up stays.
    let logs = fmt().with_env_filter(filter).with_writer(stderr);
    let logs = if stderr().is_terminal() { logs } else { logs.with_ansi(false) };
    let _ = logs.try_init();
    Ok(())
}
