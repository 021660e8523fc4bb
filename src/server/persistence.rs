//! What a server keeps, and whom it tells: the store, the guests' key and the webhook.

use std::{fs, path::PathBuf, sync::Arc};

use super::error::StartError;
use crate::{
    host::Recorder,
    identity::GuestKey,
    lobby::UserId,
    store::{Database, RatingCache, Store, Webhook, WebhookConfig, WriteQueue, load_guest_key},
};

/// Where a server keeps things.
#[derive(Default)]
pub(super) struct PersistenceConfig {
    /// The folder of everything that is a file.
    pub(super) data: Option<PathBuf>,
    /// A PostgreSQL server instead of a file.
    pub(super) database: Option<String>,
    pub(super) webhook: Option<WebhookConfig>,
}

/// The parts that run.
pub(super) struct Persistence {
    pub(super) guest_key: Option<GuestKey>,
    pub(super) blocked: Vec<UserId>,
    pub(super) store: Option<Store>,
    queue: Option<WriteQueue>,
    webhook: Option<Arc<Webhook>>,
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
        let webhook = self.webhook.map(Webhook::start).transpose()?.map(Arc::new);
        let file = || self.data.map(|folder| Database::File(folder.join("tickcast.db")));
        let mut persistence = Persistence { guest_key: Some(guest_key), blocked: Vec::new(), store: None, queue: None, webhook };
        if let Some(database) = self.database.map(Database::Postgres).or_else(file) {
            let store = Store::open(&database).await?;
            persistence.blocked = store.blocked().await?;
            persistence.queue = Some(WriteQueue::start(store.clone()));
            persistence.store = Some(store);
        }
        Ok(persistence)
    }
}

impl Persistence {
    /// Who hears of what happens.
    pub(super) fn recorders(&self) -> Vec<Arc<dyn Recorder>> {
        let queue = self.queue.clone().map(|queue| Arc::new(queue) as Arc<dyn Recorder>);
        let webhook = self.webhook.clone().map(|webhook| webhook as Arc<dyn Recorder>);
        queue.into_iter().chain(webhook).collect()
    }

    /// Ratings that outlive the process, if anything does.
    pub(super) fn ratings(&self) -> Option<RatingCache> {
        Some(RatingCache::new(self.store.clone()?, self.queue.clone()?))
    }

    /// Writes and posts what waits, then lets the database go.
    pub(super) async fn close(&self) {
        let queue = async {
            if let Some(queue) = &self.queue {
                queue.close().await;
            }
        };
        let webhook = async {
            if let Some(webhook) = &self.webhook {
                webhook.close().await;
            }
        };
        tokio::join!(queue, webhook);
        if let Some(store) = &self.store {
            store.close().await;
        }
    }
}
