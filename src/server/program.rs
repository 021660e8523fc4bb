//! The server as a whole program: arguments, logs, runtime, and the signal that ends it.

use std::io::{self, Write};

use anyhow::Context;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{builder::ServerBuilder, cli::Args};
use crate::observe;

impl ServerBuilder {
    /// Runs the server as a whole program, until it is interrupted.
    ///
    /// Reads the command line and the environment variables `TICKCAST_*`, which take precedence over this builder, starts
    /// logging to standard error, and starts a Tokio runtime. Prints `Listening on <url>` to standard output once it listens.
    /// Stops on Ctrl-C or, on Unix, on SIGTERM; the second of them ends the process at once. On Unix, SIGHUP is logged and ignored:
    /// the configuration is read at start. Empty variables count as not set. Arguments that cannot be parsed, `--help` and `--version` end the process;
    /// `--print-schema <game>` and `--print-types <game>` print a text and return.
    ///
    /// A program with arguments, logs or a runtime of its own calls [`start`](Self::start) instead.
    ///
    /// # Errors
    ///
    /// Any [`StartError`](super::StartError), and a log filter, key file or modes file that cannot be read.
    pub fn run(mut self) -> anyhow::Result<()> {
        let args = Args::read();
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
            // Before the server is ready: whoever sees it ready may stop it.
            let mut stops = Stops::new().context("cannot wait for signals")?;
            let server = tokio::select! {
                server = self.start(&args.listen) => server?,
                () = stops.next() => return Ok(()),
            };
            // Standard output may be closed.
            let _ = writeln!(io::stdout(), "Listening on {}", server.url());
            stops.next().await;
            tracing::info!("stopping");
            tokio::select! {
                () = server.shutdown() => {}
                () = stops.next() => tracing::warn!("stopped before everything was closed"),
            }
            Ok(())
        });
        // A task that waits for a client that never reads must not keep the process alive.
        runtime.shutdown_background();
        served
    }
}

/// The signals that end the program: Ctrl-C and, on Unix, SIGTERM. While this exists, none of them kills the process.
#[cfg(unix)]
struct Stops {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

#[cfg(unix)]
impl Stops {
    fn new() -> io::Result<Self> {
        let [interrupt, terminate, hangup] = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Self { interrupt: interrupt?, terminate: terminate?, hangup: hangup? })
    }

    /// Waits for the next of them.
    async fn next(&mut self) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.hangup.recv() => tracing::info!("SIGHUP is ignored: the configuration is read at start"),
            }
        }
    }
}

#[cfg(not(unix))]
struct Stops;

#[cfg(not(unix))]
impl Stops {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next Ctrl-C.
    async fn next(&mut self) {
        // If signals cannot be received, the server runs until the process is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
