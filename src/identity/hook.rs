//! A host's own check of users.

use std::{
    future::{Future, ready},
    pin::Pin,
};

use super::error::IdentityError;
use crate::lobby::{DisplayName, Identity, UserId};

/// The future that a hook returns. After five seconds it is dropped and the user is refused.
pub type HookFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, IdentityError>> + Send + 'a>>;

/// A user whom a token identifies.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedUser {
    /// The user's id.
    pub user: UserId,
    /// The display name; if `None`, the client chooses one.
    pub name: Option<DisplayName>,
}

impl VerifiedUser {
    /// Makes a user whose display name the client chooses.
    pub fn new(user: UserId) -> Self {
        Self { user, name: None }
    }
}

/// A host's own check of users. Both methods default to a no-op.
///
/// # Examples
///
/// ```
/// use tickcast::{
///     identity::{Hook, HookFuture, IdentityError, VerifiedUser},
///     lobby::{Identity, UserId},
/// };
///
/// /// Knows the tokens of a web site, and refuses guests.
/// struct Accounts;
///
/// impl Hook for Accounts {
///     fn recognise<'a>(&'a self, token: &'a str) -> HookFuture<'a, Option<VerifiedUser>> {
///         Box::pin(async move {
///             let user = token.strip_prefix("session-").and_then(UserId::parse); // .. asks the web site
///             Ok(user.map(VerifiedUser::new))
///         })
///     }
///
///     fn permit<'a>(&'a self, identity: &'a Identity) -> HookFuture<'a, ()> {
///         Box::pin(async move { if identity.guest { Err(IdentityError::AuthRequired) } else { Ok(()) } })
///     }
/// }
///
/// let server = tickcast::server().hook(Accounts);
/// ```
pub trait Hook: Send + Sync + 'static {
    /// Identifies the user of a token that is not a guest's. Called before the configured issuer is asked; `Ok(None)` leaves the
    /// token to the issuer.
    ///
    /// # Errors
    ///
    /// If the token is refused.
    fn recognise<'a>(&'a self, token: &'a str) -> HookFuture<'a, Option<VerifiedUser>> {
        let _ = token;
        Box::pin(ready(Ok(None)))
    }

    /// Decides about a user who passed all other checks.
    ///
    /// # Errors
    ///
    /// If the user is refused.
    fn permit<'a>(&'a self, identity: &'a Identity) -> HookFuture<'a, ()> {
        let _ = identity;
        Box::pin(ready(Ok(())))
    }
}
