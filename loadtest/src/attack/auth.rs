//! Tokens and tickets that are forged, stale or somebody else's.

use anyhow::{bail, ensure};
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp as now};
use serde_json::{Value, json};

use super::attacker::{Attacker, PATIENCE, Pass, ask};
use super::keys::{AUDIENCE, ISSUER, RSA, RSA_PUBLIC};
use super::kind::{Attack, Seen};
use crate::connection::{Fault, GAMEPLAY, LOBBY};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "forged-tokens",
        about: "algorithm none, the public key as a secret, another key, expired, not yet valid, other audience or issuer",
        counted: &[],
        quick: true,
        run: |attacker| Box::pin(forged_tokens(attacker)),
    },
    Attack {
        name: "forged-tickets",
        about: "tickets and resume tokens that are mangled, made up, or of the other kind",
        counted: &[],
        quick: true,
        run: |attacker| Box::pin(forged_tickets(attacker)),
    },
    Attack {
        name: "guessed-codes",
        about: "twenty guests try private codes as fast as they may",
        counted: &["rate_limited"],
        quick: true,
        run: |attacker| Box::pin(guessed_codes(attacker)),
    },
];

fn sign(algorithm: Algorithm, key: &EncodingKey, more: Value) -> anyhow::Result<String> {
    let mut claims = json!({"sub": "ada", "exp": now() + 60, "iss": ISSUER, "aud": AUDIENCE});
    if let (Some(claims), Value::Object(more)) = (claims.as_object_mut(), more) {
        claims.extend(more);
    }
    Ok(jsonwebtoken::encode(&Header::new(algorithm), &claims, key)?)
}

/// Returns the code with which a namespace refuses this `auth`.
async fn refused(attacker: &Attacker, namespace: &str, auth: &Value) -> anyhow::Result<String> {
    let mut connection = attacker.connection().await?;
    match tokio::time::timeout(PATIENCE, connection.enter(namespace, auth)).await {
        Ok(Err(Fault::Refused { code, .. })) => Ok(code),
        Ok(Ok(())) => Ok("nothing".to_owned()),
        Ok(Err(fault)) => Err(fault.into()),
        Err(_) => bail!("{namespace} does not answer"),
    }
}

async fn forged_tokens(attacker: Attacker) -> Seen {
    let rsa = EncodingKey::from_rsa_pem(RSA)?;
    let good = sign(Algorithm::RS256, &rsa, json!({}))?;
    let claims = good.split('.').nth(1).unwrap_or_default();
    // {"alg":"none","typ":"JWT"}
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    let rs = |more| sign(Algorithm::RS256, &rsa, more);
    let tokens = [
        ("the true one", good.clone(), "nothing"),
        ("algorithm none", none, "bad_token"),
        ("the public key as a secret", sign(Algorithm::HS256, &EncodingKey::from_secret(RSA_PUBLIC), json!({}))?, "bad_token"),
        ("another key", sign(Algorithm::HS256, &EncodingKey::from_secret(&[7; 32]), json!({}))?, "bad_token"),
        ("a changed signature", format!("{}AAAA", &good[..good.len() - 4]), "bad_token"),
        ("expired", rs(json!({"exp": now() - 60}))?, "token_expired"),
        ("not yet valid", rs(json!({"nbf": now() + 60}))?, "bad_token"),
        ("another audience", rs(json!({"aud": "others"}))?, "bad_token"),
        ("another issuer", rs(json!({"iss": "others"}))?, "bad_token"),
        ("a guest's name", rs(json!({"sub": "guest-1"}))?, "bad_token"),
        ("no token at all", "x".repeat(4000), "bad_token"),
    ];
    let tried = tokens.len();
    for (what, token, expected) in tokens {
        let code = refused(&attacker, LOBBY, &json!({"token": token})).await?;
        ensure!(code == expected, "{what}: {code} instead of {expected}");
    }
    Ok(format!("{tried} answered as they should be"))
}

async fn forged_tickets(attacker: Attacker) -> Seen {
    let (mut connection, _) = attacker.guest(LOBBY).await?;
    let pass: Pass = ask(&mut connection, LOBBY, "create", &json!({"game": "arena"})).await?;
    let ticket = &pass.ticket;
    let parts: Vec<_> = ticket.split('.').collect();
    let mangled = format!("{}.{}.{}", parts[0], parts.get(1).copied().unwrap_or_default(), "A".repeat(43));
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", parts.get(1).copied().unwrap_or_default());
    let tries = [
        ("a changed signature", json!({"ticket": mangled}), "bad_ticket"),
        ("algorithm none", json!({"ticket": none}), "bad_ticket"),
        ("an empty ticket", json!({"ticket": ""}), "bad_ticket"),
        ("a ticket as a resume token", json!({"resume": ticket}), "bad_resume"),
        ("a resume token that is made up", json!({"resume": "a.b.c"}), "bad_resume"),
        ("both", json!({"ticket": ticket, "resume": ticket}), "bad_request"),
        ("neither", json!({}), "bad_request"),
        ("a number", json!({"ticket": 7}), "bad_request"),
    ];
    let tried = tries.len();
    for (what, auth, expected) in tries {
        let code = refused(&attacker, GAMEPLAY, &auth).await?;
        ensure!(code == expected, "{what}: {code} instead of {expected}");
    }
    let code = refused(&attacker, GAMEPLAY, &json!({"ticket": ticket})).await?;
    ensure!(code == "nothing", "the true ticket is refused after that: {code}");
    Ok(format!("{tried} refused, the true one is taken"))
}

async fn guessed_codes(attacker: Attacker) -> Seen {
    // The guests of one address are counted together.
    let mut guests = Vec::new();
    for _ in 0..20 {
        guests.push(attacker.guest(LOBBY).await?.0);
    }
    let mut tried = 0_u32;
    let mut number = 0_u32;
    while !attacker.is_over() {
        for guest in &mut guests {
            number += 1;
            let code = format!("{:06}", number);
            match ask::<_, Value>(guest, LOBBY, "join", &json!({"code": code})).await {
                Err(Fault::Refused { code, .. }) if code == "unknown_code" => tried += 1,
                Err(Fault::Refused { .. }) => {}
                Ok(_) => bail!("the code {code} opens a room"),
                // It was cut.
                Err(_) => return Ok(format!("{tried} codes tried, then cut")),
            }
        }
    }
    ensure!(tried <= 20, "{tried} codes were tried");
    Ok(format!("{tried} codes tried"))
}
