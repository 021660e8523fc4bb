//! Chat, presence and parties over real sockets: every request, every refusal, and coming back.

use serde_json::{Value as Json, json};
use tickcast::server::RunningServer;

use crate::server::{Client, PARSERS, Parser, create, seated, start, start_limited};

/// A connection of the lobby, and who it is.
async fn come(server: &RunningServer, auth: Json) -> (Client, Json) {
    come_by(server, Parser::Msgpack, auth).await
}

async fn come_by(server: &RunningServer, parser: Parser, auth: Json) -> (Client, Json) {
    let mut client = Client::connect(server, parser).await;
    client.enter("/lobby", auth).await.unwrap();
    let session = client.event_named("/lobby", "session").await.data[1].clone();
    (client, session)
}

async fn ask(client: &mut Client, event: &str, argument: Json) -> Json {
    let answer = client.request("/lobby", event, argument.clone()).await;
    assert_eq!(answer["ok"], true, "{event} {argument}: {answer}");
    answer
}

async fn refused(client: &mut Client, event: &str, argument: Json) -> String {
    let answer = client.request("/lobby", event, argument.clone()).await;
    assert_eq!(answer["ok"], false, "{event} {argument}: {answer}");
    assert!(!answer["error"]["message"].as_str().unwrap().is_empty());
    answer["error"]["code"].as_str().unwrap().to_owned()
}

async fn heard(client: &mut Client, event: &str) -> Json {
    client.event_named("/lobby", event).await.data[1].clone()
}

