//! Configures what outlives the process, and where results are sent: the database, the guests' key and the webhook.

#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
use std::time::Duration;
use std::{
    fs::DirBuilder,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
use tokio::time::timeout;

use super::error::StartError;
#[cfg(feature = "webhook")]
use crate::store::{Webhook, WebhookConfig};
#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
use crate::{
    host::{LEADERS, RatedMode},
    lobby::UserId,
    store::{Database, RatingCache, Store, WriteQueue},
};
use crate::{
    host::{Limits, MatchResult, Ratings, Recorder},
    identity::{Gate, GuestKey},
    matchmaking::RatingStore,
    observe::{self, DropReason},
    store::{keep_results, load_guest_key, take_results},
};

/// How long a start waits for the records that an earlier process left to be written.
#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
const LEFT_RECORDS: Duration = Duration::from_secs(5);

/// Where a server keeps things.
#[derive(Default)]
pub(super) struct PersistenceConfig {
    /// The folder for files: the guests' key, and the SQLite database unless there is another.
    pub(super) data: Option<PathBuf>,
    /// The URL of a PostgreSQL database.
    #[cfg(feature = "store-postgres")]
    pub(super) database: Option<String>,
    #[cfg(feature = "webhook")]
    pub(super) webhook: Option<WebhookConfig>,
}

/// The file in the folder for data of results that were not rated before the server stopped.
const UNRATED: &str = "unrated.jsonl";

/// The parts that run.
pub(super) struct Persistence {
    folder: Option<PathBuf>,
    guest_key: Option<GuestKey>,
    #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
    tables: Option<Tables>,
    #[cfg(feature = "webhook")]
    webhook: Option<Arc<Webhook>>,
}

#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
struct Tables {
    store: Store,
    queue: WriteQueue,
    /// The block list as it was at start.
    blocked: Vec<UserId>,
}

impl PersistenceConfig {
    pub(super) async fn open(self, limits: &Limits) -> Result<Persistence, StartError> {
        // Without a database and a webhook nothing waits.
        let _ = limits;
        let guest_key = match &self.data {
            Some(folder) => {
                let failed = |error| StartError::Data { folder: folder.clone(), error };
                make_folder(folder).map_err(failed)?;
                load_guest_key(folder)?
            }
            None => GuestKey::random(),
        };
        #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
        let database = self.database();
        Ok(Persistence {
            folder: self.data.clone(),
            guest_key: Some(guest_key),
            #[cfg(feature = "webhook")]
            webhook: match self.webhook.clone() {
                Some(webhook) => Some(Arc::new(Webhook::start(webhook, self.data.as_deref(), limits)?)),
                None => None,
            },
            #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
            tables: match database {
                Some(database) => Some(Tables::open(&database, self.data.as_deref(), limits).await?),
                None => None,
            },
        })
    }

    #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
    fn database(&self) -> Option<Database> {
        #[cfg(feature = "store-postgres")]
        if let Some(url) = &self.database {
            return Some(Database::Postgres(url.clone()));
        }
        #[cfg(feature = "store-sqlite")]
        if let Some(folder) = &self.data {
            return Some(Database::File(folder.join("tickcast.db")));
        }
        None
    }
}

#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
impl Tables {
    async fn open(database: &Database, folder: Option<&Path>, limits: &Limits) -> Result<Self, StartError> {
        let store = Store::open_within(database, limits.database_wait).await?;
        let queue = WriteQueue::start(store.clone(), folder, limits);
        // Somebody may have been blocked while the database could not be reached.
        if timeout(LEFT_RECORDS, queue.settled()).await.is_err() {
            tracing::warn!("the records of an earlier process are still being written");
        }
        let blocked = store.blocked().await?;
        Ok(Self { queue, store, blocked })
    }
}

/// Creates the folder, for nobody but its owner, if it is missing.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

impl Persistence {
    /// Signs guests' tokens with the key that is kept, if guests are admitted, and blocks the users on the list that is kept.
    pub(super) fn guard(&mut self, gate: Gate, guests: bool) -> Gate {
        let gate = gate.guests(self.guest_key.take().filter(|_| guests));
        #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
        if let Some(Tables { store, blocked, .. }) = &mut self.tables {
            return gate.block_store(Arc::new(store.clone()), blocked.drain(..));
        }
        gate
    }

    /// The recorders of the host.
    pub(super) fn recorders(&self) -> Vec<Arc<dyn Recorder>> {
        vec![
            #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
            self.tables.as_ref().map(|tables| Arc::new(tables.queue.clone()) as Arc<dyn Recorder>),
            #[cfg(feature = "webhook")]
            self.webhook.clone().map(|webhook| webhook as Arc<dyn Recorder>),
            None,
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Ratings that outlive the process, if there is a database.
    pub(super) fn ratings(&self) -> Option<Arc<dyn RatingStore>> {
        #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
        if let Some(Tables { store, queue, .. }) = &self.tables {
            return Some(Arc::new(RatingCache::new(store.clone(), queue.clone())));
        }
        None
    }

    #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
    pub(super) fn store(&self) -> Option<&Store> {
        self.tables.as_ref().map(|tables| &tables.store)
    }

    /// Tells the ratings who has the highest ones in the database. Without an answer of it, the players who are rated from now on lead.
    pub(super) async fn tell_leaders(&self, ratings: &Ratings) {
        #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
        if let Some(Tables { store, .. }) = &self.tables {
            for RatedMode { game, mode, .. } in &ratings.rated {
                match store.leaders(game, mode, LEADERS as u32).await {
                    Ok(leaders) => ratings.leaders.add(game, mode, leaders),
                    Err(error) => tracing::warn!(game, mode, %error, "the leaders could not be read"),
                }
            }
        }
        let _ = ratings;
    }

    /// Takes the results that an earlier process left unrated.
    pub(super) fn take_unrated(&self) -> Vec<MatchResult> {
        let Some(folder) = &self.folder else { return Vec::new() };
        take_results(&folder.join(UNRATED)).unwrap_or_else(|error| {
            tracing::warn!(%error, "the results in {UNRATED} cannot be read to be rated");
            Vec::new()
        })
    }

    /// Keeps the results that are still unrated for the next start.
    fn keep_unrated(&self, ratings: &Ratings) {
        let results = ratings.take_unrated();
        if results.is_empty() {
            return;
        }
        let kept = self.folder.as_ref().map(|folder| keep_results(&folder.join(UNRATED), &results));
        match kept {
            Some(Ok(())) => {
                tracing::warn!(results = results.len(), "results were not rated; they wait on disk for the next start")
            }
            failed => {
                results.iter().for_each(|_| observe::dropped(DropReason::Unrated));
                tracing::error!(
                    results = results.len(),
                    ?failed,
                    "results were not rated: the database did not tell the ratings"
                );
            }
        }
    }

    /// Writes and posts what waits, then closes the database. What cannot be done waits on disk for the next start.
    pub(super) async fn close(&self, ratings: &Ratings) {
        self.keep_unrated(ratings);
        let writes = async {
            #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
            if let Some(Tables { store, queue, .. }) = &self.tables {
                queue.close().await;
                store.close().await;
            }
        };
        let posts = async {
            #[cfg(feature = "webhook")]
            if let Some(webhook) = &self.webhook {
                webhook.close().await;
            }
        };
        tokio::join!(writes, posts);
    }
}
