//! A mirror that differs by one bit, over a real socket: what it says, what the server says of it, and that it is mended. In a process of
//! its own, because a process has one log.

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tickcast::{
    protocol::{Id, Schema},
    replication::{Applied, Mirror},
};

use crate::{
    process::run_in_child,
    server::{Client, create, get, seated, start, ticket_for},
};

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> Self {
        let log = Self::default();
        let writer = log.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        log
    }

    fn lines(&self, with: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains(with)).map(str::to_owned).collect()
    }
}

async fn next(client: &mut Client, mirror: &mut Mirror) -> Applied {
    let packet = client.event_named("/gameplay", "s").await;
    let applied = mirror.apply(&packet.binary.unwrap()).unwrap();
    let [high, low] = (applied.tick.0 as u16).to_be_bytes();
    client.input(&[0x91, 0xcd, high, low], false).await;
    applied
}

/// Reads until a frame says what `wanted` looks for.
async fn until<T>(client: &mut Client, mirror: &mut Mirror, wanted: impl Fn(&Applied) -> Option<T>) -> T {
    for _ in 0..100 {
        if let Some(found) = wanted(&next(client, mirror).await) {
            return found;
        }
    }
    panic!("not within 100 frames");
}

#[tokio::test]
async fn one_flipped_bit_is_reported_once_and_mended() {
    if run_in_child("desync::one_flipped_bit_is_reported_once_and_mended").is_some() {
        return;
    }
    let log = Log::start();
    let server = start().await;
    let created = create(&server, json!({})).await;
    let (mut walker, _) = seated(&server, created["ticket"].as_str().unwrap()).await;
    let (mut client, welcome) = seated(&server, &ticket_for(&server, &created["room"]).await).await;
    // The first seat walks, so that every tick has a frame; the second's avatar stands.
    walker.input(&[0x94, 0, 1, 0, 1], false).await;
    let schema: Schema = serde_json::from_value(welcome["schema"].clone()).unwrap();
    let mut mirror = Mirror::new(schema.into());
    until(&mut client, &mut mirror, |applied| (applied.tick.0 > 10).then_some(())).await;
    let seats = mirror.entities().map(|(id, components)| (components[&0][0], id)).collect::<Vec<(i64, Id)>>();
    let standing = seats.iter().find(|(seat, _)| welcome["seat"] == *seat).unwrap().1;
    let right = mirror.get(standing, 1).unwrap().to_vec();

    mirror.corrupt(standing, 1, 0, 1);
    let (tick, desync) = until(&mut client, &mut mirror, |applied| Some((applied.tick, applied.desync?))).await;
    assert_eq!(desync.component, 1);
    assert_ne!(desync.expected, desync.got);
    let report = json!({ "component": desync.component, "expected": desync.expected, "got": desync.got });
    assert_eq!(client.request("/gameplay", "resync", report).await, json!({ "ok": true }));

    let mended = until(&mut client, &mut mirror, |applied| applied.mended.clone()).await;
    assert_eq!((mended.tick, mended.desync), (tick, desync));
    assert!(mended.entities.contains(&standing), "{mended:?}");
    assert!(mended.entities.len() <= 2, "it, and who walked in the moment between: {mended:?}");
    assert_eq!(mirror.get(standing, 1).unwrap(), right);
    // Two more checksums find nothing.
    let healed = mirror.tick().0 + 90;
    until(&mut client, &mut mirror, |applied| {
        assert_eq!((applied.desync, &applied.mended), (None, &None));
        (applied.tick.0 > healed).then_some(())
    })
    .await;

    let (_, metrics) = get(&server, "/metrics").await;
    for line in ["tickcast_desyncs_total{game=\"duel\"} 1", "tickcast_resyncs_total{game=\"duel\"} 1"] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
    let logged = log.lines("mirror differs");
    let [line] = &logged[..] else { panic!("logged once, not {logged:?}") };
    let sums = format!("expected={} got={}", desync.expected, desync.got);
    for part in ["WARN", "room=", "seat=2", "component=\"Pos\"", &sums] {
        assert!(line.contains(part), "no {part} in {line}");
    }
    server.shutdown().await;
}
