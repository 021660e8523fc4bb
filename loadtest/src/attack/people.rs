//! One person, or one address, that takes what is meant for all.

use anyhow::{bail, ensure};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, timeout};

use super::attacker::{Attacker, PATIENCE, Pass, Session, ask, enter};
use super::kind::{Attack, Seen};
use crate::connection::{Connection, Fault, LOBBY, MATCHMAKING};
use crate::wire::{self, Packet};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "hoarded-rooms",
        about: "one guest on ten connections creates rooms at the allowed rate",
        counted: &["quota_exceeded"],
        quick: true,
        run: |attacker| Box::pin(hoarded_rooms(attacker)),
    },
    Attack {
        name: "hoarded-seats",
        about: "guests of one address reserve all seats of a room with tickets that they never use",
        counted: &["quota_exceeded", "rate_limited"],
        quick: true,
        run: |attacker| Box::pin(hoarded_seats(attacker)),
    },
    Attack {
        name: "hoarded-places",
        about: "one guest takes places to watch a room until there are none",
        counted: &["quota_exceeded"],
        quick: true,
        run: |attacker| Box::pin(hoarded_places(attacker)),
    },
    Attack {
        name: "new-guests",
        about: "one address makes guests without pause",
        counted: &["rate_limited", "address"],
        quick: true,
        run: |attacker| Box::pin(new_guests(attacker.at_least(3))),
    },
    Attack {
        name: "chat-flood",
        about: "the guests of one address write to the lobby as fast as they may",
        counted: &["rate_limited"],
        quick: true,
        run: |attacker| Box::pin(chat_flood(attacker.at_least(3))),
    },
    Attack {
        name: "invitations",
        about: "60 guests invite one",
        counted: &["rate_limited"],
        quick: true,
        run: |attacker| Box::pin(invitations(attacker)),
    },
    Attack {
        name: "declined-checks",
        about: "a guest declines each ready check and queues again",
        counted: &["queue_paused"],
        quick: true,
        run: |attacker| Box::pin(declined_checks(attacker)),
    },
];

/// More connections of the same guest.
async fn same_guest(attacker: &Attacker, session: &Session, count: usize) -> Result<Vec<Connection>, Fault> {
    let auth = json!({"token": session.token});
    let mut connections = Vec::new();
    for _ in 0..count {
        connections.push(attacker.enter(LOBBY, &auth).await?.0);
    }
    Ok(connections)
}

