//! Rates and quotas of a connection, a person and an address: entering again renews none, and others do not notice.

use serde_json::{Value as Json, json};
use tickcast::server::{Config, RunningServer};

use crate::server::{Client, PARSERS, Parser, dropped, start_limited};

/// So slow that a share does not grow during a test.
const HARDLY: f32 = 0.001;

fn code(answer: &Json) -> &str {
    if answer["ok"] == true { "ok" } else { answer["error"]["code"].as_str().unwrap() }
}

/// How many of these answers are not a refusal; the refusals are `rate_limited`.
fn answered(answers: &[Json]) -> usize {
    assert!(answers.iter().all(|answer| ["ok", "rate_limited"].contains(&code(answer))), "{answers:?}");
    answers.iter().filter(|answer| code(answer) == "ok").count()
}

/// The code with which a connection is refused, or "ok".
async fn entered(client: &mut Client, namespace: &str, auth: Json) -> String {
    match client.enter(namespace, auth).await {
        Ok(()) => "ok".to_owned(),
        Err(message) => message.split_once(": ").unwrap().0.to_owned(),
    }
}

async fn guest(server: &RunningServer) -> (Client, Json) {
    let mut client = Client::join(server, "/lobby", json!({})).await.unwrap();
    let session = client.event_named("/lobby", "session").await.data[1].clone();
    (client, json!({ "token": session["token"] }))
}

fn slow(config: &mut Config) {
    config.net.requests_per_second = HARDLY;
    config.net.requests_per_second_of_person = HARDLY;
    config.net.requests_per_second_of_address = HARDLY;
    config.net.connects_per_second = HARDLY;
    config.net.connects_per_second_of_address = HARDLY;
    config.net.new_guests_per_minute_of_address = HARDLY;
    config.net.counts_local_addresses = true;
}

