//! Writes to the database: a bounded queue, in memory and on disk, and one task that empties it in order.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Notify, watch},
    task::spawn_blocking,
    time::{Instant, interval, sleep_until, timeout},
};

use super::{
    database::{Store, StoreError},
    queries::StoredRating,
    spool::Spool,
};
use crate::{
    host::{Limits, MatchResult, Record, Recorder, now},
    lobby::UserId,
    observe::{self, DropReason},
};

/// How long one write may take. It is longer than SQLite waits for another writer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Pauses after one failed write, after two of them, ... The last one is for all further ones.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];

/// Time for the queue to drain when the server stops.
const CLOSING: Duration = Duration::from_secs(5);

/// Interval between deletions of guests whose tokens have expired.
const TIDY_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// How long a guest is stored: the lifetime of their token.
const GUEST_MEMORY: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// A record to write. To write it twice, or to write an older one again before a newer one, changes nothing.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Seen { user: UserId, name: String, guest: bool, at: u64 },
    Blocked(UserId),
    Unblocked(UserId),
    Ended(MatchResult),
    Ratings(Vec<StoredRating>),
}

/// Writes records into a store, one at a time and in order, in a task of its own. Cheap to clone.
///
/// Records that the store does not take wait until it does: in `unwritten.jsonl` in the folder for data, and in memory if there is no folder
/// or its disk is full, too. The file is written to the store after the next start. [`Limits`] bounds both; what is beyond, and what
/// the store refuses for good, is dropped and counted.
#[derive(Clone)]
pub struct WriteQueue(Arc<Shared>);

struct Shared {
    store: Store,
    limits: Limits,
    waiting: Mutex<Waiting>,
    /// Older records, on disk. Locked before `waiting`.
    spool: Mutex<Spool>,
    /// Something came, or the queue is to close.
    changed: Notify,
    /// How many entries are done, written or given up. The largest number when the task has stopped.
    done: watch::Sender<u64>,
}

/// The entries in memory, and what is known of those on disk.
#[derive(Default)]
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Entries on disk.
    spooled: usize,
    /// Entries ever queued.
    queued: u64,
    phase: Phase,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// Write what can be written, and stop.
    Closing,
    Stopped,
}

/// Where the first entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Disk,
    Memory,
}

impl WriteQueue {
    /// Starts the task. Must be called within a Tokio runtime.
    ///
    /// Entries that an earlier process left in the folder are written first.
    pub fn start(store: Store, folder: Option<&Path>, limits: &Limits) -> Self {
        let spool = Spool::new(folder, limits.unwritten_bytes);
        let waiting = Waiting { spooled: spool.len(), queued: spool.len() as u64, ..Waiting::default() };
        if waiting.spooled > 0 {
            tracing::info!(records = waiting.spooled, "an earlier process left records, which are written now");
        }
        let shared = Arc::new(Shared {
            store,
            limits: limits.clone(),
            waiting: Mutex::new(waiting),
            spool: Mutex::new(spool),
            changed: Notify::new(),
            done: watch::Sender::new(0),
        });
        shared.publish();
        tokio::spawn(shared.clone().run());
        Self(shared)
    }

    /// Queues ratings.
    pub fn save_ratings(&self, ratings: Vec<StoredRating>) {
        self.0.queue(&Entry::Ratings(ratings));
    }

    /// Waits until everything that was queued before is written or given up, or the queue was closed.
    pub async fn settled(&self) {
        let queued = self.0.waiting().queued;
        // The sender is within `self`.
        let _ = self.0.done.subscribe().wait_for(|done| *done >= queued).await;
    }

    /// Writes what is queued and stops the task. What is not written within five seconds waits on disk for the next start; without a
    /// folder for data it is dropped and counted.
    pub async fn close(&self) {
        self.0.begin_closing();
        let stopped = async { self.0.done.subscribe().wait_for(|done| *done == u64::MAX).await.map(drop) };
        if timeout(CLOSING, stopped).await.is_err() {
            self.0.stop().await;
        }
    }
}

