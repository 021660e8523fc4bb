//! The end of a match, with packets on their way: it costs a client no other namespace of its connection.

use std::time::Duration;

use serde_json::{Value as Json, json};
use tickcast::server::RunningServer;
use tokio::time::{Instant, sleep};

use crate::server::{Client, PARSERS, Parser, start};

/// `[ack, seq, tick, dir]`: walk to the east from the next tick on.
const EAST: &[u8] = &[0x94, 0, 1, 0, 1];

/// Longer than the server waits for quiet.
const LONG: Duration = Duration::from_secs(3);

/// A client in the lobby that plays over the same connection; its room.
async fn player(server: &RunningServer, parser: Parser) -> (Client, Json) {
    let mut client = Client::connect(server, parser).await;
    client.enter("/lobby", json!({})).await.unwrap();
    let room = play(&mut client).await;
    (client, room)
}

/// Takes a seat in a new room.
async fn play(client: &mut Client) -> Json {
    let created = client.request("/lobby", "create", json!({ "game": "duel" })).await;
    client.enter("/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
    client.event_named("/gameplay", "s").await;
    created["room"].clone()
}

/// Requests and an input with an acknowledgement, whose answers nobody waits for.
async fn chatter(client: &mut Client) {
    client.send(2, "/gameplay", Some(1_000), json!(["t"]), None).await;
    client.send(2, "/gameplay", None, json!(["resync", {}]), None).await;
    client.send(2, "/gameplay", Some(1_001), json!(["nothing"]), None).await;
    client.send(5, "/gameplay", Some(1_002), json!(["i"]), Some(EAST.into())).await;
    client.send(5, "/gameplay", None, json!(["i"]), Some(EAST.into())).await;
}

async fn has_lobby(client: &mut Client) -> bool {
    client.request("/lobby", "games", Json::Null).await["ok"] == true
}

#[tokio::test]
async fn packets_sent_after_the_end_cost_no_other_namespace() {
    let server = start().await;
    for parser in PARSERS {
        let (mut client, room) = player(&server, parser).await;
        client.send(2, "/lobby", None, json!(["kick", { "room": room, "seat": 1 }]), None).await;
        let until = Instant::now() + LONG;
        while Instant::now() < until {
            chatter(&mut client).await;
            sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(client.event_named("/gameplay", "over").await.data[1]["reason"], "kicked");
        assert!(has_lobby(&mut client).await, "{parser:?}");
        assert!(client.ended("/gameplay").await, "it is quiet now");
        assert!(has_lobby(&mut client).await, "{parser:?}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn requests_are_answered_until_the_namespace_ends() {
    let server = start().await;
    let (mut client, room) = player(&server, Parser::Msgpack).await;
    assert_eq!(client.request("/lobby", "kick", json!({ "room": room, "seat": 1 })).await["ok"], true);
    client.event_named("/gameplay", "over").await;
    assert!(client.request("/gameplay", "t", Json::Null).await["tick"].is_f64());
    for (event, argument) in [("resync", json!({})), ("votekick", json!({ "seat": 2 }))] {
        let answer = client.request("/gameplay", event, argument).await;
        assert_eq!(answer["error"]["code"], "resume_expired", "{event}");
    }
    assert_eq!(client.request("/gameplay", "leave", Json::Null).await, json!({ "ok": true }));
    assert_eq!(client.input(EAST, true).await, json!({ "ok": true }));
    assert!(client.ended("/gameplay").await);
    assert!(has_lobby(&mut client).await);
    server.shutdown().await;
}

#[tokio::test]
async fn the_next_match_starts_at_once_on_the_same_connection() {
    let server = start().await;
    for parser in PARSERS {
        let (mut client, _) = player(&server, parser).await;
        client.request("/gameplay", "leave", Json::Null).await;
        client.event_named("/gameplay", "over").await;
        client.send(1, "/gameplay", None, Json::Null, None).await;
        play(&mut client).await;
        let until = Instant::now() + LONG;
        while Instant::now() < until {
            let packet = client.packet().await.unwrap();
            assert!(packet.namespace != "/gameplay" || packet.kind != 1, "the end of the first match is not that of the second");
            client.input(EAST, false).await;
        }
        assert!(has_lobby(&mut client).await, "{parser:?}");
        assert!(client.request("/gameplay", "t", Json::Null).await["tick"].is_f64());
    }
    server.shutdown().await;
}
