//! Attempts to fill the server's memory: large messages, clients that do not read, and many that come and go.

use std::time::Duration;

use anyhow::{bail, ensure};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::attacker::{Attacker, PATIENCE, ask};
use super::kind::{Attack, Seen};
use super::raw::{End, frame, text};
use crate::connection::{LOBBY, MATCHMAKING};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "large-messages",
        about: "messages of 15 MB on four connections",
        counted: &["protocol"],
        quick: true,
        run: |attacker| Box::pin(large_messages(attacker)),
    },
    Attack {
        name: "deaf-listeners",
        about: "60 guests ask for the chat's history at the allowed rate and never read",
        counted: &["queued_bytes"],
        quick: true,
        run: |attacker| Box::pin(deaf_listeners(attacker)),
    },
    Attack {
        name: "deaf-players",
        about: "players take seats and never read again",
        counted: &["stalled", "silent", "frame", "queued_bytes"],
        quick: false,
        run: |attacker| Box::pin(deaf_players(attacker)),
    },
    Attack {
        name: "crawling-players",
        about: "players read 1 kB a second",
        counted: &[],
        quick: false,
        run: |attacker| Box::pin(crawling_players(attacker)),
    },
    Attack {
        name: "come-and-go",
        about: "10,000 clients connect, enter the lobby and leave",
        counted: &["rate_limited"],
        quick: true,
        run: |attacker| Box::pin(come_and_go(attacker)),
    },
    Attack {
        name: "queue-flood",
        about: "one guest queues without pause",
        counted: &["rate_limited", "already_queued", "flood"],
        quick: true,
        run: |attacker| Box::pin(queue_flood(attacker)),
    },
];

async fn large_messages(attacker: Attacker) -> Seen {
    let message = frame(0x82, &vec![0; 15_000_000]);
    let tries = (0..4).map(|_| async {
        let mut socket = attacker.raw_guest().await?;
        socket.bytes(&message).await;
        anyhow::Ok(socket.end(Instant::now() + PATIENCE).await)
    });
    for end in join_all(tries).await {
        ensure!(end? != End::Open, "the connection stays open");
    }
    Ok("closed".to_owned())
}

/// Fills the chat of the lobby, whose history everybody may ask for.
pub(crate) async fn fill_chat(attacker: &Attacker) {
    let writers = (0..20).map(|_| async {
        let Ok((mut connection, _)) = attacker.guest(LOBBY).await else { return };
        for _ in 0..5 {
            let chat = json!({"channel": "lobby", "text": "x".repeat(500)});
            // A refused message is missing from the history, which makes the attack weaker and not wrong.
            let _ = ask::<_, Value>(&mut connection, LOBBY, "chat", &chat).await;
        }
    });
    join_all(writers).await;
}

async fn deaf_listeners(attacker: Attacker) -> Seen {
    fill_chat(&attacker).await;
    let attacker = attacker.at(1);
    let listens = text("42/lobby,1[\"listen\",{\"channel\":\"lobby\"}]").repeat(2);
    let end = Instant::now() + attacker.length.max(Duration::from_secs(4));
    let deaf = (0..60).map(|_| async {
        let Ok(mut socket) = attacker.raw_guest().await else { return 0 };
        while Instant::now() < end {
            socket.bytes(&listens).await;
            sleep(Duration::from_millis(200)).await;
        }
        u32::from(socket.end(Instant::now() + Duration::from_secs(2)).await != End::Open)
    });
    let cut = join_all(deaf).await.into_iter().sum::<u32>();
    ensure!(cut > 0, "none of 60 was cut");
    Ok(format!("{cut} of 60 cut"))
}

async fn deaf_players(attacker: Attacker) -> Seen {
    let mut players = Vec::new();
    for _ in 0..10 {
        players.push(attacker.raw_seat().await?);
    }
    sleep(Duration::from_secs(25)).await;
    let ends = join_all(players.iter_mut().map(|player| player.end(Instant::now() + PATIENCE))).await;
    let open = ends.iter().filter(|end| **end == End::Open).count();
    ensure!(open == 0, "{open} of 10 are still there after 25 s");
    Ok("all cut".to_owned())
}

async fn crawling_players(attacker: Attacker) -> Seen {
    let mut players = Vec::new();
    for _ in 0..10 {
        let (mut connection, _) = attacker.guest(LOBBY).await?;
        let pass: super::attacker::Pass = ask(&mut connection, LOBBY, "create", &json!({"game": "arena"})).await?;
        connection.enter(crate::connection::GAMEPLAY, &json!({"ticket": pass.ticket})).await?;
        connection.crawl(1000);
        players.push(connection);
    }
    let crawls = join_all(players.iter_mut().map(|player| async move { while player.next_packet().await.is_ok() {} }));
    tokio::select! {
        _ = crawls => Ok("all cut".to_owned()),
        () = sleep_until(attacker.ends + attacker.length) => Ok("still reading".to_owned()),
    }
}

async fn come_and_go(attacker: Attacker) -> Seen {
    let (clients, at_once) = attacker.amount((10_000, 50), (300, 20));
    let mut came = 0_usize;
    for batch in 0..clients / at_once {
        // A new address after some clients, because each may come only so often.
        let attacker = attacker.at(1 + (batch * at_once / 100) as u16);
        let visits = (0..at_once).map(|_| async {
            let mut socket = attacker.raw_guest().await?;
            socket.text("41/lobby,").await;
            anyhow::Ok(())
        });
        came += join_all(visits).await.into_iter().flatten().count();
    }
    // New guests from one address are limited, too.
    ensure!(came * 4 >= clients, "only {came} of {clients} came in");
    Ok(format!("{came} of {clients} came in"))
}

async fn queue_flood(attacker: Attacker) -> Seen {
    let mut socket = attacker.raw().await?;
    socket.text("40/matchmaking,{}").await;
    if socket.until("42/matchmaking,[\"session\"").await.is_none() {
        bail!("{MATCHMAKING} does not let a guest in");
    }
    let enqueue = text("42/matchmaking,1[\"enqueue\",{\"game\":\"arena\",\"mode\":\"asked\"}]").repeat(100);
    ensure!(socket.flood(&enqueue, Instant::now() + PATIENCE).await, "the connection was not cut");
    Ok("cut".to_owned())
}
