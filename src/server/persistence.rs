//! Configures what outlives the process, and where results are sent: the database, the guests' key and the webhook.

use std::{fs, path::PathBuf, sync::Arc};

use super::error::StartError;
#[cfg(feature = "webhook")]
use crate::store::{Webhook, WebhookConfig};
use crate::{
    host::Recorder,
    identity::{Gate, GuestKey},
    matchmaking::RatingStore,
    store::load_guest_key,
};
#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
use crate::{
    lobby::UserId,
    store::{Database, RatingCache, Store, WriteQueue},
};

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

/// The parts that run.
pub(super) struct Persistence {
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
    pub(super) async fn open(self) -> Result<Persistence, StartError> {
        let guest_key = match &self.data {
            Some(folder) => {
                let failed = |error| StartError::Data { folder: folder.clone(), error };
                fs::create_dir_all(folder).map_err(failed)?;
                load_guest_key(folder)?
            }
            None => GuestKey::random(),
        };
        #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
        let database = self.database();
        Ok(Persistence {
            guest_key: Some(guest_key),
            #[cfg(feature = "webhook")]
            webhook: self.webhook.map(Webhook::start).transpose()?.map(Arc::new),
            #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
            tables: match database {
                Some(database) => Some(Tables::open(&database).await?),
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
    async fn open(database: &Database) -> Result<Self, StartError> {
        let store = Store::open(database).await?;
        let blocked = store.blocked().await?;
        Ok(Self { queue: WriteQueue::start(store.clone()), store, blocked })
    }
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

    /// Writes and posts what waits, then closes the database.
    pub(super) async fn close(&self) {
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