impl Recorder for WriteQueue {
    fn record(&self, record: &Record) {
        self.0.queue(&match record {
            Record::Seen(who) => Entry::Seen { user: who.user.clone(), name: who.name.to_string(), guest: who.guest, at: now() },
            Record::Blocked(user) => Entry::Blocked(user.clone()),
            Record::Unblocked(user) => Entry::Unblocked(user.clone()),
            Record::Ended(result) => Entry::Ended(result.clone()),
        });
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self, entry: &Entry) {
        let line = serde_json::to_vec(entry).expect("text and numbers always encode");
        let mut waiting = self.waiting();
        let is_full = waiting.lines.len() + waiting.spooled >= self.limits.unwritten_records
            || waiting.bytes + line.len() > self.limits.unwritten_memory_bytes;
        if is_full || waiting.phase == Phase::Stopped {
            drop(waiting);
            observe::dropped(DropReason::Record);
            // Debug only: the task logs the cause, and there may be many of these.
            tracing::debug!("a record was dropped: too many wait for the database");
            return;
        }
        waiting.bytes += line.len();
        waiting.lines.push_back(line);
        waiting.queued += 1;
        drop(waiting);
        self.publish();
        self.changed.notify_one();
    }

    /// Publishes how many entries wait.
    fn publish(&self) {
        let waiting = self.waiting();
        observe::unwritten_records().set((waiting.lines.len() + waiting.spooled) as f64);
    }

    fn begin_closing(&self) {
        let mut waiting = self.waiting();
        if waiting.phase == Phase::Open {
            waiting.phase = Phase::Closing;
        }
        drop(waiting);
        self.changed.notify_one();
    }

    async fn run(self: Arc<Self>) {
        let (mut tidy, mut failures) = (interval(TIDY_INTERVAL), 0);
        loop {
            let (first, phase) = (self.clone().first().await, self.waiting().phase);
            match first {
                _ if phase == Phase::Stopped => return,
                None if phase == Phase::Closing => break,
                None => tokio::select! {
                    () = self.changed.notified() => {}
                    _ = tidy.tick() => self.forget_guests().await,
                },
                Some((place, line)) => match self.write(&line).await {
                    Ok(()) => {
                        if failures > 0 {
                            tracing::info!("the database takes records again");
                        }
                        failures = 0;
                        self.clone().remove(place).await;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a record could not be written and waits");
                        self.clone().move_to_disk().await;
                        if phase == Phase::Closing {
                            break;
                        }
                        self.pause(PAUSES[failures]).await;
                        failures = (failures + 1).min(PAUSES.len() - 1);
                    }
                },
            }
        }
        self.stop().await;
    }

    /// Waits until it is time for another attempt. What comes in the meantime goes to disk.
    async fn pause(self: &Arc<Self>, pause: Duration) {
        let until = Instant::now() + pause;
        while self.waiting().phase == Phase::Open {
            tokio::select! {
                () = sleep_until(until) => return,
                () = self.changed.notified() => self.clone().move_to_disk().await,
            }
        }
    }

    async fn forget_guests(&self) {
        let before = now().saturating_sub(GUEST_MEMORY.as_millis() as u64);
        match self.store.forget_guests(before).await {
            Ok(count) => tracing::debug!(count, "expired guests deleted"),
            Err(error) => tracing::warn!(%error, "expired guests could not be deleted"),
        }
    }

