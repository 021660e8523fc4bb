//! What a server may want to remember.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::{
    lobby::{Identity, RoomId, UserId},
    protocol::Seat,
};

/// Something worth remembering.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// Somebody with an account has come.
    Seen(Identity),
    /// Somebody was blocked.
    Blocked(UserId),
    /// Somebody was let in again.
    Unblocked(UserId),
    /// A match was played to its end.
    Ended(MatchResult),
}

/// Where records go. Called from the tasks that step rooms: it must never wait.
pub trait Recorder: Send + Sync + 'static {
    /// Takes a record, or drops and counts it.
    fn record(&self, record: &Record);
}

/// A match that the rules ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatchResult {
    /// The match's own id: whoever hears of it twice knows it by that.
    pub id: String,
    /// The room.
    pub room: RoomId,
    /// The game.
    pub game: &'static str,
    /// The mode of matchmaking; empty for a room that was opened otherwise.
    pub mode: String,
    /// When the first player took a seat, in milliseconds since 1970.
    pub began: u64,
    /// When it ended.
    pub ended: u64,
    /// The seats that won, bots' included; none if it was a draw.
    pub winners: Vec<Seat>,
    /// The people who played, by seat.
    pub players: Vec<Player>,
}

/// A person's part in a match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Player {
    /// Their seat.
    pub seat: Seat,
    /// Who it is.
    pub user: UserId,
    /// What others saw.
    pub name: String,
    /// Whether it is a guest.
    pub guest: bool,
    /// Whether their seat is among the winners.
    pub won: bool,
    /// Whether they had their seat to the end; others gave it up, or lost it.
    pub stayed: bool,
}

impl Player {
    pub(super) fn new(seat: Seat, who: &Identity) -> Self {
        Self { seat, user: who.user.clone(), name: who.name.to_string(), guest: who.guest, won: false, stayed: false }
    }
}

/// Milliseconds since 1970, for people: the host itself goes by tokio's clock.
#[expect(clippy::disallowed_methods, reason = "records say when something happened in the world")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
