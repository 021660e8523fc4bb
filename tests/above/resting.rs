//! Matches that step on input, over real sockets: silent while nothing happens, and prompt when something does.

use std::{sync::Arc, time::Duration};

use serde_json::{Value as Json, json};
use tickcast::{
    game::GameDef,
    host::{Claim, Host, Limits, RoomOptions},
    identity::Gate,
    lobby::Identity,
    prelude::*,
    protocol::{InputHead, encode_input},
    server::RunningServer,
};
use tokio::time::{sleep, timeout};

use crate::{
    host::{Fake, Memory},
    server::{Client, PARSERS, start_with, ticket_for},
};

/// Longer than the longest silence of other matches. A busy machine only makes these tests weaker.
const A_WHILE: Duration = Duration::from_millis(1_500);

/// The heap, and whose turn it is.
#[derive(Component, Replicate)]
#[replicate(id = 1)]
struct Heap {
    left: u8,
    turn: u8,
}

#[derive(GameInput, Clone, Default)]
struct Take {
    #[one_shot]
    count: u8,
}

/// Players take one to three of a heap in turn. Who takes the last one wins.
struct Nim;

impl Game for Nim {
    const NAME: &'static str = "nim";
    type Input = Take;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.steps_on_input().tick_rate(20).seats(1..=2).replicate::<Heap>().on_join(join).systems(take).finish_when(over);
    }
}

fn join(seat: Seat, world: &mut World) {
    if seat == Seat(1) {
        world.spawn(Heap { left: 9, turn: 1 });
    }
    world.spawn_avatar(seat, ());
}

fn take(mut heap: Single<&mut Heap>, players: Query<(&Seat, &Intent<Take>)>) {
    for (seat, intent) in &players {
        if heap.turn == seat.0 && (1..=3).contains(&intent.count) {
            **heap = Heap { left: heap.left.saturating_sub(intent.count), turn: 3 - seat.0 };
        }
    }
}

fn over(heap: Query<&Heap>) -> Option<Outcome> {
    let heap = heap.iter().next()?;
    (heap.left == 0).then(|| Outcome::winner(Seat(3 - heap.turn)))
}

async fn nim() -> RunningServer {
    start_with(|server| server.game::<Nim>()).await
}

/// Two players whose match rests. Returns them with the room.
async fn resting(server: &RunningServer) -> ([Client; 2], Json) {
    let mut lobby = Client::join(server, "/lobby", json!({})).await.unwrap();
    let created = lobby.request("/lobby", "create", json!({ "game": "nim" })).await;
    let second = ticket_for(server, &created["room"]).await;
    let mut players = Vec::new();
    for (parser, ticket) in PARSERS.into_iter().zip([created["ticket"].clone(), json!(second)]) {
        let mut player = Client::connect(server, parser).await;
        player.enter("/gameplay", json!({ "ticket": ticket })).await.unwrap();
        let welcome = player.event_named("/gameplay", "welcome").await;
        assert_eq!(welcome.data[1]["schema"]["onInput"], true);
        player.event_named("/gameplay", "s").await;
        player.input(&[0x91, 0], false).await;
        players.push(player);
    }
    for player in &mut players {
        while timeout(A_WHILE, player.event_named("/gameplay", "s")).await.is_ok() {}
    }
    (players.try_into().ok().unwrap(), created["room"].clone())
}

async fn time(player: &mut Client) -> f64 {
    player.request("/gameplay", "t", Json::Null).await["tick"].as_f64().unwrap()
}

/// The next frame: its kind, its tick and the number of the input that it acknowledges.
async fn frame(player: &mut Client) -> [u64; 3] {
    let frame: Vec<Json> = rmp_serde::from_slice(&player.event_named("/gameplay", "s").await.binary.unwrap()).unwrap();
    [0, 1, 3].map(|at| frame[at].as_u64().unwrap())
}

fn taking(seq: u32, tick: u32, count: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_input(&mut bytes, InputHead { seq, tick: Tick(tick), ..InputHead::default() }, &[count]);
    bytes
}

#[tokio::test]
async fn a_match_rests_and_answers_an_input_at_once() {
    let server = nim().await;
    let ([mut one, mut two], _) = resting(&server).await;
    let before = time(&mut one).await;
    sleep(A_WHILE).await;
    let now = time(&mut one).await;
    assert!(now - before >= 29.0, "its time goes on: {before}, {now}");
    one.input(&taking(1, 0, 3), false).await;
    let [kind, tick, ack] = frame(&mut one).await;
    assert!(kind == 1 && ack == 1 && tick as f64 > now, "{kind} {tick} {ack}");
    assert_eq!(frame(&mut two).await[1], tick, "everybody sees it");
    // For a tick that is to come, which is far from the newest step.
    while timeout(A_WHILE, two.event_named("/gameplay", "s")).await.is_ok() {}
    let wanted = time(&mut two).await as u32 + 10;
    two.input(&taking(1, wanted, 3), false).await;
    assert_eq!(frame(&mut two).await, [1, u64::from(wanted), 1]);
    one.input(&taking(2, 0, 3), false).await;
    let over = two.event_named("/gameplay", "over").await;
    assert_eq!((&over.data[1]["reason"], &over.data[1]["winners"]), (&json!("finished"), &json!([1])));
    server.shutdown().await;
}

/// Takes a seat, and shows that somebody is there.
fn enter(host: &Host, ticket: &str) -> (Claim, Arc<Memory>) {
    let (claim, memory) = (host.claim(ticket).unwrap(), Arc::<Memory>::default());
    claim.enter(Arc::new(Fake(memory.clone()))).unwrap();
    claim.inlet().push(&[0x91, 0]);
    (claim, memory)
}

#[tokio::test(start_paused = true)]
async fn a_match_that_has_rested_serves_the_next_player_at_once() {
    let mut limits = Limits::default();
    (limits.rooms_on_runtime, limits.empty_linger) = (true, Duration::from_secs(60));
    let host = Host::start([GameDef::new::<Nim>().unwrap()], limits, Gate::default(), []);
    let guest = || Identity::guest(None, &mut rand::rng());
    let opened = host.create("nim", &RoomOptions::default(), &guest()).unwrap();
    let (claim, memory) = enter(&host, &opened.ticket);
    sleep(Duration::from_secs(600)).await;
    assert!((1..5).contains(&memory.frames()), "{} frames in ten minutes", memory.frames());
    claim.leave();
    sleep(Duration::from_secs(5)).await;
    let joined = host.join(&opened.room, &guest()).unwrap();
    let (_claim, memory) = enter(&host, &joined.ticket);
    sleep(Duration::from_millis(200)).await;
    assert!(memory.frames() > 0, "its time did not stand still before");
}

#[tokio::test]
async fn who_comes_and_goes_is_told_while_a_match_rests() {
    let server = nim().await;
    let ([mut one, two], room) = resting(&server).await;
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let answer = lobby.request("/lobby", "spectate", json!({ "room": room })).await;
    let mut spectator = Client::join(&server, "/gameplay", json!({ "ticket": answer["ticket"] })).await.unwrap();
    assert_eq!(frame(&mut spectator).await[0], 0, "a spectator gets a snapshot");
    // Entering was told before.
    while timeout(A_WHILE, one.event_named("/gameplay", "seats")).await.is_ok() {}
    drop(two);
    assert_eq!(one.event_named("/gameplay", "seats").await.data[1][1]["status"], "away");
    assert_eq!(one.request("/gameplay", "resync", json!({})).await, json!({ "ok": true }));
    // A snapshot comes when it is asked for.
    while frame(&mut one).await[0] != 0 {}
    server.shutdown().await;
}
