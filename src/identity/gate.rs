//! The gate: tokens, guests, the host's own check and the block list, asked in this order.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use tokio::time::timeout;

#[cfg(feature = "jwt")]
use super::jwt::Jwt;
use super::{
    blocks::{BlockStore, Blocks},
    error::IdentityError,
    guest::GuestKey,
    hook::{Checked, Hook, Person},
};
use crate::lobby::{DisplayName, Identity, UserId};

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

/// Who is let in. Unless told otherwise: guests, and nobody else.
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
    /// Signs guests' tokens with this key; `None` takes no guests.
    #[must_use]
    pub fn guests(mut self, key: Option<GuestKey>) -> Self {
        self.guests = key;
        self
    }

    /// Takes the tokens of an issuer.
    #[cfg(feature = "jwt")]
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

    /// Blocks these people, whatever is kept about them.
    #[must_use]
    pub fn blocked(self, users: impl IntoIterator<Item = UserId>) -> Self {
        self.blocks.always(users);
        self
    }

    /// Looks for blocks elsewhere, too, whenever somebody comes. `known` is who is blocked there now.
    #[must_use]
    pub fn block_store(mut self, kept: Arc<dyn BlockStore>, known: impl IntoIterator<Item = UserId>) -> Self {
        self.blocks.keep(kept, known);
        self
    }

    /// Says who somebody is. Whether they are let in, [`permit`](Self::permit) says.
    ///
    /// # Errors
    ///
    /// If their token is not good, or they have none and need one.
    pub async fn identify(&self, credentials: Credentials) -> Result<Identity, IdentityError> {
        let name = credentials.name.as_deref().map(DisplayName::parse).transpose()?;
        let identity = match &credentials.token {
            Some(token) => self.recognise(token, name).await?,
            None => Identity::guest(name, &mut rand::rng()),
        };
        if identity.guest && self.guests.is_none() { Err(IdentityError::AuthRequired) } else { Ok(identity) }
    }

    /// Lets somebody in.
    ///
    /// # Errors
    ///
    /// If they are blocked, or the host's own check says no.
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
            return Err(IdentityError::BadToken("the subject of the token is a guest's id"));
        }
        let name = person.name.or(name).unwrap_or_else(|| DisplayName::guest(&mut rand::rng()));
        Ok(Identity { user: person.user, name, guest: false })
    }

    fn verify_with_issuer(&self, token: &str) -> Result<Person, IdentityError> {
        #[cfg(feature = "jwt")]
        if let Some(jwt) = &self.jwt {
            return jwt.verify(token);
        }
        // Without the feature there is nobody to ask.
        let _ = token;
        Err(IdentityError::BadToken("this is no token of this server's"))
    }

    /// Puts somebody on the block list. False if they are on it.
    pub fn block(&self, user: &UserId) -> bool {
        self.blocks.set(user, true)
    }

    /// Takes somebody off the block list. False if they are not on it.
    pub fn unblock(&self, user: &UserId) -> bool {
        self.blocks.set(user, false)
    }

    /// Looks whether somebody was blocked, or let in again, elsewhere. True if they are blocked now and were not before.
    pub async fn refresh_block(&self, user: &UserId) -> bool {
        self.blocks.refresh(user).await
    }

    /// Refuses somebody on the block list.
    pub fn check_blocked(&self, user: &UserId) -> Result<(), IdentityError> {
        if self.blocks.contains(user) { Err(IdentityError::Blocked) } else { Ok(()) }
    }
}

async fn within<T>(check: Checked<'_, T>) -> Result<T, IdentityError> {
    timeout(HOOK_TIMEOUT, check).await.unwrap_or(Err(IdentityError::Unavailable))
}
