//! What a room knows of the match that the matchmaker put together for it.

use std::sync::Arc;

use crate::{lobby::UserId, matchmaking::Terms};

/// Who opens a room.
pub(super) enum Opener {
    /// A player, who may remove others from it.
    Player(UserId),
    /// The matchmaker, for a match.
    Matchmaker(Contest),
}

/// What a room knows of the match that it was opened for.
#[derive(Debug, Clone)]
pub(super) struct Contest {
    pub(super) mode: Arc<str>,
    pub(super) backfill: bool,
    pub(super) terms: Terms,
}
