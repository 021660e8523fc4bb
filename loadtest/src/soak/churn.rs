//! Rooms that live for the whole soak, and clients that come and go in all ways meanwhile.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickcast::game::Game;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::context::Soak;
use super::reading::{Reading, record, series};
use super::series::Series;
use super::soak_server::{HZ, Steady};
use super::visit::Visit;
use crate::client::{Client, Common, RoomChoice};
use crate::tally::{Count, Tally};

/// The rooms that live for the whole soak.
pub(crate) const ROOMS: u64 = 4;

/// The time between two samples.
const SAMPLE: Duration = Duration::from_secs(1);

/// The part of the ticks before the first sample.
const WARMUP: f64 = 0.25;

/// How long a client plays, in milliseconds.
const STAY: std::ops::Range<u64> = 100..3000;

/// How long clients may take to end their visits.
const ENDS: Duration = Duration::from_secs(60);

/// The soak takes at most this many times as long as its ticks last.
const TIMES: u32 = 4;

/// The inputs per second of a client that keeps a room.
const INPUTS: u16 = 30;

pub(crate) async fn run(soak: &Soak, ticks: u32, clients: usize, keepers: &Arc<Tally>) -> anyhow::Result<[Series; 4]> {
    let mut series = series("churn");
    let mut tasks = JoinSet::new();
    keep_rooms(soak, keepers, &mut tasks);
    for _ in 0..clients {
        let soak = soak.clone();
        tasks.spawn(async move { come_and_go(&soak).await });
    }
    let first = Reading::take(&soak.server).await?.ticks;
    let lasts = Duration::from_secs_f64(f64::from(ticks) / (ROOMS as f64 * f64::from(HZ)));
    let end = Instant::now() + TIMES * lasts + ENDS;
    loop {
        sleep(SAMPLE.min(lasts / 20)).await;
        let reading = Reading::take(&soak.server).await?;
        let done = reading.ticks - first;
        if done >= f64::from(ticks) * WARMUP {
            record(&mut series, done, &reading);
        }
        if done >= f64::from(ticks) {
            break;
        }
        if Instant::now() > end {
            bail!("the rooms stepped only {done} of {ticks} ticks in time: {:?}", keepers.errors());
        }
    }
    soak.tally.stop();
    keepers.stop();
    if timeout(ENDS, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
        tasks.shutdown().await;
    }
    Ok(series)
}

/// Opens the rooms, each with a client that stays.
fn keep_rooms(soak: &Soak, tally: &Arc<Tally>, tasks: &mut JoinSet<()>) {
    for number in 0..ROOMS {
        let common = Common {
            target: soak.origin().target,
            tally: Arc::clone(tally),
            game: Steady::NAME.to_owned(),
            config: None,
            strength: None,
            input_hz: Some(INPUTS),
            lead: 2,
            seat_within: ENDS,
            connecting: Semaphore::new(1),
        };
        let client =
            Client { common: Arc::new(common), number: number as usize, seed: soak.seed + number, verify: true, slow: None };
        tasks.spawn(async move {
            let (announce, _) = watch::channel(None);
            // The tally has the fault.
            let _ = client.live(RoomChoice::Create(announce)).await;
        });
    }
}

async fn come_and_go(soak: &Soak) {
    while !soak.tally.stopping() {
        let origin = soak.origin();
        let mut rng = ChaCha8Rng::seed_from_u64(origin.seed);
        let (visit, stay) = (Visit::any(&mut rng), Duration::from_millis(rng.random_range(STAY)));
        soak.tally.add(Count::Settled, 1);
        if let Err(fault) = visit.make(&origin, stay).await {
            soak.tally.error(&format!("{visit:?}: {}", fault.kind()), 1);
            // A server that refuses everybody is not asked without pause.
            sleep(stay).await;
        }
    }
}
