//! Sessions that poll: broken payloads, several requests at once, and clients that do not read.

use anyhow::{Context, bail, ensure};
use futures_util::future::join_all;
use tokio::time::{Duration, Instant, sleep, timeout};

use super::attacker::{Attacker, PATIENCE};
use super::http::polling_session;
use super::kind::{Attack, Seen};
use super::raw::handshake;
use super::resources::fill_chat;

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "broken-payloads",
        about: "payloads of both parsers that are empty, only separators, no UTF-8, no base64, or packets that only servers send",
        counted: &["malformed"],
        quick: true,
        run: |attacker| Box::pin(broken_payloads(attacker)),
    },
    Attack {
        name: "crossing-polls",
        about: "a session polls ten times at once, posts ten times at once, and probes a WebSocket ten times at once",
        counted: &["malformed", "probe"],
        quick: true,
        run: |attacker| Box::pin(crossing_polls(attacker)),
    },
    Attack {
        name: "deaf-pollers",
        about: "30 sessions that poll ask for the chat's history at the allowed rate and never poll again",
        counted: &["queued_bytes"],
        quick: true,
        run: |attacker| Box::pin(deaf_pollers(attacker)),
    },
    Attack {
        name: "guessed-sessions",
        about: "polls and posts for thousands of sessions that do not exist",
        counted: &["malformed"],
        quick: true,
        run: |attacker| Box::pin(guessed_sessions(attacker)),
    },
];

const JSON: &str = "/socket.io/?EIO=4&transport=polling";
const MSGPACK: &str = "/socket.io-msgpack/?EIO=4&transport=polling";

/// Begins a session on an endpoint. Returns the path of its requests.
async fn session(attacker: &Attacker, path: &str) -> anyhow::Result<String> {
    let (status, answer) = attacker.http("GET", path, "", "").await?;
    ensure!(status == 200, "a polling handshake is answered {status}");
    let sid = answer.split("\"sid\":\"").nth(1).and_then(|rest| rest.split('"').next());
    Ok(format!("{path}&sid={}", sid.context("the handshake names no session")?))
}

/// Posts packets. Returns the status.
async fn post(attacker: &Attacker, path: &str, body: &[u8]) -> anyhow::Result<u16> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n",
        attacker.host(),
        body.len()
    );
    let answer = attacker.exchange(&[head.as_bytes(), body].concat(), 2 * PATIENCE).await?;
    Ok(super::attacker::status(&answer))
}

async fn broken_payloads(attacker: Attacker) -> Seen {
    let separators = [0x1e; 3000];
    // MessagePack: an array of 2^32 values, a map in a map in a map, an event without a type.
    let (endless, deep, typeless) = ("b3f////8=", format!("b{}", "gaGB".repeat(3000)), "bgaNuc3ClL2xvYg==");
    let payloads: [&[u8]; 18] = [
        b"",
        &separators,
        b"\x1e",
        b"9",
        b"42",
        b"42[]",
        b"42{}",
        b"4\xff\xfe",
        b"\xff",
        b"b",
        b"bnot base64!",
        b"b====",
        endless.as_bytes(),
        deep.as_bytes(),
        typeless.as_bytes(),
        b"0{\"sid\":\"x\"}",
        b"5",
        b"40/lobby,{}\x1e42/lobby,[\x1e40/lobby,{}",
    ];
    let mut refused = 0;
    for path in [JSON, MSGPACK] {
        for payload in payloads {
            let path = session(&attacker, path).await?;
            let status = post(&attacker, &path, payload).await?;
            ensure!(status < 500, "{payload:.40?}: {status}");
            refused += u32::from(status >= 400);
        }
    }
    ensure!(refused > 0, "no payload was refused");
    let path = session(&attacker, JSON).await?;
    let status = post(&attacker, &path, b"40/lobby,{}").await?;
    ensure!(status == 200, "an honest packet is answered {status} after that");
    Ok(format!("{refused} of {} refused", 2 * payloads.len()))
}

async fn crossing_polls(attacker: Attacker) -> Seen {
    let mut statuses = Vec::new();
    for path in [JSON, MSGPACK] {
        let path = session(&attacker, path).await?;
        let polls = (0..10).map(|_| timeout(2 * PATIENCE, attacker.http("GET", &path, "", "")));
        let posts = (0..10).map(|_| timeout(2 * PATIENCE, attacker.http("POST", &path, "", "3")));
        let (polls, posts) = tokio::join!(join_all(polls), join_all(posts));
        for answer in polls.into_iter().chain(posts) {
            // A poll that waits for longer than the patience is cut by `exchange`.
            let Ok(Ok((status, _))) = answer else { continue };
            ensure!(status < 500, "a poll is answered {status}");
            statuses.push(status);
        }
    }
    let sid = polling_session(&attacker).await?;
    let probe = handshake(attacker.host(), &format!("/socket.io/?EIO=4&transport=websocket&sid={sid}"), "");
    let probes = join_all((0..10).map(|_| attacker.exchange(probe.as_bytes(), 2 * PATIENCE))).await;
    let upgraded = probes.iter().flatten().filter(|answer| answer.starts_with("HTTP/1.1 101")).count();
    ensure!(upgraded <= 1, "{upgraded} probes of one session were taken at once");
    statuses.sort_unstable();
    statuses.dedup();
    Ok(format!("answered {statuses:?}, {upgraded} of 10 probes taken"))
}

async fn deaf_pollers(attacker: Attacker) -> Seen {
    fill_chat(&attacker).await;
    let attacker = attacker.at(1);
    let end = Instant::now() + attacker.length.max(Duration::from_secs(4));
    let deaf = (0..30).map(|_| async {
        let path = session(&attacker, JSON).await?;
        post(&attacker, &path, b"40/lobby,{}").await?;
        let listens = "42/lobby,1[\"listen\",{\"channel\":\"lobby\"}]".as_bytes();
        let mut status = 200;
        while Instant::now() < end && status == 200 {
            status = post(&attacker, &path, listens).await?;
            sleep(Duration::from_millis(100)).await;
        }
        anyhow::Ok(u32::from(status != 200))
    });
    let mut cut = 0;
    for outcome in join_all(deaf).await {
        cut += outcome?;
    }
    ensure!(cut > 0, "none of 30 was cut");
    Ok(format!("{cut} of 30 cut"))
}

async fn guessed_sessions(attacker: Attacker) -> Seen {
    let tries = (0..8_u64).map(|place| {
        let attacker = attacker.at(1 + place as u16);
        async move {
            let mut guessed = 0_u64;
            while !attacker.is_over() {
                guessed += 1;
                let sid = format!("{:020}", place * 1_000_000 + guessed);
                let method = if guessed.is_multiple_of(2) { "GET" } else { "POST" };
                let (status, _) = attacker.http(method, &format!("{JSON}&sid={sid}"), "", "40").await?;
                match status {
                    400 | 429 => {}
                    other => bail!("a session that does not exist is answered {other}"),
                }
            }
            Ok(guessed)
        }
    });
    let mut guessed = 0;
    for outcome in join_all(tries).await {
        guessed += outcome?;
    }
    Ok(format!("{guessed} guessed, all refused"))
}
