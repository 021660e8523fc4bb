//! The server as a whole program: arguments, logs, runtime, and the signal that ends it.

use std::io::{self, Write};

use anyhow::Context;
use clap::Parser;

use super::{builder::ServerBuilder, cli::Args};
use crate::observe;

impl ServerBuilder {
    /// Runs the server as a whole program, until it is interrupted.
    ///
    /// Reads the command line and the environment variables `TICKCAST_*`, which take precedence over this builder, starts
    /// logging to standard error, and starts a Tokio runtime. Prints `Listening on <url>` to standard output once it listens.
    /// Stops on Ctrl-C or, on Unix, on SIGTERM. Arguments that cannot be parsed, `--help` and `--version` end the process;
    /// `--print-schema <game>` and `--print-types <game>` print a text and return.
    ///
    /// A program with arguments, logs or a runtime of its own calls [`start`](Self::start) instead.
    ///
    /// # Errors
    ///
    /// Any [`StartError`](super::StartError), and a log filter, key file or modes file that cannot be read.
    pub fn run(mut self) -> anyhow::Result<()> {
        let args = Args::parse();
        if args.prints() {
            let text = args.printed(&self.take_games()?)?;
            return io::stdout().write_all(text.as_bytes()).context("cannot write to standard output");
        }
        observe::start_logs(&args.log).with_context(|| format!("cannot read the log filter \"{}\"", args.log))?;
        #[cfg(feature = "jwt")]
        {
            self.jwt = args.jwt.read()?.or(self.jwt);
        }
        self.guests &= !args.no_guests;
        self = self.modes(args.read_modes()?);
        self = args.change_site(self);
        args.change_limits(&mut self.config)?;
        args.persistence.change(&mut self.persistence)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
        let served = runtime.block_on(async {
            let server = self.start(&args.listen).await?;
            // Standard output may be closed.
            let _ = writeln!(io::stdout(), "Listening on {}", server.url());
            interrupted().await;
            tracing::info!("stopping");
            server.shutdown().await;
            Ok(())
        });
        // A task that waits for a client that never reads must not keep the process alive.
        runtime.shutdown_background();
        served
    }
}

/// Waits for Ctrl-C or, on Unix, for SIGTERM.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // If signals cannot be received, the server runs until the process is killed.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
