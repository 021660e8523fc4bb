//! A client that polls, and upgrades to a WebSocket or fails to.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tickcast::server::RunningServer;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message},
};

use crate::{
    polling::{Answer, Polling},
    server::{PATIENCE, create, dropped, get, start, start_limited},
};

/// Far longer than an answer takes on a machine that is not busy; a busy one only makes these tests weaker.
const A_MOMENT: Duration = Duration::from_millis(300);

const INFO: &str = "421[\"info\"]";

async fn say(websocket: &mut WebSocketStream<TcpStream>, text: &str) {
    websocket.send(Message::text(text)).await.unwrap();
}

async fn hear(websocket: &mut WebSocketStream<TcpStream>) -> String {
    let message = timeout(PATIENCE, websocket.next()).await.expect("the server says something");
    message.unwrap().unwrap().to_text().unwrap().to_owned()
}

/// Waits until the server has closed a WebSocket.
async fn closed(websocket: &mut WebSocketStream<TcpStream>) {
    let ends = async { while websocket.next().await.is_some_and(|message| message.is_ok()) {} };
    timeout(PATIENCE, ends).await.expect("the server closes");
}

/// A session in the namespace `/`.
async fn connected(server: &RunningServer) -> Polling {
    let mut session = Polling::open(server.address(), "socket.io").await;
    session.enter("").await;
    session
}

/// Asserts that a session polls, and a request is answered.
async fn polls_on(session: &mut Polling) {
    session.send(INFO).await;
    let answer = session.poll().await;
    assert!(answer.starts_with("431[{"), "{answer}");
}

#[tokio::test]
async fn a_poll_waits_while_a_probe_hangs() {
    let server = start().await;
    let mut session = connected(&server).await;
    let _hangs = session.probe().await.unwrap();
    session.ask().await;
    assert!(timeout(A_MOMENT, session.get.answer()).await.is_err(), "there is nothing to say");
    session.send(INFO).await;
    let answer = session.get.answer().await;
    assert!(answer.body.starts_with("431[{"), "{answer:?}");
    server.shutdown().await;
}