fn texts(replay: &Json) -> Vec<(u64, &str)> {
    let message = |message: &'_ Json| message["seq"].as_u64().unwrap();
    replay["messages"].as_array().unwrap().iter().map(|one| (message(one), one["text"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn the_lobby_talks() {
    let server = start().await;
    for parser in PARSERS {
        let (mut ada, ada_is) = come_by(&server, parser, json!({"name": "Ada"})).await;
        let (mut bob, _) = come_by(&server, parser, json!({"name": "Bob"})).await;
        let known = ask(&mut bob, "listen", json!({"channel": "lobby"})).await;
        let seq = known["seq"].as_u64().unwrap() + 1;
        ask(&mut ada, "typing", json!({"channel": "lobby"})).await;
        let typing = heard(&mut bob, "typing").await;
        assert_eq!(typing, json!({"channel": "lobby", "user": ada_is["user"], "name": "Ada"}));
        assert_eq!(ask(&mut ada, "chat", json!({"channel": "lobby", "text": " hello "})).await["seq"], json!(seq));
        let mut said = heard(&mut bob, "chat").await;
        assert!(said["at"].take().as_u64().unwrap() > 1_700_000_000_000, "milliseconds since 1970");
        let id = &known["id"];
        let user = &ada_is["user"];
        let expected =
            json!({"channel": "lobby", "id": id, "seq": seq, "at": null, "user": user, "name": "Ada", "text": "hello"});
        assert_eq!(said, expected, "{parser:?}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn missed_messages_are_replayed_on_return() {
    let server = start().await;
    let (mut ada, _) = come(&server, json!({"name": "Ada"})).await;
    let (mut bob, bob_is) = come(&server, json!({"name": "Bob"})).await;
    ask(&mut bob, "listen", json!({"channel": "lobby"})).await;
    ask(&mut ada, "chat", json!({"channel": "lobby", "text": "one"})).await;
    let known = heard(&mut bob, "chat").await;
    // No goodbye: the connection is just gone.
    drop(bob);
    ask(&mut ada, "chat", json!({"channel": "lobby", "text": "two"})).await;
    ask(&mut ada, "chat", json!({"to": bob_is["user"], "text": "where are you?"})).await;
    let (mut bob, back) = come(&server, json!({"token": bob_is["token"]})).await;
    assert_eq!(back["user"], bob_is["user"]);
    let missed = ask(&mut bob, "listen", json!({"channel": "lobby", "id": known["id"], "after": known["seq"]})).await;
    assert_eq!((texts(&missed), &missed["complete"], &missed["seq"]), (vec![(2, "two")], &json!(true), &json!(2)));
    let private = ask(&mut bob, "listen", json!({"channel": "private"})).await;
    assert_eq!((texts(&private), &private["messages"][0]["to"]), (vec![(1, "where are you?")], &bob_is["user"]));
    ask(&mut ada, "chat", json!({"channel": "lobby", "text": "three"})).await;
    assert_eq!(heard(&mut bob, "chat").await["seq"], 3);
    let lost = ask(&mut bob, "listen", json!({"channel": "lobby", "id": "another server's", "after": 2})).await;
    assert_eq!((texts(&lost).len(), &lost["complete"]), (3, &json!(false)));
    server.shutdown().await;
}

#[tokio::test]
async fn a_private_message_reaches_every_tab_of_both() {
    let server = start().await;
    let (mut ada, ada_is) = come(&server, json!({"name": "Ada"})).await;
    let (mut bob, bob_is) = come(&server, json!({"name": "Bob"})).await;
    let (mut bobs_other, _) = come(&server, json!({"token": bob_is["token"]})).await;
    let (mut eve, _) = come(&server, json!({})).await;
    ask(&mut eve, "listen", json!({"channel": "lobby"})).await;
    ask(&mut ada, "typing", json!({"to": bob_is["user"]})).await;
    let sent = ask(&mut ada, "chat", json!({"to": bob_is["user"], "text": "psst"})).await;
    for client in [&mut bob, &mut bobs_other] {
        assert_eq!(heard(client, "typing").await["channel"], "private");
        let got = heard(client, "chat").await;
        assert_eq!((&got["text"], &got["user"], &got["to"]), (&json!("psst"), &ada_is["user"], &bob_is["user"]));
    }
    assert_eq!(heard(&mut ada, "chat").await["seq"], sent["seq"]);
    ask(&mut bob, "chat", json!({"channel": "lobby", "text": "public"})).await;
    assert_eq!(heard(&mut eve, "chat").await["text"], "public", "and nothing before it");
    server.shutdown().await;
}

#[tokio::test]
async fn a_flood_of_chat_is_slowed_down() {
    let server = start_limited(|config| config.net.request_burst = 100).await;
    let (mut ada, ada_is) = come(&server, json!({})).await;
    let (mut tab, _) = come(&server, json!({"token": ada_is["token"]})).await;
    let chat = json!({"channel": "lobby", "text": "buy gold"});
    let mut said = 0;
    for answer in ada.request_many(60, "/lobby", "chat", chat.clone()).await {
        match answer["ok"].as_bool().unwrap() {
            true => said += 1,
            false => assert_eq!(answer["error"]["code"], "rate_limited"),
        }
    }
    // The allowance is five messages. A slow machine may take some seconds, in which it grows.
    assert!((5..60).contains(&said), "{said}");
    // Both tabs share it. On a slow machine it may grow between two messages, but hardly between each two of them.
    let mut is_shared = false;
    for _ in 0..4 {
        while ada.request("/lobby", "chat", chat.clone()).await["ok"] == true {}
        is_shared |= tab.request("/lobby", "chat", chat.clone()).await["ok"] == false;
    }
    assert!(is_shared, "the second tab has an allowance of its own");
    server.shutdown().await;
}

#[tokio::test]
async fn friends_see_presence_change() {
    let server = start().await;
    let (mut ada, _) = come(&server, json!({"name": "Ada"})).await;
    let (bob, bob_is) = come(&server, json!({"name": "Bob"})).await;
    let user = &bob_is["user"];
    let told = ask(&mut ada, "presence", json!({"users": [user, "nobody"]})).await;
    let nobody = json!({"user": "nobody", "name": null, "status": "offline"});
    assert_eq!(told["users"], json!([{"user": user, "name": "Bob", "status": "online"}, nobody]));

    let (mut tab, _) = come(&server, json!({"token": bob_is["token"]})).await;
    drop(bob);
    let ticket = ask(&mut tab, "quick", json!({"game": "duel"})).await["ticket"].clone();
    let (player, welcome) = seated(&server, ticket.as_str().unwrap()).await;
    assert_eq!(heard(&mut ada, "presence").await, json!({"user": user, "name": "Bob", "status": "match"}));
    drop(player);
    assert_eq!(heard(&mut ada, "presence").await["status"], "away");
    let mut player = Client::join(&server, "/gameplay", json!({"resume": welcome["resume"]})).await.unwrap();
    assert_eq!(heard(&mut ada, "presence").await["status"], "match");
    player.request("/gameplay", "leave", Json::Null).await;
    assert_eq!(heard(&mut ada, "presence").await["status"], "online");
    drop(tab);
    assert_eq!(heard(&mut ada, "presence").await["status"], "offline");

    ask(&mut ada, "presence", json!({"users": []})).await;
    let (_bob, _) = come(&server, json!({"token": bob_is["token"]})).await;
    let told = ask(&mut ada, "presence", json!({"users": [user]})).await;
    assert_eq!(told["users"][0]["status"], "online");
    server.shutdown().await;
}

#[tokio::test]
async fn friends_see_queueing() {
    let server = start().await;
    let (mut ada, _) = come(&server, json!({"name": "Ada"})).await;
    for parser in PARSERS {
        let (bob, bob_is) = come_by(&server, parser, json!({})).await;
        ask(&mut ada, "presence", json!({"users": [bob_is["user"]]})).await;
        let mut line = Client::connect(&server, parser).await;
        line.enter("/matchmaking", json!({"token": bob_is["token"]})).await.unwrap();
        for _ in 0..2 {
            line.request("/matchmaking", "enqueue", json!({"game": "duel"})).await;
            assert_eq!(heard(&mut ada, "presence").await["status"], "queue");
            line.request("/matchmaking", "leave", json!({})).await;
            assert_eq!(heard(&mut ada, "presence").await["status"], "online");
        }
        line.request("/matchmaking", "enqueue", json!({"game": "duel"})).await;
        assert_eq!(heard(&mut ada, "presence").await["status"], "queue");
        drop(line);
        assert_eq!(heard(&mut ada, "presence").await["status"], "online", "a place in the queue goes with its connection");
        drop(bob);
        assert_eq!(heard(&mut ada, "presence").await["status"], "offline");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_room_talks_among_its_own() {
    let server = start().await;
    let (mut eve, _) = come(&server, json!({})).await;
    let (mut ada, _) = come(&server, json!({"name": "Ada"})).await;
    let (mut bob, _) = come(&server, json!({"name": "Bob"})).await;
    let created = ask(&mut ada, "create", json!({"game": "duel"})).await;
    let joined = ask(&mut bob, "join", json!({"room": created["room"]})).await;
    create(&server, json!({})).await;
    assert_eq!(refused(&mut ada, "chat", json!({"channel": "room", "text": "too early"})).await, "unknown_channel");
    let _ada_plays = seated(&server, created["ticket"].as_str().unwrap()).await;
    let (mut bob_plays, _) = seated(&server, joined["ticket"].as_str().unwrap()).await;
    ask(&mut ada, "chat", json!({"channel": "room", "text": "glhf"})).await;
    let said = heard(&mut bob, "chat").await;
    assert_eq!((&said["channel"], &said["text"]), (&json!("room"), &json!("glhf")));
    assert_eq!(texts(&ask(&mut bob, "listen", json!({"channel": "room"})).await), [(1, "glhf")]);
    assert_eq!(refused(&mut eve, "listen", json!({"channel": "room"})).await, "unknown_channel");
    bob_plays.request("/gameplay", "leave", Json::Null).await;
    assert_eq!(refused(&mut bob, "chat", json!({"channel": "room", "text": "gg"})).await, "unknown_channel");
    server.shutdown().await;
}

#[tokio::test]
async fn a_party_comes_together_and_apart() {
    let server = start().await;
    let (mut ada, ada_is) = come(&server, json!({"name": "Ada"})).await;
    let (mut bob, bob_is) = come(&server, json!({"name": "Bob"})).await;
    assert_eq!(ask(&mut ada, "party", Json::Null).await["party"], Json::Null);
    let created = ask(&mut ada, "party_create", json!({})).await["party"].clone();
    let member = |is: &Json, ready, status| json!({"user": is["user"], "name": is["name"], "ready": ready, "status": status});
    let (party, code) = (&created["party"], &created["code"]);
    let expected =
        json!({"seq": 1, "party": party, "code": code, "leader": ada_is["user"], "members": [member(&ada_is, false, "online")]});
    assert_eq!((&created, &heard(&mut ada, "party").await), (&expected, &expected));

    ask(&mut ada, "party_invite", json!({"user": bob_is["user"]})).await;
    let invited = heard(&mut bob, "party_invite").await;
    assert_eq!((&invited["party"], &invited["code"], &invited["from"]["name"]), (party, code, &json!("Ada")));
    let typed = code.as_str().unwrap().to_lowercase();
    let joined = ask(&mut bob, "party_join", json!({ "code": typed })).await["party"].clone();
    assert_eq!((&joined, &heard(&mut ada, "party").await), (&joined, &heard(&mut bob, "party").await));
    ask(&mut bob, "party_ready", json!({"ready": true})).await;
    let ready = heard(&mut ada, "party").await;
    assert_eq!(ready["members"], json!([member(&ada_is, false, "online"), member(&bob_is, true, "online")]));
    ask(&mut bob, "chat", json!({"channel": "party", "text": "go"})).await;
    assert_eq!(heard(&mut ada, "chat").await["channel"], "party");

    drop(bob);
    assert_eq!(heard(&mut ada, "party").await["members"][1], member(&bob_is, false, "away"));
    let (mut bob, _) = come(&server, json!({"token": bob_is["token"]})).await;
    assert_eq!(heard(&mut ada, "party").await["members"][1]["status"], "online");
    let kept = ask(&mut bob, "party", json!({})).await["party"].clone();
    assert_eq!((&kept["party"], kept["members"].as_array().unwrap().len()), (party, 2));
    assert_eq!(texts(&ask(&mut bob, "listen", json!({"channel": "party"})).await), [(1, "go")]);

    ask(&mut ada, "party_promote", json!({"user": bob_is["user"]})).await;
    assert_eq!(heard(&mut ada, "party").await["leader"], bob_is["user"]);
    ask(&mut bob, "party_kick", json!({"user": ada_is["user"]})).await;
    assert_eq!(heard(&mut ada, "party_left").await, json!({"party": party, "reason": "kicked"}));
    assert_eq!(refused(&mut ada, "party_join", json!({ "code": code })).await, "unknown_code");
    ask(&mut bob, "party_leave", json!({})).await;
    assert_eq!(heard(&mut bob, "party_left").await["reason"], "left");
    server.shutdown().await;
}

#[tokio::test]
async fn bad_requests_have_their_codes() {
    let server = start_limited(|config| config.net.request_burst = 100).await;
    for parser in PARSERS {
        let (mut ada, ada_is) = come_by(&server, parser, json!({})).await;
        let (mut bob, bob_is) = come_by(&server, parser, json!({})).await;
        let party = ask(&mut bob, "party_create", json!({})).await["party"].clone();
        let user = &bob_is["user"];
        for (event, argument, expected) in [
            ("listen", json!({}), "bad_request"),
            ("listen", json!({"channel": "sports"}), "unknown_channel"),
            ("listen", json!({"channel": "party"}), "unknown_channel"),
            ("listen", json!({"channel": "lobby", "after": 3}), "bad_request"),
            ("listen", json!({"channel": "lobby", "id": "x", "after": -1}), "bad_request"),
            ("chat", json!({"channel": "lobby", "text": ""}), "bad_text"),
            ("chat", json!({"channel": "lobby", "text": "a\u{202e}b"}), "bad_text"),
            ("chat", json!({"channel": "lobby", "text": "a\nb"}), "bad_text"),
            ("chat", json!({"channel": "lobby", "text": "x".repeat(501)}), "bad_text"),
            ("chat", json!({"channel": "lobby"}), "bad_request"),
            ("chat", json!({"text": "to whom?"}), "bad_request"),
            ("chat", json!({"channel": "lobby", "to": user, "text": "both"}), "bad_request"),
            ("chat", json!({"channel": "private", "text": "to whom?"}), "unknown_channel"),
            ("chat", json!({"channel": "room", "text": "which?"}), "unknown_channel"),
            ("chat", json!({"to": "nobody", "text": "hello"}), "unknown_user"),
            ("chat", json!({"to": ada_is["user"], "text": "myself"}), "unknown_user"),
            ("chat", json!({"to": "not an id", "text": "hello"}), "bad_request"),
            ("typing", json!({}), "bad_request"),
            ("typing", json!({"to": "nobody"}), "unknown_user"),
            ("typing", json!({"channel": "party"}), "unknown_channel"),
            ("presence", json!({}), "bad_request"),
            ("presence", json!({"users": ["not an id"]}), "bad_request"),
            ("presence", json!({"users": vec!["nobody"; 101]}), "bad_request"),
            ("party_invite", json!({"user": user}), "not_in_party"),
            ("party_join", json!({"code": "BCDFGH"}), "unknown_code"),
            ("party_join", json!({}), "bad_request"),
            ("party_leave", json!({}), "not_in_party"),
            ("party_promote", json!({"user": user}), "not_in_party"),
            ("party_kick", json!({"user": user}), "not_in_party"),
            ("party_ready", json!({"ready": true}), "not_in_party"),
            ("party_ready", json!({"ready": "yes"}), "bad_request"),
        ] {
            assert_eq!(refused(&mut ada, event, argument.clone()).await, expected, "{parser:?} {event} {argument:.60}");
        }
        ask(&mut ada, "party_join", json!({"code": party["code"]})).await;
        for (event, argument, expected) in [
            ("party_create", json!({}), "in_party"),
            ("party_join", json!({"code": party["code"]}), "in_party"),
            ("party_invite", json!({"user": "nobody"}), "unknown_user"),
            ("party_promote", json!({"user": ada_is["user"]}), "not_leader"),
            ("party_kick", json!({"user": user}), "not_leader"),
        ] {
            assert_eq!(refused(&mut ada, event, argument.clone()).await, expected, "{parser:?} {event} {argument}");
        }
        assert_eq!(refused(&mut bob, "party_kick", json!({"user": "nobody"})).await, "unknown_user");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_full_party_takes_nobody() {
    let server = start().await;
    let (mut ada, _) = come(&server, json!({})).await;
    let code = ask(&mut ada, "party_create", json!({})).await["party"]["code"].clone();
    let mut others = Vec::new();
    for _ in 0..8 {
        others.push(come(&server, json!({})).await);
    }
    let (late, late_is) = &mut others.pop().unwrap();
    for (other, _) in &mut others {
        ask(other, "party_join", json!({ "code": code })).await;
    }
    assert_eq!(refused(late, "party_join", json!({ "code": code })).await, "party_full");
    assert_eq!(refused(&mut ada, "party_invite", json!({"user": late_is["user"]})).await, "party_full");
    server.shutdown().await;
}
