//! Requests of the lobby and the matchmaker again and again, and texts that deceive.

use anyhow::{Context, ensure};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use super::attacker::{Attacker, ask};
use super::kind::{Attack, Seen};
use super::people::others_can;
use crate::connection::{Connection, Fault, LOBBY, MATCHMAKING};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "room-churn",
        about: "ten guests open rooms and leave them at once, again and again",
        counted: &["quota_exceeded", "rate_limited"],
        quick: true,
        run: |attacker| Box::pin(room_churn(attacker.at_least(3))),
    },
    Attack {
        name: "queue-churn",
        about: "ten guests join a queue and leave it, again and again",
        counted: &["rate_limited"],
        quick: true,
        run: |attacker| Box::pin(queue_churn(attacker.at_least(3))),
    },
    Attack {
        name: "party-loops",
        about: "ten guests make parties, invite each other, promote and remove strangers, and leave, again and again",
        counted: &["rate_limited"],
        quick: true,
        run: |attacker| Box::pin(party_loops(attacker.at_least(3))),
    },
    Attack {
        name: "odd-texts",
        about: "names and messages with control characters, other directions, nothing visible, and thousands of letters",
        counted: &["bad_name", "bad_text"],
        quick: true,
        run: |attacker| Box::pin(odd_texts(attacker)),
    },
    Attack {
        name: "followed-crowds",
        about: "ten guests follow as many people as they name, and more than they may",
        counted: &["bad_request"],
        quick: true,
        run: |attacker| Box::pin(followed_crowds(attacker)),
    },
];

/// Guests who make requests in turn.
const GUESTS: usize = 10;

async fn guests(attacker: &Attacker, namespace: &str) -> anyhow::Result<Vec<(Connection, String)>> {
    let mut guests = Vec::new();
    for _ in 0..GUESTS {
        let (connection, session) = attacker.guest(namespace).await?;
        guests.push((connection, session.user));
    }
    Ok(guests)
}

/// Lets each guest make the requests in turn until the attack is over. Returns how many were taken.
async fn churn(attacker: &Attacker, namespace: &str, requests: &[(&str, Value)]) -> anyhow::Result<u32> {
    let loops = guests(attacker, namespace).await?.into_iter().map(|(mut guest, _)| async move {
        let mut taken = 0;
        for (name, argument) in requests.iter().cycle() {
            if attacker.is_over() {
                break;
            }
            match ask::<_, Value>(&mut guest, namespace, name, argument).await {
                Ok(_) => taken += 1,
                Err(Fault::Refused { .. }) => {}
                // It was cut.
                Err(_) => break,
            }
            sleep(Duration::from_millis(10)).await;
        }
        taken
    });
    Ok(join_all(loops).await.into_iter().sum())
}

/// The most requests that ten guests of one address may have answered, doubled.
fn most(attacker: &Attacker) -> f64 {
    2.0 * (400.0 + 200.0 * attacker.length.as_secs_f64())
}

async fn room_churn(attacker: Attacker) -> Seen {
    let churns = guests(&attacker, LOBBY).await?.into_iter().map(|(mut guest, _)| {
        let attacker = &attacker;
        async move {
            let mut opened = 0_u32;
            while !attacker.is_over() {
                let create = json!({"game": "arena"});
                match ask::<_, super::attacker::Pass>(&mut guest, LOBBY, "create", &create).await {
                    Ok(pass) => {
                        opened += 1;
                        let ticket = json!({"ticket": pass.ticket});
                        // The room may be full of requests, or the guest may come in too often.
                        if super::attacker::sit_down::<_, Value>(&mut guest, &ticket).await.is_ok() {
                            guest.leave_gameplay().await?;
                        }
                    }
                    Err(Fault::Refused { .. }) => sleep(Duration::from_millis(50)).await,
                    Err(_) => break,
                }
            }
            Ok::<_, Fault>(opened)
        }
    });
    let mut opened = 0;
    for outcome in join_all(churns).await {
        opened += outcome?;
    }
    // An address has 32 rooms at a time, and each is kept for ten seconds.
    ensure!(opened <= 32 + 32 * (attacker.length.as_secs() as u32 / 10 + 1), "{opened} rooms were opened");
    others_can(&attacker, "create", &json!({"game": "arena"})).await?;
    Ok(format!("{opened} rooms opened"))
}