#[tokio::test]
async fn a_failed_probe_leaves_the_session_as_it_was() {
    let server = start().await;
    let mut session = connected(&server).await;
    for said in [&[][..], &["2probe"], &["5"], &["40"], &["2probe", "2probe"], &["2probe", "42[\"info\"]"]] {
        let mut websocket = session.probe_again().await;
        for said in said {
            say(&mut websocket, said).await;
        }
        match said {
            [] => drop(websocket),
            ["2probe"] => {
                assert_eq!(hear(&mut websocket).await, "3probe");
                drop(websocket);
            }
            _ => closed(&mut websocket).await,
        }
        polls_on(&mut session).await;
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_probe_has_a_time_limit() {
    let server = start_limited(|config| config.net.probe_timeout = Duration::from_millis(50)).await;
    let mut session = connected(&server).await;
    let before = dropped(&server, "probe").await;
    for is_probed in [false, true] {
        let mut websocket = session.probe_again().await;
        if is_probed {
            // A slow machine may be too late for this.
            let _ = websocket.send(Message::text("2probe")).await;
        }
        closed(&mut websocket).await;
        polls_on(&mut session).await;
    }
    assert!(dropped(&server, "probe").await >= before + 2);
    server.shutdown().await;
}

#[tokio::test]
async fn an_upgrade_loses_nothing_and_leaves_one_connection() {
    let server = start().await;
    let mut session = connected(&server).await;
    let mut websocket = session.probe().await.unwrap();
    session.ask().await;
    say(&mut websocket, "2probe").await;
    assert_eq!(hear(&mut websocket).await, "3probe");
    let Answer { head, body, .. } = session.get.answer().await;
    assert_eq!(body, "6", "the poll ends, so that the client can upgrade");
    assert!(head.contains("connection: close\r\n"), "{head}");
    session.get.closed().await;
    session.send("40/lobby,").await;
    session.post.closed().await;
    // The upgrade and two requests at once: nothing of it may be lost.
    for said in ["5", INFO, "422[\"info\"]"] {
        websocket.feed(Message::text(said)).await.unwrap();
    }
    websocket.flush().await.unwrap();
    let mut heard = Vec::new();
    while !heard.iter().any(|text: &String| text.starts_with("432[")) {
        heard.push(hear(&mut websocket).await);
    }
    for start in ["40/lobby,{", "42/lobby,[\"session\"", "431[{"] {
        assert!(heard.iter().any(|text| text.starts_with(start)), "no {start} in {heard:?}");
    }
    assert!(!heard.iter().any(|text| text == "3probe"), "the answer to the probe comes once");
    let (status, answer) = get(&server, &session.target).await;
    assert!(status == 400 && answer.contains("{\"code\":3,"), "{answer}");
    let Err(Error::Http(refused)) = session.probe().await else { panic!("the session is a WebSocket already") };
    assert_eq!(refused.status(), 400);
    server.shutdown().await;
}

#[tokio::test]
async fn one_probe_at_a_time() {
    let server = start().await;
    let session = connected(&server).await;
    let first = session.probe().await.unwrap();
    let Err(Error::Http(refused)) = session.probe().await else { panic!("there is a probe") };
    assert_eq!(
        (refused.status(), refused.body().as_deref()),
        (400.try_into().unwrap(), Some(&b"{\"code\":3,\"message\":\"Bad request\"}"[..]))
    );
    drop(first);
    session.probe_again().await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_cut_reaches_the_connection_that_a_session_moved_to() {
    let server = start_limited(|config| config.net.requests_per_second = 0.1).await;
    let mut session = connected(&server).await;
    let mut websocket = session.probe().await.unwrap();
    say(&mut websocket, "2probe").await;
    assert_eq!(hear(&mut websocket).await, "3probe");
    say(&mut websocket, "5").await;
    // A foreign request that names the session, and asks for an upgrade that there is not.
    session.get.ask("GET", &format!("/healthz{}", &session.target["/socket.io/".len()..]), "").await;
    assert_eq!(session.get.answer().await.status, 200);
    let before = dropped(&server, "flood").await;
    let flood = async {
        while websocket.send(Message::text(INFO)).await.is_ok() && !matches!(websocket.next().await, None | Some(Err(_))) {}
    };
    timeout(PATIENCE, flood).await.expect("the client is cut");
    assert!(dropped(&server, "flood").await > before);
    server.shutdown().await;
}

#[tokio::test]
async fn a_session_that_is_cut_while_it_probes_does_not_move() {
    let server = start_limited(|config| config.net.requests_per_second = 0.1).await;
    let mut session = connected(&server).await;
    let mut websocket = session.probe().await.unwrap();
    say(&mut websocket, "2probe").await;
    assert_eq!(hear(&mut websocket).await, "3probe");
    let flood = async { while session.try_send(INFO).await.status == 200 {} };
    timeout(PATIENCE, flood).await.expect("the session is cut");
    say(&mut websocket, "5").await;
    closed(&mut websocket).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_room_plays_over_an_upgraded_connection() {
    let server = start().await;
    let created = create(&server, json!({})).await;
    let mut session = Polling::open(server.address(), "socket.io").await;
    session.send(&format!("40/gameplay,{}", json!({ "ticket": created["ticket"] }))).await;
    let mut websocket = session.probe().await.unwrap();
    say(&mut websocket, "2probe").await;
    assert_eq!(hear(&mut websocket).await, "3probe");
    say(&mut websocket, "5").await;
    let frames = async {
        let mut frames = 0;
        while frames < 3 {
            let message = websocket.next().await.unwrap().unwrap();
            frames += u32::from(message.is_binary());
        }
    };
    timeout(PATIENCE, frames).await.expect("frames come");
    server.shutdown().await;
}
