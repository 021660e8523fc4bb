//! Identity: who is let in, and as whom.
//!
//! This room knows tokens, guests, a host's own checks and the block list. It refuses to know sockets and rooms.

mod guest;
mod hook;
mod jwt;

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use serde::Deserialize;
use thiserror::Error;
use tokio::time::timeout;

pub use self::{
    guest::GuestKey,
    hook::{Checked, Hook, Person},
    jwt::{Jwt, KeyError},
};
use crate::{
    lobby::{DisplayName, Identity, NameError, UserId},
    protocol::ErrorCode,
};

/// How long a host's own check may take.
const HOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// What somebody shows at the gate: `auth` of a connection.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Credentials {
    /// A token of the host's, or of a guest who comes back.
    pub token: Option<String>,
    /// The display name that a guest would like.
    pub name: Option<String>,
}

/// Somebody whom the gate let in.
pub struct Admitted {
    /// Who it is.
    pub identity: Identity,
    /// A guest's token, to come back with.
    pub token: Option<String>,
}

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

/// Who is let in. Unless told otherwise: guests, and nobody else.
pub struct Gate {
    guests: Option<GuestKey>,
    jwt: Option<Jwt>,
    hook: Option<Arc<dyn Hook>>,
    blocked: RwLock<HashSet<UserId>>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { guests: Some(GuestKey::random()), jwt: None, hook: None, blocked: RwLock::default() }
    }
}

impl Gate {
    /// Signs guests' tokens with this key; `None` takes no guests.
    #[must_use]
    pub fn guests(mut self, key: Option<GuestKey>) -> Self {
        self.guests = key;
        self
    }

    /// Takes the tokens of an issuer.
    #[must_use]
    pub fn jwt(mut self, jwt: Option<Jwt>) -> Self {
        self.jwt = jwt;
        self
    }

    /// Asks the host's own check.
    #[must_use]
    pub fn hook(mut self, hook: Option<Arc<dyn Hook>>) -> Self {
        self.hook = hook;
        self
    }

    /// Says who somebody is.
    ///
    /// # Errors
    ///
    /// If they are not let in.
    pub async fn admit(&self, credentials: Credentials) -> Result<Admitted, IdentityError> {
        let name = credentials.name.as_deref().map(DisplayName::parse).transpose()?;
        let identity = match &credentials.token {
            Some(token) => self.recognise(token, name).await?,
            None => Identity::guest(name, &mut rand::rng()),
        };
        let token = match &self.guests {
            Some(key) if identity.guest => Some(key.sign(&identity)),
            None if identity.guest => return Err(IdentityError::AuthRequired),
            _ => None,
        };
        self.check_blocked(&identity.user)?;
        if let Some(hook) = &self.hook {
            within(hook.permit(&identity)).await?;
        }
        Ok(Admitted { identity, token })
    }

    async fn recognise(&self, token: &str, name: Option<DisplayName>) -> Result<Identity, IdentityError> {
        if let Some(guest) = self.guests.as_ref().and_then(|key| key.verify(token)) {
            let guest = guest?;
            return Ok(Identity { name: name.unwrap_or(guest.name), ..guest });
        }
        let mut person = None;
        if let Some(hook) = &self.hook {
            person = within(hook.recognise(token)).await?;
        }
        let person = match (person, &self.jwt) {
            (Some(person), _) => person,
            (None, Some(jwt)) => jwt.verify(token)?,
            (None, None) => return Err(IdentityError::BadToken("this is no token of this server's")),
        };
        if person.user.is_guest() {
            return Err(IdentityError::BadToken("the subject of the token is a guest's id"));
        }
        let name = person.name.or(name).unwrap_or_else(|| DisplayName::guest(&mut rand::rng()));
        Ok(Identity { user: person.user, name, guest: false })
    }

    /// Puts somebody on the block list. False if they are on it.
    pub fn block(&self, user: &UserId) -> bool {
        self.blocked.write().unwrap_or_else(PoisonError::into_inner).insert(user.clone())
    }

    /// Takes somebody off the block list. False if they are not on it.
    pub fn unblock(&self, user: &UserId) -> bool {
        self.blocked.write().unwrap_or_else(PoisonError::into_inner).remove(user)
    }

    /// Refuses somebody on the block list.
    pub fn check_blocked(&self, user: &UserId) -> Result<(), IdentityError> {
        let blocked = self.blocked.read().unwrap_or_else(PoisonError::into_inner);
        if blocked.contains(user) { Err(IdentityError::Blocked) } else { Ok(()) }
    }
}

async fn within<T>(check: Checked<'_, T>) -> Result<T, IdentityError> {
    timeout(HOOK_TIMEOUT, check).await.unwrap_or(Err(IdentityError::Unavailable))
}

#[cfg(test)]
mod tests;
