//! The namespace `/gameplay` over real sockets: tickets, frames, inputs, coming back.

use bytes::Bytes;
use serde_json::{Value as Json, json};

use crate::server::{Client, GRACE, PARSERS, Packet, Parser, create, seated, start, ticket_for};

/// `[ack, seq, tick, dir]`: walk to the east from the next tick on.
const EAST: &[u8] = &[0x94, 0, 1, 0, 1];
const EAST_AGAIN: &[u8] = &[0x94, 0, 2, 0, 1];

fn text<'a>(json: &'a Json, field: &str) -> &'a str {
    json[field].as_str().unwrap_or_else(|| panic!("no {field} in {json}"))
}

async fn refusal(server: &tickcast::server::RunningServer, auth: Json) -> String {
    let message = Client::join(server, "/gameplay", auth).await.err().expect("refused");
    message.split_once(": ").expect("a code and a text").0.to_owned()
}

/// The number at some place of a frame, which is an array of small integers at its head.
fn head(packet: &Packet, at: usize) -> i64 {
    let frame: Vec<Json> = rmp_serde::from_slice(packet.binary.as_ref().expect("a frame is binary")).unwrap();
    frame[at].as_i64().unwrap()
}

#[tokio::test]
async fn a_ticket_leads_to_welcome_and_then_to_frames() {
    let server = start().await;
    for parser in PARSERS {
        let created = create(&server, json!({})).await;
        let mut client = Client::connect(&server, parser).await;
        client.enter("/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
        let (name, welcome) = client.event("/gameplay").await;
        let welcome = &welcome.data[1];
        assert_eq!(name, "welcome");
        for (field, expected) in [
            ("seat", json!(1)),
            ("room", created["room"].clone()),
            ("game", json!("duel")),
            ("protocol", json!(1)),
            ("hz", json!(20)),
            ("state", json!("snapshot")),
            ("grace", json!(GRACE)),
            ("seats", json!([{"seat": 1, "name": "Ada", "status": "playing"}])),
        ] {
            assert_eq!(welcome[field], expected, "{parser:?} {field}");
        }
        assert_eq!(welcome["schema"]["components"][1]["name"], "Pos");
        assert!(welcome["config"].is_object() && welcome["resume"].is_string() && welcome["tick"].is_u64());
        let first = client.event_named("/gameplay", "s").await;
        assert_eq!(head(&first, 0), 0, "a snapshot");
    }
    server.shutdown().await;
}

/// Somebody in a room of their own, who has had a first frame.
async fn player(server: &tickcast::server::RunningServer, parser: Parser) -> Client {
    let created = create(server, json!({})).await;
    let mut client = Client::connect(server, parser).await;
    client.enter("/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
    client.event_named("/gameplay", "s").await;
    client
}

#[tokio::test]
async fn an_input_moves_the_avatar() {
    let server = start().await;
    for parser in PARSERS {
        let mut client = player(&server, parser).await;
        assert_eq!(client.input(EAST, true).await, json!({"ok": true}), "{parser:?}");
        // The frame that acknowledges seq 1, and after it one of a tick in which the avatar walked on.
        while head(&client.event_named("/gameplay", "s").await, 3) != 1 {}
        let next = client.event_named("/gameplay", "s").await;
        let frame: Vec<Json> = rmp_serde::from_slice(next.binary.as_ref().unwrap()).unwrap();
        assert_eq!((frame[0].clone(), frame[5].clone()), (json!(1), json!([1, 1, [0], [32]])), "one unit to the east");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn events_sent_at_once_are_not_lost() {
    let server = start().await;
    for _ in 0..20 {
        let created = create(&server, json!({})).await;
        let mut client = Client::connect(&server, Parser::Msgpack).await;
        client.enter("/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
        // The connection is acknowledged, `welcome` may not have been sent yet.
        let answer = client.request("/gameplay", "t", Json::Null).await;
        assert!(answer["tick"].is_f64(), "{answer}");
        client.request("/gameplay", "leave", Json::Null).await;
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_ticket_is_good_for_one_seat_and_here_alone() {
    let (server, other) = (start().await, start().await);
    let created = create(&server, json!({})).await;
    let ticket = text(&created, "ticket");
    assert_eq!(refusal(&other, json!({ "ticket": ticket })).await, "bad_ticket");
    assert_eq!(refusal(&server, json!({ "ticket": "forged" })).await, "bad_ticket");
    let (mut player, welcome) = seated(&server, ticket).await;
    player.input(EAST, false).await;
    while head(&player.event_named("/gameplay", "s").await, 3) != 1 {}
    assert_eq!(refusal(&server, json!({ "ticket": ticket })).await, "ticket_used");
    assert_eq!(refusal(&server, json!({ "resume": ticket })).await, "bad_resume");
    assert_eq!(refusal(&server, json!({ "ticket": welcome["resume"] })).await, "bad_ticket");
    for auth in [Json::Null, json!({}), json!({"ticket": 5}), json!({"ticket": "a", "resume": "b"}), json!("ticket")] {
        assert_eq!(refusal(&server, auth.clone()).await, "bad_request", "{auth}");
    }
    player.event_named("/gameplay", "s").await;
    server.shutdown().await;
    other.shutdown().await;
}

#[tokio::test]
async fn garbage_input_is_refused_and_leaves_other_seats_alone() {
    let server = start().await;
    let created = create(&server, json!({})).await;
    let (mut bad, _) = seated(&server, text(&created, "ticket")).await;
    let (mut good, _) = seated(&server, &ticket_for(&server, &created["room"]).await).await;
    for garbage in [&b""[..], b"garbage", &[0xdd, 0xff, 0xff, 0xff, 0xff], &[0x91; 300], &[0x94, 0, 1, 0, 99]] {
        let answer = bad.input(garbage, true).await;
        assert_eq!((&answer["ok"], &answer["error"]["code"]), (&json!(false), &json!("bad_input")), "{garbage:?}");
        bad.input(garbage, false).await;
    }
    let answer = bad.request("/gameplay", "i", json!("text")).await;
    assert_eq!(answer["error"]["code"], "bad_request");
    let refused = bad.event_named("/gameplay", "refused").await.data[1].clone();
    assert_eq!(refused["code"], "bad_input");
    assert!(refused["count"].as_u64() >= Some(1) && !text(&refused, "message").is_empty(), "{refused}");
    assert_eq!(bad.input(EAST, true).await, json!({"ok": true}), "the seat plays on");
    good.input(EAST, false).await;
    let mut last = head(&good.event_named("/gameplay", "s").await, 1);
    for _ in 0..20 {
        let (name, packet) = good.event("/gameplay").await;
        assert!(name == "s" || name == "seats", "{name}");
        if name == "s" {
            let tick = head(&packet, 1);
            assert!(tick > last, "{last} {tick}");
            last = tick;
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_player_who_returns_in_time_keeps_the_seat() {
    let server = start().await;
    let created = create(&server, json!({})).await;
    let (mut client, welcome) = seated(&server, text(&created, "ticket")).await;
    client.input(EAST, false).await;
    let mut held = 0;
    for _ in 0..5 {
        held = head(&client.event_named("/gameplay", "s").await, 1);
    }
    drop(client);
    let mut client = Client::join(&server, "/gameplay", json!({ "resume": welcome["resume"], "tick": held })).await.unwrap();
    let again = client.event_named("/gameplay", "welcome").await.data[1].clone();
    assert_eq!((&again["seat"], &again["state"]), (&json!(1), &json!("diff")));
    assert_ne!(again["resume"], welcome["resume"]);
    let first = client.event_named("/gameplay", "s").await;
    assert_eq!((head(&first, 0), head(&first, 1) - head(&first, 2)), (2, held), "a merged diff from the tick it held");
    client.input(EAST_AGAIN, false).await;
    while head(&client.event_named("/gameplay", "s").await, 3) != 2 {}
    assert_eq!(refusal(&server, json!({ "resume": welcome["resume"] })).await, "bad_resume");
    client.request("/gameplay", "leave", Json::Null).await;
    assert_eq!(refusal(&server, json!({ "resume": again["resume"] })).await, "resume_expired");
    server.shutdown().await;
}

#[tokio::test]
async fn a_resume_replaces_the_connection_that_holds_the_seat() {
    let server = start().await;
    let created = create(&server, json!({})).await;
    let (mut old, welcome) = seated(&server, text(&created, "ticket")).await;
    assert_eq!(refusal(&server, json!({"resume": "stolen"})).await, "bad_resume");
    let mut new = Client::join(&server, "/gameplay", json!({ "resume": welcome["resume"] })).await.unwrap();
    assert_eq!(new.event("/gameplay").await.0, "welcome");
    let over = old.event_named("/gameplay", "over").await;
    assert_eq!(over.data[1]["reason"], "replaced");
    assert!(old.ended("/gameplay").await);
    drop(old);
    new.input(EAST, false).await;
    for _ in 0..30 {
        new.event_named("/gameplay", "s").await;
    }
    server.shutdown().await;
}

#[tokio::test]
async fn leaving_frees_the_seat_at_once() {
    let server = start().await;
    let created = create(&server, json!({})).await;
    let (mut first, _) = seated(&server, text(&created, "ticket")).await;
    let (mut second, _) = seated(&server, &ticket_for(&server, &created["room"]).await).await;
    assert_eq!(second.request("/gameplay", "leave", Json::Null).await, json!({"ok": true}));
    let over = second.event_named("/gameplay", "over").await;
    assert_eq!(over.data[1]["reason"], "left");
    ticket_for(&server, &created["room"]).await;
    loop {
        let seats = first.event_named("/gameplay", "seats").await.data[1].clone();
        if seats.as_array().unwrap().len() == 1 {
            break;
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_snapshot_may_be_asked_for_once_a_second() {
    let server = start().await;
    let created = create(&server, json!({})).await;
    let (mut client, _) = seated(&server, text(&created, "ticket")).await;
    client.event_named("/gameplay", "s").await;
    let report = json!({"component": 1, "expected": 5, "got": 6});
    let answers = client.request_many(2, "/gameplay", "resync", report).await;
    assert_eq!((&answers[0], &answers[1]["error"]["code"]), (&json!({"ok": true}), &json!("rate_limited")));
    while head(&client.event_named("/gameplay", "s").await, 0) != 0 {}
    server.shutdown().await;
}

#[tokio::test]
async fn a_panic_in_the_rules_ends_its_own_room_alone() {
    let server = start().await;
    let (doomed, healthy) = (create(&server, json!({"panic_at": 10})).await, create(&server, json!({})).await);
    let (mut client, welcome) = seated(&server, text(&doomed, "ticket")).await;
    let (mut other, _) = seated(&server, text(&healthy, "ticket")).await;
    let over = client.event_named("/gameplay", "over").await;
    assert_eq!(over.data[1]["reason"], "rules_error");
    assert!(client.ended("/gameplay").await);
    assert_eq!(refusal(&server, json!({ "resume": welcome["resume"] })).await, "resume_expired");
    other.input(EAST, false).await;
    for _ in 0..20 {
        other.event_named("/gameplay", "s").await;
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_result_is_the_last_thing_told() {
    let server = start().await;
    let created = create(&server, json!({"win_at": 5})).await;
    let (mut client, _) = seated(&server, text(&created, "ticket")).await;
    let over = client.event_named("/gameplay", "over").await;
    assert_eq!((&over.data[1]["reason"], &over.data[1]["winners"]), (&json!("finished"), &json!([1])));
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let joined = lobby.request("/lobby", "join", json!({ "room": created["room"] })).await;
    assert_eq!(joined["error"]["code"], "unknown_room");
    server.shutdown().await;
}

#[tokio::test]
async fn inputs_are_taken_in_the_order_in_which_they_came() {
    let server = start().await;
    let created = create(&server, json!({})).await;
    let (mut client, _) = seated(&server, text(&created, "ticket")).await;
    client.event_named("/gameplay", "s").await;
    let directions = [1u8, 3, 5, 7, 0];
    for (seq, dir) in (1u8..).zip(directions.iter().cycle()).take(30) {
        client.send(5, "/gameplay", None, json!(["i"]), Some(Bytes::copy_from_slice(&[0x94, 0, seq, 0, *dir]))).await;
        client.event_named("/gameplay", "s").await;
    }
    // An input out of order would be taken for a duplicate and never be acknowledged as the newest.
    while head(&client.event_named("/gameplay", "s").await, 3) != 30 {}
    server.shutdown().await;
}

#[tokio::test]
async fn players_vote_one_of_their_own_out() {
    let server = start().await;
    let created = create(&server, json!({})).await;
    let (mut first, _) = seated(&server, text(&created, "ticket")).await;
    let (mut second, _) = seated(&server, &ticket_for(&server, &created["room"]).await).await;
    for (seat, code) in [(1, "unknown_seat"), (9, "unknown_seat")] {
        let answer = first.request("/gameplay", "votekick", json!({ "seat": seat })).await;
        assert_eq!(answer["error"]["code"], code);
    }
    assert_eq!(first.request("/gameplay", "votekick", json!({ "seat": 2 })).await, json!({ "ok": true }));
    let vote = second.event_named("/gameplay", "vote").await;
    assert_eq!(vote.data[1], json!({ "seat": 2, "votes": 1, "needed": 2, "passed": null }), "one of two cannot do it alone");
    let answer = second.request("/gameplay", "votekick", json!({ "seat": 1 })).await;
    assert_eq!(answer["error"]["code"], "vote_open");
    server.shutdown().await;
}

#[tokio::test]
async fn late_inputs_of_a_seat_given_up_close_no_connection() {
    let server = start().await;
    for parser in PARSERS {
        let mut client = player(&server, parser).await;
        assert_eq!(client.request("/gameplay", "leave", json!(null)).await, json!({ "ok": true }));
        client.input(EAST, false).await;
        assert!(client.ended("/gameplay").await);
        client.enter("/lobby", json!({})).await.unwrap();
        assert_eq!(client.request("/lobby", "games", json!({})).await["ok"], true, "{parser:?}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn bad_requests_have_their_codes() {
    let server = start().await;
    for parser in PARSERS {
        let mut client = player(&server, parser).await;
        for (event, argument, expected) in [
            ("votekick", json!({}), "bad_request"),
            ("votekick", json!({"seat": -1}), "bad_request"),
            ("votekick", json!({"seat": 1, "why": "cheats"}), "bad_request"),
            ("resync", json!({"component": "Pos"}), "bad_request"),
            ("resync", json!({"expected": -1}), "bad_request"),
            ("resync", json!([1, 2]), "bad_request"),
            ("dance", json!({}), "unknown_event"),
        ] {
            let answer = client.request("/gameplay", event, argument.clone()).await;
            assert_eq!(answer["error"]["code"], expected, "{parser:?} {event} {argument}");
        }
    }
    server.shutdown().await;
}

/// A well-formed input can still be refused. Its seat is told within a second.
#[tokio::test]
async fn bad_inputs_have_their_codes() {
    let server = start().await;
    let far = [&[0x94, 0, 1][..], &[0xcd, 0x7f, 0xff], &[1]].concat();
    let flood = (0..200u8).map(|n| vec![0x94, 0, 0xcc, 10 + n, 0, n % 9]).collect();
    let cases = [
        (vec![vec![0xc1]], "bad_input"),
        (vec![vec![0x94, 0, 1, 0, 99]], "bad_input"),
        (vec![vec![0x94, 0, 1, 0, 0xca, 0x3f, 0x80, 0, 0]], "bad_input"),
        (vec![vec![0x94, 0, 1, 0, 0xca, 0x7f, 0xc0, 0, 0]], "bad_input"),
        (vec![far], "input_too_early"),
        (vec![vec![0x91, 0xcd, 0x7f, 0xff]], "bad_ack"),
        (flood, "rate_limited"),
    ];
    for ((inputs, expected), parser) in cases.into_iter().zip(PARSERS.into_iter().cycle()) {
        let mut client = player(&server, parser).await;
        for input in &inputs {
            client.input(input, false).await;
        }
        let refused = client.event_named("/gameplay", "refused").await.data[1].clone();
        assert_eq!(refused["code"], expected, "{parser:?} {inputs:.60?}");
        assert!(refused["count"].as_u64().unwrap() >= 1 && !text(&refused, "message").is_empty());
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_stolen_token_does_not_lock_its_owner_out() {
    let server = start().await;
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let created = lobby.request("/lobby", "create", json!({"game": "duel"})).await;
    let (mut owner, welcome) = seated(&server, text(&created, "ticket")).await;
    let token = text(&welcome, "resume");
    let cut = &token[..token.len() - 2];
    for wrong in ["", "x", cut, text(&created, "ticket")] {
        assert_eq!(refusal(&server, json!({ "resume": wrong })).await, "bad_resume");
    }
    assert_eq!(owner.request("/gameplay", "t", Json::Null).await["ok"], true, "wrong ones are nothing to the owner");

    let mut thief = Client::join(&server, "/gameplay", json!({ "resume": token })).await.unwrap();
    let theirs = thief.event_named("/gameplay", "welcome").await.data[1].clone();
    assert_eq!(owner.event_named("/gameplay", "over").await.data[1]["reason"], "replaced");
    let again = lobby.request("/lobby", "join", json!({"room": created["room"]})).await;
    let (mut owner, back) = seated(&server, text(&again, "ticket")).await;
    assert_eq!(back["seat"], welcome["seat"]);
    assert_eq!(thief.event_named("/gameplay", "over").await.data[1]["reason"], "replaced");
    for stale in [token, text(&theirs, "resume")] {
        assert_eq!(refusal(&server, json!({ "resume": stale })).await, "bad_resume");
    }
    assert_eq!(owner.request("/gameplay", "t", Json::Null).await["ok"], true);
    server.shutdown().await;
}
