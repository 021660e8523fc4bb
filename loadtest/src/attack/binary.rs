//! Attachments of the default parser, and values of MessagePack.

use std::time::Duration;

use anyhow::ensure;
use futures_util::future::join_all;
use tokio::time::Instant;

use super::attacker::{Attacker, PATIENCE};
use super::kind::{Attack, Seen};
use super::raw::{End, frame, text};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "odd-attachments",
        about: "a binary message with no header, a text among attachments, 10,001 and -1 of them, a placeholder out of range",
        counted: &["session"],
        quick: true,
        run: |attacker| Box::pin(odd_attachments(attacker)),
    },
    Attack {
        name: "unfinished-packets",
        about: "a frame, a message in fragments and an event without its attachment, each begun and held for a minute",
        counted: &["unfinished"],
        quick: false,
        run: |attacker| Box::pin(unfinished_packets(attacker)),
    },
    Attack {
        name: "odd-messagepack",
        about: "MessagePack nested as deeply as a message allows, lengths beyond the data, ext types, keys given twice",
        counted: &["session"],
        quick: true,
        run: |attacker| Box::pin(odd_messagepack(attacker)),
    },
];

async fn odd_attachments(attacker: Attacker) -> Seen {
    let announced = |count: &str, argument: &str| text(&format!("45{count}-/lobby,1[\"rooms\",{argument}]"));
    let placeholder = r#"{"_placeholder":true,"num":0}"#;
    let streams = [
        frame(0x82, b"no header"),
        [announced("1", placeholder), text("42/lobby,2[\"games\"]"), frame(0x82, b"late")].concat(),
        announced("10001", placeholder),
        announced("-1", placeholder),
        announced("99999999999999999999", placeholder),
        [announced("1", r#"{"_placeholder":true,"num":7}"#), frame(0x82, b"x")].concat(),
        [announced("1", r#"{"_placeholder":true,"num":-1}"#), frame(0x82, b"x")].concat(),
        [announced("2", placeholder), frame(0x82, b"x"), frame(0x82, b"y")].concat(),
        text("461-/lobby,1[{\"_placeholder\":true,\"num\":0}]"),
    ];
    let tried = streams.len();
    let tries = streams.map(|stream| {
        let attacker = attacker.clone();
        async move {
            let mut socket = attacker.raw_guest().await?;
            socket.bytes(&stream).await;
            anyhow::Ok(socket.end(Instant::now() + Duration::from_millis(500)).await)
        }
    });
    let mut closed = 0;
    for end in join_all(tries).await {
        closed += u32::from(end? != End::Open);
    }
    ensure!(closed > 0, "none was closed");
    Ok(format!("{closed} of {tried} closed, the others ignored"))
}

async fn unfinished_packets(attacker: Attacker) -> Seen {
    let held = [
        frame(0x81, &[b'4'; 100])[..40].to_vec(),
        frame(0x01, b"42/lobby,"),
        text("451-/lobby,1[\"rooms\",{\"_placeholder\":true,\"num\":0}]"),
    ];
    let tried = held.len();
    let tries = held.map(|bytes| {
        let attacker = attacker.clone();
        async move {
            let mut socket = attacker.raw_guest().await?;
            socket.bytes(&bytes).await;
            anyhow::Ok(socket.end(Instant::now() + Duration::from_secs(9)).await)
        }
    });
    for (number, end) in join_all(tries).await.into_iter().enumerate() {
        ensure!(end? != End::Open, "packet {number} was held for 9 s");
    }
    Ok(format!("{tried} of {tried} cut within 9 s"))
}

async fn odd_messagepack(attacker: Attacker) -> Seen {
    let event = |argument: &[u8]| [b"\x84\xa4type\x02\xa3nsp\xa6/lobby\xa2id\x01\xa4data\x92\xa5rooms", argument].concat();
    let packets = [
        event(&[0x91; 16_000]),
        event(&[&[0x81, 0xa1, b'a'].repeat(5000)[..], &[1]].concat()),
        event(b"\xdd\xff\xff\xff\xff"),
        event(b"\xdb\xff\xff\xff\xffabc"),
        event(b"\xc6\xff\xff\xff\xffabc"),
        event(b"\xdf\xff\xff\xff\xff"),
        event(b"\xc9\xff\xff\xff\xff\x01abc"),
        event(b"\xd4\x01\x00"),
        event(b"\x82\xa5limit\x01\xa5limit\x02"),
        event(b"\xcb\x7f\xf8\0\0\0\0\0\0"),
        b"\x82\xa4type\x02\xa4type\x02".to_vec(),
        b"\x81\xa4type\xcd\xff\xff".to_vec(),
        b"\xc1".to_vec(),
        Vec::new(),
    ];
    let tried = packets.len();
    let tries = packets.map(|packet| {
        let attacker = attacker.clone();
        async move {
            let (mut connection, _) = attacker.guest(crate::connection::LOBBY).await?;
            connection.send(packet).await?;
            // Either the connection ends, or it goes on and answers.
            let ask = connection.request::<_, serde_json::Value>(crate::connection::LOBBY, "games", None::<&()>);
            let outcome = tokio::time::timeout(PATIENCE, ask).await;
            anyhow::Ok(outcome.map(|answer| answer.is_err()))
        }
    });
    let mut closed = 0;
    for (number, outcome) in join_all(tries).await.into_iter().enumerate() {
        let outcome = outcome?;
        ensure!(outcome.is_ok(), "packet {number}: neither closed nor answered");
        closed += u32::from(outcome.unwrap_or_default());
    }
    Ok(format!("{closed} of {tried} closed, the others refused"))
}
