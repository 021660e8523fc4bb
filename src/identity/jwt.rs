//! JSON Web Tokens of a host: one issuer, whose algorithm is fixed by the key that was configured.

use std::time::Duration;

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use thiserror::Error;

use super::{error::IdentityError, hook::Person};
use crate::lobby::{DisplayName, UserId};

/// The least bytes of a secret: as many as the signature has.
const SECRET_BYTES: usize = 32;

/// How far the clocks of issuer and server may be apart, unless set.
const LEEWAY: Duration = Duration::from_secs(10);

/// Why a key cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// A secret that could be guessed.
    #[error("a secret for HS256 has at least {SECRET_BYTES} bytes, this one has {0}")]
    ShortSecret(usize),
    /// Neither an RSA nor an Ed25519 public key in PEM.
    #[error("this is no public key in PEM, of RSA or Ed25519")]
    Pem,
    /// No JWKS.
    #[error("this is no JSON Web Key Set: {0}")]
    Jwks(#[from] serde_json::Error),
    /// A JWKS without a key for HS256, RS256 or EdDSA.
    #[error("the JSON Web Key Set has no key for signatures by HS256, RS256 or EdDSA")]
    NoKey,
}

/// A key, with the one algorithm that it is good for.
struct Key {
    id: Option<String>,
    key: DecodingKey,
    validation: Validation,
}

/// An issuer whose tokens are taken: its keys, and what its tokens must say.
pub struct Jwt {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Claims {
    // Whether it is there, the validation says.
    #[serde(default)]
    sub: String,
    name: Option<String>,
}

impl Jwt {
    /// Tokens signed by HS256 with a shared secret.
    ///
    /// # Errors
    ///
    /// If the secret has less than 32 bytes.
    pub fn hs256(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < SECRET_BYTES {
            return Err(KeyError::ShortSecret(secret.len()));
        }
        Ok(Self::of(vec![Key::new(None, DecodingKey::from_secret(secret), Algorithm::HS256)]))
    }

    /// Tokens signed with the other half of a public key in PEM: RS256 for an RSA key, EdDSA for an Ed25519 key.
    ///
    /// # Errors
    ///
    /// If it is neither.
    pub fn public_key(pem: &[u8]) -> Result<Self, KeyError> {
        // The library takes a private key for a public one, with which nothing verifies.
        if pem.windows(7).any(|word| word == b"PRIVATE") {
            return Err(KeyError::Pem);
        }
        let rsa = DecodingKey::from_rsa_pem(pem).map(|key| Key::new(None, key, Algorithm::RS256));
        let key = rsa.or_else(|_| DecodingKey::from_ed_pem(pem).map(|key| Key::new(None, key, Algorithm::EdDSA)));
        Ok(Self::of(vec![key.map_err(|_| KeyError::Pem)?]))
    }

    /// Tokens signed with a key of a JSON Web Key Set. A token names its key by `kid`; it may leave that out if there is one key.
    /// Keys for other algorithms than HS256, RS256 and EdDSA are left out.
    ///
    /// # Errors
    ///
    /// If it is no such set, or no key is left.
    pub fn jwks(json: &[u8]) -> Result<Self, KeyError> {
        let set: JwkSet = serde_json::from_slice(json)?;
        let keys: Vec<Key> = set.keys.iter().filter_map(Key::of_jwk).collect();
        if keys.is_empty() { Err(KeyError::NoKey) } else { Ok(Self::of(keys)) }
    }

    fn of(keys: Vec<Key>) -> Self {
        Self { keys }
    }

    /// Takes only tokens whose `iss` is this.
    #[must_use]
    pub fn issuer(self, issuer: &str) -> Self {
        self.with(|validation| {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        })
    }

    /// Takes only tokens whose `aud` is or has this. Without it, tokens that are meant for somebody are refused.
    #[must_use]
    pub fn audience(self, audience: &str) -> Self {
        self.with(|validation| {
            validation.set_audience(&[audience]);
            validation.required_spec_claims.insert("aud".to_owned());
        })
    }

    /// How far the clocks may be apart; 10 s unless set.
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Self {
        self.with(|validation| validation.leeway = leeway.as_secs())
    }

    fn with(mut self, change: impl Fn(&mut Validation)) -> Self {
        self.keys.iter_mut().for_each(|key| change(&mut key.validation));
        self
    }

    /// Whom a token names.
    pub(super) fn verify(&self, token: &str) -> Result<Person, IdentityError> {
        let header = jsonwebtoken::decode_header(token).map_err(|error| refusal(error.kind()))?;
        let key = match (&self.keys[..], &header.kid) {
            ([key], None) => Some(key),
            ([key], Some(id)) if key.id.as_ref().is_none_or(|own| own == id) => Some(key),
            (keys, Some(id)) => keys.iter().find(|key| key.id.as_ref() == Some(id)),
            _ => None,
        };
        let key = key.ok_or(IdentityError::BadToken("the token is signed with a key that this server does not know"))?;
        let token = jsonwebtoken::decode::<Claims>(token, &key.key, &key.validation);
        let Claims { sub, name } = token.map_err(|error| refusal(error.kind()))?.claims;
        let user = UserId::parse(&sub)
            .ok_or(IdentityError::BadToken("the token's `sub` is no user's id: 1 to 64 printable ASCII characters"))?;
        Ok(Person { user, name: name.as_deref().map(DisplayName::parse).transpose()? })
    }
}

impl Key {
    fn new(id: Option<String>, key: DecodingKey, algorithm: Algorithm) -> Self {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY.as_secs();
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "sub"]);
        Self { id, key, validation }
    }

    fn of_jwk(jwk: &Jwk) -> Option<Self> {
        let (algorithm, named) = match &jwk.algorithm {
            AlgorithmParameters::OctetKey(_) => (Algorithm::HS256, KeyAlgorithm::HS256),
            AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
            AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
                (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
            }
            _ => return None,
        };
        let common = &jwk.common;
        let signs = common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
        if !signs || common.key_algorithm.is_some_and(|own| own != named) {
            return None;
        }
        let key = DecodingKey::from_jwk(jwk).ok()?;
        // The library relies on the length of an Ed25519 key.
        let fits = match algorithm {
            Algorithm::EdDSA => key.as_bytes().len() == 32,
            Algorithm::HS256 => key.as_bytes().len() >= SECRET_BYTES,
            _ => true,
        };
        fits.then(|| Self::new(common.key_id.clone(), key, algorithm))
    }
}

fn refusal(kind: &ErrorKind) -> IdentityError {
    IdentityError::BadToken(match kind {
        ErrorKind::ExpiredSignature => return IdentityError::Expired,
        ErrorKind::InvalidSignature => "the signature of the token does not fit",
        ErrorKind::InvalidIssuer => "the token is of another issuer",
        ErrorKind::InvalidAudience => "the token is meant for somebody else",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidAlgorithm => "the token is signed by an algorithm that this server does not take",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks a claim that this server wants: `sub`, `exp`, `iss` or `aud`",
        _ => "this is no token of this server's",
    })
}