/// Lets each connection make the same request until the attack is over. Returns how often it succeeded.
async fn repeated(attacker: &Attacker, connections: &mut [Connection], name: &str, argument: &Value) -> u32 {
    let asks = connections.iter_mut().map(|connection| async move {
        let mut succeeded = 0;
        while !attacker.is_over() {
            match ask::<_, Value>(connection, LOBBY, name, argument).await {
                Ok(_) => succeeded += 1,
                Err(Fault::Refused { .. }) => {}
                Err(_) => break,
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        succeeded
    });
    join_all(asks).await.into_iter().sum()
}

/// Checks that somebody from elsewhere can still do this.
pub(crate) async fn others_can(attacker: &Attacker, name: &str, argument: &Value) -> anyhow::Result<()> {
    let (mut honest, _) = attacker.at(2000).guest(LOBBY).await?;
    if let Err(fault) = ask::<_, Value>(&mut honest, LOBBY, name, argument).await {
        bail!("an honest guest is refused: {fault}");
    }
    Ok(())
}

async fn hoarded_rooms(attacker: Attacker) -> Seen {
    let (_held, session) = attacker.guest(LOBBY).await?;
    let mut connections = same_guest(&attacker, &session, 10).await?;
    let opened = repeated(&attacker, &mut connections, "create", &json!({"game": "arena"})).await;
    ensure!(opened <= 40, "one guest opened {opened} rooms");
    others_can(&attacker, "create", &json!({"game": "arena"})).await?;
    Ok(format!("{opened} rooms opened"))
}

/// A room of the arena by a guest from elsewhere, who must be kept.
async fn room(attacker: &Attacker) -> anyhow::Result<(Connection, Pass)> {
    let (mut connection, _) = attacker.at(1000).guest(LOBBY).await?;
    let pass = ask(&mut connection, LOBBY, "create", &json!({"game": "arena"})).await?;
    Ok((connection, pass))
}

async fn hoarded_seats(attacker: Attacker) -> Seen {
    let mut owners = Vec::new();
    for place in 0..4 {
        owners.push(room(&attacker.at(1000 + place)).await?);
    }
    // The guests of an address together may have the seats of some rooms, but not of all.
    let mut tickets = 0;
    for _ in 0..60 {
        let Ok((mut guest, _)) = attacker.guest(LOBBY).await else { continue };
        for (_, pass) in &owners {
            tickets += u32::from(ask::<_, Value>(&mut guest, LOBBY, "join", &json!({"room": pass.room})).await.is_ok());
        }
    }
    ensure!(tickets <= 48, "one address holds {tickets} tickets");
    Ok(format!("{tickets} seats reserved"))
}

async fn hoarded_places(attacker: Attacker) -> Seen {
    let (_owner, pass) = room(&attacker).await?;
    let (_held, session) = attacker.guest(LOBBY).await?;
    let mut connections = same_guest(&attacker, &session, 10).await?;
    let places = repeated(&attacker, &mut connections, "spectate", &json!({"room": pass.room})).await;
    others_can(&attacker, "spectate", &json!({"room": pass.room})).await?;
    ensure!(places <= 40, "one guest got {places} tickets to watch");
    Ok(format!("{places} places taken"))
}

async fn new_guests(attacker: Attacker) -> Seen {
    let began = Instant::now();
    let floods = (0..8).map(|_| async {
        let mut made = 0;
        while !attacker.is_over() {
            match attacker.raw_guest().await {
                Ok(_) => made += 1,
                Err(_) => break,
            }
        }
        made
    });
    let made: u32 = join_all(floods).await.into_iter().sum();
    // A burst, and some a minute.
    let most = 100.0 + began.elapsed().as_secs_f64();
    ensure!(f64::from(made) <= most, "{made} guests were made");
    Ok(format!("{made} made"))
}

async fn chat_flood(attacker: Attacker) -> Seen {
    let mut guests = Vec::new();
    for _ in 0..20 {
        guests.push(attacker.guest(LOBBY).await?.0);
    }
    let said = repeated(&attacker, &mut guests, "chat", &json!({"channel": "lobby", "text": "buy this"})).await;
    // Five at once for each guest, then one a second, and all together no more than the address may.
    let most = 20.0 * (5.0 + attacker.length.as_secs_f64() + 1.0);
    ensure!(f64::from(said) <= most, "{said} messages were taken, beyond {most:.0}");
    Ok(format!("{said} messages taken"))
}

async fn invitations(attacker: Attacker) -> Seen {
    let (mut victim, session) = attacker.at(1000).guest(LOBBY).await?;
    let (user, ends) = (session.user, attacker.ends);
    let hears = async {
        let mut heard = 0_u32;
        while let Ok(Ok(bytes)) = tokio::time::timeout_at(ends + Duration::from_millis(500), victim.next_packet()).await {
            if Packet::decode(&bytes).is_ok_and(|packet| matches!(packet.event(), Ok(("party_invite", _)))) {
                heard += 1;
            }
        }
        heard
    };
    let invites = join_all((0..60_u16).map(|number| {
        let (attacker, user) = (attacker.at(1 + number / 20), &user);
        async move {
            let Ok((mut guest, _)) = attacker.guest(LOBBY).await else { return };
            if ask::<_, Value>(&mut guest, LOBBY, "party_create", &json!({})).await.is_err() {
                return;
            }
            while !attacker.is_over() {
                if let Err(fault) = ask::<_, Value>(&mut guest, LOBBY, "party_invite", &json!({"user": user})).await
                    && !matches!(fault, Fault::Refused { .. })
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }));
    let (heard, _) = tokio::join!(hears, invites);
    ensure!(heard <= 40, "one guest got {heard} invitations");
    Ok(format!("{heard} of 60 guests' invitations got through"))
}

/// The fields of `ready_check` that answers need.
#[derive(serde::Deserialize, serde::Serialize)]
struct Check {
    check: u64,
}

/// Queues, and answers each ready check, until then. Returns how many checks there were, and whether the queue was closed to it.
async fn queue(attacker: Attacker, answer: &str, end: Instant) -> (u32, bool) {
    let Ok(mut connection) = attacker.connection().await else { return (0, false) };
    if enter(&mut connection, MATCHMAKING, &json!({})).await.is_err() {
        return (0, false);
    }
    let (mut checks, mut is_queued, mut is_paused) = (0, false, false);
    while Instant::now() < end {
        if !is_queued {
            let enqueue = json!({"game": "arena", "mode": "asked"});
            match ask::<_, Value>(&mut connection, MATCHMAKING, "enqueue", &enqueue).await {
                Ok(_) => is_queued = true,
                Err(Fault::Refused { code, .. }) => {
                    is_paused |= code == "queue_paused";
                    is_queued = code == "already_queued";
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(_) => break,
            }
        }
        let Ok(message) = timeout(Duration::from_millis(200), connection.incoming()).await else { continue };
        let Ok(Ok(Some(bytes))) = (match message {
            Ok(message) => timeout(PATIENCE, connection.packet(message)).await,
            Err(_) => break,
        }) else {
            continue;
        };
        let Ok(packet) = Packet::decode(&bytes) else { continue };
        match packet.event() {
            Ok(("ready_check", argument)) => {
                let Ok(check) = wire::parse::<Check>(argument) else { continue };
                checks += 1;
                // The answer says nothing that matters here.
                let _ = connection.ask(MATCHMAKING, answer, Some(&check)).await;
                is_queued &= answer == "accept";
            }
            Ok(("unready" | "left", _)) => is_queued &= answer == "accept",
            _ => {}
        }
    }
    (checks, is_paused)
}

async fn declined_checks(attacker: Attacker) -> Seen {
    let end = Instant::now() + attacker.length.max(Duration::from_secs(4));
    let honest = join_all((0..3).map(|_| queue(attacker.at(1000), "accept", end)));
    let (_, (declined, is_paused)) = tokio::join!(honest, queue(attacker.clone(), "decline", end));
    ensure!(declined > 0, "no ready check came, so there was nothing to decline");
    ensure!(declined <= 2, "{declined} ready checks were broken");
    ensure!(is_paused, "whoever declines may queue again at once");
    Ok(format!("{declined} broken, then the queue was closed to the guest"))
}
