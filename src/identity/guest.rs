//! Guests: people without an account, who keep their id as long as they keep their token.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    error::IdentityError,
    signed::{SigningKey, unix_seconds},
};
use crate::lobby::{DisplayName, Identity, UserId};

/// Lifetime of a token. Each connection gets a fresh one.
const LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Distinguishes guests' tokens from all others.
const AUDIENCE: &str = "tickcast-guest";

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    sub: UserId,
    name: String,
    exp: u64,
}

/// The key that signs guests' tokens.
pub struct GuestKey(SigningKey);

impl GuestKey {
    /// Makes a key that is lost with the process. Guests of an earlier process then become new guests.
    pub fn random() -> Self {
        Self::new(&rand::random())
    }

    /// Takes a key from where the host keeps it, so that guests survive a restart.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(SigningKey::new(secret))
    }

    /// A token for a guest, valid for 90 days.
    pub(super) fn sign(&self, guest: &Identity) -> String {
        self.sign_until(guest, unix_seconds() + LIFE.as_secs())
    }

    /// A token that is valid until a time in seconds since 1970.
    pub(super) fn sign_until(&self, guest: &Identity, exp: u64) -> String {
        self.0.sign(&Claims { aud: AUDIENCE.to_owned(), sub: guest.user.clone(), name: guest.name.to_string(), exp })
    }

    /// The guest that a token names; `None` if this key did not sign it.
    pub(super) fn verify(&self, token: &str) -> Option<Result<Identity, IdentityError>> {
        let Claims { aud, sub, name, exp } = self.0.verify(token)?;
        if aud != AUDIENCE || !sub.is_guest() {
            return None;
        }
        if exp < unix_seconds() {
            return Some(Err(IdentityError::Expired));
        }
        // The rules for names may have changed since the token was signed. The guest keeps their id all the same.
        let name = DisplayName::parse(&name).unwrap_or_else(|_| DisplayName::guest(&mut rand::rng()));
        Some(Ok(Identity { user: sub, name, guest: true, address: None }))
    }
}
