//! A client that sends inputs at every tick is read at the ticks. Nothing that it sends is lost or late for that.

use std::time::Duration;

use serde_json::{Value as Json, json};
use tickcast::{
    protocol::{InputHead, encode_input},
    server::RunningServer,
};
use tokio::time::{MissedTickBehavior, interval};

use crate::server::{Client, PARSERS, Parser, create, start, start_limited, ticket_for};

/// As long as a tick of the game.
const TICK: Duration = Duration::from_millis(50);

/// More than a second of inputs, after which the match reads them by itself.
const LONG: u32 = 30;

/// Walks, with an input for each tick.
struct Player {
    client: Client,
    seq: u32,
}

impl Player {
    async fn sit(server: &RunningServer, ticket: &Json, parser: Parser) -> Self {
        let mut client = Client::connect(server, parser).await;
        client.enter("/lobby", json!({})).await.unwrap();
        client.enter("/gameplay", json!({ "ticket": ticket })).await.unwrap();
        Self { client, seq: 0 }
    }

    /// Plays on for so many ticks, and returns once the last input has acted.
    async fn play(&mut self, ticks: u32) {
        self.push(ticks).await;
        while self.acked().await != u64::from(self.seq) {}
    }

    /// Sends an input for each of so many ticks.
    async fn push(&mut self, ticks: u32) {
        let mut ticker = interval(TICK);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for _ in 0..ticks {
            ticker.tick().await;
            self.seq += 1;
            let mut input = Vec::new();
            let head = InputHead { seq: self.seq, ..InputHead::default() };
            encode_input(&mut input, head, &[1 + i64::from(self.seq % 8)]);
            self.client.input(&input, false).await;
        }
    }

    /// The newest input that has acted, as the next frame says.
    async fn acked(&mut self) -> u64 {
        let frame = self.client.event_named("/gameplay", "s").await.binary.unwrap();
        rmp_serde::from_slice::<Json>(&frame).unwrap()[3].as_u64().unwrap()
    }

    /// Whether two requests in a row are answered: the first may wait for a step, the second does not.
    async fn asks(&mut self) {
        for (namespace, event) in [("/lobby", "games"), ("/gameplay", "t")] {
            assert_eq!(self.client.request(namespace, event, Json::Null).await["ok"], true);
        }
    }
}

#[tokio::test]
async fn inputs_act_and_requests_are_answered_however_they_mix() {
    let server = start().await;
    for parser in PARSERS {
        let created = create(&server, json!({})).await;
        let mut player = Player::sit(&server, &created["ticket"], parser).await;
        player.play(LONG).await;
        player.asks().await;
        player.play(3).await;
        player.asks().await;
        player.play(LONG).await;
        let refused = player.client.request("/gameplay", "resync", json!({ "nonsense": 1 })).await;
        assert_eq!(refused["error"]["code"], "bad_request");
        player.play(1).await;
    }
}

#[tokio::test]
async fn a_request_after_the_result_is_answered() {
    // The room stays open, so that its end is not what has the request read.
    let server = start_limited(|config| config.host.over_linger = Duration::from_secs(3600)).await;
    for parser in PARSERS {
        let created = create(&server, json!({ "win_at": LONG + 10 })).await;
        let mut player = Player::sit(&server, &created["ticket"], parser).await;
        // Beyond the end, so that the match is still reading them when it comes.
        player.push(LONG + 15).await;
        player.client.event_named("/gameplay", "over").await;
        assert_eq!(player.client.request("/lobby", "games", Json::Null).await["ok"], true);
    }
}

#[tokio::test]
async fn a_dropped_connection_makes_its_seat_away() {
    let server = start().await;
    let created = create(&server, json!({})).await;
    let ticket = Json::from(ticket_for(&server, &created["room"]).await);
    let mut player = Player::sit(&server, &created["ticket"], Parser::Msgpack).await;
    let mut other = Player::sit(&server, &ticket, Parser::Msgpack).await;
    player.play(LONG).await;
    drop(player);
    loop {
        let seats = other.client.event_named("/gameplay", "seats").await;
        if seats.data[1].as_array().unwrap().iter().any(|seat| seat["status"] == "away") {
            return;
        }
    }
}
