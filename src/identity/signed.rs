//! Tokens of this server's own: JSON Web Tokens, signed by HS256 with a secret that never leaves the process or its folder.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, Mac};
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;

/// `{"typ":"JWT","alg":"HS256"}`. A token with any other header is refused, so no token can choose its algorithm.
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";

/// Signs claims and verifies them. Expiry and audience are for the caller to check.
pub(crate) struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes a key of any length"))
    }

    /// The token `header.claims.signature`.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> String {
        let claims = serde_json::to_vec(claims).expect("claims of text and numbers always encode");
        let signed = format!("{HEADER}.{}", BASE64.encode(claims));
        let signature = self.0.clone().chain_update(&signed).finalize().into_bytes();
        format!("{signed}.{}", BASE64.encode(signature))
    }

    /// The claims of a token that this key signed.
    pub(crate) fn verify<T: DeserializeOwned>(&self, token: &str) -> Option<T> {
        let (signed, signature) = token.rsplit_once('.')?;
        let claims = signed.strip_prefix(HEADER)?.strip_prefix('.')?;
        let signature = BASE64.decode(signature).ok()?;
        // Compares in constant time.
        self.0.clone().chain_update(signed).verify_slice(&signature).ok()?;
        serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()
    }
}

/// The time now, in seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "tokens expire by the wall clock")]
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;

    const SECRET: [u8; 32] = [7; 32];

    #[test]
    fn tokens_are_those_of_a_jwt_library() {
        let (key, claims) = (SigningKey::new(&SECRET), json!({"sub": "ada", "exp": unix_seconds() + 60}));
        let theirs = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&SECRET)).unwrap();
        assert_eq!(key.sign(&claims), theirs);
        assert_eq!(key.verify::<Json>(&theirs), Some(claims.clone()));
        let validation = Validation::new(Algorithm::HS256);
        let ours = jsonwebtoken::decode::<Json>(&key.sign(&claims), &DecodingKey::from_secret(&SECRET), &validation);
        assert_eq!(ours.unwrap().claims, claims);
    }

    #[test]
    fn a_token_with_another_key_or_header_is_refused() {
        let (key, claims) = (SigningKey::new(&SECRET), json!({"sub": "ada"}));
        assert_eq!(SigningKey::new(&[8; 32]).verify::<Json>(&key.sign(&claims)), None);
        for algorithm in [Algorithm::HS384, Algorithm::HS512] {
            let token = jsonwebtoken::encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(&SECRET)).unwrap();
            assert_eq!(key.verify::<Json>(&token), None, "{algorithm:?}");
        }
    }

    proptest! {
        #[test]
        fn a_token_with_a_changed_letter_is_refused(at in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_.=-]") {
            let key = SigningKey::new(&SECRET);
            let mut token = key.sign(&json!({"sub": "ada"}));
            let at = at.index(token.len());
            prop_assume!(token[at..=at] != letter);
            token.replace_range(at..=at, &letter);
            prop_assert_eq!(key.verify::<Json>(&token), None);
        }

        #[test]
        fn no_text_panics(token in "\\PC{0,200}") {
            prop_assert_eq!(SigningKey::new(&SECRET).verify::<Json>(&token), None);
        }
    }
}
