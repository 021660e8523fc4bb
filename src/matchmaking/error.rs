//! Why the matchmaker refuses a request.

use thiserror::Error;

use super::CheckId;
use crate::{lobby::UserId, protocol::ErrorCode};

/// Why the matchmaker refuses.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueueError {
    /// No queue for that game.
    #[error("there is no game \"{0}\" here")]
    UnknownGame(String),
    /// No queue for that mode of the game.
    #[error("the game \"{game}\" has no mode \"{mode}\", but {known}")]
    UnknownMode {
        /// The game.
        game: &'static str,
        /// What was asked for.
        mode: String,
        /// What there is.
        known: String,
    },
    /// Somebody waits already, or is asked whether they are ready.
    #[error("{0} is in a queue already, which must be left first")]
    AlreadyQueued(UserId),
    /// Whoever asks is in no queue.
    #[error("you are in no queue")]
    NotQueued,
    /// A party that no team has room for.
    #[error("a party of {members} is too large: a team has at most {most} players")]
    PartyTooLarge {
        /// Its size.
        members: usize,
        /// The largest that could be seated.
        most: usize,
    },
    /// A property that the mode does not take, or whose value is a list, an object or a long text.
    #[error("the mode takes no property \"{0}\", or not with that value")]
    BadProperty(String),
    /// No ready check with that number asks this user.
    #[error("no ready check {0} asks you, or it is over")]
    UnknownCheck(CheckId),
}

impl QueueError {
    /// The code that clients are told.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownGame(_) => ErrorCode::UnknownGame,
            Self::UnknownMode { .. } => ErrorCode::UnknownMode,
            Self::AlreadyQueued(_) => ErrorCode::AlreadyQueued,
            Self::NotQueued => ErrorCode::NotQueued,
            Self::PartyTooLarge { .. } => ErrorCode::PartyTooLarge,
            Self::BadProperty(_) => ErrorCode::BadRequest,
            Self::UnknownCheck(_) => ErrorCode::UnknownCheck,
        }
    }
}
