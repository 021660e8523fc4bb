use std::{
    future::{pending, ready},
    sync::{Arc, LazyLock},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp as now};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::lobby::{Identity, UserId};

const SECRET: &[u8] = b"a secret of thirty-two bytes, or so";
const RSA: &[u8] = include_bytes!("../../tests/support/keys/rsa.pem");
const RSA_PUBLIC: &[u8] = include_bytes!("../../tests/support/keys/rsa.pub.pem");
const ED: &[u8] = include_bytes!("../../tests/support/keys/ed25519.pem");
const ED_PUBLIC: &[u8] = include_bytes!("../../tests/support/keys/ed25519.pub.pem");
const JWKS: &[u8] = include_bytes!("../../tests/support/keys/jwks.json");

/// Every way to sign, and the issuer that takes it.
static SIGNERS: LazyLock<[(Algorithm, EncodingKey); 3]> = LazyLock::new(|| {
    [
        (Algorithm::HS256, EncodingKey::from_secret(SECRET)),
        (Algorithm::RS256, EncodingKey::from_rsa_pem(RSA).unwrap()),
        (Algorithm::EdDSA, EncodingKey::from_ed_pem(ED).unwrap()),
    ]
});

fn issuers() -> [Jwt; 3] {
    [Jwt::hs256(SECRET).unwrap(), Jwt::public_key(RSA_PUBLIC).unwrap(), Jwt::public_key(ED_PUBLIC).unwrap()]
}

fn sign(claims: &Json, algorithm: Algorithm, key: &EncodingKey) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, key).unwrap()
}

fn hs256(claims: &Json) -> String {
    sign(claims, Algorithm::HS256, &EncodingKey::from_secret(SECRET))
}

fn ada() -> Json {
    json!({"sub": "ada", "name": "Ada", "exp": now() + 60})
}

/// Ada's claims, with others beside or instead of hers; null takes one away.
fn claims(more: Json) -> Json {
    let mut claims = ada();
    let all = claims.as_object_mut().unwrap();
    all.extend(more.as_object().unwrap().clone());
    all.retain(|_, value| !value.is_null());
    claims
}

fn code<T>(result: Result<T, IdentityError>) -> &'static str {
    result.err().expect("refused").code().as_str()
}

async fn admit(gate: &Gate, credentials: Credentials) -> Result<Admitted, IdentityError> {
    gate.permit(gate.identify(credentials).await?).await
}

fn with(token: &str) -> Credentials {
    Credentials { token: Some(token.to_owned()), name: None }
}

#[test]
fn a_token_is_taken_by_its_own_issuer_alone() {
    for (signer, (algorithm, key)) in SIGNERS.iter().enumerate() {
        let token = sign(&ada(), *algorithm, key);
        for (issuer, jwt) in issuers().iter().enumerate() {
            let person = jwt.verify(&token);
            assert_eq!(person.is_ok(), signer == issuer, "{algorithm:?} at {issuer}: {person:?}");
        }
        let person = issuers()[signer].verify(&token).unwrap();
        assert_eq!((person.user.as_str(), person.name.unwrap().as_str()), ("ada", "Ada"));
    }
}

#[test]
fn a_public_key_is_no_secret() {
    // The old trick: sign by HS256 with what everybody knows, the public key.
    for (public, jwt) in [RSA_PUBLIC, ED_PUBLIC].into_iter().zip(issuers().into_iter().skip(1)) {
        let token = sign(&ada(), Algorithm::HS256, &EncodingKey::from_secret(public));
        assert_eq!(code(jwt.verify(&token)), "bad_token");
    }
}

#[test]
fn no_algorithm_is_none() {
    let [header, body] = ["eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0", hs256(&ada()).split('.').nth(1).unwrap()].map(str::to_owned);
    for jwt in issuers() {
        for token in [format!("{header}.{body}."), format!("{header}.{body}"), format!("{header}.{body}.AAAA")] {
            assert_eq!(code(jwt.verify(&token)), "bad_token");
        }
    }
}

