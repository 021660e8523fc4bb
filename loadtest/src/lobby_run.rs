//! The shared state of the clients of the scenario `lobby`: the server, the settings, and the counts.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::connection::{Fault, Target};
use crate::steps::{Step, Steps};
use crate::tally::Tally;

/// How long a step may take beyond its planned time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The state that all clients of the scenario share.
pub(crate) struct LobbyRun {
    pub(crate) target: Target,
    pub(crate) tally: Arc<Tally>,
    pub(crate) steps: Steps,
    pub(crate) game: String,
    pub(crate) mode: Option<String>,
    /// Inputs per second. `None`: one per tick of the room.
    pub(crate) input_hz: Option<u16>,
    /// How long a client plays.
    pub(crate) hold: Duration,
    pub(crate) seed: u64,
    /// Clients that may still enter the queue.
    pub(crate) arriving: AtomicU64,
    /// Clients that completed every step.
    pub(crate) finished: AtomicU64,
    /// Clients that left the queue because too few were left for a match.
    pub(crate) left_over: AtomicU64,
}

impl LobbyRun {
    /// Runs a step and counts it. Returns `None` if it failed.
    pub(crate) async fn step<T>(&self, step: Step, work: impl Future<Output = Result<T, Fault>>) -> Option<T> {
        self.step_or_none(step, async { work.await.map(Some) }).await?
    }

    /// Runs a step and counts its time or its error. A step that returns `Ok(None)` is not counted.
    pub(crate) async fn step_or_none<T>(
        &self, step: Step, work: impl Future<Output = Result<Option<T>, Fault>>,
    ) -> Option<Option<T>> {
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

    /// Counts a step's time or its error. Returns `None` for an error.
    pub(crate) fn count(&self, step: Step, took: Result<Duration, Fault>) -> Option<()> {
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
}
