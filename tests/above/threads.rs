//! Rooms on threads of their own: a room that does not return from a step hurts nobody but its own players. These tests run in real
//! time, and wait until something has happened instead of measuring how long it took.

use std::time::Duration;

use serde_json::json;
use tickcast::{
    game::GameDef,
    host::{Host, Limits, RoomOptions},
    identity::Gate,
    lobby::{PresenceStatus, RoomId},
    protocol::ErrorCode,
    room::OverReason,
};
use tokio::time::{sleep, timeout};

use crate::{
    host::{Memory, ada, code, options, walk_in},
    server::{Client, Duel, PATIENCE, create, dropped, get, in_check, release, seated, start_limited},
};

/// The tick in which a match hangs, once its player has moved.
const HANGS_AT: u32 = 10;

fn host(threads: usize, stuck_after: Duration) -> Host {
    limited_host(|limits| (limits.room_threads, limits.stuck_after) = (threads, stuck_after))
}

fn limited_host(change: impl FnOnce(&mut Limits)) -> Host {
    let mut limits = Limits::default();
    change(&mut limits);
    Host::start([GameDef::new::<Duel>().unwrap()], limits, Gate::default(), [])
}

fn hangs(gate: u32) -> RoomOptions {
    options(json!({ "hang_at": HANGS_AT, "gate": gate }))
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waits = async {
        while !is_so() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, waits).await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}

/// Waits until a room is in the step from which it does not return.
async fn hung_up(host: &Host, room: &RoomId) {
    until("the match hangs", || host.join(room, &ada()).is_err_and(|refusal| refusal.code == ErrorCode::RoomBusy)).await;
}

/// Waits until a player has got so many more frames.
async fn more_frames(memory: &Memory, count: usize) {
    let before = memory.frames();
    until("the room is stepped", || memory.frames() >= before + count).await;
}

#[tokio::test]
async fn the_rooms_beside_one_that_hangs_are_stepped_on() {
    let host = host(1, PATIENCE);
    let others: Vec<_> = (0..5).map(|_| host.create("duel", &RoomOptions::default(), &ada()).unwrap()).collect();
    let others: Vec<_> = others.iter().map(|admission| walk_in(&host, &admission.ticket)).collect();
    let hung = host.create("duel", &hangs(1), &ada()).unwrap();
    let (_claim, memory) = walk_in(&host, &hung.ticket);
    hung_up(&host, &hung.room).await;
    for (_, memory) in &others {
        more_frames(memory, 20).await;
    }
    assert_eq!(memory.overs(), [], "it may return yet");
    release(1);
    more_frames(&memory, 20).await;
}

#[tokio::test]
async fn a_room_that_never_returns_is_given_up() {
    let host = host(1, Duration::from_millis(200));
    let player = ada();
    let hung = host.create("duel", &hangs(2), &player).unwrap();
    let (claim, memory) = walk_in(&host, &hung.ticket);
    let friend = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (_friend, beside) = walk_in(&host, &friend.ticket);
    until("the players are told", || !memory.overs().is_empty()).await;
    assert_eq!(memory.overs(), [OverReason::OverBudget]);
    assert!(memory.messages().contains("did not end within 200ms (seen last: above::duel::hang)"), "{}", memory.messages());
    until("the room is off the list", || host.rooms(None).rooms.len() == 1).await;
    assert_eq!(code(host.join(&hung.room, &ada())), ErrorCode::UnknownRoom);
    assert!(!claim.is_live());
    claim.disconnect();
    more_frames(&beside, 20).await;
    release(2);
    more_frames(&beside, 20).await;
    assert_eq!(memory.overs(), [OverReason::OverBudget], "it is told once");
    let again = host.create("duel", &RoomOptions::default(), &player).unwrap();
    assert_ne!(again.room, hung.room);
}

#[tokio::test]
async fn a_room_that_was_given_up_holds_nothing_of_its_people() {
    let host = limited_host(|limits| {
        limits.stuck_after = Duration::from_millis(200);
        (limits.seats_per_person, limits.tickets_per_person, limits.places_per_person) = (1, 1, 1);
    });
    let (player, late, watcher) = (ada(), ada(), ada());
    let hung = host.create("duel", &hangs(8), &player).unwrap();
    let (_claim, memory) = walk_in(&host, &hung.ticket);
    host.join(&hung.room, &late).unwrap();
    let watching = host.spectate(&hung.room, &watcher).unwrap();
    until("the players are told", || !memory.overs().is_empty()).await;
    until("the room is off the list", || host.rooms(None).rooms.is_empty()).await;
    let other = host.create("duel", &RoomOptions::default(), &player).unwrap();
    host.join(&other.room, &late).unwrap();
    host.spectate(&other.room, &watcher).unwrap();
    assert!(host.claim(&watching.ticket).is_err());
    assert_eq!(code(host.create("duel", &RoomOptions::default(), &player)), ErrorCode::QuotaExceeded, "what is new counts");
    release(8);
}

#[tokio::test]
async fn a_game_whose_rooms_never_return_is_not_opened_any_more() {
    let host = limited_host(|limits| (limits.stuck_after, limits.max_stuck_rooms) = (Duration::from_millis(100), 2));
    for _ in 0..2 {
        let hung = host.create("duel", &hangs(7), &ada()).unwrap();
        let (_claim, memory) = walk_in(&host, &hung.ticket);
        until("the players are told", || !memory.overs().is_empty()).await;
    }
    let open = || host.create("duel", &RoomOptions::default(), &ada());
    until("no room is opened", || open().is_err_and(|no| no.message.starts_with("2 rooms of this game do not return"))).await;
    release(7);
    until("the rooms return", || open().is_ok()).await;
}