    /// Writes an entry, or gives it up.
    ///
    /// # Errors
    ///
    /// The store may take it later.
    async fn write(&self, line: &[u8]) -> Result<(), StoreError> {
        let entry = match serde_json::from_slice(line) {
            Ok(entry) => entry,
            Err(error) => {
                observe::dropped(DropReason::Record);
                tracing::error!(%error, "a record on disk was dropped: it cannot be read");
                return Ok(());
            }
        };
        match timeout(WRITE_TIMEOUT, self.write_entry(&entry)).await.unwrap_or(Err(StoreError::Timeout)) {
            Err(error) if error.is_final() => {
                observe::dropped(DropReason::Record);
                tracing::error!(%error, record = %String::from_utf8_lossy(line), "a record was dropped: the database refuses it");
                Ok(())
            }
            written => written,
        }
    }

    async fn write_entry(&self, entry: &Entry) -> Result<(), StoreError> {
        match entry {
            Entry::Seen { user, name, guest, at } => self.store.seen_at((user, name, *guest), *at).await,
            Entry::Blocked(user) => self.store.block(user).await,
            Entry::Unblocked(user) => self.store.unblock(user).await,
            Entry::Ended(result) => self.store.save_match(result).await,
            Entry::Ratings(ratings) => self.store.save_ratings(ratings).await,
        }
    }

    /// Returns the first entry. It stays where it is until it is removed.
    async fn first(self: Arc<Self>) -> Option<(Place, Vec<u8>)> {
        if self.waiting().spooled == 0 {
            return self.waiting().lines.front().cloned().map(|line| (Place::Memory, line));
        }
        let shared = self.clone();
        let read = on_disk(move || shared.spool().front()).await;
        let lost = match read {
            Ok(Some(line)) => return Some((Place::Disk, line)),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if let Some(error) = lost {
            tracing::error!(%error, "the records on disk cannot be read; they stay there until the next start");
        }
        let mut waiting = self.waiting();
        self.done.send_modify(|done| *done += waiting.spooled as u64);
        waiting.spooled = 0;
        waiting.lines.front().cloned().map(|line| (Place::Memory, line))
    }

    /// Removes the first entry, which is done.
    async fn remove(self: Arc<Self>, place: Place) {
        let shared = self.clone();
        match place {
            Place::Disk => {
                on_disk(move || {
                    let mut spool = shared.spool();
                    spool.pop();
                    shared.waiting().spooled = spool.len();
                })
                .await;
            }
            Place::Memory => {
                let mut waiting = self.waiting();
                // After the end it was moved to disk, where it may stay: to write it again changes nothing.
                if waiting.phase != Phase::Stopped {
                    let line = waiting.lines.pop_front();
                    waiting.bytes -= line.map_or(0, |line| line.len());
                }
            }
        }
        self.done.send_modify(|done| *done = done.saturating_add(1));
        self.publish();
    }

    /// Moves what waits in memory to disk, as far as there is room.
    async fn move_to_disk(self: Arc<Self>) {
        on_disk(move || {
            let mut spool = self.spool();
            loop {
                let Some(line) = self.waiting().lines.front().cloned() else { return };
                if let Err(error) = spool.append(&line) {
                    tracing::debug!(%error, "records wait in memory");
                    return;
                }
                let mut waiting = self.waiting();
                waiting.lines.pop_front();
                waiting.bytes -= line.len();
                waiting.spooled = spool.len();
            }
        })
        .await;
    }

    /// Takes nothing any more, and keeps on disk what is not written.
    async fn stop(self: &Arc<Self>) {
        self.waiting().phase = Phase::Stopped;
        self.clone().move_to_disk().await;
        self.spool().close();
        let (lost, kept) = {
            let mut waiting = self.waiting();
            waiting.bytes = 0;
            (std::mem::take(&mut waiting.lines).len(), waiting.spooled)
        };
        if kept > 0 {
            tracing::warn!(records = kept, "records were not written; they wait on disk for the next start");
        }
        if lost > 0 {
            (0..lost).for_each(|_| observe::dropped(DropReason::Record));
            tracing::error!(records = lost, "records were dropped: neither the database nor the disk took them");
        }
        self.done.send_replace(u64::MAX);
    }
}

/// Does what may wait for a disk in a thread for that.
async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
