//! Inputs of a match that no honest client sends.

use anyhow::{bail, ensure};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep, timeout};

use super::attacker::{Attacker, Pass, ask, sit_down};
use super::kind::{Attack, Seen};
use crate::client::Welcome;
use crate::connection::{Connection, Fault, GAMEPLAY, LOBBY};
use crate::inputs::InputGenerator;
use crate::wire::{BinaryEvent, append_array, append_int};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "input-flood",
        about: "a player sends 900 valid inputs a second, thirty times as many as there are ticks",
        counted: &["input_share", "rate_limited"],
        quick: true,
        run: |attacker| Box::pin(input_flood(attacker.at_least(3))),
    },
    Attack {
        name: "impossible-inputs",
        about: "inputs that are cut off, too long, out of range, of other types, NaN, or deeply nested",
        counted: &["bad_input"],
        quick: true,
        run: |attacker| Box::pin(impossible_inputs(attacker.at_least(3))),
    },
    Attack {
        name: "far-future",
        about: "inputs for ticks an hour ahead",
        counted: &["input_too_early"],
        quick: true,
        run: |attacker| Box::pin(far_future(attacker.at_least(3))),
    },
    Attack {
        name: "false-acknowledgements",
        about: "acknowledgements of ticks that were never sent",
        counted: &["bad_ack"],
        quick: true,
        run: |attacker| Box::pin(false_acknowledgements(attacker.at_least(3))),
    },
    Attack {
        name: "replayed-inputs",
        about: "the same input again and again, for ticks long gone",
        counted: &["duplicate_input"],
        quick: false,
        run: |attacker| Box::pin(replayed_inputs(attacker)),
    },
    Attack {
        name: "playing-spectator",
        about: "a spectator sends inputs",
        counted: &["not_seated"],
        quick: true,
        run: |attacker| Box::pin(playing_spectator(attacker)),
    },
    Attack {
        name: "other-seats",
        about: "a player names other seats: in inputs, in votes, and to remove somebody from a room that is another's",
        counted: &["bad_input"],
        quick: true,
        run: |attacker| Box::pin(other_seats(attacker)),
    },
    Attack {
        name: "false-reports",
        about: "20 players report a mirror that differs as often as they may, which must not fill the log",
        counted: &["rate_limited"],
        quick: true,
        run: |attacker| Box::pin(false_reports(attacker.at_least(5))),
    },
];

/// A player, or a spectator, of a room of the arena.
struct Player {
    connection: Connection,
    welcome: Welcome,
    event: BinaryEvent,
}

impl Player {
    async fn seat(attacker: &Attacker) -> anyhow::Result<Self> {
        let (mut connection, _) = attacker.guest(LOBBY).await?;
        let pass: Pass = ask(&mut connection, LOBBY, "create", &json!({"game": "arena"})).await?;
        Self::enter(connection, &pass).await
    }

    async fn enter(mut connection: Connection, pass: &Pass) -> anyhow::Result<Self> {
        let welcome = sit_down(&mut connection, &json!({"ticket": pass.ticket})).await?;
        Ok(Self { connection, welcome, event: BinaryEvent::new(GAMEPLAY, "i") })
    }

    /// An input with everything as it should be but these numbers.
    fn input(&self, ack: i64, seq: i64, tick: i64) -> Vec<u8> {
        InputGenerator::new(&self.welcome.schema.input.fields, 1).next([ack, seq, tick])
    }

    /// Sends inputs and reads what comes meanwhile, for as long as the attack takes. Fails if the connection ends.
    async fn send(&mut self, attacker: &Attacker, each: Duration, input: impl Fn(&Self, i64) -> Vec<u8>) -> anyhow::Result<()> {
        let end = Instant::now() + attacker.length;
        let mut seq = 0;
        while Instant::now() < end {
            seq += 1;
            let packet = self.event.packet(&input(self, seq));
            self.connection.send(packet).await?;
            while let Ok(message) = timeout(each, self.connection.incoming()).await {
                self.connection.packet(message?).await?;
            }
            sleep(each / 2).await;
        }
        Ok(())
    }

    /// Checks that the connection still answers.
    async fn answers(&mut self) -> Seen {
        self.connection.request::<(), Value>(GAMEPLAY, "t", None).await?;
        Ok("refused, and the seat plays on".to_owned())
    }
}

const EACH: Duration = Duration::from_millis(20);

async fn input_flood(attacker: Attacker) -> Seen {
    let mut player = Player::seat(&attacker).await?;
    let end = Instant::now() + attacker.length;
    let mut seq = 0;
    while Instant::now() < end {
        for _ in 0..90 {
            seq += 1;
            let packet = player.event.packet(&player.input(0, seq, 0));
            player.connection.send(packet).await?;
        }
        let next = Instant::now() + Duration::from_millis(100);
        while let Ok(message) = tokio::time::timeout_at(next, player.connection.incoming()).await {
            player.connection.packet(message?).await?;
        }
    }
    player.answers().await
}

async fn impossible_inputs(attacker: Attacker) -> Seen {
    let mut player = Player::seat(&attacker).await?;
    let good = player.input(0, 1, 0);
    let columns = InputGenerator::new(&player.welcome.schema.input.fields, 1).len();
    let whole = |value: &[u8]| {
        let mut input = Vec::new();
        append_array(&mut input, 3 + columns as u32);
        (0..3).for_each(|_| append_int(&mut input, 1));
        (0..columns).for_each(|_| input.extend_from_slice(value));
        input
    };
    let bad = [
        good[..good.len() - 1].to_vec(),
        [&good[..], &[0]].concat(),
        Vec::new(),
        vec![0x91; 400],
        vec![0xdd, 0xff, 0xff, 0xff, 0xff],
        whole(&i64::MAX.to_be_bytes().iter().fold(vec![0xd3], |mut all, byte| {
            all.push(*byte);
            all
        })),
        whole(&[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]),
        whole(&[0xca, 0x7f, 0x80, 0, 0]),
        whole(&[0xc0]),
        whole(&[0xa1, b'a']),
    ];
    let count = bad.len();
    player.send(&attacker, EACH, |_, seq| bad[seq as usize % count].clone()).await?;
    player.answers().await
}

