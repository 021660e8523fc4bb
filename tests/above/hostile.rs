//! Clients that mean harm: each is refused or cut off, and the server serves on.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use tickcast::server::RunningServer;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    polling::Polling,
    process::run_in_child,
    server::{Client, PARSERS, PATIENCE, Parser, create, dropped, exchange, get, http, start, start_limited, start_with},
};

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";

async fn serves_on(server: &RunningServer) {
    let mut client = Client::join(server, "/lobby", json!({})).await.unwrap();
    assert_eq!(client.request("/lobby", "games", json!(null)).await["ok"], true);
}

#[tokio::test]
async fn a_foreign_page_is_refused_everywhere() {
    let server = start_with(|builder| builder.allow_origin("https://play.example.org")).await;
    let foreign = "origin: http://evil.test\r\n";
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n";
    for path in [HANDSHAKE, "/socket.io-msgpack/?EIO=4&transport=polling", "/healthz", "/socket.io/socket.io.js"] {
        assert_eq!(http(&server, "GET", path, foreign, "").await.0, 403, "{path}");
    }
    let websocket = "/socket.io/?EIO=4&transport=websocket";
    assert_eq!(http(&server, "GET", websocket, &format!("{foreign}{upgrade}"), "").await.0, 403);
    let own = format!("origin: http://{}\r\n", server.address());
    assert_eq!(http(&server, "GET", HANDSHAKE, &own, "").await.0, 200);
    assert_eq!(http(&server, "GET", HANDSHAKE, "", "").await.0, 200);
    let listed = "origin: https://play.example.org\r\n";
    let (status, answer) = http(&server, "GET", HANDSHAKE, listed, "").await;
    assert_eq!(status, 200);
    assert!(answer.contains("access-control-allow-origin: https://play.example.org\r\n"), "{answer}");
    assert_eq!(http(&server, "OPTIONS", HANDSHAKE, listed, "").await.0, 204);
    server.shutdown().await;
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_no_more() {
    let server = start_limited(|config| {
        config.net.connections_per_address = 3;
        config.net.counts_local_addresses = true;
    })
    .await;
    let mut players = Vec::new();
    for parser in [Parser::Json, Parser::Msgpack, Parser::Json] {
        let mut player = Client::connect(&server, parser).await;
        player.enter("/lobby", json!({})).await.unwrap();
        players.push(player);
    }
    for _ in 0..20 {
        let (status, answer) = get(&server, HANDSHAKE).await;
        assert_eq!(status, 429, "{answer}");
        assert!(answer.ends_with("too many connections from your address\n"), "{answer}");
    }
    assert_eq!(players[1].request("/lobby", "games", json!(null)).await["ok"], true, "who is in stays in");
    drop(players.pop());
    let metrics = loop {
        // The server needs a moment to see that one has gone.
        let (status, answer) = get(&server, "/metrics").await;
        if status == 200 {
            break answer;
        }
    };
    let count = metrics.lines().find_map(|line| line.strip_prefix("tickcast_drops_total{reason=\"address\"} "));
    assert!(count.unwrap().parse::<u32>().unwrap() >= 20, "{metrics}");
    server.shutdown().await;

    let server = start_limited(|config| config.net.connections_per_address = 3).await;
    let mut all = Vec::new();
    for _ in 0..10 {
        all.push(Client::connect(&server, Parser::Msgpack).await);
    }
    serves_on(&server).await;
    server.shutdown().await;
}

#[tokio::test]
async fn handshakes_that_lead_nowhere_are_few_and_forgotten() {
    let server = start_with(|builder| {
        builder.allow_origin("https://play.example.org").config(|config| {
            config.net.connections_per_address = 30;
            config.net.counts_local_addresses = true;
        })
    })
    .await;
    let mut sessions = Vec::new();
    // Three a second more are allowed, so that a slow machine gets a few more before it is refused.
    let refused = loop {
        let (status, opened) = get(&server, HANDSHAKE).await;
        if status != 200 {
            break (status, opened);
        }
        sessions.push(opened.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned());
        assert!(sessions.len() < 300, "a client is refused at some time");
    };
    assert!(refused.0 == 429 && refused.1.ends_with("too many handshakes from your address\n"), "{refused:?}");
    assert!(sessions.len() >= 30, "{}", sessions.len());
    assert_eq!(get(&server, "/healthz").await.0, 200, "whatever is no handshake is answered");
    for (origin, reads) in [("https://play.example.org", true), ("https://evil.test", false)] {
        loop {
            let (status, answer) = http(&server, "GET", HANDSHAKE, &format!("origin: {origin}\r\n"), "").await;
            if status == 429 {
                let readable = format!("access-control-allow-origin: {origin}\r\n");
                assert_eq!(answer.contains(&readable), reads, "a page that may read the refusal knows its reason: {answer}");
                break;
            }
        }
    }
    for session in sessions {
        // Pings, until the session is closed or forgotten.
        loop {
            let (status, answer) = get(&server, &format!("{HANDSHAKE}&sid={session}")).await;
            if status == 400 || answer.ends_with("\r\n\r\n1") {
                break;
            }
            assert!(status == 200 && answer.ends_with("\r\n\r\n2"), "{answer}");
        }
    }
    serves_on(&server).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_header_that_does_not_come_closes_the_connection() {
    let server = start_limited(|config| config.net.header_timeout = Duration::from_millis(300)).await;
    for beginning in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let began = Instant::now();
        let answer = exchange(&server, beginning.as_bytes()).await;
        assert!(!answer.contains("200 OK"), "{beginning:?}: {answer}");
        assert!(began.elapsed() >= Duration::from_millis(250), "{beginning:?}");
    }
    serves_on(&server).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_closes_the_connection() {
    let server = start_limited(|config| config.net.header_timeout = Duration::from_millis(300)).await;
    let (_, opened) = get(&server, HANDSHAKE).await;
    let sid = opened.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap();
    let request = format!("POST {HANDSHAKE}&sid={sid} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n40");
    let answer = exchange(&server, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    serves_on(&server).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_message_beyond_the_limit_closes_the_connection() {
    let server = start().await;
    for parser in PARSERS {
        let mut client = Client::connect(&server, parser).await;
        client.enter("/lobby", json!({})).await.unwrap();
        let answer = client.request("/lobby", "games", json!("x".repeat(15_000))).await;
        assert_eq!(
            answer["error"]["code"], "too_large",
            "{parser:?}: below the limit of messages it is a request like any other"
        );
        client.send(2, "/lobby", Some(2), json!(["games", "x".repeat(17_000)]), None).await;
        assert!(client.packet().await.is_none(), "{parser:?}");
    }
    let (_, opened) = get(&server, HANDSHAKE).await;
    let sid = opened.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap();
    let (status, _) = http(&server, "POST", &format!("{HANDSHAKE}&sid={sid}"), "", &"4".repeat(20_000)).await;
    assert!((400..500).contains(&status), "{status}");
    serves_on(&server).await;
    server.shutdown().await;
}

#[tokio::test]
async fn malformed_packets_close_the_connection() {
    let server = start().await;
    for garbage in ["", "9", "42", "42[]", "42{}", "42[5]", "42/lobby,[", "451-[\"i\"]", "4é"] {
        let mut client = Client::connect(&server, Parser::Json).await;
        client.enter("/", json!({})).await.unwrap();
        client.raw(Message::text(garbage)).await;
        // Either it is closed, or it was ignored and the connection is as good as before.
        client.raw(Message::text("421[\"info\"]")).await;
        if let Some(packet) = client.packet().await {
            assert!(packet.data[0]["server"] == "tickcast", "{garbage:?}: {packet:?}");
        }
    }
    for garbage in [&[][..], &[0x80], &[0xc1], &[0xdf, 0xff, 0xff, 0xff, 0xff], &[0x84, 0xa4], &[0x91; 2000]] {
        let mut client = Client::connect(&server, Parser::Msgpack).await;
        client.raw(Message::binary(garbage.to_vec())).await;
        assert!(client.packet().await.is_none(), "{garbage:?}");
    }
    serves_on(&server).await;
    server.shutdown().await;
}

/// Reads answers until these codes have come and no others.
async fn expect_codes(client: &mut Client, namespace: &str, expected: &[&str]) {
    let mut missing: BTreeSet<&str> = expected.iter().copied().collect();
    while !missing.is_empty() {
        let packet = client.packet().await.unwrap_or_else(|| panic!("{namespace}: cut before {missing:?} came"));
        if packet.kind == 3 && packet.namespace == namespace {
            let code = packet.data[0]["error"]["code"].as_str().unwrap_or("ok");
            assert!(expected.contains(&code), "{namespace}: {code}");
            missing.remove(code);
        }
    }
}

#[tokio::test]
async fn a_flood_of_requests_is_refused_and_costs_others_nothing() {
    let server = start().await;
    let (mut quick, mut flood) = (Client::connect(&server, Parser::Msgpack).await, Client::connect(&server, Parser::Json).await);
    quick.enter("/lobby", json!({})).await.unwrap();
    for namespace in ["/lobby", "/matchmaking"] {
        flood.enter(namespace, json!({})).await.unwrap();
        for id in 0..250 {
            flood.send(2, namespace, Some(id), json!(["enqueue", { "game": "duel" }]), None).await;
        }
        // Whoever asks again keeps their place.
        let answered = if namespace == "/lobby" { "unknown_event" } else { "ok" };
        let expected: &[&str] = &[answered, "rate_limited"];
        let (_, asked) =
            tokio::join!(expect_codes(&mut flood, namespace, expected), quick.request("/lobby", "games", json!(null)));
        assert_eq!(asked["ok"], true);
    }
    // A burst is borne: soon the client is answered again.
    while flood.request("/lobby", "games", json!(null)).await["ok"] != true {
        sleep(Duration::from_millis(200)).await;
    }
    server.shutdown().await;
}

#[tokio::test]
async fn an_endless_flood_closes_the_connection() {
    let server = start().await;
    let before = dropped(&server, "flood").await;
    let mut quick = Client::join(&server, "/lobby", json!({})).await.unwrap();
    for parser in PARSERS {
        let mut flood = Client::connect(&server, parser).await;
        for namespace in ["/lobby", "/matchmaking"] {
            flood.enter(namespace, json!({})).await.unwrap();
        }
        // Neither would be too much, but both are.
        for _ in 0..400 {
            for namespace in ["/lobby", "/matchmaking"] {
                flood.send(2, namespace, None, json!(["games"]), None).await;
            }
        }
        flood.closed().await;
        assert_eq!(quick.request("/lobby", "games", json!(null)).await["ok"], true);
    }
    assert!(dropped(&server, "flood").await >= before + 2);
    server.shutdown().await;
}

#[tokio::test]
async fn malformed_http_is_refused() {
    let server = start().await;
    for (path, expected) in [
        ("/socket.io/?EIO=5&transport=polling", 400),
        ("/socket.io/?EIO=4&transport=pigeon", 400),
        ("/socket.io/?EIO=4&transport=polling&sid=nobody", 400),
        ("/socket.io/", 400),
        ("/socket.io-nothing/", 404),
        ("/../etc/passwd", 404),
    ] {
        assert_eq!(get(&server, path).await.0, expected, "{path}");
    }
    let headers: String = (0..5_000).map(|n| format!("x-{n}: 1\r\n")).collect();
    for (path, headers) in [(format!("/{}", "a".repeat(1 << 20)), ""), ("/healthz".to_owned(), &*headers)] {
        let status = http(&server, "GET", &path, headers, "").await.0;
        assert!(status == 431 || status == 414 || status == 0, "{status}");
    }
    serves_on(&server).await;
    server.shutdown().await;
}

/// Returns how much is counted for a reason once something new is, or what there is after a while.
async fn counted(server: &RunningServer, reason: &str, before: u64) -> u64 {
    let end = Instant::now() + PATIENCE;
    loop {
        let now = dropped(server, reason).await;
        if now > before || Instant::now() > end {
            return now - before;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// In a process of its own, because others would count for the same reasons.
#[tokio::test]
async fn what_a_client_does_wrong_is_counted_once() {
    if run_in_child("hostile::what_a_client_does_wrong_is_counted_once").is_some() {
        return;
    }
    let server = start_limited(|config| config.net.header_timeout = Duration::from_millis(300)).await;
    let sid = async || {
        let opened = get(&server, HANDSHAKE).await.1;
        opened.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let requests = [
        ("malformed", "GET / HTTP/1.1\r\nconnection: close\r\n\r\n".to_owned()),
        ("malformed", "\x16\x03\x01\r\n\r\n".to_owned()),
        ("malformed", format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(20_000))),
        ("malformed", format!("GET {HANDSHAKE}&sid=nobody HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")),
        ("malformed", "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned()),
        ("origin", "GET / HTTP/1.1\r\nhost: x\r\norigin: http://evil.test\r\nconnection: close\r\n\r\n".to_owned()),
        ("slow_request", String::new()),
        ("slow_request", "GET / HTTP/1.1\r\nhost: x\r\nx-slow: ".to_owned()),
        ("slow_request", format!("POST {HANDSHAKE}&sid={} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n4", sid().await)),
        ("protocol", {
            let head = format!("POST {HANDSHAKE}&sid={} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n", sid().await);
            format!("{head}content-length: 20000\r\n\r\n{}", "4".repeat(20_000))
        }),
    ];
    for (reason, request) in requests {
        let before = dropped(&server, reason).await;
        exchange(&server, request.as_bytes()).await;
        assert_eq!(counted(&server, reason, before).await, 1, "{reason}: {request:.80}");
    }
    let (malformed, slow) = (dropped(&server, "malformed").await, dropped(&server, "slow_request").await);
    for request in ["GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "GET /healthz HTTP/1.0\r\n\r\n"] {
        exchange(&server, request.as_bytes()).await;
    }
    assert_eq!(dropped(&server, "malformed").await, malformed, "a page that is not there is no fault of a client");
    assert_eq!(dropped(&server, "slow_request").await, slow);
    server.shutdown().await;
}

#[tokio::test]
async fn an_acknowledgement_that_nobody_asked_for_is_counted() {
    if run_in_child("hostile::an_acknowledgement_that_nobody_asked_for_is_counted").is_some() {
        return;
    }
    let server = start().await;
    for (round, parser) in PARSERS.into_iter().enumerate() {
        let mut client = Client::connect(&server, parser).await;
        client.enter("/lobby", json!({})).await.unwrap();
        client.send(3, "/lobby", Some(7), json!(["x"]), None).await;
        let answer = client.request("/lobby", "games", json!({})).await;
        assert_eq!(answer["ok"], true, "{parser:?}");
        assert_eq!(dropped(&server, "unasked").await, 1 + round as u64, "{parser:?}");
    }
    let mut client = Polling::open(server.address(), "socket.io").await;
    client.send("40/lobby,").await;
    while !client.poll().await.contains("\"session\"") {}
    client.send("43/lobby,7[]\u{1e}43/none,7[]").await;
    assert_eq!(dropped(&server, "unasked").await, 3, "namespaces that are not there are ignored");
    server.shutdown().await;
}

#[tokio::test]
async fn a_session_that_its_client_breaks_is_counted() {
    if run_in_child("hostile::a_session_that_its_client_breaks_is_counted").is_some() {
        return;
    }
    let server = start().await;
    // Whoever leaves in any way of their own is not counted.
    for farewell in [Message::text("1"), Message::Close(None)] {
        let mut client = Client::connect(&server, Parser::Json).await;
        client.enter("/lobby", json!({})).await.unwrap();
        client.raw(farewell).await;
        client.closed().await;
    }
    drop(Client::connect(&server, Parser::Msgpack).await);
    // A frame that breaks the rules of WebSocket has a reason of its own.
    let mut client = Client::connect(&server, Parser::Json).await;
    client.bytes(&[0x83, 0x80, 0, 0, 0, 0]).await;
    client.closed().await;
    for (parser, broken) in [(Parser::Json, Message::text("42/lobby,[")), (Parser::Msgpack, Message::binary(vec![0xc1]))] {
        let mut client = Client::connect(&server, parser).await;
        let before = dropped(&server, "session").await;
        assert_eq!(before, u64::from(parser == Parser::Msgpack), "{parser:?}: nothing else was counted");
        client.raw(broken).await;
        client.closed().await;
        assert_eq!(counted(&server, "session", before).await, 1, "{parser:?}");
    }
    assert_eq!(dropped(&server, "protocol").await, 1);
    server.shutdown().await;
}

#[tokio::test]
async fn an_input_that_came_before_is_counted() {
    if run_in_child("hostile::an_input_that_came_before_is_counted").is_some() {
        return;
    }
    let server = start().await;
    for (times, parser) in (1..).zip(PARSERS) {
        let mut client = Client::connect(&server, parser).await;
        let created = create(&server, json!({})).await;
        client.enter("/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
        let input = [0x94, 0, 1, 0, 1];
        assert_eq!(client.input(&input, true).await["ok"], true);
        client.input(&input, false).await;
        assert_eq!(counted(&server, "duplicate_input", times - 1).await, 1, "{parser:?}");
    }
    server.shutdown().await;
}