#[tokio::test]
async fn a_room_whose_steps_take_too_long_ends_and_says_where() {
    let host = limited_host(|limits| {
        limits.budget_window = Duration::from_millis(200);
        limits.slowed_for = Duration::from_millis(500);
    });
    let slow = host.create("duel", &options(json!({ "dawdle_millis": 40 })), &ada()).unwrap();
    let (_claim, memory) = walk_in(&host, &slow.ticket);
    until("the players are told", || !memory.overs().is_empty()).await;
    assert_eq!(memory.overs(), [OverReason::OverBudget]);
    assert!(memory.messages().contains("25.0ms are allowed (seen last: above::duel::dawdle)"), "{}", memory.messages());
}

#[tokio::test]
async fn a_room_over_its_budget_gets_fewer_steps() {
    let host = limited_host(|limits| {
        limits.budget_window = Duration::from_millis(200);
        limits.slowed_for = PATIENCE;
    });
    let slow = host.create("duel", &options(json!({ "dawdle_millis": 60 })), &ada()).unwrap();
    let (_claim, memory) = walk_in(&host, &slow.ticket);
    let other = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (_other, beside) = walk_in(&host, &other.ticket);
    more_frames(&memory, 5).await;
    let before = memory.frames();
    more_frames(&beside, 60).await;
    let got = memory.frames() - before;
    assert!(got < 30, "{got} steps in the time of 60; it may take one in 240 ms");
}

#[tokio::test]
async fn nobody_sits_any_more_in_a_room_that_was_given_up() {
    let host = host(1, Duration::from_millis(100));
    let player = ada();
    let status = || host.social().change(|social, _| social.status(&player.user));
    let hung = host.create("duel", &hangs(3), &player).unwrap();
    let (_claim, memory) = walk_in(&host, &hung.ticket);
    until("the player sits", || status() == PresenceStatus::Match).await;
    until("the players are told", || !memory.overs().is_empty()).await;
    until("the player sits no more", || status() != PresenceStatus::Match).await;
    release(3);
    until("the step has returned", || std::sync::Arc::strong_count(&memory) == 1).await;
    assert_ne!(status(), PresenceStatus::Match, "nobody is told of a step that comes too late");
}

#[tokio::test]
async fn a_player_who_leaves_during_a_long_step_is_gone_after_it() {
    let host = host(1, PATIENCE);
    let hung = host.create("duel", &hangs(4), &ada()).unwrap();
    let (claim, memory) = walk_in(&host, &hung.ticket);
    hung_up(&host, &hung.room).await;
    claim.leave();
    assert_eq!(memory.overs(), []);
    release(4);
    until("the player has left", || memory.overs() == [OverReason::Left]).await;
}

#[tokio::test]
async fn a_host_that_stops_tells_the_players_of_a_room_that_hangs() {
    let host = host(1, PATIENCE);
    let hung = host.create("duel", &hangs(5), &ada()).unwrap();
    let (_claim, memory) = walk_in(&host, &hung.ticket);
    hung_up(&host, &hung.room).await;
    host.close();
    assert_eq!(memory.overs(), [OverReason::Closed]);
    release(5);
}

#[tokio::test]
async fn rooms_end_with_their_runtime() {
    let memory = std::thread::spawn(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let host = host(2, PATIENCE);
            let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
            let (_, memory) = walk_in(&host, &admission.ticket);
            more_frames(&memory, 3).await;
            memory
        })
    });
    let memory = memory.join().unwrap();
    until("the room is dropped with its player's outlet", || std::sync::Arc::strong_count(&memory) == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_answers_and_stops_while_rooms_hang() {
    let server = start_limited(|config| {
        config.host.room_threads = 1;
        config.host.stuck_after = Duration::from_millis(300);
    })
    .await;
    let stuck = dropped(&server, "room_stuck").await;
    let mut players = Vec::new();
    for _ in 0..3 {
        let admission = create(&server, json!({ "hang_at": HANGS_AT, "gate": 6 })).await;
        players.push(seated(&server, admission["ticket"].as_str().unwrap()).await.0);
    }
    for player in &mut players {
        let over = player.event_named("/gameplay", "over").await;
        assert_eq!(over.data[1]["reason"], "over_budget");
    }
    assert!(dropped(&server, "room_stuck").await >= stuck + 3);
    assert_eq!(get(&server, "/healthz").await.0, 200);
    timeout(PATIENCE, server.shutdown()).await.expect("the server stops");
    release(6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_game_that_takes_long_to_make_a_match_freezes_nobody() {
    let server = start_limited(|config| {
        (config.host.matches_in_the_making, config.host.stuck_after) = (3, Duration::from_secs(600));
    })
    .await;
    let playing = create(&server, json!({})).await;
    let (mut player, _) = seated(&server, playing["ticket"].as_str().unwrap()).await;
    player.input(&[0x94, 0, 1, 0, 1], false).await;
    let server = std::sync::Arc::new(server);
    let slow: Vec<_> = (0..3)
        .map(|_| {
            let server = server.clone();
            tokio::spawn(async move { create(&server, json!({ "hang_in_check": true, "gate": 9 })).await })
        })
        .collect();
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    until("three matches hang", || in_check(9) == 3).await;
    let refused = lobby.request("/lobby", "create", json!({ "game": "duel" })).await;
    assert_eq!(refused["error"]["code"], "server_full", "{refused}");
    assert_eq!(refused["error"]["retry_after"], 2.0, "{refused}");
    assert_eq!(get(&server, "/healthz").await.0, 200);
    for _ in 0..20 {
        player.event_named("/gameplay", "s").await;
    }
    release(9);
    for slow in slow {
        assert_eq!(slow.await.unwrap()["ok"], true);
    }
    assert_eq!(lobby.request("/lobby", "create", json!({ "game": "duel" })).await["ok"], true);
}
