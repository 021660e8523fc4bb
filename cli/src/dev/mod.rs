//! `tickcast dev`: builds a game, runs it, and does so again when its files change.

mod game;
mod page;
mod playground;
mod rules;
mod server;
mod watch;

use std::{ffi::OsString, process::ExitStatus};

use anyhow::Context;
use clap::Args;

use self::{
    game::Game,
    page::Page,
    server::Server,
    watch::{Changes, Watch},
};

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Arguments of the game's own program: `tickcast dev -- --listen 0.0.0.0:3000`.
    #[arg(last = true, value_name = "ARGUMENT")]
    program: Vec<OsString>,
}

/// Works until it is interrupted.
///
/// # Errors
///
/// If the current folder has no game, or a tool cannot be run. A build that fails is no error: the next change may mend it.
pub(crate) fn run(args: DevArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
    runtime.block_on(async {
        let stopped = stopped().context("cannot wait for signals")?;
        let game = Game::find()?;
        let page = game.has_page().then(|| Page::new(&game));
        let mut work = Work { page, game, program: args.program, playground: None, server: None };
        let ended = tokio::select! {
            ended = work.go_on() => ended,
            () = stopped => Ok(()),
        };
        work.end().await;
        ended
    })
}

/// A game while it is written.
struct Work {
    game: Game,
    /// The game's own page, if it has one.
    page: Option<Page>,
    program: Vec<OsString>,
    /// The path of the playground, if it was built.
    playground: Option<String>,
    server: Option<Server>,
}

impl Work {
    async fn go_on(&mut self) -> anyhow::Result<()> {
        let mut watch = Watch::start(&self.game)?;
        if let Some(page) = &self.page {
            page.prepare().await?;
        }
        self.playground = playground::build(&self.game).await?;
        self.renew(Changes { rules: true, page: true }).await?;
        loop {
            tokio::select! {
                changes = watch.next() => self.renew(changes).await?,
                status = ended(&mut self.server) => {
                    say(&format!("the program ended ({status}); the next change of the rules starts it again"));
                    self.server = None;
                }
            }
        }
    }

    /// Builds what has changed. What cannot be built stays as it was.
    async fn renew(&mut self, changes: Changes) -> anyhow::Result<()> {
        let is_started = changes.rules && rules::build(&self.game).await?;
        let mut is_stale = changes.page;
        if is_started {
            is_stale |= self.page.is_some() && rules::write_types(&self.game).await?;
            self.restart().await?;
        }
        match &mut self.page {
            Some(page) if is_stale => page.build().await,
            // A page that is open takes a seat in the new program.
            Some(page) if is_started => page.reload(),
            _ => Ok(()),
        }
    }

    async fn restart(&mut self) -> anyhow::Result<()> {
        if let Some(server) = self.server.take() {
            say("the program starts anew, and so do its matches: they are not restored yet");
            server.stop().await;
        }
        self.server = Some(Server::start(&self.game, &self.program, self.playground.clone())?);
        Ok(())
    }

    async fn end(self) {
        if let Some(server) = self.server {
            server.stop().await;
        }
        if let Some(page) = self.page {
            page.clean();
        }
    }
}

/// Waits until the program ends, if it runs.
async fn ended(server: &mut Option<Server>) -> ExitStatus {
    match server {
        Some(server) => server.ended().await,
        None => std::future::pending().await,
    }
}

/// Returns what waits for a signal to stop. From now on no signal ends this program.
#[cfg(unix)]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let [mut interrupt, mut terminate] = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // If signals cannot be received, this works until the process is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Tells the person what happens.
fn say(text: &str) {
    println!("tickcast: {text}");
}
