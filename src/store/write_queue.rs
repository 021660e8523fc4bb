//! Writes to the database: a bounded queue, and one task that empties it.

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

/// Most records that may wait for the database.
const QUEUE: usize = 4096;

/// Pauses between attempts of a failed write. They outlast a restart of the database.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// Time for the queue to drain when the server stops.
const CLOSING: Duration = Duration::from_secs(5);

/// Interval between deletions of guests whose tokens have expired.
const TIDY_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// How long a guest is stored: the lifetime of their token.
const GUEST_MEMORY: Duration = Duration::from_secs(90 * 24 * 60 * 60);

enum Write {
    Record(Record),
    Ratings(Vec<StoredRating>),
    Close(oneshot::Sender<()>),
}

/// Writes records into a store, one at a time, in a task of its own. Cheap to clone.
#[derive(Clone)]
pub struct WriteQueue(Sender<Write>);

impl WriteQueue {
    /// Starts the task. Must be called within a Tokio runtime.
    pub fn start(store: Store) -> Self {
        let (sender, receiver) = channel(QUEUE);
        tokio::spawn(write(store, receiver));
        Self(sender)
    }

    /// Queues ratings.
    pub fn save_ratings(&self, ratings: Vec<StoredRating>) {
        self.queue(Write::Ratings(ratings));
    }

    /// Writes what is queued and stops the task. Gives up after five seconds.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        let drained = async {
            if self.0.send(Write::Close(done)).await.is_ok() {
                // An error means that another `close` stopped the task.
                let _ = closed.await;
            }
        };
        if timeout(CLOSING, drained).await.is_err() {
            tracing::warn!("the database did not write all queued records in time");
        }
    }

    fn queue(&self, entry: Write) {
        if self.0.try_send(entry).is_err() {
            observe::dropped(DropReason::Record);
            // Debug only: the task logs the cause, and there may be many of these.
            tracing::debug!("a record was dropped: the queue to the database is full");
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
                    // The caller may have timed out.
                    let _ = done.send(());
                    return;
                }
                Some(entry) => write_surely(&store, &entry).await,
            },
            _ = tidy.tick() => {
                let before = now().saturating_sub(GUEST_MEMORY.as_millis() as u64);
                match store.forget_guests(before).await {
                    Ok(count) => tracing::debug!(count, "expired guests deleted"),
                    Err(error) => tracing::warn!(%error, "expired guests could not be deleted"),
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
            tracing::error!(%error, waited = ?began.elapsed(), "a record was dropped: the database keeps refusing it");
            return;
        };
        tracing::warn!(%error, "a record could not be written, retrying");
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
