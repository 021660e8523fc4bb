//! The namespaces `/` and `/lobby` over real sockets: every request, every refusal.

use serde_json::{Value as Json, json};

use crate::server::{Client, PARSERS, create, seated, start, start_limited};

fn code(answer: &Json) -> &str {
    assert_eq!(answer["ok"], false, "{answer}");
    assert!(!answer["error"]["message"].as_str().unwrap().is_empty());
    answer["error"]["code"].as_str().unwrap()
}

#[tokio::test]
async fn any_client_can_ask_for_the_server_version() {
    let server = start().await;
    for parser in PARSERS {
        let mut client = Client::connect(&server, parser).await;
        client.enter("/", Json::Null).await.unwrap();
        let info = client.request("/", "info", Json::Null).await;
        assert_eq!(
            (&info["ok"], &info["server"], &info["protocol"]),
            (&json!(true), &json!("tickcast"), &json!(1)),
            "{parser:?}"
        );
        assert_eq!(info["games"], json!(["duel"]));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn bad_requests_have_their_codes() {
    let server = start_limited(|config| config.net.request_burst = 100).await;
    for parser in PARSERS {
        let mut lobby = Client::connect(&server, parser).await;
        lobby.enter("/lobby", json!({})).await.unwrap();
        for (event, argument, expected) in [
            ("create", json!({"game": "chess"}), "unknown_game"),
            ("create", json!({"game": "duel", "config": {"nonsense": 1}}), "bad_config"),
            ("create", json!({"game": "duel", "config": {"win_at": "soon"}}), "bad_config"),
            ("create", json!({}), "bad_request"),
            ("create", json!("duel"), "bad_request"),
            ("create", json!({"game": "duel", "colour": "red"}), "bad_request"),
            ("join", json!({"room": "nowhere"}), "unknown_room"),
            ("join", json!({"code": "BCDFGH"}), "unknown_code"),
            ("join", json!({"code": "no code"}), "unknown_code"),
            ("join", json!({}), "bad_request"),
            ("join", json!({"room": "a", "code": "BCDFGH"}), "bad_request"),
            ("spectate", json!({"room": "nowhere"}), "unknown_room"),
            ("spectate", json!({"code": "BCDFGH"}), "unknown_code"),
            ("spectate", json!({}), "bad_request"),
            ("spectate", json!({"room": "a", "code": "BCDFGH"}), "bad_request"),
            ("kick", json!({"room": "nowhere", "seat": 1}), "unknown_room"),
            ("kick", json!({"room": "nowhere"}), "bad_request"),
            ("kick", json!({"room": "nowhere", "seat": 256}), "bad_request"),
            ("kick", json!({"room": "nowhere", "seat": "1"}), "bad_request"),
            ("quick", json!({"game": "chess"}), "unknown_game"),
            ("quick", json!({"game": ["duel"]}), "bad_request"),
            ("rooms", json!({"game": "chess"}), "unknown_game"),
            ("rooms", json!({"game": "chess", "after": 5}), "unknown_game"),
            ("games", json!({"game": "duel"}), "bad_request"),
            ("games", json!([]), "bad_request"),
            ("party_create", json!({"name": "us"}), "bad_request"),
            ("dance", json!({}), "unknown_event"),
            ("quick", json!({"game": "x".repeat(5000)}), "too_large"),
        ] {
            let answer = lobby.request("/lobby", event, argument.clone()).await;
            assert_eq!(code(&answer), expected, "{parser:?} {event} {argument:.60}");
        }
        let answer = lobby.request_raw("/lobby", json!(["games", {}, {}])).await;
        assert_eq!(code(&answer), "bad_request");
        assert_eq!(lobby.request("/lobby", "games", Json::Null).await["ok"], true, "the connection is as good as before");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_flood_of_requests_is_slowed_down() {
    let server = start().await;
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let answers = lobby.request_many(40, "/lobby", "rooms", json!({})).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer["ok"] == false).collect();
    assert!((1..=20).contains(&refused.len()), "{}", refused.len());
    assert!(refused.iter().all(|answer| code(answer) == "rate_limited"), "{refused:?}");
    server.shutdown().await;
}

#[tokio::test]
async fn a_name_that_may_not_be_shown_is_refused() {
    let server = start().await;
    for name in ["", "   ", "a\u{202e}b", "line\nbreak", "abcdefghijklmnopqrstuvwxy"] {
        let refused = Client::join(&server, "/lobby", json!({ "name": name })).await.err().unwrap();
        assert!(refused.starts_with("bad_name: "), "{name:?}: {refused}");
    }
    let refused = Client::join(&server, "/lobby", json!({ "name": 5 })).await.err().unwrap();
    assert!(refused.starts_with("bad_request: "), "{refused}");
    server.shutdown().await;
}

#[tokio::test]
async fn a_full_room_takes_nobody_and_quick_opens_another() {
    let server = start().await;
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let first = lobby.request("/lobby", "quick", json!({"game": "duel"})).await;
    let mut other = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let second = other.request("/lobby", "quick", json!({"game": "duel"})).await;
    assert_eq!(first["room"], second["room"]);
    let mut late = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let full = late.request("/lobby", "join", json!({"room": first["room"]})).await;
    assert_eq!(code(&full), "room_full");
    let third = late.request("/lobby", "quick", json!({"game": "duel"})).await;
    assert_ne!(first["room"], third["room"]);
    assert_eq!(third["url"], "");
    server.shutdown().await;
}

#[tokio::test]
async fn a_server_full_of_rooms_says_so() {
    let server = start_limited(|config| config.host.max_rooms = 1).await;
    create(&server, json!({})).await;
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let answer = lobby.request("/lobby", "create", json!({"game": "duel"})).await;
    assert_eq!(code(&answer), "server_full");
    lobby.request("/lobby", "quick", json!({"game": "duel"})).await;
    let mut late = Client::join(&server, "/lobby", json!({})).await.unwrap();
    assert_eq!(code(&late.request("/lobby", "quick", json!({"game": "duel"})).await), "server_full");
    server.shutdown().await;
}

#[tokio::test]
async fn a_private_room_is_entered_by_its_code() {
    let server = start().await;
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let private = lobby.request("/lobby", "create", json!({"game": "duel", "private": true})).await;
    let typed = private["code"].as_str().unwrap().to_lowercase();
    assert_eq!(lobby.request("/lobby", "rooms", json!({})).await["rooms"], json!([]));
    let joined = lobby.request("/lobby", "join", json!({ "code": typed })).await;
    assert_eq!((&joined["ok"], &joined["room"], &joined["code"]), (&json!(true), &private["room"], &Json::Null));
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_that_asks_for_rooms_is_told_of_changes() {
    let server = start_limited(|config| config.host.empty_linger = std::time::Duration::from_millis(100)).await;
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let listed = lobby.request("/lobby", "rooms", Json::Null).await;
    assert_eq!((&listed["seq"], &listed["rooms"]), (&json!(0), &json!([])));
    let created = create(&server, json!({})).await;
    let news = lobby.event_named("/lobby", "rooms").await.data[1].clone();
    let room = json!({"room": created["room"], "game": "duel", "players": 1, "bots": 0, "seats": 2});
    assert_eq!(news, json!({"seq": 1, "added": [room], "updated": [], "removed": []}));
    let (mut player, _) = seated(&server, created["ticket"].as_str().unwrap()).await;
    player.request("/gameplay", "leave", Json::Null).await;
    let mut last = news;
    while last["removed"] != json!([created["room"]]) {
        let next = lobby.event_named("/lobby", "rooms").await.data[1].clone();
        assert_eq!(next["seq"].as_u64(), last["seq"].as_u64().map(|seq| seq + 1));
        last = next;
    }
    let games = lobby.request("/lobby", "games", Json::Null).await;
    assert_eq!(games["games"], json!([{"name": "duel", "hz": 20, "seats": [2, 2], "rooms": 0, "players": 0}]));
    server.shutdown().await;
}

#[tokio::test]
async fn a_new_room_is_listed_with_its_creator() {
    let server = start().await;
    let mut watcher = Client::join(&server, "/lobby", json!({})).await.unwrap();
    watcher.request("/lobby", "rooms", Json::Null).await;
    for _ in 0..12 {
        create(&server, json!({})).await;
        let news = watcher.event_named("/lobby", "rooms").await.data[1].clone();
        assert_eq!(news["added"][0]["players"], 1, "{news}");
        assert_eq!(news["updated"], json!([]));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_listing_is_searched_and_sorted() {
    let server = start().await;
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let first = create(&server, json!({"win_at": 1000})).await["room"].clone();
    let second = create(&server, json!({"win_at": 2000})).await["room"].clone();
    let mut other = Client::join(&server, "/lobby", json!({})).await.unwrap();
    other.request("/lobby", "join", json!({ "room": second })).await;
    for (search, expected) in [
        (json!({"sort": "oldest"}), vec![&first, &second]),
        (json!({"game": "duel", "sort": "newest"}), vec![&second, &first]),
        (json!({"sort": "players"}), vec![&second, &first]),
        (json!({"sort": "free", "limit": 1}), vec![&first]),
        (json!({"open": true}), vec![&first]),
        (json!({"open": false}), vec![&second]),
        (json!({"config": {"win_at": 2000, "panic_at": null}}), vec![&second]),
        (json!({"config": {"win_at": 3000}}), vec![]),
    ] {
        let answer = lobby.request("/lobby", "rooms", search.clone()).await;
        let rooms = answer["rooms"].as_array().unwrap_or_else(|| panic!("{search}: {answer}"));
        assert_eq!(rooms.iter().map(|room| &room["room"]).collect::<Vec<_>>(), expected, "{search}");
    }
    for bad in [json!({"sort": "beauty"}), json!({"limit": -1}), json!({"config": 5}), json!({"after": "now"})] {
        assert_eq!(code(&lobby.request("/lobby", "rooms", bad.clone()).await), "bad_request", "{bad}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn missed_listing_changes_are_replayed() {
    let server = start().await;
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    lobby.request("/lobby", "rooms", Json::Null).await;
    create(&server, json!({})).await;
    let first = lobby.event_named("/lobby", "rooms").await.data[1].clone();
    create(&server, json!({})).await;
    let second = lobby.event_named("/lobby", "rooms").await.data[1].clone();
    let missed = lobby.request("/lobby", "rooms", json!({"after": 0})).await;
    assert_eq!(missed, json!({"ok": true, "seq": 2, "changes": [first, second]}));
    let missed = lobby.request("/lobby", "rooms", json!({"after": 2, "game": "chess"})).await;
    assert_eq!(missed, json!({"ok": true, "seq": 2, "changes": []}));
    let unknown = lobby.request("/lobby", "rooms", json!({"after": 7})).await;
    assert_eq!((&unknown["seq"], unknown["rooms"].as_array().map(Vec::len)), (&json!(2), Some(2)));
    server.shutdown().await;
}
