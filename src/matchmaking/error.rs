//! The errors of the matchmaker.

use std::time::Duration;

use thiserror::Error;

use super::CheckId;
use crate::{lobby::UserId, protocol::ErrorCode};

/// The reason why the matchmaker refused a request.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueueError {
    /// No queue exists for the game.
    #[error("there is no game \"{0}\" here")]
    UnknownGame(String),
    /// The game has no queue for the mode.
    #[error("the game \"{game}\" has no mode \"{mode}\"; its modes are {known}")]
    UnknownMode {
        /// The game.
        game: &'static str,
        /// The requested mode.
        mode: String,
        /// The names of the game's modes.
        known: String,
    },
    /// The user is already in a queue or a ready check.
    #[error("{0} is already in a queue and must leave it first")]
    AlreadyQueued(UserId),
    /// The user is not in a queue.
    #[error("you are not in a queue")]
    NotQueued,
    /// The party is larger than a team.
    #[error("a party of {members} is too large: a team has at most {max} players")]
    PartyTooLarge {
        /// The size of the party.
        members: usize,
        /// The size of the mode's largest team.
        max: usize,
    },
    /// The mode does not accept the property, or its value is a list, an object or a text over 64 characters.
    #[error(
        "the mode does not accept the property \"{0}\", or not this value: use a number, a boolean or a text of up to 64 characters"
    )]
    BadProperty(String),
    /// The user is not part of a pending ready check with this number.
    #[error("the ready check {0} is over, or you are not part of it")]
    UnknownCheck(CheckId),
    /// The user broke ready checks and must wait.
    #[error("{user} declined or missed a ready check and may queue again in {} s", .left.as_secs_f64().ceil())]
    Paused {
        /// The user.
        user: UserId,
        /// The time until the user may queue.
        left: Duration,
    },
}

impl QueueError {
    /// Returns the error code that is sent to clients.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownGame(_) => ErrorCode::UnknownGame,
            Self::UnknownMode { .. } => ErrorCode::UnknownMode,
            Self::AlreadyQueued(_) => ErrorCode::AlreadyQueued,
            Self::NotQueued => ErrorCode::NotQueued,
            Self::PartyTooLarge { .. } => ErrorCode::PartyTooLarge,
            Self::BadProperty(_) => ErrorCode::BadRequest,
            Self::UnknownCheck(_) => ErrorCode::UnknownCheck,
            Self::Paused { .. } => ErrorCode::QueuePaused,
        }
    }

    /// Returns the time after which the same request may succeed, if that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Paused { left, .. } = self { Some(*left) } else { None }
    }
}