#[test]
fn claims_are_checked() {
    let jwt = Jwt::hs256(SECRET).unwrap().issuer("https://id.example.org").audience("tickcast");
    let good = json!({"iss": "https://id.example.org", "aud": ["other", "tickcast"]});
    assert!(jwt.verify(&hs256(&claims(good.clone()))).is_ok());
    for (more, expected) in [
        (json!({"exp": now() - 11}), "token_expired"),
        (json!({"exp": now() - 5}), ""),
        (json!({"exp": null}), "bad_token"),
        (json!({"exp": "tomorrow"}), "bad_token"),
        (json!({"nbf": now() + 20}), "bad_token"),
        (json!({"nbf": now() + 5}), ""),
        (json!({"nbf": "tomorrow"}), "bad_token"),
        (json!({"iss": "https://id.example.com"}), "bad_token"),
        (json!({"iss": null}), "bad_token"),
        (json!({"aud": "other"}), "bad_token"),
        (json!({"aud": null}), "bad_token"),
        (json!({"sub": null}), "bad_token"),
        (json!({"sub": ""}), "bad_token"),
        (json!({"sub": "two words"}), "bad_token"),
        (json!({"sub": "x".repeat(65)}), "bad_token"),
        (json!({"sub": 42}), "bad_token"),
        (json!({"name": "a\u{202e}b"}), ""),
        (json!({"name": 42}), ""),
        (json!({"name": null}), ""),
    ] {
        let mut all = good.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let verified = jwt.verify(&hs256(&claims(all)));
        assert_eq!(verified.err().map_or("", |error| error.code().as_str()), expected, "{more}");
    }
    let anyone = Jwt::hs256(SECRET).unwrap();
    assert_eq!(code(anyone.verify(&hs256(&claims(json!({"aud": "other"}))))), "bad_token", "meant for somebody else");
}

