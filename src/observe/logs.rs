//! Logs go to standard error, filtered like `info,tickcast=debug`, in colours on a terminal.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging with a filter. A process that logs already keeps what it has.
///
/// # Errors
///
/// The filter's fault, if it cannot be read.
pub fn start_logs(filter: &str) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::try_new(filter)?;
    // Somebody who embeds the server may have set up logging already: theirs stays.
    let logs = fmt().with_env_filter(filter).with_writer(stderr);
    let logs = if stderr().is_terminal() { logs } else { logs.with_ansi(false) };
    let _ = logs.try_init();
    Ok(())
}
