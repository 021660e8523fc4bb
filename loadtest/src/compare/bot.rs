//! One client of the comparison: takes a seat, moves its avatar at random, and counts the state messages that it gets.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use crate::compare::dialect::{Destination, Dialect, Heard};
use crate::compare::scenario::Peer;
use crate::connection::{Connection, Fault, Target, wire_len};
use crate::run::SEATING;
use crate::tally::{Count, Tally};

/// The longest move in a tick, in steps.
const REACH: i8 = 8;

/// The settings and counters that all clients share.
pub(crate) struct Common {
    pub(crate) peer: Peer,
    pub(crate) target: Target,
    pub(crate) hz: u16,
    pub(crate) tally: Arc<Tally>,
    /// Limits how many clients connect at one time.
    pub(crate) connecting: Semaphore,
}

pub(crate) struct Bot {
    pub(crate) common: Arc<Common>,
    pub(crate) number: usize,
    /// The number of its room in the scenario.
    pub(crate) slot: usize,
    /// The room's id. Its first client sends it to the others, which wait for it.
    pub(crate) room: Arc<watch::Sender<Option<String>>>,
    pub(crate) first: bool,
}

impl Bot {
    /// Plays until the run ends or something fails. Counts the fault.
    pub(crate) async fn live(self) {
        if let Err(fault) = self.sit_and_play().await {
            self.common.tally.error(&fault.to_string(), 1);
        }
    }

    async fn sit_and_play(&self) -> Result<(), Fault> {
        let seated = timeout(SEATING, self.sit()).await;
        self.common.tally.add(Count::Settled, 1);
        let (mut connection, dialect) = seated.unwrap_or(Err(Fault::SeatTimeout))?;
        self.common.tally.add(Count::Seated, 1);
        self.play(&mut connection, dialect).await?;
        connection.close().await;
        Ok(())
    }

    async fn sit(&self) -> Result<(Connection, Dialect), Fault> {
        let room = match self.first {
            true => None,
            false => {
                let mut room = self.room.subscribe();
                let known = room.wait_for(Option::is_some).await.map_err(|_| Fault::NoRoom)?;
                known.clone()
            }
        };
        let _permit = self.common.connecting.acquire().await.expect("the semaphore is never closed");
        let place = Destination { target: self.common.target.clone(), slot: self.slot, room };
        let (connection, dialect, room) = Dialect::begin(self.common.peer, &place, Arc::clone(&self.common.tally)).await?;
        if self.first {
            self.room.send_replace(Some(room));
        }
        Ok((connection, dialect))
    }

    async fn play(&self, connection: &mut Connection, mut dialect: Dialect) -> Result<(), Fault> {
        let tally = &self.common.tally;
        let mut rng = ChaCha8Rng::seed_from_u64(self.number as u64);
        let period = Duration::from_secs(1) / u32::from(self.common.hz);
        // A random phase, so that the clients do not all send at once.
        let mut ticker = interval_at(Instant::now() + period.mul_f64(rng.random()), period);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut last_state = None;
        loop {
            let message = tokio::select! {
                biased;
                _ = ticker.tick() => None,
                message = connection.incoming() => Some(message?),
            };
            let Some(message) = message else {
                if tally.stopping() {
                    return Ok(());
                }
                let [dx, dy] = [step(&mut rng), step(&mut rng)];
                tally.add(Count::Inputs, 1);
                connection.send(dialect.input(dx, dy)).await?;
                continue;
            };
            let Some(bytes) = connection.packet(message).await? else { continue };
            match dialect.hear(&bytes)? {
                Heard::State => {
                    let now = Instant::now();
                    count(tally, bytes.len(), last_state.replace(now).map(|last| now.duration_since(last)));
                }
                Heard::Refused(refused) => tally.error(&refused.code, refused.count),
                Heard::Other => {}
            }
        }
    }
}

/// Returns a random step that is never 0: an avatar that stands still would make less work for a server that sends only changes.
fn step(rng: &mut ChaCha8Rng) -> i8 {
    let length = rng.random_range(1..=REACH);
    if rng.random() { length } else { -length }
}

fn count(tally: &Tally, payload: usize, gap: Option<Duration>) {
    tally.add(Count::Frames, 1);
    tally.add(Count::FrameBytes, payload as u64);
    tally.add(Count::FrameWireBytes, wire_len(payload));
    if let Some(gap) = gap {
        tally.gap(gap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_moves_and_none_goes_too_far() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..1000 {
            assert!((1..=REACH).contains(&step(&mut rng).abs()));
        }
    }
}
