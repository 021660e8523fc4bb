//! A game with packed lists and a snapshot that is deflated, over real sockets.

use std::sync::Arc;

use serde_json::json;
use tickcast::{
    prelude::*,
    protocol::Schema,
    replication::{Applied, Mirror},
};

use crate::{
    server::{Client, PARSERS, start_with},
    swarm::swarming,
    walk::{HZ, Pad},
};

/// Enough for a snapshot of more than a kilobyte, which is deflated.
const BIRDS: usize = 300;

struct Flock;

impl Game for Flock {
    const NAME: &'static str = "flock";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        swarming(m, BIRDS).packed();
    }
}

#[tokio::test]
async fn a_packed_game_is_followed_over_both_parsers() {
    let server = start_with(|builder| builder.game::<Flock>()).await;
    for parser in PARSERS {
        let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
        let created = lobby.request("/lobby", "create", json!({ "game": "flock" })).await;
        let mut client = Client::connect(&server, parser).await;
        client.enter("/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
        let (_, welcome) = client.event("/gameplay").await;
        assert_eq!(welcome.data[1]["schema"]["packed"], true);
        let schema: Schema = serde_json::from_value(welcome.data[1]["schema"].clone()).unwrap();
        let mut mirror = Mirror::new(Arc::new(schema));

        let (bytes, _) = take(&mut client, &mut mirror).await;
        assert!(matches!(bytes[0], 0xc4..=0xc6) && bytes.len() < 3 * BIRDS, "{} bytes of a deflated snapshot", bytes.len());
        assert_eq!(mirror.entities().count(), BIRDS + 1, "the birds and the avatar");
        let (mut diffs, mut total) = (0, 0);
        // Checksums come every two seconds.
        while mirror.tick() < Tick(u32::from(HZ) * 5 / 2) {
            let (bytes, applied) = take(&mut client, &mut mirror).await;
            assert_eq!(applied.desync, None);
            (diffs, total) = (diffs + 1, total + bytes.len());
        }
        let each = total as f64 / (diffs * BIRDS) as f64;
        assert!(each < 1.0, "{parser:?}: {each:.2} bytes a bird and tick");
    }
    server.shutdown().await;
}

/// Reads the next frame, applies it and acknowledges it.
async fn take(client: &mut Client, mirror: &mut Mirror) -> (bytes::Bytes, Applied) {
    let packet = client.event_named("/gameplay", "s").await;
    let bytes = packet.binary.expect("a frame is binary");
    let applied = mirror.apply(&bytes).unwrap();
    let [high, low] = (mirror.tick().0 as u16).to_be_bytes();
    client.input(&[0x91, 0xcd, high, low], false).await;
    (bytes, applied)
}
