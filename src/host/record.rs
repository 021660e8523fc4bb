//! The records that a host hands to its recorders.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::{
    lobby::{Identity, RoomId, UserId},
    protocol::Seat,
};

/// Something that happened on a host.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Record {
    /// A user with an account connected.
    Seen(Identity),
    /// A user was blocked.
    Blocked(UserId),
    /// A user was unblocked.
    Unblocked(UserId),
    /// A match ended by its rules.
    Ended(MatchResult),
}

/// Stores what happens on a host, or passes it on.
pub trait Recorder: Send + Sync + 'static {
    /// Queues a record, or drops and counts it. Called from the threads that step rooms, so it must never wait.
    fn record(&self, record: &Record);
}

/// The result of a match that its rules ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MatchResult {
    /// The match's unique id, by which a repeated report is recognised.
    pub id: String,
    /// The room.
    pub room: RoomId,
    /// The game.
    pub game: String,
    /// The matchmaking mode. Empty if the matchmaker did not open the room.
    pub mode: String,
    /// When the first player took a seat, in milliseconds since 1970.
    pub began: u64,
    /// When it ended, in milliseconds since 1970.
    pub ended: u64,
    /// The seats that won, those of bots included. Empty after a draw.
    pub winners: Vec<Seat>,
    /// The people who played, in the order of their seats.
    pub players: Vec<Player>,
}

impl MatchResult {
    /// Makes the result of a match without a mode that nobody played or won. Its times are 0.
    ///
    /// Set the other fields afterwards, for example to test a [`Recorder`].
    pub fn new(id: impl Into<String>, room: RoomId, game: impl Into<String>) -> Self {
        let (mode, winners, players) = (String::new(), Vec::new(), Vec::new());
        Self { id: id.into(), room, game: game.into(), mode, began: 0, ended: 0, winners, players }
    }
}

/// A person's part in a match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Player {
    /// Their seat.
    pub seat: Seat,
    /// The user.
    pub user: UserId,
    /// The name that others saw.
    pub name: String,
    /// Whether the user is a guest.
    pub guest: bool,
    /// Whether their seat won.
    pub won: bool,
    /// Whether they kept their seat until the end.
    pub stayed: bool,
}

impl Player {
    /// Makes the part of a person who did not win and did not stay.
    pub fn new(seat: Seat, who: &Identity) -> Self {
        Self { seat, user: who.user.clone(), name: who.name.to_string(), guest: who.guest, won: false, stayed: false }
    }
}

/// Returns the wall-clock time in milliseconds since 1970, for records. The host itself uses Tokio's clock.
#[expect(clippy::disallowed_methods, reason = "records say when something happened in the world")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
