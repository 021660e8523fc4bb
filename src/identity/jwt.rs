//! JSON Web Tokens of one issuer. The configured key fixes the algorithm; a token cannot choose it.

use std::{borrow::Cow, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, crypto,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::{error::IdentityError, hook::VerifiedUser};
use crate::lobby::{DisplayName, UserId};

/// Least length of a secret: that of the signature.
const SECRET_BYTES: usize = 32;

/// Default tolerance between the clocks of issuer and server.
const LEEWAY: Duration = Duration::from_secs(10);

/// Why a key cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The secret is too short, so it could be guessed.
    #[error("the secret for HS256 has {0} bytes, it needs at least {SECRET_BYTES}")]
    ShortSecret(usize),
    /// The text is not an RSA or Ed25519 public key in PEM.
    #[error("not a public key in PEM, RSA or Ed25519")]
    Pem,
    /// The text is not a JWKS.
    #[error("not a JSON Web Key Set: {0}")]
    Jwks(#[from] serde_json::Error),
    /// The JWKS has no key for HS256, RS256 or EdDSA.
    #[error("the JSON Web Key Set has no key for signatures by HS256, RS256 or EdDSA")]
    NoKey,
}

/// A key and the one algorithm that it verifies.
struct Key {
    id: Option<String>,
    key: DecodingKey,
    validation: Validation,
}

/// An issuer of tokens: its keys, and the claims that its tokens must have.
///
/// A token must have `sub`, the user's id of 1 to 64 printable ASCII characters, and `exp`; it may have `name` and `nbf`. A `name` is
/// a display name: characters that are not allowed are left out, and it is cut to 24 characters. If nothing is left, the user has the
/// name that the client asks for, or a made-up one.
///
/// Ed25519 signatures have the algorithm `EdDSA` or, by RFC 9864, `Ed25519`.
///
/// A second call of a method replaces its value: there is one issuer and one audience.
///
/// # Examples
///
/// ```
/// use tickcast::identity::Jwt;
///
/// let secret = [7; 32];
/// let jwt = Jwt::hs256(&secret)?.issuer("https://example.org").audience("my-game");
/// # Ok::<(), tickcast::identity::KeyError>(())
/// ```
pub struct Jwt {
    keys: Vec<Key>,
}

/// The claims that name the user. They may have any type, so that a message can say which one is wrong.
#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    sub: Value,
    #[serde(default)]
    name: Value,
}

/// A JSON Web Key Set, whose keys are looked at one by one.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl Jwt {
    /// Accepts tokens signed with HS256 and a shared secret.
    ///
    /// # Errors
    ///
    /// If the secret has fewer than 32 bytes.
    pub fn hs256(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < SECRET_BYTES {
            return Err(KeyError::ShortSecret(secret.len()));
        }
        Ok(Self::of(vec![Key::new(None, DecodingKey::from_secret(secret), Algorithm::HS256)]))
    }

    /// Accepts tokens that a public key in PEM verifies: RS256 for an RSA key, EdDSA for an Ed25519 key.
    ///
    /// # Errors
    ///
    /// If the text is neither, or holds a private key.
    pub fn public_key(pem: &[u8]) -> Result<Self, KeyError> {
        // The library accepts a private key here, and then verifies nothing with it.
        if pem.windows(7).any(|word| word == b"PRIVATE") {
            return Err(KeyError::Pem);
        }
        let rsa = DecodingKey::from_rsa_pem(pem).map(|key| Key::new(None, key, Algorithm::RS256));
        let key = rsa.or_else(|_| DecodingKey::from_ed_pem(pem).map(|key| Key::new(None, key, Algorithm::EdDSA)));
        Ok(Self::of(vec![key.map_err(|_| KeyError::Pem)?]))
    }

    /// Accepts tokens that a key of a JSON Web Key Set verifies.
    ///
    /// A token names its key by `kid`, which is optional if the set has one usable key. Keys of an unknown kind, without a required
    /// member, or for algorithms other than HS256, RS256 and EdDSA are left out and logged (RFC 7517, section 5).
    ///
    /// # Errors
    ///
    /// If the JSON is not a key set, or has no usable key.
    pub fn jwks(json: &[u8]) -> Result<Self, KeyError> {
        let set: KeySet = serde_json::from_slice(json)?;
        let keys: Vec<Key> = set.keys.into_iter().filter_map(Key::of_set).collect();
        if keys.is_empty() { Err(KeyError::NoKey) } else { Ok(Self::of(keys)) }
    }

    fn of(keys: Vec<Key>) -> Self {
        Self { keys }
    }

    /// Requires this `iss`.
    #[must_use]
    pub fn issuer(self, issuer: &str) -> Self {
        self.with(|validation| {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        })
    }

    /// Requires this `aud`, alone or in a list. Without this call, tokens with an `aud` are refused.
    #[must_use]
    pub fn audience(self, audience: &str) -> Self {
        self.with(|validation| {
            validation.set_audience(&[audience]);
            validation.required_spec_claims.insert("aud".to_owned());
        })
    }

    /// Sets the tolerance between the clocks of issuer and server, 10 s by default.
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Self {
        self.with(|validation| validation.leeway = leeway.as_secs())
    }

    fn with(mut self, change: impl Fn(&mut Validation)) -> Self {
        self.keys.iter_mut().for_each(|key| change(&mut key.validation));
        self
    }

    /// Verifies a token and returns its user.
    pub(super) fn verify(&self, token: &str) -> Result<VerifiedUser, IdentityError> {
        let token = Signed::new(token);
        let header = jsonwebtoken::decode_header(&*token.known).map_err(|error| refusal(error.kind()))?;
        let key = match (&self.keys[..], &header.kid) {
            ([key], None) => Some(key),
            ([key], Some(id)) if key.id.as_ref().is_none_or(|own| own == id) => Some(key),
            (keys, Some(id)) => keys.iter().find(|key| key.id.as_ref() == Some(id)),
            _ => None,
        };
        let key = key.ok_or(IdentityError::BadToken("the token names a signing key that this server does not know"))?;
        let Claims { sub, name } = token.claims(key)?;
        let user = match sub {
            Value::String(sub) => UserId::parse(&sub),
            Value::Null => return Err(IdentityError::BadToken("the token lacks the claim `sub`, the user's id")),
            _ => return Err(IdentityError::BadToken("the token's `sub` must be a text, like \"42\" and not 42")),
        };
        let user =
            user.ok_or(IdentityError::BadToken("the token's `sub` is not a user id: 1 to 64 printable ASCII characters"))?;
        Ok(VerifiedUser { user, name: name.as_str().and_then(DisplayName::fitted) })
    }
}

