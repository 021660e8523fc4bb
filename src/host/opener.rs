//! The opener of a room: a player or the matchmaker.

use std::sync::Arc;

use super::quota::Held;
use crate::{
    game::Strength,
    lobby::{ClosedRoom, Entrance, UserId},
    matchmaking::Terms,
};

/// The opener of a room.
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

/// The options of a new room.
///
/// # Examples
///
/// ```
/// use tickcast::{host::RoomOptions, lobby::Entrance};
///
/// let options = RoomOptions::default().entrance(Entrance::Code).mode("duel");
/// assert_eq!(options.config, None);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RoomOptions {
    /// The game's configuration. Fields that it leaves out have their defaults.
    pub config: Option<serde_json::Value>,
    /// How people find the room. Default: in the list.
    pub entrance: Entrance,
    /// The matchmaking mode to report with the result. Empty for none.
    pub mode: String,
    /// How strong the bots play. Default: as [`Strength::by_people`] says.
    pub strength: Option<Strength>,
    /// A closed private room that is opened again.
    pub(crate) reopens: Option<ClosedRoom>,
}

impl RoomOptions {
    /// Sets the game's configuration.
    #[must_use]
    pub fn config(mut self, config: serde_json::Value) -> Self {
        self.config = Some(config);
        self
    }

    /// Sets how people find the room.
    #[must_use]
    pub fn entrance(mut self, entrance: Entrance) -> Self {
        self.entrance = entrance;
        self
    }

    /// Sets the matchmaking mode to report with the result.
    #[must_use]
    pub fn mode(mut self, mode: impl Into<String>) -> Self {
        self.mode = mode.into();
        self
    }

    /// Sets how strong the bots play.
    #[must_use]
    pub fn strength(mut self, strength: Strength) -> Self {
        self.strength = Some(strength);
        self
    }
}
