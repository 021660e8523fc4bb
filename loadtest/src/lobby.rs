//! The scenario `lobby`: each client comes as a guest, says a line in the lobby's chat, queues, accepts a ready check if one
//! comes, plays for a while, and leaves. A client asks for no more than the server allows a connection; how many do so at one
//! time is a matter of `--arrivals`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until, timeout};

use crate::RunArgs;
use crate::connection::{Fault, Target};
use crate::lobby_client::LobbyClient;
use crate::report::round;
use crate::run::reach;
use crate::steps::{LobbyReport, Step, StepFigures, Steps};
use crate::tally::Tally;

/// How long a step may take, beyond what it is meant to.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn run(args: &RunArgs) -> anyhow::Result<LobbyReport> {
    let (server, target, _) = reach(args).await?;
    let course = Arc::new(LobbyRun {
        target,
        tally: Arc::new(Tally::new()),
        steps: Steps::new(),
        game: args.game.clone(),
        mode: args.mode.clone(),
        input_hz: args.input_hz.filter(|hz| *hz > 0),
        hold: Duration::from_secs_f64(args.seconds),
        seed: args.seed,
        coming: AtomicU64::new(args.clients as u64),
        finished: AtomicU64::new(0),
        left_over: AtomicU64::new(0),
    });
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for number in 0..args.clients {
        let course = Arc::clone(&course);
        let arrival = begun + Duration::from_secs_f64(number as f64 / args.arrivals);
        clients.spawn(async move {
            sleep_until(arrival).await;
            course.walk(number).await;
        });
    }
    let mut seconds = interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            ended = clients.join_next() => match ended {
                Some(ended) => ended.context("a client of this tool panicked")?,
                None => break,
            },
            _ = seconds.tick() => course.show_progress(begun.elapsed()),
        }
    }
    let report = course.report(args.clients as u64, begun.elapsed());
    server.stop().await;
    Ok(report)
}

/// What all clients have in common.
pub(crate) struct LobbyRun {
    pub(crate) target: Target,
    pub(crate) tally: Arc<Tally>,
    pub(crate) steps: Steps,
    pub(crate) game: String,
    pub(crate) mode: Option<String>,
    /// Inputs a second; without one as many as the room has ticks.
    pub(crate) input_hz: Option<u16>,
    pub(crate) hold: Duration,
    pub(crate) seed: u64,
    /// Clients that may still come to the queue.
    pub(crate) coming: AtomicU64,
    finished: AtomicU64,
    left_over: AtomicU64,
}

/// A client that has not come to the queue; one that gives up before will not either.
struct Coming<'a>(&'a AtomicU64);

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl LobbyRun {
    /// The way of one client, as far as it comes.
    async fn walk(self: Arc<Self>, number: usize) -> Option<()> {
        let coming = Coming(&self.coming);
        let mut client = self.step(Step::Connect, LobbyClient::begin(&self, number)).await?;
        self.step(Step::Chat, client.chat()).await?;
        self.step(Step::Queue, client.queue()).await?;
        drop(coming);
        let Some(pass) = self.step_or_none(Step::Match, client.wait_for_match()).await? else {
            self.left_over.fetch_add(1, Ordering::Relaxed);
            client.close().await;
            return Some(());
        };
        self.step(Step::Seat, client.take_seat(pass)).await?;
        let played = timeout(self.hold + PATIENCE, client.play()).await.unwrap_or(Err(Fault::Timeout));
        self.count(Step::Play, played)?;
        if !client.is_over() {
            self.step(Step::Leave, client.leave()).await?;
        }
        client.close().await;
        self.finished.fetch_add(1, Ordering::Relaxed);
        Some(())
    }

    pub(crate) async fn step<T>(&self, step: Step, work: impl Future<Output = Result<T, Fault>>) -> Option<T> {
        self.step_or_none(step, async { work.await.map(Some) }).await?
    }

    /// Counts a step by how long it takes, or what goes wrong; not at all if it comes to nothing.
    async fn step_or_none<T>(&self, step: Step, work: impl Future<Output = Result<Option<T>, Fault>>) -> Option<Option<T>> {
        let begun = Instant::now();
        match timeout(PATIENCE, work).await.unwrap_or(Err(Fault::Timeout)) {
            Ok(None) => Some(None),
            done => {
                let (done, took) = match done {
                    Ok(value) => (value, Ok(begun.elapsed())),
                    Err(fault) => (None, Err(fault)),
                };
                self.count(step, took).map(|()| done)
            }
        }
    }

    fn count(&self, step: Step, took: Result<Duration, Fault>) -> Option<()> {
        match took {
            Ok(took) => {
                self.steps.done(step, took);
                Some(())
            }
            Err(fault) => {
                self.steps.error(step, fault.kind(), 1);
                None
            }
        }
    }

    fn show_progress(&self, elapsed: Duration) {
        let figures = self.steps.figures();
        let counts: Vec<_> = figures.iter().map(|step| format!("{} {}", step.step, step.count)).collect();
        let errors: u64 = figures.iter().map(StepFigures::errors_total).sum();
        eprintln!("{:>4} s  {}, {errors} errors", elapsed.as_secs(), counts.join(", "));
    }

    fn report(&self, clients: u64, elapsed: Duration) -> LobbyReport {
        let steps = self.steps.figures();
        LobbyReport {
            game: self.game.clone(),
            clients,
            finished: self.finished.load(Ordering::Relaxed),
            left_over: self.left_over.load(Ordering::Relaxed),
            duration_s: round(elapsed.as_secs_f64()),
            errors_total: steps.iter().map(StepFigures::errors_total).sum(),
            steps,
        }
    }
}
