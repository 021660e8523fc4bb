//! Searches of the room list: filters and sort orders.

use std::cmp::Reverse;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{Listing, RoomId};

/// The filters, sort order and limit of a search. The default finds every listed room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Search {
    /// The name of the game.
    pub game: Option<String>,
    /// Whether a person can take a seat in the room.
    pub open: Option<bool>,
    /// Fields of the configuration that must have exactly these values.
    pub config: Map<String, Json>,
    /// The sort order. By default rooms are sorted by id.
    pub sort: Option<Sort>,
    /// The maximum number of rooms. By default all are returned.
    pub limit: Option<usize>,
    /// The least id of a room. With the order of the ids, this reads the list in pages.
    pub from: Option<RoomId>,
}

/// A sort order of rooms. The oldest room wins a tie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Sort {
    /// The most people first.
    Players,
    /// The most seats for people first.
    Free,
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
}

impl Search {
    pub(super) fn finds(&self, listing: &Listing) -> bool {
        self.game.as_ref().is_none_or(|game| listing.game == game)
            && self.from.as_ref().is_none_or(|from| listing.room >= *from)
            && self.open.is_none_or(|open| listing.has_seat() == open)
            && self.config.iter().all(|(field, wanted)| listing.config.get(field) == Some(wanted))
    }
}

impl Sort {
    /// Returns the sort key of a room; the room with the least key comes first. `age` is its opening order.
    pub(super) fn key(self, listing: &Listing, age: u64) -> (Reverse<u64>, u64) {
        let (players, seats) = (listing.players as u64, listing.seats as u64);
        let most = match self {
            Self::Players => players,
            Self::Free => seats.saturating_sub(players),
            Self::Newest => age,
            Self::Oldest => 0,
        };
        (Reverse(most), age)
    }
}
