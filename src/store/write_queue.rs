//! The way of records into the tables: a bounded queue and one task that writes.

use std::time::Duration;

use tokio::{
    sync::{
        mpsc::{Receiver, Sender, channel},
        oneshot,
    },
    time::{Instant, interval, sleep, timeout},
};

use super::{
    database::{Store, StoreError},
    queries::StoredRating,
};
use crate::{
    host::{Record, Recorder, now},
    observe::{self, DropReason},
};

/// Records that wait for the database, at most.
const QUEUE: usize = 4096;

/// Pauses between tries of a write that failed: a database may be restarted.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// How long the queue is given to drain when the server stops.
const CLOSING: Duration = Duration::from_secs(5);

/// How often guests are looked for who can be forgotten.
const TIDY_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// How long a guest is remembered: as long as their token is good.
const GUEST_MEMORY: Duration = Duration::from_secs(90 * 24 * 60 * 60);

enum Write {
    Record(Record),
    Ratings(Vec<StoredRating>),
    Close(oneshot::Sender<()>),
}

/// Writes records into a store, one after the other, in a task of its own. Cheap to clone.
#[derive(Clone)]
pub struct WriteQueue(Sender<Write>);

impl WriteQueue {
    /// Starts to write. Must be called within a Tokio runtime.
    pub fn start(store: Store) -> Self {
        let (sender, receiver) = channel(QUEUE);
        tokio::spawn(write(store, receiver));
        Self(sender)
    }

    /// Queues ratings to be written.
    pub fn save_ratings(&self, ratings: Vec<StoredRating>) {
        self.queue(Write::Ratings(ratings));
    }

    /// Writes what is queued, and nothing more. Gives up after a while.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        let drained = async {
            if self.0.send(Write::Close(done)).await.is_ok() {
                // An error means that another `close` was faster.
                let _ = closed.await;
            }
        };
        if timeout(CLOSING, drained).await.is_err() {
            tracing::warn!("the database did not take everything in time");
        }
    }

    fn queue(&self, entry: Write) {
        if self.0.try_send(entry).is_err() {
            observe::dropped(DropReason::Record);
            // The writer says what is wrong; this may be many.
            tracing::debug!("a record was dropped: too many wait for the database");
        }
    }
}

impl Recorder for WriteQueue {
    fn record(&self, record: &Record) {
        self.queue(Write::Record(record.clone()));
    }
}

async fn write(store: Store, mut entries: Receiver<Write>) {
    let mut tidy = interval(TIDY_INTERVAL);
    loop {
        tokio::select! {
            entry = entries.recv() => match entry {
                None => return,
                Some(Write::Close(done)) => {
                    // Whoever asked may have given up.
                    let _ = done.send(());
                    return;
                }
                Some(entry) => write_surely(&store, &entry).await,
            },
            _ = tidy.tick() => {
                let before = now().saturating_sub(GUEST_MEMORY.as_millis() as u64);
                match store.forget_guests(before).await {
                    Ok(count) => tracing::debug!(count, "guests forgotten"),
                    Err(error) => tracing::warn!(%error, "guests could not be forgotten"),
                }
            }
        }
    }
}

async fn write_surely(store: &Store, entry: &Write) {
    let began = Instant::now();
    let mut pauses = PAUSES.into_iter();
    while let Err(error) = write_once(store, entry).await {
        let Some(pause) = pauses.next() else {
            observe::dropped(DropReason::Record);
            tracing::error!(%error, waited = ?began.elapsed(), "a record was dropped: the database does not take it");
            return;
        };
        tracing::warn!(%error, "a record could not be written, trying again");
        sleep(pause).await;
    }
}

async fn write_once(store: &Store, entry: &Write) -> Result<(), StoreError> {
    match entry {
        Write::Record(Record::Seen(who)) => store.seen(who).await,
        Write::Record(Record::Blocked(user)) => store.block(user).await,
        Write::Record(Record::Unblocked(user)) => store.unblock(user).await,
        Write::Record(Record::Ended(result)) => store.save_match(result).await,
        Write::Ratings(ratings) => store.save_ratings(ratings).await,
        Write::Close(_) => Ok(()),
    }
}
