//! A real reader that stops for a while: what it finds when it goes on, over both parsers.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "support/server.rs"]
mod server;

use std::time::Duration;

use serde_json::{Value as Json, json};

use server::{Client, PARSERS, create, start};

/// `[ack, seq, tick, dir]`: walk to the east, so that every tick has a frame.
const EAST: &[u8] = &[0x94, 0, 1, 0, 1];

/// The next frame's kind and tick; acknowledges it.
async fn read_frame(client: &mut Client) -> (i64, u16) {
    let packet = client.event_named("/gameplay", "s").await;
    let frame: Vec<Json> = rmp_serde::from_slice(packet.binary.as_ref().expect("a frame is binary")).unwrap();
    let (kind, tick) = (frame[0].as_i64().unwrap(), frame[1].as_u64().unwrap() as u16);
    let [high, low] = tick.to_be_bytes();
    client.input(&[0x91, 0xcd, high, low], false).await;
    (kind, tick)
}

#[tokio::test]
async fn a_reader_that_stopped_finds_few_stale_frames_and_then_one_merged_diff() {
    let server = start().await;
    for parser in PARSERS {
        let created = create(&server, json!({})).await;
        let mut client = Client::connect(&server, parser).await;
        client.enter("/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
        client.input(EAST, false).await;
        let mut last = 0;
        for _ in 0..60 {
            last = read_frame(&mut client).await.1;
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        let mut stale = 0;
        let merged = loop {
            match read_frame(&mut client).await {
                (1, _) => stale += 1,
                (2, tick) => break tick,
                (kind, _) => panic!("{parser:?}: a frame of kind {kind}"),
            }
        };
        assert!(stale <= 10, "{parser:?}: {stale} stale frames");
        assert!(merged > last + 40, "{parser:?}: the merged diff is of now, tick {merged} after {last}");
        let (kind, next) = read_frame(&mut client).await;
        assert_eq!((kind, next), (1, merged + 1), "{parser:?}: and then it is in step");
    }
    server.shutdown().await;
}