#[tokio::test]
async fn entering_a_namespace_again_renews_no_share() {
    let server = start_limited(slow).await;
    for parser in PARSERS {
        let mut client = Client::connect(&server, parser).await;
        let mut answers = Vec::new();
        for _ in 0..3 {
            client.enter("/lobby", json!({})).await.unwrap();
            answers.extend(client.request_many(15, "/lobby", "games", json!({})).await);
            client.send(1, "/lobby", None, Json::Null, None).await;
        }
        assert_eq!(answered(&answers), 20, "{parser:?}");
        let refusal = answers.last().unwrap();
        assert!(refusal["error"]["retry_after"].as_f64().unwrap() > 1.0, "{refusal}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn attempts_to_enter_a_namespace_are_counted() {
    let server = start_limited(|config| {
        slow(config);
        config.net.connect_burst = 5;
    })
    .await;
    let mut client = Client::connect(&server, Parser::Msgpack).await;
    for namespace in ["/lobby", "/matchmaking", "/lobby", "/matchmaking"] {
        assert_eq!(entered(&mut client, namespace, json!({ "token": "forged" })).await, "bad_token");
    }
    assert_eq!(entered(&mut client, "/gameplay", json!({ "ticket": "forged" })).await, "bad_ticket");
    assert_eq!(entered(&mut client, "/lobby", json!({})).await, "rate_limited", "refused ones count");
    let mut other = Client::connect(&server, Parser::Msgpack).await;
    assert_eq!(entered(&mut other, "/lobby", json!({})).await, "ok");
    server.shutdown().await;
}

#[tokio::test]
async fn an_address_enters_namespaces_a_limited_number_of_times() {
    let server = start_limited(|config| {
        slow(config);
        config.net.connect_burst_of_address = 3;
    })
    .await;
    let mut entries = Vec::new();
    for _ in 0..5 {
        let mut client = Client::connect(&server, Parser::Json).await;
        entries.push(entered(&mut client, "/lobby", json!({ "token": "forged" })).await);
    }
    assert_eq!(entries, ["bad_token", "bad_token", "bad_token", "rate_limited", "rate_limited"]);
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_that_floods_with_entries_is_cut() {
    let server = start_limited(slow).await;
    let before = dropped(&server, "flood").await;
    let mut client = Client::connect(&server, Parser::Msgpack).await;
    for _ in 0..700 {
        client.send(0, "/lobby", None, json!({ "token": "forged" }), None).await;
    }
    client.closed().await;
    assert!(dropped(&server, "flood").await > before);
    server.shutdown().await;
}

#[tokio::test]
async fn the_connections_of_a_person_share_their_requests() {
    let server = start_limited(|config| {
        slow(config);
        config.net.request_burst_of_person = 30;
    })
    .await;
    let (mut first, auth) = guest(&server).await;
    let mut second = Client::join(&server, "/lobby", auth).await.unwrap();
    let mut answers = first.request_many(20, "/lobby", "games", json!({})).await;
    answers.extend(second.request_many(20, "/lobby", "games", json!({})).await);
    assert_eq!(answered(&answers), 30);
    let (mut other, _) = guest(&server).await;
    assert_eq!(code(&other.request("/lobby", "games", json!({})).await), "ok");
    server.shutdown().await;
}

#[tokio::test]
async fn new_guests_from_one_address_are_limited() {
    let server = start_limited(|config| {
        slow(config);
        config.net.new_guests_of_address = 2;
    })
    .await;
    let (_first, auth) = guest(&server).await;
    let (_second, _) = guest(&server).await;
    let refused = Client::join(&server, "/lobby", json!({})).await.err().unwrap();
    assert!(refused.starts_with("rate_limited: too many new guests"), "{refused}");
    assert!(Client::join(&server, "/matchmaking", auth).await.is_ok(), "a known guest comes in");
    server.shutdown().await;
}

#[tokio::test]
async fn wrong_codes_lock_a_person_out() {
    let server = start_limited(|config| {
        config.host.wrong_codes = 1;
        config.host.wrong_code_pause = std::time::Duration::from_secs(100);
        config.net.request_burst = 100;
    })
    .await;
    let (mut ada, auth) = guest(&server).await;
    let created = ada.request("/lobby", "create", json!({ "game": "duel", "private": true })).await;
    let (mut eve, eve_is) = guest(&server).await;
    assert_eq!(code(&eve.request("/lobby", "join", json!({ "code": "BCDFGH" })).await), "unknown_code");
    assert_eq!(code(&eve.request("/lobby", "party_join", json!({ "code": "BCDFGH" })).await), "unknown_code");
    let mut elsewhere = Client::join(&server, "/lobby", eve_is).await.unwrap();
    for client in [&mut eve, &mut elsewhere] {
        for event in ["join", "spectate", "party_join"] {
            let answer = client.request("/lobby", event, json!({ "code": created["code"] })).await;
            assert_eq!(code(&answer), "rate_limited", "{event}: not even the right one is tried");
            assert!((90.0..=100.0).contains(&answer["error"]["retry_after"].as_f64().unwrap()), "{answer}");
        }
        assert_eq!(code(&client.request("/lobby", "games", json!({})).await), "ok");
    }
    let mut friend = Client::join(&server, "/lobby", auth).await.unwrap();
    assert_eq!(code(&friend.request("/lobby", "join", json!({ "code": created["code"] })).await), "ok");
    server.shutdown().await;
}

#[tokio::test]
async fn the_oldest_connection_of_a_person_ends_when_there_are_too_many() {
    let server = start_limited(|config| config.host.connections_per_person = 2).await;
    let before = dropped(&server, "visitor").await;
    let (mut first, auth) = guest(&server).await;
    let mut second = Client::join(&server, "/matchmaking", auth.clone()).await.unwrap();
    let _third = Client::join(&server, "/lobby", auth).await.unwrap();
    assert_eq!(first.event_named("/lobby", "ended").await.data[1]["code"], "quota_exceeded");
    assert!(first.ended("/lobby").await);
    assert_eq!(code(&second.request("/matchmaking", "rating", json!({ "game": "duel" })).await), "ok");
    assert!(dropped(&server, "visitor").await > before);
    server.shutdown().await;
}

#[tokio::test]
async fn one_person_cannot_fill_the_server() {
    let server = start_limited(|config| {
        config.host.max_rooms = 8;
        config.net.request_burst = 100;
    })
    .await;
    let (mut eve, auth) = guest(&server).await;
    let mut opened = Vec::new();
    for _ in 0..3 {
        let mut another = Client::join(&server, "/lobby", auth.clone()).await.unwrap();
        for _ in 0..4 {
            opened.push(another.request("/lobby", "create", json!({ "game": "duel" })).await);
        }
    }
    let codes: Vec<_> = opened.iter().map(code).collect();
    assert_eq!(codes, [["ok"; 4], ["quota_exceeded"; 4], ["quota_exceeded"; 4]].concat());
    let quick = eve.request("/lobby", "quick", json!({ "game": "duel" })).await;
    assert!(opened.iter().any(|own| own["room"] == quick["room"]), "no room beyond those: {quick}");
    let (mut ada, _) = guest(&server).await;
    assert_eq!(code(&ada.request("/lobby", "create", json!({ "game": "duel" })).await), "ok");
    server.shutdown().await;
}