async fn far_future(attacker: Attacker) -> Seen {
    let mut player = Player::seat(&attacker).await?;
    let far = i64::from(player.welcome.tick) + i64::from(player.welcome.hz) * 3600;
    player.send(&attacker, EACH, |player, seq| player.input(0, seq, far + seq)).await?;
    player.answers().await
}

async fn false_acknowledgements(attacker: Attacker) -> Seen {
    let mut player = Player::seat(&attacker).await?;
    player.send(&attacker, EACH, |player, seq| player.input(30_000 + seq, seq, 0)).await?;
    player.answers().await
}

async fn replayed_inputs(attacker: Attacker) -> Seen {
    let mut player = Player::seat(&attacker).await?;
    player.send(&attacker, EACH, |player, _| player.input(0, 1, 1)).await?;
    player.answers().await.map(|_| "ignored".to_owned())
}

async fn playing_spectator(attacker: Attacker) -> Seen {
    let player = Player::seat(&attacker).await?;
    let (mut connection, _) = attacker.guest(LOBBY).await?;
    let rooms: Rooms = ask(&mut connection, LOBBY, "rooms", &json!({"game": "arena", "sort": "newest", "limit": 1})).await?;
    ensure!(!rooms.rooms.is_empty(), "the room is not listed");
    let pass: Pass = ask(&mut connection, LOBBY, "spectate", &json!({"room": rooms.rooms[0].room})).await?;
    let mut spectator = Player::enter(connection, &pass).await?;
    spectator.send(&attacker, EACH, |spectator, seq| spectator.input(0, seq, 0)).await?;
    drop(player);
    spectator.answers().await.map(|_| "discarded".to_owned())
}

/// Makes a request that must be refused with a code.
async fn must_refuse(connection: &mut Connection, request: (&str, &str), argument: &Value, expected: &str) -> anyhow::Result<()> {
    let (namespace, name) = request;
    match ask::<_, Value>(connection, namespace, name, argument).await {
        Err(Fault::Refused { code, .. }) if code == expected => Ok(()),
        Err(fault) => bail!("{name} {argument}: {fault} instead of {expected}"),
        Ok(_) => bail!("{name} {argument} is not refused"),
    }
}

async fn other_seats(attacker: Attacker) -> Seen {
    let (mut owner, _) = attacker.guest(LOBBY).await?;
    let pass: Pass = ask(&mut owner, LOBBY, "create", &json!({"game": "arena"})).await?;
    let mut owner = Player::enter(owner, &pass).await?;
    let (mut lobby, _) = attacker.at(1).guest(LOBBY).await?;
    let room = pass.room;
    let pass: Pass = ask(&mut lobby, LOBBY, "join", &json!({"room": room})).await?;
    let mut player = Player::enter(lobby, &pass).await?;
    let (mine, others) = (player.welcome.seat, owner.welcome.seat);
    ensure!(mine != others, "two players have one seat");
    must_refuse(&mut player.connection, (LOBBY, "kick"), &json!({"room": room, "seat": others}), "not_owner").await?;
    must_refuse(&mut player.connection, (GAMEPLAY, "votekick"), &json!({"seat": mine}), "unknown_seat").await?;
    must_refuse(&mut player.connection, (GAMEPLAY, "votekick"), &json!({"seat": 200}), "unknown_seat").await?;
    must_refuse(&mut player.connection, (GAMEPLAY, "votekick"), &json!({"seat": -1}), "bad_request").await?;
    must_refuse(&mut player.connection, (GAMEPLAY, "resync"), &json!({"seat": others}), "bad_request").await?;
    // An input has no place for a seat or an entity. One column more says how far behind the others were drawn, and two more are none.
    let with_seat = |player: &Player, seq| {
        let mut input = player.input(0, seq, 0);
        input[0] += 2;
        (0..2).for_each(|_| append_int(&mut input, i64::from(others)));
        input
    };
    player.send(&attacker, EACH, with_seat).await?;
    owner.answers().await?;
    player.answers().await
}

async fn false_reports(attacker: Attacker) -> Seen {
    let mut players = Vec::new();
    for _ in 0..20 {
        players.push(Player::seat(&attacker).await?);
    }
    let reports = players.into_iter().map(|mut player| {
        let attacker = &attacker;
        async move {
            let component = (0..=u8::MAX).find(|id| player.welcome.schema.component_name(*id).is_some());
            let report = json!({"component": component, "expected": 1, "got": 2});
            let mut taken = 0;
            while !attacker.is_over() {
                match ask::<_, Value>(&mut player.connection, GAMEPLAY, "resync", &report).await {
                    Ok(_) => taken += 1,
                    Err(Fault::Refused { code, .. }) if code == "rate_limited" => {}
                    Err(fault) => return Err(fault),
                }
                sleep(Duration::from_millis(150)).await;
            }
            Ok(taken)
        }
    });
    let mut taken = 0;
    for outcome in join_all(reports).await {
        taken += outcome?;
    }
    Ok(format!("{taken} reports taken"))
}

#[derive(serde::Deserialize)]
struct Rooms {
    rooms: Vec<Room>,
}

#[derive(serde::Deserialize)]
struct Room {
    room: String,
}
