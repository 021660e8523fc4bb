//! The namespace `/matchmaking` over real sockets.

use serde_json::{Value as Json, json};

use crate::server::{Client, PARSERS, seated, start};

const QUEUE: &str = "/matchmaking";

#[tokio::test]
async fn two_queued_players_meet_in_a_duel() {
    let server = start().await;
    let mut clients = Vec::new();
    for parser in PARSERS {
        let mut client = Client::connect(&server, parser).await;
        client.enter(QUEUE, json!({"name": format!("{parser:?}")})).await.unwrap();
        clients.push(client);
    }
    assert_eq!(clients[0].request(QUEUE, "enqueue", json!({"game": "duel"})).await, json!({"ok": true, "position": 1}));
    let status = clients[0].event_named(QUEUE, "status").await.data[1].clone();
    let stands =
        json!({"game": "duel", "mode": "default", "position": 1, "waiting": 1, "needed": 2, "waited": 0, "estimate": null});
    assert_eq!(status, stands);
    assert_eq!(clients[1].request(QUEUE, "enqueue", json!({"game": "duel"})).await["ok"], true);
    let mut rooms = Vec::new();
    let mut players = Vec::new();
    for client in &mut clients {
        let matched = client.event_named(QUEUE, "matched").await.data[1].clone();
        assert_eq!((&matched["game"], &matched["mode"]), (&json!("duel"), &json!("default")));
        rooms.push(matched["room"].clone());
        players.push(seated(&server, matched["ticket"].as_str().unwrap()).await);
    }
    assert_eq!(rooms[0], rooms[1]);
    let seats = &players[1].1["seats"];
    assert_eq!((&seats[0]["name"], &seats[1]["name"]), (&json!("Json"), &json!("Msgpack")));
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    assert_eq!(lobby.request("/lobby", "rooms", Json::Null).await["rooms"], json!([]), "a matched room is for the matched");
    server.shutdown().await;
}

#[tokio::test]
async fn a_connection_waits_once_and_leaves_with_its_end() {
    let server = start().await;
    let mut waiting = Client::join(&server, QUEUE, json!({})).await.unwrap();
    let refused = |answer: Json| answer["error"]["code"].clone();
    assert_eq!(refused(waiting.request(QUEUE, "leave", Json::Null).await), "not_queued");
    assert_eq!(refused(waiting.request(QUEUE, "enqueue", json!({"game": "chess"})).await), "unknown_game");
    assert_eq!(refused(waiting.request(QUEUE, "enqueue", Json::Null).await), "bad_request");
    assert_eq!(waiting.request(QUEUE, "enqueue", json!({"game": "duel"})).await["ok"], true);
    assert_eq!(waiting.request(QUEUE, "enqueue", json!({"game": "duel"})).await["position"], 1, "it keeps its place");
    assert_eq!(waiting.request(QUEUE, "leave", Json::Null).await, json!({"ok": true}));
    assert_eq!(waiting.request(QUEUE, "enqueue", json!({"game": "duel"})).await["ok"], true);
    waiting.send(1, QUEUE, None, Json::Null, None).await;
    drop(waiting);

    let mut next = Client::join(&server, QUEUE, json!({})).await.unwrap();
    let mut position = Json::Null;
    for _ in 0..10 {
        position = next.request(QUEUE, "enqueue", json!({"game": "duel"})).await["position"].clone();
        if position == 1 {
            break;
        }
        next.request(QUEUE, "leave", Json::Null).await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(position, 1, "who has gone waits no more");
    server.shutdown().await;
}
