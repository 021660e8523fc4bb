//! People who come and go all day: nothing of them stays. In a process of its own, because it looks at the process.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value as Json, json};
use tickcast::server::RunningServer;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    heap::bytes_in_use,
    process::run_in_child,
    server::{Client, PARSERS, PATIENCE, metric, start},
};

/// How many come and go in a round, and how many of them at a time.
const VISITS: usize = 400;
const AT_ONCE: usize = 8;

/// The bytes that a round may leave behind: less than a pointer for each connection.
const NOISE: usize = 4 * VISITS;

/// Tokens of so many guests: who is new is known by name for a minute after they left, so these come again and again.
async fn tokens(server: &RunningServer) -> Vec<Json> {
    let mut tokens = Vec::new();
    for _ in 0..AT_ONCE {
        let mut client = Client::join(server, "/lobby", json!({})).await.unwrap();
        tokens.push(client.event_named("/lobby", "session").await.data[1]["token"].clone());
    }
    tokens
}

async fn visit(server: SocketAddr, n: usize, token: &Json) {
    let mut client = Client::connect_to(server, PARSERS[n % 2]).await;
    client.enter("/lobby", json!({ "token": token })).await.unwrap();
    match n / 2 % 4 {
        // The connection just ends.
        0 => {}
        1 => {
            client.raw(Message::Close(None)).await;
            client.closed().await;
        }
        2 => {
            client.send(1, "/lobby", None, json!(null), None).await;
            client.enter("/matchmaking", json!({ "token": token })).await.unwrap();
        }
        _ => {
            let followed =
                client.request("/lobby", "presence", json!({ "users": [format!("nobody-{n}"), format!("guest-{n}")] })).await;
            assert_eq!(followed["ok"], true, "{followed}");
            client.raw(Message::text("1")).await;
            client.closed().await;
        }
    }
}

async fn round(server: SocketAddr, tokens: &[Json]) {
    let mut all = JoinSet::new();
    for (first, token) in tokens.iter().cloned().enumerate() {
        all.spawn(async move {
            for n in first * VISITS / AT_ONCE..(first + 1) * VISITS / AT_ONCE {
                visit(server, n, &token).await;
            }
        });
    }
    all.join_all().await;
}

/// Waits until the server has noticed that everybody is gone.
async fn deserted(server: &RunningServer) {
    let gone = async {
        loop {
            // The one that asks is a stream, too.
            let (streams, lobby) = (metric(server, "tickcast_streams ").await, connections(server, "/lobby").await);
            if streams <= 1.0 && lobby == 0.0 && connections(server, "/matchmaking").await == 0.0 {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("everybody is gone");
}

async fn connections(server: &RunningServer, namespace: &str) -> f64 {
    metric(server, &format!("tickcast_connections{{namespace=\"{namespace}\"}}")).await
}

#[tokio::test]
async fn visits_leave_nothing_behind() {
    if run_in_child("leaving::visits_leave_nothing_behind").is_some() {
        return;
    }
    let server = start().await;
    let tokens = tokens(&server).await;
    // These rounds allocate everything that is allocated once and kept.
    for _ in 0..2 {
        round(server.address(), &tokens).await;
    }
    deserted(&server).await;
    let before = bytes_in_use();
    for _ in 0..3 {
        round(server.address(), &tokens).await;
    }
    deserted(&server).await;
    let returns = async {
        while bytes_in_use() > before + NOISE {
            // The page of metrics folds what the histograms have gathered.
            metric(&server, "tickcast_streams ").await;
            sleep(Duration::from_millis(20)).await;
        }
    };
    let returned = timeout(PATIENCE, returns).await;
    assert!(returned.is_ok(), "{} visits leave {} bytes behind", 3 * VISITS, bytes_in_use() - before);
    server.shutdown().await;
}
