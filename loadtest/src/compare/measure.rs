//! One measurement: seats every client, warms up, measures the window, and ends the clients.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::compare::bot::{Bot, Common};
use crate::compare::figures::{Sample, Window};
use crate::compare::scenario::{Peer, Scenario};
use crate::connection::Target;
use crate::run::{CONNECTING_AT_ONCE, LEAVING};
use crate::server::{self, Server};
use crate::tally::{Count, Tally};

pub(crate) async fn drive(peer: Peer, server: &Server, scenario: &Scenario) -> anyhow::Result<Sample> {
    let target = Target::reach(server.url()).await?;
    let tally = Arc::new(Tally::new());
    let mut bots = seat(peer, target, scenario, &tally);
    while tally.counts()[Count::Settled] < scenario.clients as u64 {
        sleep(Duration::from_millis(20)).await;
    }
    if tally.counts()[Count::Seated] == 0 {
        let errors = tally.errors();
        bail!("no client got a seat: {}", errors.keys().next().map_or("the reason is unknown", String::as_str));
    }
    sleep(Duration::from_secs_f64(scenario.warmup)).await;

    tally.forget_gaps();
    let (begin, counts) = (Instant::now(), tally.counts());
    let (server_before, own_before) = (server.usage().await, server::own_usage());
    sleep(Duration::from_secs_f64(scenario.seconds)).await;
    let (length, counts) = (begin.elapsed(), tally.counts().since(&counts));
    let (server_after, own_after) = (server.usage().await, server::own_usage());
    let (gaps, errors) = (tally.gaps(), tally.errors());

    // A client that has ended by now was lost during the run.
    let mut lost = 0;
    while bots.try_join_next().is_some() {
        lost += 1;
    }
    tally.stop();
    if timeout(LEAVING, async { while bots.join_next().await.is_some() {} }).await.is_err() {
        bots.shutdown().await;
    }
    let seated = scenario.clients.saturating_sub(lost) as u64;
    let window = Window { length, counts, server: (server_before, server_after), load: (own_before, own_after) };
    let mut sample = Sample::new(&window, &gaps, seated);
    sample.errors = errors;
    Ok(sample)
}

fn seat(peer: Peer, target: Target, scenario: &Scenario, tally: &Arc<Tally>) -> JoinSet<()> {
    let tally = Arc::clone(tally);
    let common = Arc::new(Common { peer, target, hz: scenario.hz, tally, connecting: Semaphore::new(CONNECTING_AT_ONCE) });
    let rooms: Vec<_> = (0..scenario.rooms).map(|_| Arc::new(watch::channel(None).0)).collect();
    let mut bots = JoinSet::new();
    for number in 0..scenario.clients {
        let slot = number % scenario.rooms;
        let (common, room) = (Arc::clone(&common), Arc::clone(&rooms[slot]));
        bots.spawn(Bot { common, number, slot, room, first: number < scenario.rooms }.live());
    }
    bots
}
