//! The public description of a room.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;

use super::RoomId;
use crate::game::Strength;

/// A room of the room list, as it is sent to clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Listing {
    /// The id of the room.
    pub room: RoomId,
    /// The name of its game.
    pub game: &'static str,
    /// The number of seated people.
    pub players: usize,
    /// The number of seated bots.
    pub bots: usize,
    /// The number of all seats, taken or free.
    pub seats: usize,
    /// How strong the bots play. `None` if nobody chose that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strength: Option<Strength>,
    /// The room's configuration, which searches can filter by. It is not sent.
    #[serde(skip)]
    pub config: Arc<Json>,
}

impl Listing {
    /// Returns whether a person can take a seat. A bot gives up its seat.
    pub fn has_seat(&self) -> bool {
        self.players < self.seats
    }
}
