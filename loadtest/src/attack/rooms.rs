//! Rules that use more than their share. The other rooms must not notice.

use anyhow::{bail, ensure};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Duration, Instant, timeout};

use super::attacker::{Attacker, Pass, ask, sign_of_life};
use super::kind::{Attack, Seen};
use crate::connection::{Connection, Fault, GAMEPLAY, LOBBY};
use crate::wire::{self, Kind, Packet};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "spinning-rooms",
        about: "three rooms spin for 100 ms in each tick",
        counted: &["room_over_budget"],
        quick: true,
        run: |attacker| Box::pin(async move { play(attacker, "spin_tenth_of_second", 3).await }),
    },
    Attack {
        name: "sleeping-rooms",
        about: "two rooms sleep for 2 s in each tick",
        counted: &["room_over_budget"],
        quick: false,
        run: |attacker| Box::pin(async move { play(attacker, "sleep_two_seconds", 2).await }),
    },
    Attack {
        name: "spawning-room",
        about: "one room spawns 20,000 entities in each tick",
        counted: &["room_over_budget"],
        quick: true,
        run: |attacker| Box::pin(async move { play(attacker, "spawn_many", 1).await }),
    },
    Attack {
        name: "looping-room",
        about: "one room never returns from a step",
        counted: &["room_stuck"],
        quick: true,
        run: |attacker| Box::pin(async move { play(attacker, "loop_for_ever", 1).await }),
    },
];

/// The longest time until a room that misbehaves is ended.
const ENDS_WITHIN: Duration = Duration::from_secs(40);

/// Opens rooms that misbehave, and waits until the server has ended all of them.
async fn play(attacker: Attacker, fault: &str, rooms: u16) -> Seen {
    let mut players = Vec::new();
    for _ in 0..rooms {
        let (mut connection, _) = attacker.guest(LOBBY).await?;
        let create = json!({"game": "misbehaving", "config": {"fault": fault}});
        let pass: Pass = ask(&mut connection, LOBBY, "create", &create).await?;
        connection.enter(GAMEPLAY, &json!({"ticket": pass.ticket})).await?;
        players.push(connection);
    }
    let end = Instant::now() + ENDS_WITHIN;
    let mut messages = Vec::new();
    // All at once, because each must say that it is there.
    let overs = players.iter_mut().map(|player| tokio::time::timeout_at(end, over(player)));
    for outcome in join_all(overs).await {
        match outcome {
            Ok(Ok(over)) => {
                ensure!(over.reason == "over_budget", "the room ended with {:?}", over.reason);
                messages.push(over.message);
            }
            Ok(Err(fault)) => bail!("a player lost the connection: {fault}"),
            Err(_) => bail!("a room was not ended within {} s", ENDS_WITHIN.as_secs()),
        }
    }
    Ok(messages.pop().unwrap_or_default())
}

#[derive(serde::Deserialize)]
struct Over {
    reason: String,
    message: String,
}

/// Plays until the room is over: says each second that somebody is there.
async fn over(player: &mut Connection) -> Result<Over, Fault> {
    loop {
        let Ok(message) = timeout(Duration::from_secs(1), player.incoming()).await else {
            player.send(sign_of_life()).await?;
            continue;
        };
        let Some(bytes) = player.packet(message?).await? else { continue };
        let packet = Packet::decode(&bytes)?;
        match (packet.kind, packet.event()) {
            (Kind::Event, Ok(("over", over))) => return Ok(wire::parse(over)?),
            (Kind::Disconnect, _) if packet.nsp == GAMEPLAY => return Err(Fault::Lost("the seat ended".to_owned())),
            _ => {}
        }
    }
}
