//! Why somebody is refused.

use thiserror::Error;

use crate::{lobby::NameError, protocol::ErrorCode};

/// Why somebody was not let in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// No token, or only a guest's, where guests are not taken.
    #[error("this server takes no guests, a token is needed")]
    AuthRequired,
    /// The token is not good, and why.
    #[error("{0}")]
    BadToken(&'static str),
    /// The token was good once.
    #[error("this token has expired, ask for a new one")]
    Expired,
    /// On the block list, or turned away by the host's own check.
    #[error("you are blocked on this server")]
    Blocked,
    /// The name may not be shown.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The host's own check did not answer.
    #[error("the check of tokens does not answer, try again later")]
    Unavailable,
}

impl IdentityError {
    /// The code that clients are told.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::AuthRequired => ErrorCode::AuthRequired,
            Self::BadToken(_) => ErrorCode::BadToken,
            Self::Expired => ErrorCode::TokenExpired,
            Self::Blocked => ErrorCode::Blocked,
            Self::Name(_) => ErrorCode::BadName,
            Self::Unavailable => ErrorCode::Internal,
        }
    }
}