/// A token, and the same with names of algorithms that `jsonwebtoken` knows.
struct Signed<'a> {
    sent: &'a str,
    known: Cow<'a, str>,
}

impl<'a> Signed<'a> {
    /// RFC 9864 gives EdDSA with the curve Ed25519 the name `Ed25519`.
    fn new(sent: &'a str) -> Self {
        let renamed = || {
            let (header, rest) = sent.split_once('.')?;
            let mut header: serde_json::Map<String, Value> =
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
            let algorithm = header.get_mut("alg").filter(|name| *name == "Ed25519")?;
            *algorithm = "EdDSA".into();
            let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).ok()?);
            Some(format!("{header}.{rest}"))
        };
        Self { sent, known: renamed().map_or(Cow::Borrowed(sent), Cow::Owned) }
    }

    /// Checks the signature and the claims.
    fn claims(&self, key: &Key) -> Result<Claims, IdentityError> {
        let wrong = |error: jsonwebtoken::errors::Error| match error.kind() {
            ErrorKind::Json(_) => IdentityError::BadToken("the token's claims are not a JSON object, or one has the wrong type"),
            kind => refusal(kind),
        };
        let mut validation = key.validation.clone();
        if let Cow::Owned(_) = self.known {
            if !validation.algorithms.contains(&Algorithm::EdDSA) {
                return Err(refusal(&ErrorKind::InvalidAlgorithm));
            }
            // The signature is over the header as it was sent.
            let (message, signature) = self.sent.rsplit_once('.').ok_or_else(|| refusal(&ErrorKind::InvalidToken))?;
            if !crypto::verify(signature, message.as_bytes(), &key.key, Algorithm::EdDSA).map_err(wrong)? {
                return Err(refusal(&ErrorKind::InvalidSignature));
            }
            #[expect(deprecated, reason = "the signature has been checked; the claims still have to be")]
            validation.insecure_disable_signature_validation();
        }
        Ok(jsonwebtoken::decode::<Claims>(&*self.known, &key.key, &validation).map_err(wrong)?.claims)
    }
}

impl Key {
    fn new(id: Option<String>, key: DecodingKey, algorithm: Algorithm) -> Self {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY.as_secs();
        validation.validate_nbf = true;
        // `verify` looks at `sub` itself, so that it can say what is wrong with it.
        validation.set_required_spec_claims(&["exp"]);
        Self { id, key, validation }
    }

    /// Makes a key of a member of a key set, or says in the log why it is left out.
    fn of_set(mut member: Value) -> Option<Self> {
        // RFC 9864 gives EdDSA with the curve Ed25519 the name `Ed25519`.
        if let Some(algorithm) = member.get_mut("alg").filter(|name| *name == "Ed25519") {
            *algorithm = "EdDSA".into();
        }
        let text = |name: &str| member.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (kid, kty, alg) = (text("kid"), text("kty"), text("alg"));
        let key = serde_json::from_value::<Jwk>(member).ok().and_then(|jwk| Self::of_jwk(&jwk));
        if key.is_none() {
            tracing::warn!(kid, kty, alg, "a key of the JSON Web Key Set is left out: only HS256, RS256 and EdDSA are verified");
        }
        key
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
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        ErrorKind::InvalidIssuer => "the token's `iss` is another issuer",
        ErrorKind::InvalidAudience => "the token's `aud` is another audience",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidAlgorithm => "the token's algorithm is not that of the server's key",
        ErrorKind::InvalidClaimFormat(claim) if claim == "nbf" => "the token's `nbf` must be a number, seconds since 1970",
        ErrorKind::InvalidClaimFormat(_) => "the token's `exp` must be a number, seconds since 1970",
        ErrorKind::MissingRequiredClaim(claim) => match &**claim {
            "exp" => "the token lacks the claim `exp`, a number of seconds since 1970",
            "iss" => "the token lacks the claim `iss`, a text",
            _ => "the token lacks the claim `aud`, a text or a list of texts",
        },
        _ => "this server did not issue the token and does not know its issuer",
    })
}
