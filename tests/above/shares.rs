//! The share of a connection: a client that goes beyond it is cut, on every path, and nothing piles up for a client that does not read.

use std::time::Duration;

use serde_json::{Value as Json, json};
use tickcast::{
    host::RoomOptions,
    lobby::{DisplayName, Identity, UserId},
    server::RunningServer,
};
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_tungstenite::tungstenite::Message;

use crate::server::{Client, PARSERS, PATIENCE, Parser, create, dropped, exchange, get, http, seated, start, start_limited};

/// A client's frame, masked with zeros. Its payload has at most 125 bytes.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

/// Sends the same bytes until the server has closed.
async fn flood(client: &mut Client, bytes: &[u8]) {
    let floods = async {
        while !client.is_closed().await {
            client.bytes(bytes).await;
        }
    };
    timeout(PATIENCE, floods).await.expect("a client that floods is cut");
}

/// Waits until more has been thrown away for a reason than before.
async fn counted(server: &RunningServer, reason: &str, before: u64) {
    let counts = async {
        while dropped(server, reason).await <= before {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, counts).await.unwrap_or_else(|_| panic!("nothing is counted as {reason}"));
}

#[tokio::test]
async fn a_client_that_sends_frames_without_pause_is_cut() {
    let server = start().await;
    let mut honest = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let ask = |id: u8| frame(0x81, format!("42/lobby,{id}[\"games\"]").as_bytes());
    let floods: [(&str, Vec<u8>); 7] = [
        ("pongs of Engine.IO", frame(0x81, b"3").repeat(4_000)),
        ("pings of WebSocket", frame(0x89, b"").repeat(4_000)),
        ("pongs of WebSocket", frame(0x8a, b"").repeat(4_000)),
        ("one-byte fragments", [frame(0x01, b"4"), frame(0x00, b"2").repeat(12_000)].concat()),
        ("requests", ask(1).repeat(2_000)),
        ("namespaces", frame(0x81, b"40/lobby,{}").repeat(4_000)),
        ("disconnects", frame(0x81, b"41/lobby,").repeat(4_000)),
    ];
    for (what, bytes) in floods {
        let mut client = Client::connect(&server, Parser::Json).await;
        client.enter("/lobby", json!({})).await.unwrap();
        flood(&mut client, &bytes).await;
        assert_eq!(honest.request("/lobby", "games", json!(null)).await["ok"], true, "{what}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_seat_that_floods_with_acknowledged_inputs_is_cut() {
    let server = start().await;
    for parser in PARSERS {
        let created = create(&server, json!({})).await;
        let mut client = Client::connect(&server, parser).await;
        client.enter("/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
        let before = dropped(&server, "connection_share").await;
        let input = match parser {
            Parser::Json => {
                let announced = br#"451-/gameplay,7["i",{"_placeholder":true,"num":0}]"#;
                [frame(0x81, announced), frame(0x82, &[0x91, 0])].concat()
            }
            Parser::Msgpack => {
                let packet = b"\x84\xa4type\x02\xa3nsp\xa9/gameplay\xa4data\x92\xa1i\xc4\x02\x91\x00\xa2id\x07";
                frame(0x82, packet)
            }
        };
        flood(&mut client, &input.repeat(1_000)).await;
        counted(&server, "connection_share", before).await;
    }
    server.shutdown().await;
}

#[tokio::test]
async fn bytes_count_however_few_messages_they_come_in() {
    let server = start_limited(|config| (config.net.byte_burst, config.net.bytes_per_second) = (100_000, 1_000.0)).await;
    let before = dropped(&server, "connection_share").await;
    let mut client = Client::join(&server, "/lobby", json!({})).await.unwrap();
    for _ in 0..10 {
        client.request_raw("/lobby", json!(["x".repeat(8_000)])).await;
    }
    for _ in 0..10 {
        client.send(2, "/lobby", None, json!(["x".repeat(8_000)]), None).await;
    }
    client.closed().await;
    counted(&server, "connection_share", before).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_cut_finds_its_client_whatever_other_requests_say() {
    let server = start().await;
    let mut client = Client::connect(&server, Parser::Json).await;
    client.enter("/lobby", json!({})).await.unwrap();
    let sid = &client.sid;
    let decoys = [
        format!("GET /healthz?sid={sid} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\n"),
        format!(
            "GET /socket.io/?EIO=4&transport=websocket&sid={sid} HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n",
            server.address()
        ),
    ];
    let mut held = Vec::new();
    for decoy in decoys {
        let mut tcp = TcpStream::connect(server.address()).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut tcp, decoy.as_bytes()).await.unwrap();
        assert!(tcp.read(&mut [0; 64]).await.unwrap() > 0, "the server answers");
        held.push(tcp);
    }
    let before = dropped(&server, "flood").await;
    for _ in 0..1_000 {
        client.send(2, "/lobby", None, json!(["games"]), None).await;
    }
    // It answers the server's pings, so that nothing but the cut ends it.
    let ends = async { while client.packet().await.is_some() {} };
    timeout(PATIENCE, ends).await.expect("the client is cut");
    counted(&server, "flood", before).await;
    drop(held);
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_that_reads_no_answers_is_cut() {
    let server = start().await;
    fill_the_chat(&server).await;
    let before = dropped(&server, "queued_bytes").await;
    let mut silent = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let asks = async {
        while dropped(&server, "queued_bytes").await == before {
            silent.send(2, "/lobby", Some(1), json!(["listen", { "channel": "lobby" }]), None).await;
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, asks).await.expect("a client for which too much waits is cut");
    silent.closed().await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_long_history_comes_in_pages() {
    let server = start().await;
    fill_the_chat(&server).await;
    let mut client = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let (mut known, mut numbers, mut pages) = (json!({ "channel": "lobby" }), Vec::new(), 0);
    loop {
        let page = client.request("/lobby", "listen", known).await;
        assert_eq!((&page["ok"], &page["complete"]), (&json!(true), &json!(true)), "{page}");
        assert!(page.to_string().len() < 48 * 1024, "{} bytes", page.to_string().len());
        numbers.extend(page["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap()));
        pages += 1;
        if numbers.last() == page["seq"].as_u64().as_ref() {
            break;
        }
        known = json!({ "channel": "lobby", "id": page["id"], "after": numbers.last() });
    }
    assert_eq!(numbers, (1..=100).collect::<Vec<u64>>());
    assert!(pages > 3, "{pages} pages");
    server.shutdown().await;
}

#[tokio::test]
async fn a_long_list_of_rooms_comes_in_pages() {
    let server = start_limited(|config| config.host.max_rooms = 500).await;
    for n in 0..450 {
        let user = UserId::parse(&format!("user-{n}")).unwrap();
        let who = Identity { user, name: DisplayName::parse("Ada").unwrap(), guest: true, address: None };
        server.host().create("duel", &RoomOptions::default(), &who).unwrap();
    }
    let mut client = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let (mut ask, mut found, mut pages) = (json!({}), Vec::new(), 0);
    loop {
        let page = client.request("/lobby", "rooms", ask).await;
        assert!(page.to_string().len() < 48 * 1024, "{} bytes", page.to_string().len());
        found.extend(page["rooms"].as_array().unwrap().iter().map(|room| room["room"].as_str().unwrap().to_owned()));
        pages += 1;
        if page["next"].is_null() {
            break;
        }
        ask = json!({ "from": page["next"] });
    }
    assert_eq!((found.len(), pages), (450, 3));
    assert!(found.is_sorted() && found.windows(2).all(|pair| pair[0] != pair[1]), "each room comes once");
    let sorted = client.request("/lobby", "rooms", json!({ "sort": "players" })).await;
    assert_eq!((sorted["rooms"].as_array().unwrap().len(), &sorted["next"]), (200, &Json::Null));
    let mixed = client.request("/lobby", "rooms", json!({ "sort": "players", "from": "a" })).await;
    assert_eq!(mixed["error"]["code"], "bad_request");
    server.shutdown().await;
}

/// Begins a session that polls, in the lobby. Returns its path.
pub(crate) async fn poll_the_lobby(server: &RunningServer) -> String {
    let path = "/socket.io/?EIO=4&transport=polling";
    let (_, opened) = get(server, path).await;
    let sid = opened.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap();
    let path = format!("{path}&sid={sid}");
    assert_eq!(http(server, "POST", &path, "", "40/lobby,{}").await.0, 200);
    while !get(server, &path).await.1.contains("40/lobby,") {}
    path
}

#[tokio::test]
async fn a_session_that_polls_and_sends_packets_without_pause_is_cut() {
    let server = start().await;
    let before = dropped(&server, "connection_share").await;
    let path = poll_the_lobby(&server).await;
    let few = "3\u{1e}".repeat(100);
    assert_eq!(http(&server, "POST", &path, "", few.trim_end_matches('\u{1e}')).await.0, 200);
    let mut honest = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let many = "3\u{1e}".repeat(4_000);
    let floods = async {
        // Each comes on a connection of its own.
        while http(&server, "POST", &path, "", many.trim_end_matches('\u{1e}')).await.0 == 200 {
            assert_eq!(honest.request("/lobby", "games", json!(null)).await["ok"], true);
        }
    };
    timeout(PATIENCE, floods).await.expect("a session that floods is cut");
    let (status, answer) = get(&server, &path).await;
    assert!(status == 400 && answer.ends_with("the session was ended\n"), "{answer}");
    counted(&server, "connection_share", before).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_session_that_asks_and_never_polls_is_cut() {
    let server = start().await;
    fill_the_chat(&server).await;
    let before = dropped(&server, "queued_bytes").await;
    let path = poll_the_lobby(&server).await;
    let asks = async {
        while http(&server, "POST", &path, "", "42/lobby,1[\"listen\",{\"channel\":\"lobby\"}]").await.0 == 200 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, asks).await.expect("a session for which too much waits is cut");
    counted(&server, "queued_bytes", before).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_session_that_polls_its_answers_is_not_cut() {
    let server = start_limited(|config| (config.net.request_burst, config.net.queued_bytes) = (100, 100_000)).await;
    fill_the_chat(&server).await;
    let path = poll_the_lobby(&server).await;
    for id in 0..30 {
        let ask = format!("42/lobby,{id}[\"listen\",{{\"channel\":\"lobby\"}}]");
        assert_eq!(http(&server, "POST", &path, "", &ask).await.0, 200);
        while !get(&server, &path).await.1.contains(&format!("43/lobby,{id}[")) {}
    }
    server.shutdown().await;
}

/// Fills the history of the lobby's chat with its longest messages.
pub(crate) async fn fill_the_chat(server: &RunningServer) {
    let text = "\u{1f600}".repeat(500);
    for _ in 0..20 {
        let mut guest = Client::join(server, "/lobby", json!({})).await.unwrap();
        for _ in 0..5 {
            let said = guest.request("/lobby", "chat", json!({ "channel": "lobby", "text": text })).await;
            assert_eq!(said["ok"], true, "{said}");
        }
    }
}

#[tokio::test]
async fn a_broken_frame_is_answered_with_its_close_code() {
    let server = start().await;
    let before = dropped(&server, "protocol").await;
    let big = [vec![0x81, 0xfe, 0x7f, 0xff, 0, 0, 0, 0], vec![b'4'; 0x7fff]].concat();
    for (bytes, code) in [
        (vec![0x81, 1, b'3'], 1002),
        (frame(0xc1, b"3"), 1002),
        (frame(0x83, b""), 1002),
        (frame(0x80, b"3"), 1002),
        (frame(0x09, b""), 1002),
        (frame(0x81, b"42\xff"), 1007),
        (frame(0x88, b"\x03\xe8\xff"), 1007),
        (big, 1009),
    ] {
        for seated_first in [false, true] {
            let mut client = if seated_first {
                let created = create(&server, json!({})).await;
                seated(&server, created["ticket"].as_str().unwrap()).await.0
            } else {
                Client::join(&server, "/lobby", json!({})).await.unwrap()
            };
            client.bytes(&bytes).await;
            let told = loop {
                match client.message().await.expect("a close frame comes before the end") {
                    Message::Close(told) => break told,
                    _ => continue,
                }
            };
            assert_eq!(told.map(|told| u16::from(told.code)), Some(code), "{:?}", &bytes[..bytes.len().min(9)]);
        }
    }
    counted(&server, "protocol", before + 15).await;
    server.shutdown().await;
}

#[tokio::test]
async fn requests_without_pause_on_one_connection_are_all_answered() {
    let server = start().await;
    let mut requests = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n".repeat(500);
    requests += "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answers = exchange(&server, requests.as_bytes()).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 501);
    server.shutdown().await;
}
