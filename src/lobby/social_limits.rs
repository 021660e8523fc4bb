//! How much people may do to each other in the lobby, and why a request is refused.

use std::time::Duration;

use thiserror::Error;

use super::{MAX_FOLLOWED, PartyError, TextError, UserId};
use crate::protocol::ErrorCode;

/// The reason why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SocialError {
    /// The text may not be sent.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The party refuses the request.
    #[error(transparent)]
    Party(#[from] PartyError),
    /// The person, or the guests of their address, send messages too fast.
    #[error("too many messages: after a burst of 5, one a second is allowed")]
    TooFast {
        /// The time after which one more is allowed.
        left: Duration,
    },
    /// The person sends too many invitations.
    #[error("too many invitations: try again in {} s", .left.as_secs_f64().ceil())]
    InvitesTooOften {
        /// The time after which one more is allowed.
        left: Duration,
    },
    /// Others write to, or invite, the recipient too often.
    #[error("\"{user}\" has got too many messages or invitations: try again in {} s", .left.as_secs_f64().ceil())]
    RecipientBusy {
        /// The recipient.
        user: UserId,
        /// The time after which one more is allowed.
        left: Duration,
    },
    /// The person blocks as many others as they may.
    #[error("you block {0} people, the most that one person may block")]
    BlocksTooMany(usize),
    /// The channel does not exist, or the person is not in it.
    #[error("there is no such channel, or you are not in it")]
    UnknownChannel,
    /// No other person with this id is present.
    #[error("nobody else with the id \"{0}\" is here, or was here lately")]
    UnknownUser(UserId),
    /// The connection asks to follow more than [`MAX_FOLLOWED`] people.
    #[error("a connection can follow the presence of at most {MAX_FOLLOWED} people")]
    FollowsTooMany,
}

impl SocialError {
    /// Returns the protocol's error code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Text(_) => ErrorCode::BadText,
            Self::Party(PartyError::NotInParty) => ErrorCode::NotInParty,
            Self::Party(PartyError::InParty) => ErrorCode::InParty,
            Self::Party(PartyError::NotLeader) => ErrorCode::NotLeader,
            Self::Party(PartyError::Full) => ErrorCode::PartyFull,
            Self::Party(PartyError::UnknownCode) => ErrorCode::UnknownCode,
            Self::Party(PartyError::UnknownMember) | Self::UnknownUser(_) => ErrorCode::UnknownUser,
            Self::TooFast { .. } | Self::InvitesTooOften { .. } | Self::RecipientBusy { .. } => ErrorCode::RateLimited,
            Self::BlocksTooMany(_) => ErrorCode::QuotaExceeded,
            Self::UnknownChannel => ErrorCode::UnknownChannel,
            Self::FollowsTooMany => ErrorCode::BadRequest,
        }
    }

    /// Returns the time after which the same request may succeed, if that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooFast { left } | Self::InvitesTooOften { left } | Self::RecipientBusy { left, .. } => Some(*left),
            _ => None,
        }
    }
}

/// How much people may do to each other in the lobby.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocialLimits {
    /// The messages a minute of all guests who come from one address. As many may come at once.
    pub messages_per_minute_of_address: u32,
    /// The private messages a minute to one person. As many may come at once.
    pub messages_per_minute_to_person: u32,
    /// The invitations a minute by one person. As many may come at once.
    pub invitations_per_minute_of_person: u32,
    /// The invitations a minute to one person. As many may come at once.
    pub invitations_per_minute_to_person: u32,
    /// The people whom one person may block.
    pub blocks_per_person: usize,
}

impl Default for SocialLimits {
    fn default() -> Self {
        Self {
            messages_per_minute_of_address: 300,
            messages_per_minute_to_person: 120,
            invitations_per_minute_of_person: 20,
            invitations_per_minute_to_person: 20,
            blocks_per_person: 200,
        }
    }
}
