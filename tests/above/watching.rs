//! Spectators and the removal of players, over real sockets.

use serde_json::json;

use tickcast::lobby::RoomId;

use crate::server::{Client, PARSERS, create, start, ticket_for};

#[tokio::test]
async fn a_spectator_watches_and_takes_no_seat() {
    let server = start().await;
    let created = create(&server, json!({})).await;
    let mut player = Client::join(&server, "/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
    player.event_named("/gameplay", "s").await;
    for parser in PARSERS {
        let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
        let answer = lobby.request("/lobby", "spectate", json!({ "room": created["room"] })).await;
        let mut spectator = Client::connect(&server, parser).await;
        spectator.enter("/gameplay", json!({ "ticket": answer["ticket"] })).await.unwrap();
        let welcome = spectator.event_named("/gameplay", "welcome").await;
        assert_eq!((&welcome.data[1]["seat"], &welcome.data[1]["resume"]), (&json!(0), &json!("")));
        player.input(&[0x94, 0, 1, 0, 1], false).await;
        for kind in [0, 1, 1] {
            let frame: Vec<serde_json::Value> =
                rmp_serde::from_slice(&spectator.event_named("/gameplay", "s").await.binary.unwrap()).unwrap();
            assert_eq!(frame[0], kind, "{parser:?}: a snapshot, then differences");
        }
        spectator.input(&[0x94, 0, 1, 0, 1], false).await;
        let mut again = Client::join(&server, "/gameplay", json!({ "ticket": answer["ticket"] })).await.unwrap();
        assert_eq!(spectator.event_named("/gameplay", "over").await.data[1]["reason"], "replaced");
        let mut spectator = std::mem::replace(&mut again, spectator);
        assert_eq!(spectator.request("/gameplay", "leave", json!(null)).await, json!({ "ok": true }));
        assert_eq!(spectator.event_named("/gameplay", "over").await.data[1]["reason"], "left");
        let used = Client::join(&server, "/gameplay", json!({ "ticket": answer["ticket"] })).await;
        assert!(used.err().unwrap().starts_with("ticket_used"));
        let rooms = lobby.request("/lobby", "rooms", json!({})).await;
        assert_eq!(rooms["rooms"][0]["players"], 1, "who watches has no seat");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_rooms_creator_removes_players_for_good() {
    let server = start().await;
    let mut owner = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let created = owner.request("/lobby", "create", json!({ "game": "duel" })).await;
    let mut guest = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let seat = guest.request("/lobby", "join", json!({ "room": created["room"] })).await;
    let mut playing = Client::join(&server, "/gameplay", json!({ "ticket": seat["ticket"] })).await.unwrap();
    let number = playing.event_named("/gameplay", "welcome").await.data[1]["seat"].clone();
    let kick = json!({ "room": created["room"], "seat": number });
    assert_eq!(guest.request("/lobby", "kick", kick.clone()).await["error"]["code"], "not_owner");
    let nobody = json!({ "room": created["room"], "seat": 200 });
    assert_eq!(owner.request("/lobby", "kick", nobody).await["error"]["code"], "unknown_seat");
    assert_eq!(owner.request("/lobby", "kick", kick).await, json!({ "ok": true }));
    assert_eq!(playing.event_named("/gameplay", "over").await.data[1]["reason"], "kicked");
    for request in ["join", "spectate"] {
        let answer = guest.request("/lobby", request, json!({ "room": created["room"] })).await;
        assert_eq!(answer["error"]["code"], "banned", "{request}");
    }
    let _other = ticket_for(&server, &created["room"]).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_player_who_was_removed_stays_out_of_a_private_room_that_is_opened_again() {
    let server = start().await;
    let mut owner = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let created = owner.request("/lobby", "create", json!({ "game": "duel", "private": true })).await;
    let mut guest = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let code = json!({ "code": created["code"] });
    let seat = guest.request("/lobby", "join", code.clone()).await;
    let mut playing = Client::join(&server, "/gameplay", json!({ "ticket": seat["ticket"] })).await.unwrap();
    let number = playing.event_named("/gameplay", "welcome").await.data[1]["seat"].clone();
    let kick = json!({ "room": created["room"], "seat": number });
    assert_eq!(owner.request("/lobby", "kick", kick).await, json!({ "ok": true }));
    let mut room = created["room"].clone();
    for _ in 0..2 {
        server.host().close_room(&RoomId::named(room.as_str().unwrap()), "").unwrap();
        assert_eq!(guest.request("/lobby", "join", code.clone()).await["error"]["code"], "banned", "nor opens it");
        let again = owner.request("/lobby", "join", code.clone()).await;
        assert_eq!((&again["ok"], &again["code"]), (&json!(true), &created["code"]), "{again}");
        for request in ["join", "spectate"] {
            assert_eq!(guest.request("/lobby", request, code.clone()).await["error"]["code"], "banned", "{request}");
        }
        room = again["room"].clone();
    }
    server.shutdown().await;
}
