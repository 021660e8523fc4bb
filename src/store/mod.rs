//! The store: what outlives the process, in SQLite or PostgreSQL, and the webhook that posts results.
//!
//! This room knows tables, the queues to them, and the webhook. It refuses to know running rooms and sockets: records arrive
//! through [`Recorder`](crate::host::Recorder), which never waits.

mod guest_key;
mod line_file;
mod kept_results;
#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
mod database;
#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
mod queries;
#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
mod spool;
#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
mod write_queue;
#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
mod rating_cache;
#[cfg(feature = "webhook")]
mod unposted;
#[cfg(feature = "webhook")]
mod webhook;

pub use self::guest_key::{KeyFileError, load_guest_key};
pub(crate) use self::kept_results::{keep_results, take_results};
#[cfg(feature = "webhook")]
pub use self::webhook::{Webhook, WebhookConfig, WebhookError, signature};
#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
pub use self::{
    database::{Database, Store, StoreError},
    queries::{StoredMatch, StoredPlayer, StoredRating},
    rating_cache::RatingCache,
    write_queue::WriteQueue,
};
