//! The gate: identifies users by token and admits or refuses them.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use tokio::time::timeout;

#[cfg(feature = "jwt")]
use super::jwt::Jwt;
use super::{
    blocks::{BlockStore, Blocks},
    error::IdentityError,
    guest::GuestKey,
    hook::{Hook, HookFuture, VerifiedUser},
};
use crate::lobby::{DisplayName, Identity, UserId};

/// Timeout of the host's hook.
const HOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// The `auth` of a connection.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Credentials {
    /// A token of an issuer or hook, or the token of a returning guest.
    pub token: Option<String>,
    /// The display name that the client asks for.
    pub name: Option<String>,
}

/// A user whom the gate admitted.
#[non_exhaustive]
pub struct Admitted {
    /// The user.
    pub identity: Identity,
    /// A fresh token for a guest to return with.
    pub token: Option<String>,
}

/// Decides which users are admitted. By default only guests are.
pub struct Gate {
    guests: Option<GuestKey>,
    #[cfg(feature = "jwt")]
    jwt: Option<Jwt>,
    hook: Option<Arc<dyn Hook>>,
    blocks: Blocks,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            guests: Some(GuestKey::random()),
            #[cfg(feature = "jwt")]
            jwt: None,
            hook: None,
            blocks: Blocks::default(),
        }
    }
}

impl Gate {
    /// Signs guests' tokens with this key; `None` refuses guests.
    #[must_use]
    pub fn guests(mut self, key: Option<GuestKey>) -> Self {
        self.guests = key;
        self
    }

    /// Accepts the tokens of an issuer.
    #[cfg(feature = "jwt")]
    #[must_use]
    pub fn jwt(mut self, jwt: Option<Jwt>) -> Self {
        self.jwt = jwt;
        self
    }

    /// Adds the host's own check.
    #[must_use]
    pub fn hook(mut self, hook: Option<Arc<dyn Hook>>) -> Self {
        self.hook = hook;
        self
    }

    /// Blocks these users, whatever the block store says.
    #[must_use]
    pub fn blocked(self, users: impl IntoIterator<Item = UserId>) -> Self {
        self.blocks.always(users);
        self
    }

    /// Asks a block store about each user who connects. `known` is its list now.
    #[must_use]
    pub fn block_store(mut self, kept: Arc<dyn BlockStore>, known: impl IntoIterator<Item = UserId>) -> Self {
        self.blocks.keep(kept, known);
        self
    }

    /// Identifies a user, who is then to pass [`permit`](Self::permit).
    ///
    /// # Errors
    ///
    /// If the token or the name is invalid, or there is no token and guests are refused.
    pub async fn identify(&self, credentials: Credentials) -> Result<Identity, IdentityError> {
        let name = credentials.name.as_deref().map(DisplayName::parse).transpose()?;
        let identity = match &credentials.token {
            Some(token) => self.recognise(token, name).await?,
            None => Identity::guest(name, &mut rand::rng()),
        };
        if identity.guest && self.guests.is_none() { Err(IdentityError::AuthRequired) } else { Ok(identity) }
    }

    /// Admits a user.
    ///
    /// # Errors
    ///
    /// If the user is blocked, or the hook refuses them.
    pub async fn permit(&self, identity: Identity) -> Result<Admitted, IdentityError> {
        self.check_blocked(&identity.user)?;
        if let Some(hook) = &self.hook {
            within(hook.permit(&identity)).await?;
        }
        let token = self.guests.as_ref().filter(|_| identity.guest).map(|key| key.sign(&identity));
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
        let person = match person {
            Some(person) => person,
            None => self.verify_with_issuer(token)?,
        };
        if person.user.is_guest() {
            return Err(IdentityError::BadToken("the token's `sub` is the id of a guest"));
        }
        let name = person.name.or(name).unwrap_or_else(|| DisplayName::guest(&mut rand::rng()));
        Ok(Identity { user: person.user, name, guest: false, address: None })
    }

    fn verify_with_issuer(&self, token: &str) -> Result<VerifiedUser, IdentityError> {
        #[cfg(feature = "jwt")]
        if let Some(jwt) = &self.jwt {
            return jwt.verify(token);
        }
        #[cfg(not(feature = "jwt"))]
        let _ = token;
        Err(IdentityError::BadToken("this server did not issue the token and does not know its issuer"))
    }

    /// Puts a user on the block list. Returns `false` if they are already on it.
    pub fn block(&self, user: &UserId) -> bool {
        self.blocks.set(user, true)
    }

    /// Takes a user off the block list. Returns `false` if they are not on it.
    pub fn unblock(&self, user: &UserId) -> bool {
        self.blocks.set(user, false)
    }

    /// Asks the block store about a user. Returns `true` if they are blocked now and were not before.
    pub async fn refresh_block(&self, user: &UserId) -> bool {
        self.blocks.refresh(user).await
    }

    /// Checks a user against the block list.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Blocked`] if they are on it.
    pub fn check_blocked(&self, user: &UserId) -> Result<(), IdentityError> {
        if self.blocks.contains(user) { Err(IdentityError::Blocked) } else { Ok(()) }
    }
}

async fn within<T>(check: HookFuture<'_, T>) -> Result<T, IdentityError> {
    timeout(HOOK_TIMEOUT, check).await.unwrap_or(Err(IdentityError::Unavailable))
}
