//! The ticket with which a player takes a seat.

use serde::Serialize;

use crate::lobby::{Code, RoomId};

/// A ticket for a seat and where to use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Admission {
    /// The signed ticket, valid for one seat, once.
    pub ticket: String,
    /// The server to connect to; empty for this server.
    pub url: String,
    /// The room.
    pub room: RoomId,
    /// The room's code, for the player who opened a private room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The team, from 1, in a match with teams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<u8>,
}
