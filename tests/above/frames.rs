//! WebSocket frames and Socket.IO packets that no honest client sends, before and after a seat is taken: the connection is closed, or
//! what was sent is ignored; nobody else notices.

use std::time::Duration;

use serde_json::{Value as Json, json};
use tickcast::server::RunningServer;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::server::{Client, PARSERS, Parser, create, dropped, exchange, get, http, start};

const MASK: [u8; 4] = [1, 2, 3, 4];

/// A masked frame with a first byte of one's own.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | short as u8),
        long => {
            bytes.push(0x80 | 126);
            bytes.extend((long as u16).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// The header of a frame with that many bytes.
fn announcing(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first, 0xff];
    bytes.extend(length.to_be_bytes());
    bytes.extend(MASK);
    bytes
}

/// Somebody who plays and must not notice anything, and a way to get others in.
struct Match {
    server: RunningServer,
    honest: Client,
    /// The tokens of a client that comes back to the same seat again and again.
    lobby: Client,
    room: Json,
}

impl Match {
    async fn start() -> Self {
        let server = start().await;
        let created = create(&server, json!({})).await;
        let honest = Client::join(&server, "/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
        let lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
        Self { server, honest, lobby, room: created["room"].clone() }
    }

    async fn sit(&mut self, parser: Parser) -> Client {
        let joined = self.lobby.request("/lobby", "join", json!({ "room": self.room })).await;
        let mut player = Client::connect(&self.server, parser).await;
        player.enter("/gameplay", json!({ "ticket": joined["ticket"] })).await.unwrap();
        player.event_named("/gameplay", "s").await;
        player
    }

    /// Somebody in the lobby and somebody in the match do the same, by each endpoint.
    async fn attack(&mut self, what: &str, act: impl AsyncFn(&mut Client, Parser)) {
        for parser in PARSERS {
            let mut visitor = Client::connect(&self.server, parser).await;
            visitor.enter("/lobby", json!({})).await.unwrap();
            act(&mut visitor, parser).await;

            let mut player = self.sit(parser).await;
            player.input(&[0x94, 0, 1, 0, 1], false).await;
            act(&mut player, parser).await;
        }
        let time = self.honest.request("/gameplay", "t", Json::Null).await;
        assert_eq!(time["ok"], true, "{what}");
    }
}

#[tokio::test]
async fn malformed_frames_close_only_their_connection() {
    let mut game = Match::start().await;
    for (what, bytes) in [
        ("unmasked", vec![0x81, 2, b'4', b'2']),
        ("a reserved bit", frame(0xc1, b"42")),
        ("a reserved opcode", frame(0x83, b"42")),
        ("2^63 bytes", announcing(0x82, 1 << 63)),
        ("15 MB", [announcing(0x82, 15 << 20), vec![0; 64 * 1024]].concat()),
        ("no UTF-8", frame(0x81, &[b'4', 0xff, 0xfe])),
        ("a ping that is too long", frame(0x89, &[0; 126])),
        ("a ping in fragments", frame(0x09, b"")),
        ("a continuation of nothing", frame(0x80, b"42")),
        ("a message within another", [frame(0x01, b"4"), frame(0x81, b"2")].concat()),
        ("no close code", frame(0x88, &[0, 5])),
        ("more than a message may have", frame(0x82, &[0; 17_000])),
    ] {
        game.attack(what, async |client, _| {
            client.bytes(&bytes).await;
            client.closed().await;
        })
        .await;
    }
    game.server.shutdown().await;
}

#[tokio::test]
async fn a_message_in_endless_fragments_is_as_long_as_any() {
    let mut game = Match::start().await;
    let fragments = [frame(0x01, b"4"), frame(0x00, b"2").repeat(20_000)].concat();
    game.attack("fragments", async |client, _| {
        client.bytes(&fragments).await;
        client.closed().await;
    })
    .await;
    game.server.shutdown().await;
}

#[tokio::test]
async fn a_flood_of_pings_is_no_burden() {
    let mut game = Match::start().await;
    let pings = frame(0x89, &[0; 125]).repeat(20_000);
    game.attack("pings", async |client, _| {
        client.bytes(&pings).await;
        client.bytes(&frame(0x88, &[0x03, 0xe8])).await;
        client.closed().await;
    })
    .await;
    game.server.shutdown().await;
}

#[tokio::test]
async fn frames_are_never_compressed() {
    let server = start().await;
    for path in ["/socket.io/", "/socket.io-msgpack/"] {
        let request = format!(
            "GET {path}?EIO=4&transport=websocket HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\
             sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
        );
        // Closed by a frame that is none, so that the answer ends.
        let answer = exchange(&server, &[request.as_bytes(), &[0x83, 0]].concat()).await;
        assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
        assert!(!answer.to_lowercase().contains("sec-websocket-extensions"), "{answer}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn malformed_default_packets_hurt_nobody() {
    let mut game = Match::start().await;
    let deep = format!("42/lobby,1[\"games\",{}", "[".repeat(8_000));
    let deeper = format!("42/lobby,1[\"games\",{}{}]", "[".repeat(8_000), "]".repeat(8_000));
    for packets in [
        vec!["42/lobby,[]"],
        vec!["42/lobby,[{}]"],
        vec![&*deep],
        vec![&*deeper],
        vec!["43/lobby,99[{}]", "43/gameplay,99[{}]"],
        vec!["42/lobby,99999999999999999999[\"games\"]"],
        vec!["42/lobby,-1[\"games\"]"],
        vec!["451-/gameplay,[\"i\",{\"_placeholder\":true,\"num\":0}]", "42/gameplay,[\"t\"]"],
        vec!["451-/gameplay,[\"i\",{\"_placeholder\":true,\"num\":7}]"],
        vec!["4510001-/gameplay,[\"i\",{\"_placeholder\":true,\"num\":0}]"],
        vec!["45-1-/gameplay,[\"i\",{\"_placeholder\":true,\"num\":0}]"],
        vec!["452-/gameplay,[\"i\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]"],
        vec!["40/gameplay,{\"ticket\":\"forged\"}", "40/lobby,{}", "40/lobby,{}"],
        vec!["41/lobby,", "42/lobby,[\"games\"]"],
    ] {
        game.attack(packets[0].get(..60).unwrap_or(packets[0]), async |client, parser| {
            for packet in &packets {
                client.raw(Message::text(*packet)).await;
                client.raw(Message::binary(&b"\x94\x00\x02\x00\x01"[..])).await;
            }
            if parser == Parser::Json {
                client.raw(Message::text("41/gameplay,")).await;
            }
            client.raw(Message::Close(None)).await;
            client.closed().await;
        })
        .await;
    }
    game.server.shutdown().await;
}

#[tokio::test]
async fn malformed_messagepack_packets_hurt_nobody() {
    let mut game = Match::start().await;
    let packet = |data: &[u8]| [&b"\x84\xa4type\x02\xa3nsp\xa6/lobby\xa2id\x01\xa4data"[..], data].concat();
    let deep = packet(&[&b"\x92\xa5games"[..], &[0x91; 8_000], &[0xc0]].concat());
    for bytes in [
        deep,
        packet(b"\x92\xa5games\xdd\xff\xff\xff\xff"),
        packet(b"\xdd\xff\xff\xff\xff"),
        packet(b"\x92\xa5games\xc7\x04\x05abcd"),
        packet(b"\x92\xa5games\xdb\xff\xff\xff\xffabc"),
        b"\x83\xa4type\x02\xa4type\x00\xa3nsp\xa6/lobby".to_vec(),
        b"\x82\xa4type\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa3nsp\xa1/".to_vec(),
        b"\x83\xa4type\x02\xa3nsp\xa9/gameplay\xa4data\x92\xa1i\xc4\xffab".to_vec(),
    ] {
        game.attack("MessagePack", async |client, _| {
            client.raw(Message::binary(bytes.clone())).await;
            client.raw(Message::Close(None)).await;
            client.closed().await;
        })
        .await;
    }
    game.server.shutdown().await;
}

/// Somebody with a seat in a room of their own.
async fn seat(server: &RunningServer, parser: Parser) -> Client {
    let created = create(server, json!({})).await;
    let mut player = Client::connect(server, parser).await;
    player.enter("/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
    player.event_named("/gameplay", "s").await;
    player
}

#[tokio::test]
async fn an_unfinished_packet_closes_the_connection() {
    let server = start().await;
    let before = dropped(&server, "unfinished").await;
    let announced = |event: &str| frame(0x81, format!("451-{event},{{\"_placeholder\":true,\"num\":0}}]").as_bytes());
    let (input, request) = (announced("/gameplay,[\"i\""), announced("/lobby,[\"games\""));
    let mut all = Vec::new();
    for parser in PARSERS {
        let frames = [vec![0x82], frame(0x82, &[0; 100])[..50].to_vec(), frame(0x82, &[0; 9_000])[..2_000].to_vec()];
        let messages = [frame(0x01, b"42/lobby,"), [frame(0x02, b"\x83"), frame(0x89, b""), frame(0x00, b"")].concat()];
        let attachments = if parser == Parser::Json { [input.clone(), request.clone()].to_vec() } else { Vec::new() };
        for bytes in frames.into_iter().chain(messages).chain(attachments) {
            let mut visitor = Client::connect(&server, parser).await;
            visitor.enter("/lobby", json!({})).await.unwrap();
            for mut client in [visitor, seat(&server, parser).await] {
                let began = Instant::now();
                client.bytes(&bytes).await;
                all.push(tokio::spawn(async move {
                    client.closed().await;
                    began.elapsed()
                }));
            }
        }
    }
    let mut honest = seat(&server, Parser::Json).await;
    let count = all.len() as u64;
    for closed in all {
        let took = closed.await.unwrap();
        assert!(took > Duration::from_secs(4), "{took:?}");
    }
    assert!(dropped(&server, "unfinished").await >= before + count);
    assert_eq!(honest.request("/gameplay", "t", Json::Null).await["ok"], true);
    server.shutdown().await;
}

#[tokio::test]
async fn a_slow_sender_that_keeps_sending_gets_through() {
    let server = start().await;
    let long = frame(0x81, format!("42/lobby,1[\"games\",\"{}\"]", "x".repeat(13_000)).as_bytes());
    let (first, second) = (frame(0x81, br#"451-/lobby,1["games",{"_placeholder":true,"num":0}]"#), frame(0x82, &[0; 13_000]));
    let mut all = Vec::new();
    for bytes in [long, [first, second].concat()] {
        let mut client = Client::connect(&server, Parser::Json).await;
        client.enter("/lobby", json!({})).await.unwrap();
        all.push(tokio::spawn(async move {
            // Some seven seconds.
            for part in bytes.chunks(200) {
                client.bytes(part).await;
                sleep(Duration::from_millis(100)).await;
            }
            while client.packet().await.expect("the connection stands").id != Some(1) {}
        }));
    }
    for through in all {
        through.await.unwrap();
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_seat_is_taken_once_however_often_its_client_enters() {
    let server = start().await;
    let created = create(&server, json!({})).await;
    let mut client = Client::connect(&server, Parser::Json).await;
    let connect = format!("40/gameplay,{}", json!({ "ticket": created["ticket"] }));
    client.raw(Message::text(connect.clone())).await;
    client.event_named("/gameplay", "s").await;
    for _ in 0..3 {
        client.raw(Message::text(connect.clone())).await;
    }
    // Whether the server has enough of it or the client enters anew, the seat is as it was.
    client.send(2, "/gameplay", Some(1), json!(["t"]), None).await;
    while client.packet().await.is_some_and(|packet| packet.kind != 3) {}
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let rooms = lobby.request("/lobby", "rooms", json!({})).await;
    assert_eq!(rooms["rooms"][0]["players"], 1, "{rooms}");
    server.shutdown().await;
}

#[tokio::test]
async fn the_ninth_unknown_namespace_closes_the_connection() {
    let mut game = Match::start().await;
    let before = dropped(&game.server, "nowhere").await;
    game.attack("namespaces that are not there", async |client, parser| {
        let long = format!("/{}", "x".repeat(200));
        let unusual = if parser == Parser::Msgpack { ["", "nowhere"] } else { ["/a/b", "/{*rest}"] };
        for name in ["/nowhere", "/nowhere", "/lobby/", "//", "/é", &long].into_iter().chain(unusual) {
            let refused = client.enter(name, json!({})).await;
            assert_eq!(refused.err().as_deref(), Some("Invalid namespace"), "{name}");
        }
        client.send(0, "/once/more", None, json!({}), None).await;
        client.closed().await;
    })
    .await;
    game.attack("five hundred at once", async |client, _| {
        for n in 0..500 {
            client.send(0, &format!("/nowhere{n}"), None, json!({}), None).await;
        }
        client.closed().await;
    })
    .await;
    assert!(dropped(&game.server, "nowhere").await >= before + 8);
    game.server.shutdown().await;
}

#[tokio::test]
async fn a_long_name_of_an_unknown_namespace_is_not_repeated() {
    let mut game = Match::start().await;
    let before = dropped(&game.server, "nowhere").await;
    game.attack("names of 300 bytes to 15 kB", async |client, _| {
        for length in [300, 15_000] {
            client.send(0, &format!("/{}", "x".repeat(length)), None, json!({}), None).await;
        }
        while let Some(packet) = client.packet().await {
            assert_ne!(packet.kind, 4, "the connection ends without an answer");
        }
    })
    .await;
    assert!(dropped(&game.server, "nowhere").await >= before + 4);
    game.server.shutdown().await;
}

#[tokio::test]
async fn polling_for_unknown_namespaces_ends_the_session() {
    let server = start().await;
    for path in ["/socket.io/?EIO=4&transport=polling", "/socket.io-msgpack/?EIO=4&transport=polling"] {
        let opened = get(&server, path).await.1;
        let sid = opened.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap();
        let path = format!("{path}&sid={sid}");
        // {"type": 0, "nsp": "/none"} in base64, or its text.
        let connect = if path.contains("msgpack") { "bgqR0eXBlAKNuc3ClL25vbmU=" } else { "40/none," };
        // Far fewer than the answers that the library would keep for who does not fetch them.
        let mut heard = 0;
        while heard < 60 && http(&server, "POST", &path, "", connect).await.0 == 200 {
            heard += 1;
            sleep(Duration::from_millis(20)).await;
        }
        assert!((9..60).contains(&heard), "{heard}");
        assert_eq!(get(&server, &path).await.0, 400);
    }
    server.shutdown().await;
}