#[test]
fn a_message_names_the_claim_that_is_wrong() {
    let jwt = Jwt::hs256(SECRET).unwrap().issuer("us");
    for (more, expected) in [
        (json!({"sub": 42}), "`sub` must be a text"),
        (json!({"sub": ["ada"]}), "one has the wrong type"),
        (json!({"sub": null}), "lacks the claim `sub`"),
        (json!({"sub": "two words"}), "`sub` is not a user id"),
        (json!({"exp": null}), "lacks the claim `exp`"),
        (json!({"exp": "tomorrow"}), "the claim `exp`, a number"),
        (json!({"nbf": "tomorrow"}), "`nbf` must be a number"),
        (json!({"iss": null}), "lacks the claim `iss`"),
        (json!({"iss": 7}), "lacks the claim `iss`, a text"),
    ] {
        let mut all = json!({"iss": "us"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let said = jwt.verify(&hs256(&claims(all))).unwrap_err().to_string();
        assert!(said.contains(expected), "{more}: {said}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_fit_locks_nobody_out() {
    let gate = Gate::default().jwt(Some(Jwt::hs256(SECRET).unwrap()));
    for (name, expected) in [
        (json!("Augusta Ada King, Countess of Lovelace"), Some("Augusta Ada King, Counte")),
        (json!("A\u{202e}d\na"), Some("Ada")),
        (json!(""), None),
        (json!(" \u{200b} "), None),
        (json!(7), None),
    ] {
        let token = hs256(&claims(json!({ "name": name })));
        let made_up = admit(&gate, with(&token)).await.unwrap().identity.name;
        assert!(expected.is_none_or(|expected| expected == made_up.as_str()), "{name}: {made_up}");
        assert!(!made_up.as_str().is_empty());
        let asked = Credentials { name: Some("Lady A".to_owned()), ..with(&token) };
        assert_eq!(admit(&gate, asked).await.unwrap().identity.name.as_str(), expected.unwrap_or("Lady A"), "{name}");
    }
}

/// A token whose header says `Ed25519`, as RFC 9864 has it.
fn ed25519(header: Json) -> String {
    let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(&header), part(&ada()));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &SIGNERS[2].1, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

#[test]
fn ed25519_is_another_name_of_eddsa() {
    let [by_secret, by_rsa, by_ed] = issuers();
    let token = ed25519(json!({"typ": "JWT", "alg": "Ed25519"}));
    assert_eq!(by_ed.verify(&token).unwrap().user.as_str(), "ada");
    for other in [by_secret, by_rsa] {
        assert_eq!(code(other.verify(&token)), "bad_token");
    }
    let (message, signature) = token.rsplit_once('.').unwrap();
    let other_body =
        format!("{}.{}", message.split('.').next().unwrap(), URL_SAFE_NO_PAD.encode(claims(json!({"sub": "eve"})).to_string()));
    for forged in [format!("{other_body}.{signature}"), format!("{message}.AAAA"), format!("{message}."), message.to_owned()] {
        assert_eq!(code(by_ed.verify(&forged)), "bad_token", "{forged}");
    }
    let renamed = ed25519(json!({"alg": "EdDSA"})).replacen(
        &URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA"}"#),
        &URL_SAFE_NO_PAD.encode(r#"{"alg":"Ed25519"}"#),
        1,
    );
    assert_eq!(code(by_ed.verify(&renamed)), "bad_token", "the signature is over the header as it was sent");
    let mut keys: Json = serde_json::from_slice(JWKS).unwrap();
    keys["keys"][2]["alg"] = "Ed25519".into();
    let set = Jwt::jwks(keys.to_string().as_bytes()).unwrap();
    assert!(set.verify(&ed25519(json!({"alg": "Ed25519", "kid": "ed"}))).is_ok());
    let expired = sign(&claims(json!({"exp": now() - 60})), Algorithm::EdDSA, &SIGNERS[2].1);
    assert_eq!(code(by_ed.verify(&expired)), "token_expired");
}

#[test]
fn keys_of_an_unknown_kind_are_left_out_of_a_set() {
    let keys: Vec<Json> = serde_json::from_value(serde_json::from_slice::<Json>(JWKS).unwrap()["keys"].take()).unwrap();
    for stranger in [
        json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "new", "pub": "AAAA"}),
        json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
        json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "alg": "ES256"}),
        json!({"kty": "OKP", "crv": "Ed448", "x": "AA"}),
        json!({"kty": "RSA", "kid": "no modulus"}),
        json!({"kid": 7}),
        json!("no key"),
        json!(null),
    ] {
        let set = json!({"keys": [stranger, keys[2]], "next": 7}).to_string();
        let jwt = Jwt::jwks(set.as_bytes()).unwrap_or_else(|error| panic!("{stranger}: {error}"));
        assert!(jwt.verify(&sign(&ada(), Algorithm::EdDSA, &SIGNERS[2].1)).is_ok(), "{stranger}");
        let alone = json!({ "keys": [stranger] }).to_string();
        assert!(matches!(Jwt::jwks(alone.as_bytes()), Err(KeyError::NoKey)), "{stranger}");
    }
}

#[test]
fn a_key_set_gives_each_key_its_one_algorithm() {
    let mut keys: Vec<Json> = serde_json::from_value(serde_json::from_slice::<Json>(JWKS).unwrap()["keys"].take()).unwrap();
    let set = |keys: &[Json]| Jwt::jwks(json!({ "keys": keys }).to_string().as_bytes());
    let jwt = set(&keys).unwrap();
    for ((algorithm, key), id) in SIGNERS.iter().zip(["secret", "rsa", "ed"]) {
        for (kid, good) in [(Some(id), true), (Some("other"), false), (None, false)] {
            let header = Header { kid: kid.map(str::to_owned), ..Header::new(*algorithm) };
            let token = jsonwebtoken::encode(&header, &ada(), key).unwrap();
            assert_eq!(jwt.verify(&token).is_ok(), good, "{algorithm:?} {kid:?}");
        }
        let header = Header { kid: Some("rsa".to_owned()), ..Header::new(*algorithm) };
        let token = jsonwebtoken::encode(&header, &ada(), key).unwrap();
        assert_eq!(jwt.verify(&token).is_ok(), *algorithm == Algorithm::RS256, "{algorithm:?} with the RSA key's name");
    }
    let alone = set(&keys[2..3]).unwrap();
    assert!(alone.verify(&sign(&ada(), Algorithm::EdDSA, &SIGNERS[2].1)).is_ok(), "one key needs no name");
    keys[2]["x"] = "AAAA".into();
    assert!(matches!(set(&keys[2..3]), Err(KeyError::NoKey)));
    keys[1]["use"] = "enc".into();
    keys[0]["alg"] = "HS512".into();
    assert!(matches!(set(&keys), Err(KeyError::NoKey)));
}

#[test]
fn keys_that_protect_nothing_are_refused() {
    assert!(matches!(Jwt::hs256(b"short"), Err(KeyError::ShortSecret(5))));
    for pem in [RSA, ED, b"no key"] {
        assert!(matches!(Jwt::public_key(pem), Err(KeyError::Pem)));
    }
    assert!(matches!(Jwt::jwks(b"{}"), Err(KeyError::Jwks(_))));
    assert!(matches!(Jwt::jwks(br#"{"keys": []}"#), Err(KeyError::NoKey)));
}

#[tokio::test]
async fn a_guest_stays_the_same_guest() {
    let key = [7; 32];
    let gate = Gate::default().guests(Some(GuestKey::new(&key)));
    let first = admit(&gate, Credentials { token: None, name: Some("Ada".to_owned()) }).await.unwrap();
    let token = first.token.unwrap();
    assert!(first.identity.guest && first.identity.user.is_guest());
    let restarted = Gate::default().guests(Some(GuestKey::new(&key)));
    let again = admit(&restarted, with(&token)).await.unwrap();
    assert_eq!(again.identity, first.identity);
    let renamed = admit(&gate, Credentials { token: again.token, name: Some("Grace".to_owned()) }).await.unwrap();
    assert_eq!((&renamed.identity.user, renamed.identity.name.as_str()), (&first.identity.user, "Grace"));

    let old = GuestKey::new(&key).sign_until(&first.identity, now() - 1);
    assert_eq!(code(admit(&gate, with(&old)).await), "token_expired");
    assert_eq!(code(admit(&Gate::default(), with(&token)).await), "bad_token", "another server's guest");
    let strict = Gate::default().guests(None).jwt(Some(Jwt::hs256(SECRET).unwrap()));
    assert_eq!(code(admit(&strict, Credentials::default()).await), "auth_required");
    assert_eq!(code(admit(&strict, with(&token)).await), "bad_token");
    assert_eq!(admit(&strict, with(&hs256(&ada()))).await.unwrap().token, None);
}

#[tokio::test]
async fn nobody_signs_in_as_a_guest() {
    let gate = Gate::default().jwt(Some(Jwt::hs256(SECRET).unwrap()));
    let guest = admit(&gate, Credentials::default()).await.unwrap().identity;
    let token = hs256(&claims(json!({"sub": guest.user.as_str()})));
    assert_eq!(code(admit(&gate, with(&token)).await), "bad_token");
}

#[tokio::test]
async fn who_is_blocked_stays_out_until_unblocked() {
    let gate = Gate::default().jwt(Some(Jwt::hs256(SECRET).unwrap()));
    let (ada, token) = (UserId::parse("ada").unwrap(), hs256(&ada()));
    assert!(gate.block(&ada) && !gate.block(&ada));
    assert_eq!(code(admit(&gate, with(&token)).await), "blocked");
    assert!(gate.unblock(&ada) && !gate.unblock(&ada));
    assert!(admit(&gate, with(&token)).await.is_ok());
}

/// Knows one token, lets nobody in who is called Mallory, and never answers about "slow".
struct Friends;

impl Hook for Friends {
    fn recognise<'a>(&'a self, token: &'a str) -> HookFuture<'a, Option<VerifiedUser>> {
        if token == "slow" {
            return Box::pin(pending());
        }
        let user = (token == "opaque").then(|| VerifiedUser { user: UserId::parse("friend").unwrap(), name: None });
        Box::pin(ready(Ok(user)))
    }

    fn permit<'a>(&'a self, identity: &'a Identity) -> HookFuture<'a, ()> {
        let good = identity.name.as_str() != "Mallory";
        Box::pin(ready(if good { Ok(()) } else { Err(IdentityError::Blocked) }))
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_has_a_check_of_its_own() {
    let gate = Gate::default().jwt(Some(Jwt::hs256(SECRET).unwrap())).hook(Some(Arc::new(Friends)));
    let friend = admit(&gate, Credentials { name: Some("Bo".to_owned()), ..with("opaque") }).await.unwrap().identity;
    assert_eq!((friend.user.as_str(), friend.name.as_str(), friend.guest), ("friend", "Bo", false));
    assert!(admit(&gate, with(&hs256(&ada()))).await.is_ok(), "what the hook does not know goes on to the issuer");
    assert_eq!(code(admit(&gate, with("unknown")).await), "bad_token");
    assert_eq!(code(admit(&gate, Credentials { token: None, name: Some("Mallory".to_owned()) }).await), "blocked");
    assert_eq!(code(admit(&gate, with("slow")).await), "internal");
}

proptest! {
    #[test]
    fn a_token_with_a_letter_changed_is_nobodys(signer in 0..4_usize, at: prop::sample::Index, letter in "[A-Za-z0-9_.=-]") {
        let guests = GuestKey::new(&[7; 32]);
        let mut token = match SIGNERS.get(signer) {
            Some((algorithm, key)) => sign(&ada(), *algorithm, key),
            None => guests.sign(&Identity::guest(None, &mut rand::rng())),
        };
        let at = at.index(token.len());
        prop_assume!(token[at..=at] != letter);
        token.replace_range(at..=at, &letter);
        for jwt in issuers() {
            prop_assert!(jwt.verify(&token).is_err());
        }
        prop_assert!(!matches!(guests.verify(&token), Some(Ok(_))));
    }

    #[test]
    fn no_text_is_a_token_and_none_panics(token in "\\PC{0,200}|[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}") {
        for jwt in issuers() {
            prop_assert!(jwt.verify(&token).is_err());
        }
        prop_assert!(GuestKey::new(&[7; 32]).verify(&token).is_none());
    }

    #[test]
    fn an_expired_token_never_passes(age in 11_u64..4_000_000_000, signer in 0..3_usize) {
        let (algorithm, key) = &SIGNERS[signer];
        let token = sign(&claims(json!({"exp": now().saturating_sub(age)})), *algorithm, key);
        prop_assert_eq!(issuers()[signer].verify(&token), Err(IdentityError::Expired));
    }
}
