//! How strong the bots of a room play, over real sockets: chosen with the room, by its mode, or by nobody.

use serde_json::{Value as Json, json};
use tickcast::{matchmaking::Mode, prelude::*, protocol::Schema, replication::Mirror, server::RunningServer};

use crate::{
    server::{Client, Duel, seated},
    tiers::Tiers,
};

async fn open() -> RunningServer {
    let server = tickcast::server().game::<Tiers>().game::<Duel>();
    let modes = server.mode::<Tiers>("brutal", Mode::free_for_all(1..=4).strength(Strength::Hard));
    let modes = modes.mode::<Tiers>("plain", Mode::free_for_all(1..=4));
    modes.start("127.0.0.1:0").await.unwrap()
}

/// Takes a seat, and returns the strength that the other seat's bot shows by where it goes.
async fn shown(server: &RunningServer, ticket: &Json) -> Strength {
    let (mut client, welcome) = seated(server, ticket.as_str().unwrap()).await;
    let schema: Schema = serde_json::from_value(welcome["schema"].clone()).unwrap();
    let mut mirror = Mirror::new(schema.into());
    for _ in 0..200 {
        let packet = client.event_named("/gameplay", "s").await;
        mirror.apply(&packet.binary.unwrap()).unwrap();
        let bot = mirror.entities().find(|(_, components)| welcome["seat"] != components[&0][0]);
        match bot.and_then(|(id, _)| mirror.get(id, 1)) {
            Some([x, _]) if *x > 0 => return Strength::Easy,
            Some([x, _]) if *x < 0 => return Strength::Hard,
            Some([_, y]) if *y != 0 => return Strength::Normal,
            _ => {}
        }
    }
    panic!("no bot went anywhere within 200 frames");
}

#[tokio::test]
async fn the_creator_of_a_room_chooses_the_strength() {
    let server = open().await;
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    for (strength, expected) in [("easy", Strength::Easy), ("normal", Strength::Normal), ("hard", Strength::Hard)] {
        let created = lobby.request("/lobby", "create", json!({"game": "tiers", "strength": strength})).await;
        assert_eq!(shown(&server, &created["ticket"]).await, expected);
        let listed = lobby.request("/lobby", "rooms", json!({"sort": "newest", "limit": 1})).await;
        assert_eq!(listed["rooms"][0]["strength"], strength);
    }
    server.shutdown().await;
}

#[tokio::test]
async fn quick_play_alone_is_against_easy_bots() {
    let server = open().await;
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let found = lobby.request("/lobby", "quick", json!({"game": "tiers"})).await;
    assert_eq!(shown(&server, &found["ticket"]).await, Strength::Easy);
    let listed = lobby.request("/lobby", "rooms", json!({})).await;
    assert_eq!(listed["rooms"][0].get("strength"), None, "nobody chose");
    server.shutdown().await;
}

#[tokio::test]
async fn a_mode_chooses_the_strength_of_its_matches() {
    let server = open().await;
    for (mode, expected) in [("brutal", Strength::Hard), ("plain", Strength::Easy)] {
        let mut queue = Client::join(&server, "/matchmaking", json!({})).await.unwrap();
        queue.request("/matchmaking", "enqueue", json!({"game": "tiers", "mode": mode})).await;
        let matched = queue.event_named("/matchmaking", "matched").await.data[1].clone();
        assert_eq!(shown(&server, &matched["ticket"]).await, expected, "{mode}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_private_room_that_opens_again_has_bots_of_the_same_strength() {
    let server = open().await;
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let created = lobby.request("/lobby", "create", json!({"game": "tiers", "private": true, "strength": "hard"})).await;
    server.host().close_room(&tickcast::lobby::RoomId::named(created["room"].as_str().unwrap()), "over").unwrap();
    let mut tries = 0..200;
    let again = loop {
        assert!(tries.next().is_some(), "the room does not close");
        let again = lobby.request("/lobby", "join", json!({"code": created["code"]})).await;
        if again["ok"] == true && again["room"] != created["room"] {
            break again;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(shown(&server, &again["ticket"]).await, Strength::Hard);
    server.shutdown().await;
}

#[tokio::test]
async fn strengths_that_there_are_not_are_refused_and_the_others_listed() {
    let server = open().await;
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let games = lobby.request("/lobby", "games", Json::Null).await;
    let strengths = games["games"].as_array().unwrap().iter().map(|game| (game["name"].clone(), game.get("strengths").cloned()));
    let expected = [(json!("duel"), None), (json!("tiers"), Some(json!(["easy", "normal", "hard"])))];
    assert_eq!(strengths.collect::<Vec<_>>(), expected);
    for (asked, code, said) in [
        (
            json!({"game": "tiers", "strength": "brutal"}),
            "bad_request",
            "unknown variant `brutal`, expected one of `easy`, `normal`, `hard`",
        ),
        (
            json!({"game": "duel", "strength": "hard"}),
            "bad_config",
            "the game's bots cannot be hard: they have no strengths to choose from",
        ),
    ] {
        let refused = lobby.request("/lobby", "create", asked).await;
        assert_eq!((refused["error"]["code"].as_str(), refused["error"]["message"].as_str()), (Some(code), Some(said)));
    }
    let wrong = tickcast::server().game::<Duel>().mode::<Duel>("hard", Mode::teams(2).strength(Strength::Hard));
    let error = wrong.start("127.0.0.1:0").await.err().unwrap().to_string();
    assert!(error.starts_with("duel: the mode \"hard\" cannot be: "), "{error}");
    server.shutdown().await;
}
