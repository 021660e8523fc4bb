//! The store: what outlives the process, in SQLite or PostgreSQL, and what others are told of results.
//!
//! This room knows tables, queues to them, and the webhook. It refuses to know rooms that run and sockets: records come in by
//! [`Recorder`](crate::host::Recorder), which never waits.

mod guest_key;
mod database;
mod queries;
mod write_queue;
mod rating_cache;
mod webhook;

pub use self::{
    database::{Database, Store, StoreError},
    guest_key::{KeyFileError, load_guest_key},
    queries::{StoredMatch, StoredPlayer, StoredRating},
    rating_cache::RatingCache,
    webhook::{Webhook, WebhookConfig, WebhookError, signature},
    write_queue::WriteQueue,
};
