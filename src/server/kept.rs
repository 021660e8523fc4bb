//! What a server keeps, and whom it tells: the store, the guests' key and the webhook.

use std::{fs, path::PathBuf, sync::Arc};

use super::StartError;
use crate::{
    host::Recorder,
    identity::GuestKey,
    lobby::UserId,
    store::{Journal, Place, Ratings, Store, Webhook, WebhookConfig, kept_guest_key},
};

/// Where a server keeps things.
#[derive(Default)]
pub(super) struct Keeping {
    /// The folder of everything that is a file.
    pub(super) data: Option<PathBuf>,
    /// A PostgreSQL server instead of a file.
    pub(super) database: Option<String>,
    pub(super) webhook: Option<WebhookConfig>,
}

/// The parts that run.
pub(super) struct Kept {
    pub(super) guest_key: Option<GuestKey>,
    pub(super) blocked: Vec<UserId>,
    pub(super) store: Option<Store>,
    journal: Option<Journal>,
    webhook: Option<Arc<Webhook>>,
}

impl Keeping {
    pub(super) async fn open(self) -> Result<Kept, StartError> {
        let guest_key = match &self.data {
            Some(folder) => {
                let failed = |error| StartError::Data { folder: folder.clone(), error };
                fs::create_dir_all(folder).map_err(failed)?;
                kept_guest_key(folder)?
            }
            None => GuestKey::random(),
        };
        let webhook = self.webhook.map(Webhook::start).transpose()?.map(Arc::new);
        let file = || self.data.map(|folder| Place::File(folder.join("tickcast.db")));
        let mut kept = Kept { guest_key: Some(guest_key), blocked: Vec::new(), store: None, journal: None, webhook };
        if let Some(place) = self.database.map(Place::Postgres).or_else(file) {
            let store = Store::open(&place).await?;
            kept.blocked = store.blocked().await?;
            kept.journal = Some(Journal::start(store.clone()));
            kept.store = Some(store);
        }
        Ok(kept)
    }
}

impl Kept {
    /// Who hears of what happens.
    pub(super) fn recorders(&self) -> Vec<Arc<dyn Recorder>> {
        let journal = self.journal.clone().map(|journal| Arc::new(journal) as Arc<dyn Recorder>);
        let webhook = self.webhook.clone().map(|webhook| webhook as Arc<dyn Recorder>);
        journal.into_iter().chain(webhook).collect()
    }

    /// Ratings that outlive the process, if anything does.
    pub(super) fn ratings(&self) -> Option<Ratings> {
        Some(Ratings::new(self.store.clone()?, self.journal.clone()?))
    }

    /// Writes and posts what waits, then lets the database go.
    pub(super) async fn close(&self) {
        let journal = async {
            if let Some(journal) = &self.journal {
                journal.close().await;
            }
        };
        let webhook = async {
            if let Some(webhook) = &self.webhook {
                webhook.close().await;
            }
        };
        tokio::join!(journal, webhook);
        if let Some(store) = &self.store {
            store.close().await;
        }
    }
}
