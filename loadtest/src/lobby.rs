//! The scenario `lobby`: each client connects as a guest, sends a chat message, queues, accepts a ready check if there is one,
//! plays for a while, and leaves. Clients stay within the server's limits for a connection. `--arrivals` sets how many are active
//! at one time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until, timeout};

use crate::args::RunArgs;
use crate::connection::Fault;
use crate::lobby_client::LobbyClient;
use crate::lobby_run::{LobbyRun, PATIENCE};
use crate::report::round;
use crate::run::reach;
use crate::steps::{LobbyReport, Step, StepFigures, Steps};
use crate::tally::Tally;

pub(crate) async fn run(args: &RunArgs) -> anyhow::Result<LobbyReport> {
    let (server, target, _) = reach(args).await?;
    let run = Arc::new(LobbyRun {
        target,
        tally: Arc::new(Tally::new()),
        steps: Steps::new(),
        game: args.game.clone(),
        mode: args.mode.clone(),
        input_hz: args.input_hz.filter(|hz| *hz > 0),
        hold: Duration::from_secs_f64(args.seconds),
        seed: args.seed,
        arriving: AtomicU64::new(args.clients as u64),
        finished: AtomicU64::new(0),
        left_over: AtomicU64::new(0),
    });
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for number in 0..args.clients {
        let run = Arc::clone(&run);
        let arrival = begun + Duration::from_secs_f64(number as f64 / args.arrivals);
        clients.spawn(async move {
            sleep_until(arrival).await;
            run_client(run, number).await;
        });
    }
    let mut seconds = interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            ended = clients.join_next() => match ended {
                Some(ended) => ended.context("a client of this tool panicked")?,
                None => break,
            },
            _ = seconds.tick() => show_progress(&run, begun.elapsed()),
        }
    }
    let report = report(&run, args.clients as u64, begun.elapsed());
    server.stop().await;
    Ok(report)
}

/// Counts a client as still arriving until it has queued or given up.
struct Arriving<'a>(&'a AtomicU64);

impl Drop for Arriving<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes one client through the steps until one fails.
async fn run_client(run: Arc<LobbyRun>, number: usize) -> Option<()> {
    let arriving = Arriving(&run.arriving);
    let mut client = run.step(Step::Connect, LobbyClient::begin(&run, number)).await?;
    run.step(Step::Chat, client.chat()).await?;
    run.step(Step::Queue, client.queue()).await?;
    drop(arriving);
    let Some(pass) = run.step_or_none(Step::Match, client.wait_for_match()).await? else {
        run.left_over.fetch_add(1, Ordering::Relaxed);
        client.close().await;
        return Some(());
    };
    run.step(Step::Seat, client.take_seat(pass)).await?;
    let played = timeout(run.hold + PATIENCE, client.play()).await.unwrap_or(Err(Fault::Timeout));
    run.count(Step::Play, played)?;
    if !client.is_over() {
        run.step(Step::Leave, client.leave()).await?;
    }
    client.close().await;
    run.finished.fetch_add(1, Ordering::Relaxed);
    Some(())
}

fn show_progress(run: &LobbyRun, elapsed: Duration) {
    let figures = run.steps.figures();
    let counts: Vec<_> = figures.iter().map(|step| format!("{} {}", step.step, step.count)).collect();
    let errors: u64 = figures.iter().map(StepFigures::errors_total).sum();
    eprintln!("{:>4} s  {}, {errors} errors", elapsed.as_secs(), counts.join(", "));
}

fn report(run: &LobbyRun, clients: u64, elapsed: Duration) -> LobbyReport {
    let steps = run.steps.figures();
    LobbyReport {
        game: run.game.clone(),
        clients,
        finished: run.finished.load(Ordering::Relaxed),
        left_over: run.left_over.load(Ordering::Relaxed),
        duration_s: round(elapsed.as_secs_f64()),
        errors_total: steps.iter().map(StepFigures::errors_total).sum(),
        steps,
    }
}
