//! Clients that connect, play for a moment and leave. The server is looked at whenever all have gone.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::context::Soak;
use super::player::Origin;
use super::reading::{Reading, record, series};
use super::series::Series;
use super::visit::Visit;
use crate::tally::{Count, Tally};

/// Cycles before the first sample, for each cycle after it. The server remembers a person for a minute, and looks through its tables of
/// people and addresses once they have a thousand entries.
const WARMUP: f64 = 1.2;

/// Cycles per second, so that what is remembered for a while has a steady size.
const PACE: f64 = 10.0;

/// How long each client plays.
const STAY: Duration = Duration::from_millis(150);

/// The number of samples.
const SAMPLES: usize = 40;

/// The fewest cycles between two samples.
const BATCH: usize = 5;

pub(crate) async fn run(soak: &Soak, cycles: usize) -> anyhow::Result<[Series; 4]> {
    let batch = (cycles / SAMPLES).max(BATCH);
    let warmup = (cycles as f64 * WARMUP) as usize / batch;
    let mut series = series("cycles");
    let mut due = Instant::now();
    for round in 0..warmup + cycles / batch {
        sleep_until(due).await;
        due = Instant::now() + Duration::from_secs_f64(batch as f64 / PACE);
        let mut clients = JoinSet::new();
        for _ in 0..batch {
            let (tally, origin) = (Arc::clone(&soak.tally), soak.origin());
            clients.spawn(async move { play(&origin, &tally).await });
        }
        clients.join_all().await;
        if round >= warmup {
            record(&mut series, ((round - warmup) * batch) as f64, &Reading::at_rest(&soak.server).await?);
        }
    }
    Ok(series)
}

async fn play(origin: &Origin, tally: &Tally) {
    tally.add(Count::Settled, 1);
    if let Err(fault) = Visit::Play.make(origin, STAY).await {
        tally.error(fault.kind(), 1);
    }
}
