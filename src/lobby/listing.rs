//! One room, as people see it who look for one.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;

use super::RoomId;

/// One room of the listing, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// The room's id.
    pub room: RoomId,
    /// The name of its game.
    pub game: &'static str,
    /// People seated.
    pub players: usize,
    /// Bots seated.
    pub bots: usize,
    /// Seats in all.
    pub seats: usize,
    /// The game's configuration, by which rooms may be looked for.
    #[serde(skip)]
    pub config: Arc<Json>,
}

impl Listing {
    /// Whether a person can take a seat; a bot gives up its own.
    pub fn has_seat(&self) -> bool {
        self.players < self.seats
    }
}
