//! The requests that a client of the scenario makes, and the fields that it reads of answers and events.

use serde::{Deserialize, Serialize};
use tickcast::protocol::Schema;

use super::account::SeatOf;

/// `auth` of `/lobby` and `/matchmaking`.
#[derive(Serialize)]
pub(crate) struct Auth<'a> {
    pub(crate) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<&'a str>,
}

/// `auth` of `/gameplay` for a client that had a seat.
#[derive(Serialize)]
pub(crate) struct ResumeAuth<'a> {
    pub(crate) resume: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tick: Option<u32>,
}

#[derive(Serialize)]
pub(crate) struct Enqueue {
    pub(crate) game: &'static str,
}

#[derive(Deserialize)]
pub(crate) struct Session {
    pub(crate) user: String,
    pub(crate) token: Option<String>,
}

/// A ready check, and the request that accepts it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Check {
    pub(crate) check: u64,
}

#[derive(Deserialize)]
pub(crate) struct Unready {
    pub(crate) requeued: bool,
}

/// The event `matched`.
#[derive(Clone, Deserialize)]
pub(crate) struct Grant {
    pub(crate) ticket: String,
    pub(crate) room: String,
}

#[derive(Deserialize)]
pub(crate) struct Welcome {
    pub(crate) room: String,
    pub(crate) tick: u32,
    pub(crate) schema: Schema,
    pub(crate) resume: String,
    pub(crate) seats: Vec<SeatOf>,
}

#[derive(Deserialize)]
pub(crate) struct Over {
    pub(crate) reason: String,
}

/// The message of a `connect_error`, `<code>: <text>`.
#[derive(Deserialize)]
pub(crate) struct ConnectError {
    pub(crate) message: String,
}

/// An acknowledgement.
#[derive(Deserialize)]
pub(crate) struct Answer {
    pub(crate) ok: bool,
    #[serde(default)]
    pub(crate) error: Option<Refusal>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
    /// In seconds.
    #[serde(default)]
    pub(crate) retry_after: Option<f64>,
}

impl Refusal {
    /// Reads a `connect_error`.
    pub(crate) fn of_connect(message: &str) -> Self {
        let (code, message) = message.split_once(": ").unwrap_or(("connect_error", message));
        Self { code: code.to_owned(), message: message.to_owned(), retry_after: None }
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_temporary(&self) -> bool {
        ["rate_limited", "shutting_down", "internal", "room_busy"].contains(&self.code.as_str())
    }
}
