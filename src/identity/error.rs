//! Why a user is refused.

use thiserror::Error;

use crate::{lobby::NameError, protocol::ErrorCode};

/// Why a user was refused.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// There is no token, or only a guest's, and guests are refused.
    #[error("this server does not admit guests, sign in with a token")]
    AuthRequired,
    /// The token is invalid, for this reason.
    #[error("{0}")]
    BadToken(&'static str),
    /// The token has expired.
    #[error("this token has expired, ask for a new one")]
    Expired,
    /// The user is on the block list, or the host's hook refused them.
    #[error("you are blocked on this server")]
    Blocked,
    /// The display name is invalid.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The host's hook did not answer in time.
    #[error("the server cannot check tokens now, try again later")]
    Unavailable,
}

impl IdentityError {
    /// The error code for clients.
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
