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
    process::run_in_child,
    server::{Client, PARSERS, PATIENCE, metric, start},
};

/// How many come and go in a round, and how many of them at a time.
const VISITS: usize = 1_000;
const AT_ONCE: usize = 8;

/// What two rounds may leave behind: less than a hundred bytes for each visit, in pages of the system. A session is some thousands.
const NOISE: f64 = 200.0 * VISITS as f64;

/// The allocator keeps more after some rounds than after others; what leaks is there after each.
const MOST_ROUNDS: usize = 7;

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
            client.send(2, "/lobby", Some(1), json!(["enter", { "presence": true }]), None).await;
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
async fn who_comes_and_goes_leaves_nothing_behind() {
    if run_in_child("leaving::who_comes_and_goes_leaves_nothing_behind").is_some() {
        return;
    }
    let server = start().await;
    let tokens = tokens(&server).await;
    let mut resident = Vec::new();
    for _ in 0..MOST_ROUNDS {
        round(server.address(), &tokens).await;
        deserted(&server).await;
        let now = metric(&server, "process_resident_memory_bytes ").await;
        assert!(now > 0.0 || !cfg!(target_os = "linux"), "memory is measured");
        resident.push(now);
        if let [.., before, _, _] = resident[..]
            && now - before < NOISE
        {
            server.shutdown().await;
            return;
        }
    }
    panic!("each round leaves something behind: {resident:?}");
}
