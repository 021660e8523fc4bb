//! The server as a whole program: arguments, logs, runtime, and the signal that ends it.

use std::{
    io::{self, IsTerminal, Write},
    pin::pin,
    process,
    sync::mpsc as std_mpsc,
    thread,
    time::Duration,
};

use anyhow::Context;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc,
    time::sleep,
};

use super::{builder::ServerBuilder, cli::Args, greeting};
use crate::{game::GameDef, observe};

impl ServerBuilder {
    /// Runs the server as a whole program, until it is interrupted.
    ///
    /// Reads the command line and the environment variables `TICKCAST_*`, which take precedence over this builder, starts
    /// logging to standard error, and starts a Tokio runtime. Prints `Listening on <url>` to standard output once it listens,
    /// and then the addresses for other machines of the network and the games that it hosts; on a terminal also a QR code for phones.
    /// Stops on Ctrl-C or, on Unix, on SIGTERM; the second of them ends the process at once. If the server has not stopped
    /// [`stop_deadline`](crate::host::Limits::stop_deadline) after the first one, the process exits with status 1. On Unix, SIGHUP is logged and ignored:
    /// the configuration is read at start. Empty variables count as not set. Arguments that cannot be parsed, `--help` and `--version` end the process;
    /// `--print-schema <game>` and `--print-types <game>` print a text and return.
    ///
    /// A program with arguments, logs or a runtime of its own calls [`start`](Self::start) instead.
    ///
    /// # Errors
    ///
    /// Any [`StartError`](super::StartError), and a log filter, key file, modes file or module of rules that cannot be read.
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
        if let Some(folder) = &args.rules {
            self.rules.read(folder, self.games.iter().flatten().map(GameDef::name))?;
        }
        self = args.change_site(self);
        args.change_limits(&mut self.config)?;
        args.persistence.change(&mut self.persistence)?;
        let games: Vec<String> = self.games.iter().flatten().map(|def| def.name().to_owned()).collect();
        // Before the server is ready: whoever sees it ready may stop it.
        let mut stops = Stops::new(self.config.host.stop_deadline).context("cannot wait for signals")?;
        let runtime = Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
        let served = runtime.block_on(async {
            let server = tokio::select! {
                server = self.start(&args.listen) => server?,
                () = stops.next() => return Ok(()),
            };
            // Standard output may be closed.
            let mut out = io::stdout();
            let network = greeting::reached_by(server.address(), greeting::interfaces());
            let greeting = greeting::greeting(&network, &games, out.is_terminal());
            let _ = write!(out, "Listening on {}\n{greeting}", server.url()).and_then(|()| out.flush());
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

/// Tells of the signals that end the program. A thread of its own hears them, whatever the server is doing.
struct Stops(mpsc::Receiver<()>);

impl Stops {
    /// From the first signal on the program has this long to end, unless this is dropped.
    fn new(deadline: Duration) -> io::Result<Self> {
        let (stop, stops) = mpsc::channel(2);
        let (listens, is_listening) = std_mpsc::channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("signals".to_owned()).spawn(move || listen(&runtime, deadline, &listens, &stop))?;
        is_listening.recv().map_err(io::Error::other)??;
        Ok(Self(stops))
    }

    /// Waits for the next of them.
    async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// Listens for signals until nobody wants to know of them.
fn listen(runtime: &Runtime, deadline: Duration, listens: &std_mpsc::Sender<io::Result<()>>, stop: &mpsc::Sender<()>) {
    runtime.block_on(async {
        let mut signals = match Signals::new() {
            Ok(signals) => signals,
            Err(error) => return drop(listens.send(Err(error))),
        };
        // The other side waits for this.
        let _ = listens.send(Ok(()));
        tokio::select! {
            () = signals.next() => {}
            () = stop.closed() => return,
        }
        let mut ends = pin!(sleep(deadline));
        loop {
            // With two signals on their way a third one tells nothing new.
            let _ = stop.try_send(());
            tokio::select! {
                () = signals.next() => {}
                () = stop.closed() => return,
                () = &mut ends => {
                    tracing::error!(?deadline, "the server did not stop in time, so the process ends");
                    process::exit(1);
                }
            }
        }
    });
}

/// The signals that end the program: Ctrl-C and, on Unix, SIGTERM. While this exists, none of them kills the process.
#[cfg(unix)]
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

#[cfg(unix)]
impl Signals {
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
struct Signals;

#[cfg(not(unix))]
impl Signals {
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

#[cfg(all(test, unix))]
mod tests {
    use std::{
        env,
        process::{Command, Output},
    };

    use super::*;

    const CHILD: &str = "TICKCAST_SIGNALS_TEST";

    /// Runs one of these tests again in a process of its own. `None` if this is that process.
    fn in_child(test: &str) -> Option<Output> {
        if env::var_os(CHILD).is_some() {
            return None;
        }
        let mut command = Command::new(env::current_exe().expect("the path of this test binary"));
        command.args(["--exact", &format!("server::program::tests::{test}"), "--nocapture"]).env(CHILD, "1");
        Some(command.output().expect("the test binary can be started again"))
    }

    fn terminate_this_process() {
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM)
            .expect("the process may signal itself");
    }

    #[test]
    fn a_server_that_never_stops_ends_at_its_deadline() {
        let Some(output) = in_child("a_server_that_never_stops_ends_at_its_deadline") else {
            let _stops = Stops::new(Duration::from_millis(50)).unwrap();
            terminate_this_process();
            loop {
                thread::sleep(Duration::from_secs(1));
            }
        };
        assert_eq!(output.status.code(), Some(1), "{output:?}");
    }

    #[test]
    fn a_stop_is_heard_though_every_worker_is_busy() {
        let Some(output) = in_child("a_stop_is_heard_though_every_worker_is_busy") else {
            let mut stops = Stops::new(Duration::from_secs(600)).unwrap();
            let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            let (begins, has_begun) = std_mpsc::channel();
            runtime.spawn(async move {
                begins.send(()).unwrap();
                loop {
                    thread::sleep(Duration::from_secs(1));
                }
            });
            has_begun.recv().unwrap();
            terminate_this_process();
            runtime.block_on(stops.next());
            runtime.shutdown_background();
            process::exit(7);
        };
        assert_eq!(output.status.code(), Some(7), "{output:?}");
    }

    #[test]
    fn a_second_signal_is_heard_while_the_first_is_served() {
        let Some(output) = in_child("a_second_signal_is_heard_while_the_first_is_served") else {
            let mut stops = Stops::new(Duration::from_secs(600)).unwrap();
            let runtime = Builder::new_current_thread().build().unwrap();
            for _ in 0..2 {
                terminate_this_process();
                runtime.block_on(stops.next());
            }
            process::exit(7);
        };
        assert_eq!(output.status.code(), Some(7), "{output:?}");
    }

    #[test]
    fn a_program_that_goes_on_after_its_server_is_left_alone() {
        let Some(output) = in_child("a_program_that_goes_on_after_its_server_is_left_alone") else {
            let mut stops = Stops::new(Duration::from_millis(50)).unwrap();
            terminate_this_process();
            Builder::new_current_thread().build().unwrap().block_on(stops.next());
            drop(stops);
            thread::sleep(Duration::from_millis(500));
            process::exit(7);
        };
        assert_eq!(output.status.code(), Some(7), "{output:?}");
    }
}
