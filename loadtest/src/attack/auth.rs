//! Tokens and tickets that are forged, stale or somebody else's.

use anyhow::{Context, bail, ensure};
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp as now};
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use super::attacker::{Attacker, PATIENCE, Pass, ask, sign_of_life, sit_down};
use super::hostile_server::{REVOKED, REVOKED_AFTER};
use super::keys::{AUDIENCE, ISSUER, RSA, RSA_PUBLIC};
use super::kind::{Attack, Seen};
use crate::connection::{Connection, Fault, GAMEPLAY, LOBBY, MATCHMAKING};
use crate::wire::{Kind, Packet};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "forged-tokens",
        about: "algorithm none, the public key as a secret, another key, expired, not yet valid, other audience or issuer",
        counted: &["bad_token"],
        quick: true,
        run: |attacker| Box::pin(forged_tokens(attacker)),
    },
    Attack {
        name: "forged-tickets",
        about: "tickets and resume tokens that are mangled, made up, or of the other kind",
        counted: &["bad_ticket"],
        quick: true,
        run: |attacker| Box::pin(forged_tickets(attacker)),
    },
    Attack {
        name: "used-tickets",
        about: "a ticket that was used, of which a part is another's, and that is too old",
        counted: &["ticket_used"],
        quick: true,
        run: |attacker| Box::pin(used_tickets(attacker)),
    },
    Attack {
        name: "replayed-resumes",
        about: "resume tokens that are not the newest, and a seat that changes its connection without pause",
        counted: &["bad_resume"],
        quick: true,
        run: |attacker| Box::pin(replayed_resumes(attacker)),
    },
    Attack {
        name: "revoked-person",
        about: "a person is blocked while in the lobby, in a queue and in a seat, and comes again",
        counted: &["blocked"],
        quick: true,
        run: |attacker| Box::pin(revoked_person(attacker)),
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

/// Says that the client is there, and waits until the server knows: only then is a ticket used.
async fn be_there(connection: &mut Connection) -> anyhow::Result<()> {
    connection.send(sign_of_life()).await?;
    sleep(Duration::from_millis(300)).await;
    ask::<_, Value>(connection, GAMEPLAY, "t", &json!({})).await?;
    Ok(())
}

async fn used_tickets(attacker: Attacker) -> Seen {
    let (mut first, _) = attacker.guest(LOBBY).await?;
    let pass: Pass = ask(&mut first, LOBBY, "create", &json!({"game": "arena"})).await?;
    let other: Pass = ask(&mut first, LOBBY, "create", &json!({"game": "arena"})).await?;
    let kept: Pass = ask(&mut first, LOBBY, "create", &json!({"game": "arena"})).await?;
    let _: Value = sit_down(&mut first, &json!({"ticket": pass.ticket})).await?;
    be_there(&mut first).await?;
    // The parts of one ticket with the signature of another.
    let cut = |ticket: &str| ticket.rsplit_once('.').map(|(head, signature)| (head.to_owned(), signature.to_owned()));
    let (head, _) = cut(&pass.ticket).context("a ticket has parts")?;
    let (_, signature) = cut(&other.ticket).context("a ticket has parts")?;
    let tries = [
        ("a ticket twice", pass.ticket.clone(), "ticket_used"),
        ("a ticket with another's signature", format!("{head}.{signature}"), "bad_ticket"),
        ("a ticket with a tail", format!("{}A", pass.ticket), "bad_ticket"),
        ("two tickets", format!("{}.{}", pass.ticket, other.ticket), "bad_ticket"),
    ];
    let tried = tries.len();
    // By another person, from another address.
    let thief = attacker.at(1);
    for (what, ticket, expected) in tries {
        let code = refused(&thief, GAMEPLAY, &json!({"ticket": ticket})).await?;
        ensure!(code == expected, "{what}: {code} instead of {expected}");
    }
    if !attacker.quick {
        sleep(Duration::from_secs(32)).await;
        let code = refused(&thief, GAMEPLAY, &json!({"ticket": kept.ticket})).await?;
        ensure!(code == "ticket_expired", "a ticket that is too old: {code} instead of ticket_expired");
    }
    be_there(&mut first).await?;
    Ok(format!("{tried} refused, the seat plays on"))
}

/// The field of `welcome` by which a client comes back.
#[derive(serde::Deserialize)]
struct Resumable {
    resume: String,
}

async fn replayed_resumes(attacker: Attacker) -> Seen {
    let (mut connection, _) = attacker.guest(LOBBY).await?;
    let pass: Pass = ask(&mut connection, LOBBY, "create", &json!({"game": "arena"})).await?;
    let Resumable { resume: oldest } = sit_down(&mut connection, &json!({"ticket": pass.ticket})).await?;
    be_there(&mut connection).await?;
    let mut newest = oldest.clone();
    let mut times = 0;
    while times < 12 {
        connection = attacker.connection().await?;
        let Resumable { resume } = sit_down(&mut connection, &json!({"resume": newest})).await?;
        ensure!(resume != newest, "a resume token is given twice");
        be_there(&mut connection).await?;
        let code = refused(&attacker.at(1), GAMEPLAY, &json!({"resume": newest})).await?;
        ensure!(code == "bad_resume", "a resume token that is not the newest: {code} instead of bad_resume");
        (newest, times) = (resume, times + 1);
    }
    for (what, token) in
        [("the oldest", oldest), ("a tail", format!("{newest}A")), ("a ticket", pass.ticket), ("zeros", "\0".repeat(100))]
    {
        let code = refused(&attacker.at(1), GAMEPLAY, &json!({"resume": token, "tick": 4_000_000_000_u32})).await?;
        ensure!(code == "bad_resume", "{what}: {code} instead of bad_resume");
    }
    be_there(&mut connection).await?;
    Ok(format!("resumed {times} times, every older token refused"))
}

/// Reads until the server ends a namespace or the connection.
async fn ended(connection: &mut Connection, namespace: &str) -> anyhow::Result<()> {
    let ends = async {
        while let Ok(bytes) = connection.next_packet().await {
            if Packet::decode(&bytes).is_ok_and(|packet| packet.kind == Kind::Disconnect && packet.nsp == namespace) {
                return;
            }
        }
    };
    tokio::time::timeout(REVOKED_AFTER + PATIENCE, ends).await.with_context(|| format!("{namespace} does not end"))
}

async fn revoked_person(attacker: Attacker) -> Seen {
    let auth = json!({"token": format!("{REVOKED}{}", rand::random::<u32>())});
    let (mut lobby, _) = attacker.enter(LOBBY, &auth).await?;
    let (mut queue, _) = attacker.enter(MATCHMAKING, &auth).await?;
    ask::<_, Value>(&mut queue, MATCHMAKING, "enqueue", &json!({"game": "arena", "mode": "asked"})).await?;
    let pass: Pass = ask(&mut lobby, LOBBY, "create", &json!({"game": "arena"})).await?;
    let mut seat = attacker.connection().await?;
    let Resumable { resume } = sit_down(&mut seat, &json!({"ticket": pass.ticket})).await?;
    be_there(&mut seat).await?;
    tokio::try_join!(ended(&mut lobby, LOBBY), ended(&mut queue, MATCHMAKING), ended(&mut seat, GAMEPLAY))?;
    for namespace in [LOBBY, MATCHMAKING] {
        let code = refused(&attacker, namespace, &auth).await?;
        ensure!(code == "blocked", "{namespace}: {code} instead of blocked");
    }
    let code = refused(&attacker, GAMEPLAY, &json!({"resume": resume})).await?;
    ensure!(code != "nothing", "a blocked person comes back to the seat");
    Ok(format!("ended everywhere, then refused with blocked and {code}"))
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