async fn queue_churn(attacker: Attacker) -> Seen {
    let requests = [("enqueue", json!({"game": "arena", "mode": "asked"})), ("leave", json!({}))];
    let taken = churn(&attacker, MATCHMAKING, &requests).await?;
    ensure!(f64::from(taken) <= most(&attacker), "{taken} requests were taken");
    Ok(format!("{taken} requests taken"))
}

async fn party_loops(attacker: Attacker) -> Seen {
    let (_stranger, session) = attacker.at(1000).guest(LOBBY).await?;
    let user = json!({"user": session.user});
    let requests = [
        ("party_create", json!({})),
        ("party_invite", user.clone()),
        ("party_promote", user.clone()),
        ("party_kick", user),
        ("party_ready", json!({"ready": true})),
        ("party_join", json!({"code": "000000"})),
        ("party_leave", json!({})),
    ];
    let taken = churn(&attacker, LOBBY, &requests).await?;
    ensure!(f64::from(taken) <= most(&attacker), "{taken} requests were taken");
    Ok(format!("{taken} requests taken"))
}

async fn odd_texts(attacker: Attacker) -> Seen {
    let texts = [
        String::new(),
        "   ".to_owned(),
        "\u{202e}nimda".to_owned(),
        "a\u{0}b".to_owned(),
        "a\nb\r\nc".to_owned(),
        "\u{1b}[31mred".to_owned(),
        "\u{200b}\u{200d}\u{feff}".to_owned(),
        "\u{3164}".to_owned(),
        "\u{2800}\u{2800}".to_owned(),
        "\u{2066}a\u{2069}".to_owned(),
        "x".repeat(3000),
    ];
    let (mut writer, _) = attacker.guest(LOBBY).await?;
    for text in &texts {
        let named = attacker.enter(LOBBY, &json!({"name": text})).await;
        let code = named.err().context(format!("the name {text:?} is taken"))?;
        ensure!(code.kind() == "bad_name", "the name {text:?}: {code}");
        match ask::<_, Value>(&mut writer, LOBBY, "chat", &json!({"channel": "lobby", "text": text})).await {
            Err(Fault::Refused { code, .. }) if ["bad_text", "rate_limited"].contains(&code.as_str()) => {}
            Err(fault) => return Err(fault.into()),
            // A text of several lines is a text.
            Ok(_) => ensure!(text.contains('\n'), "the text {text:?} is taken"),
        }
    }
    let (status, _) = attacker.http("GET", "/healthz", "", "").await?;
    ensure!(status == 200, "/healthz is answered {status}");
    Ok(format!("{} names and texts refused", texts.len()))
}

async fn followed_crowds(attacker: Attacker) -> Seen {
    let crowd = |count: usize| json!({"users": (0..count).map(|n| format!("guest-{n:x}")).collect::<Vec<_>>()});
    let (most, more) = (crowd(100), crowd(101));
    let follows = guests(&attacker, LOBBY).await?.into_iter().map(|(mut guest, _)| {
        let (attacker, most, more) = (&attacker, &most, &more);
        async move {
            match ask::<_, Value>(&mut guest, LOBBY, "presence", more).await {
                Err(Fault::Refused { .. }) => {}
                Ok(_) => anyhow::bail!("one connection follows 101 people"),
                Err(fault) => return Err(fault.into()),
            }
            while !attacker.is_over() {
                match ask::<_, Value>(&mut guest, LOBBY, "presence", most).await {
                    Ok(_) | Err(Fault::Refused { .. }) => sleep(Duration::from_millis(50)).await,
                    Err(_) => break,
                }
            }
            Ok(())
        }
    });
    for outcome in join_all(follows).await {
        outcome?;
    }
    Ok("nobody follows more than 100".to_owned())
}
