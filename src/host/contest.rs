//! The matchmaker's description of the match for which a room was opened.

use std::sync::Arc;

use crate::{lobby::UserId, matchmaking::Terms};

/// The opener of a room.
pub(super) enum Opener {
    /// A player, who may remove others from it.
    Player(UserId),
    /// The matchmaker, for a match.
    Matchmaker(Contest),
}

/// The description of the match for which a room was opened.
#[derive(Debug, Clone)]
pub(super) struct Contest {
    pub(super) mode: Arc<str>,
    pub(super) backfill: bool,
    pub(super) terms: Terms,
}
