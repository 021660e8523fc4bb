//! Who opened a room.

use std::sync::Arc;

use super::quota::Held;
use crate::{lobby::UserId, matchmaking::Terms};

/// Who opened a room.
pub(super) enum Opener {
    /// A player, who may remove others from it, and in whose count it is.
    Player(UserId, Held),
    /// The matchmaker, for a match.
    Matchmaker(MatchInfo),
}

/// The match for which the matchmaker opened a room.
#[derive(Debug, Clone)]
pub(super) struct MatchInfo {
    pub(super) mode: Arc<str>,
    pub(super) backfill: bool,
    pub(super) terms: Terms,
}
