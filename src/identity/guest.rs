//! Guests: people without an account, who keep their id as long as they keep their token.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Serialize};

use super::error::IdentityError;
use crate::lobby::{DisplayName, Identity, UserId};

/// How long a token is good that is not used; each connection gets a fresh one.
const LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Tells these tokens from all others.
const AUDIENCE: &str = "tickcast-guest";

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    sub: UserId,
    name: String,
    exp: u64,
}

/// The key that signs guests' tokens.
pub struct GuestKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl GuestKey {
    /// A key that dies with the process, and with it its guests.
    pub fn random() -> Self {
        Self::new(&rand::random())
    }

    /// A key that was kept.
    pub fn new(secret: &[u8; 32]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        Self { encoding: EncodingKey::from_secret(secret), decoding: DecodingKey::from_secret(secret), validation }
    }

    /// A token for a guest.
    pub(super) fn sign(&self, guest: &Identity) -> String {
        self.sign_until(guest, jsonwebtoken::get_current_timestamp() + LIFE.as_secs())
    }

    pub(super) fn sign_until(&self, guest: &Identity, exp: u64) -> String {
        let claims = Claims { aud: AUDIENCE.to_owned(), sub: guest.user.clone(), name: guest.name.to_string(), exp };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .expect("claims of text and numbers always encode")
    }

    /// Whom a token names; `None` if this key never signed it.
    pub(super) fn verify(&self, token: &str) -> Option<Result<Identity, IdentityError>> {
        match jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation) {
            Ok(token) => {
                let Claims { sub, name, .. } = token.claims;
                let name = DisplayName::parse(&name).ok()?;
                sub.is_guest().then_some(Ok(Identity { user: sub, name, guest: true }))
            }
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => Some(Err(IdentityError::Expired)),
            Err(_) => None,
        }
    }
}
