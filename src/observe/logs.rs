//! Logs go to standard error, filtered like `info,tickcast=debug`.

use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging with a filter. A process that logs already keeps what it has.
///
/// # Errors
///
/// The filter's fault, if it cannot be read.
pub fn start_logs(filter: &str) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::try_new(filter)?;
    // Somebody who embeds the server may have set up logging already: theirs stays.
    let _ = fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    Ok(())
}
