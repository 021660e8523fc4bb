//! The command line, and the environment beside it.

use clap::Parser;

/// An authoritative game server.
#[derive(Debug, Parser)]
#[command(version = env!("CARGO_PKG_VERSION"))]
pub(super) struct Args {
    /// Where to listen: a host and a port, 0 for any free one
    #[arg(long, env = "TICKCAST_LISTEN", default_value = "127.0.0.1:3000")]
    pub(super) listen: String,

    /// What to log, like `info` or `warn,tickcast=debug`
    #[arg(long, env = "TICKCAST_LOG", default_value = "info")]
    pub(super) log: String,
}
