//! The game's program while it runs.

use std::{
    ffi::OsString,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Context;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use super::{game::Game, playground, say};

/// How long the program may take to tell its players that it stops.
const STOPPING: Duration = Duration::from_secs(5);

pub(super) struct Server(Child);

impl Server {
    /// Starts the program. `playground` is the path of the playground, whose address is told once the program tells its own.
    pub(super) fn start(game: &Game, args: &[OsString], playground: Option<String>) -> anyhow::Result<Self> {
        let program = game.program();
        let mut command = Command::new(&program);
        command.current_dir(&game.root).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        if playground.is_some() {
            command.args(playground::arguments(&game.playground()));
        }
        if game.module.is_some() {
            command.arg("--rules").arg(game.rules());
        }
        // Ctrl-C in the terminal reaches this program alone, which then stops the other one in good order.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.args(args).spawn().with_context(|| format!("cannot run {}", program.display()))?;
        if let Some(said) = child.stdout.take() {
            tokio::spawn(pass_on(said, playground));
        }
        Ok(Self(child))
    }

    /// Waits until it ends by itself.
    pub(super) async fn ended(&mut self) -> ExitStatus {
        match self.0.wait().await {
            Ok(status) => status,
            // A child that cannot be waited for is never heard of again.
            Err(_) => std::future::pending().await,
        }
    }

    /// Asks it to stop, and kills it if it does not.
    pub(super) async fn stop(mut self) {
        self.ask_to_stop();
        if timeout(STOPPING, self.0.wait()).await.is_err() {
            // It may have ended at this moment.
            let _ = self.0.kill().await;
        }
    }

    #[cfg(unix)]
    fn ask_to_stop(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        let pid = self.0.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        if let Some(pid) = pid {
            // It may have ended at this moment.
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    #[cfg(not(unix))]
    fn ask_to_stop(&mut self) {
        let _ = self.0.start_kill();
    }
}

/// Prints what the program prints. Behind its address comes that of the playground.
async fn pass_on(said: ChildStdout, playground: Option<String>) {
    let mut lines = BufReader::new(said).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        println!("{line}");
        if let (Some(address), Some(path)) = (line.strip_prefix("Listening on "), &playground) {
            say(&format!("the playground is at {address}{path}"));
        }
    }
}
