//! Searches in the listing: filters and orders.

use std::cmp::Reverse;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::Listing;

/// Which rooms somebody looks for, and in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Of this game.
    pub game: Option<String>,
    /// With a seat for a person, or without one.
    pub open: Option<bool>,
    /// With these very values in the configuration.
    pub config: Map<String, Json>,
    /// In this order; else by id.
    pub sort: Option<Sort>,
    /// No more than so many.
    pub limit: Option<usize>,
}

/// An order of rooms. Of equals the oldest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
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
            && self.open.is_none_or(|open| listing.has_seat() == open)
            && self.config.iter().all(|(field, wanted)| listing.config.get(field) == Some(wanted))
    }
}

impl Sort {
    /// What comes first has the least key. `age`: the how manyeth room to open.
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
