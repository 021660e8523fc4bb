//! Why the host refuses a request or a connection.

use std::time::Duration;

use thiserror::Error;

use crate::{identity::IdentityError, lobby::SocialError, matchmaking::QueueError, protocol::ErrorCode, room::RoomError};

/// A refused request or connection: a stable code for programs and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code}: {message}")]
#[non_exhaustive]
pub struct Refusal {
    /// The code, one of those in the protocol.
    pub code: ErrorCode,
    /// A sentence that says what was wrong, and what would be right.
    pub message: String,
    /// The time after which the same request may succeed, if the host knows it.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// Creates a refusal from a code and a sentence for people.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// Says after how long the same request may succeed.
    #[must_use]
    pub fn retry_after(self, time: impl Into<Option<Duration>>) -> Self {
        Self { retry_after: time.into(), ..self }
    }

    pub(super) fn unknown_game(game: &str) -> Self {
        Self::new(ErrorCode::UnknownGame, format!("there is no game \"{game}\" here"))
    }

    pub(super) fn unknown_room(room: &str) -> Self {
        Self::new(ErrorCode::UnknownRoom, format!("there is no room \"{room}\", or it has ended"))
    }

    pub(super) fn room_busy() -> Self {
        Self::new(ErrorCode::RoomBusy, "a step of this room takes too long: try again later, or in another room")
    }

    pub(super) fn banned() -> Self {
        Self::new(ErrorCode::Banned, "you were removed from this match")
    }

    pub(super) fn rules_panicked() -> Self {
        Self::new(ErrorCode::Internal, "the rules of this game failed, so its room was closed")
    }
}

impl From<RoomError> for Refusal {
    fn from(error: RoomError) -> Self {
        let code = match error {
            RoomError::Full => ErrorCode::RoomFull,
            RoomError::Over => ErrorCode::UnknownRoom,
            RoomError::UnknownSeat(_) => ErrorCode::ResumeExpired,
            RoomError::NotVotable(_) => ErrorCode::UnknownSeat,
            RoomError::VoteOpen(_) => ErrorCode::VoteOpen,
        };
        Self::new(code, error.to_string())
    }
}

impl From<IdentityError> for Refusal {
    fn from(error: IdentityError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<SocialError> for Refusal {
    fn from(error: SocialError) -> Self {
        Self::new(error.code(), error.to_string()).retry_after(error.retry_after())
    }
}

impl From<QueueError> for Refusal {
    fn from(error: QueueError) -> Self {
        Self::new(error.code(), error.to_string()).retry_after(error.retry_after())
    }
}
