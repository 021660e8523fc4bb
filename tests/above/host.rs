//! The host without a network: rooms, reservations and drivers, in virtual time.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use serde_json::json;
use tickcast::{
    game::GameDef,
    host::{Claim, Desync, Ending, Full, Host, Limits, Outlet, RoomOptions, Welcome},
    identity::Gate,
    lobby::{Entrance, Identity},
    prelude::Tick,
    protocol::{Blocks, ErrorCode, Frame},
    room::{Message, OverReason},
};
use tokio::time::{Instant, sleep};

use crate::server::{Duel, GRACE};

pub const EAST: Bytes = Bytes::from_static(&[0x94, 0, 1, 0, 1]);
const EAST_AGAIN: Bytes = Bytes::from_static(&[0x94, 0, 2, 0, 1]);

/// Records the messages that a client would get.
#[derive(Default)]
pub struct Memory {
    resume: Mutex<String>,
    states: Mutex<Vec<Instant>>,
    overs: Mutex<Vec<OverReason>>,
    messages: Mutex<Vec<String>>,
    endings: Mutex<Vec<Ending>>,
    frames_missed: AtomicUsize,
    /// The ends of the match that were told before each last frame.
    last_frames: Mutex<Vec<usize>>,
    refuses_frames: AtomicBool,
    refuses_all: AtomicBool,
}

pub struct Fake(pub Arc<Memory>);

impl Outlet for Fake {
    fn welcome(&self, welcome: &Welcome<'_>) -> Result<(), Full> {
        *self.0.resume.lock().unwrap() = welcome.resume.clone();
        if self.0.refuses_all.load(Ordering::Relaxed) { Err(Full) } else { Ok(()) }
    }

    fn send(&self, message: Message) -> Result<(), Full> {
        if self.0.refuses_all.load(Ordering::Relaxed) {
            return Err(Full);
        }
        if let Message::Over(over) = message {
            self.0.overs.lock().unwrap().push(over.reason);
            self.0.messages.lock().unwrap().push(over.message);
        }
        Ok(())
    }

    fn show(&self, _: Frame<&Blocks>) -> Result<(), Full> {
        if self.0.refuses_all.load(Ordering::Relaxed) {
            return Err(Full);
        }
        if self.0.refuses_frames.load(Ordering::Relaxed) {
            self.0.frames_missed.fetch_add(1, Ordering::Relaxed);
            return Err(Full);
        }
        self.0.states.lock().unwrap().push(Instant::now());
        Ok(())
    }

    fn show_last(&self, frame: Frame<&Blocks>) -> Result<(), Full> {
        self.0.last_frames.lock().unwrap().push(self.0.overs().len());
        if self.0.refuses_frames.load(Ordering::Relaxed) { Ok(()) } else { self.show(frame) }
    }

    fn close(&self, ending: Ending) {
        self.0.endings.lock().unwrap().push(ending);
    }
}

impl Memory {
    pub fn frames(&self) -> usize {
        self.states.lock().unwrap().len()
    }

    pub fn endings(&self) -> Vec<Ending> {
        self.endings.lock().unwrap().clone()
    }

    pub fn overs(&self) -> Vec<OverReason> {
        self.overs.lock().unwrap().clone()
    }

    /// The message about the end that the client was told.
    pub fn messages(&self) -> String {
        self.messages.lock().unwrap().join("; ")
    }

    pub fn resume(&self) -> String {
        self.resume.lock().unwrap().clone()
    }
}

/// A host whose rooms obey the paused clock.
pub fn host() -> Host {
    host_with(|_| {})
}

pub fn host_with(change: impl FnOnce(&mut Limits)) -> Host {
    let mut limits = Limits::default();
    limits.rooms_on_runtime = true;
    change(&mut limits);
    Host::start([GameDef::new::<Duel>().unwrap()], limits, Gate::default(), [])
}

/// Somebody new each time.
pub fn ada() -> Identity {
    Identity::guest(None, &mut rand::rng())
}

pub fn enter(connection: &Claim) -> Arc<Memory> {
    let memory = Arc::new(Memory::default());
    connection.enter(Arc::new(Fake(memory.clone()))).unwrap();
    memory
}

/// A player who walks, so that each tick has a frame.
pub fn walk_in(host: &Host, ticket: &str) -> (Claim, Arc<Memory>) {
    let connection = host.claim(ticket).unwrap();
    let memory = enter(&connection);
    connection.inlet().push(&EAST);
    (connection, memory)
}

pub fn options(config: serde_json::Value) -> RoomOptions {
    RoomOptions::default().config(config)
}

pub fn code<T>(result: Result<T, tickcast::host::Refusal>) -> ErrorCode {
    result.err().expect("refused").code
}

/// A little longer, so that what is due at the end has happened.
pub async fn seconds(seconds: f32) {
    sleep(Duration::from_secs_f32(seconds) + Duration::from_millis(10)).await;
}

#[tokio::test(start_paused = true)]
async fn a_room_is_stepped_at_its_rate() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (connection, memory) = walk_in(&host, &admission.ticket);
    let (began, before) = (Instant::now(), connection.ticks());
    seconds(10.0).await;
    assert_eq!(memory.frames(), 200);
    assert!((connection.ticks() - before - began.elapsed().as_secs_f64() * 20.0).abs() < 0.01);
    let states = memory.states.lock().unwrap();
    assert!(states.windows(2).all(|pair| pair[1] - pair[0] <= Duration::from_millis(51)));
}

#[tokio::test(start_paused = true)]
async fn a_room_that_nobody_sees_is_not_stepped() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let connection = host.claim(&admission.ticket).unwrap();
    seconds(20.0).await;
    assert_eq!(connection.ticks(), 0.0);
    let memory = enter(&connection);
    assert_eq!(connection.ticks(), 0.0, "time begins with the first step");
    seconds(1.0).await;
    assert!((20.0..21.0).contains(&connection.ticks()) && memory.frames() > 0, "{}", connection.ticks());
    connection.leave();
    seconds(5.0).await;
    let next = host.claim(&host.join(&admission.room, &ada()).unwrap().ticket).unwrap();
    assert!((20.0..22.0).contains(&next.ticks()), "{}", next.ticks());
}

#[tokio::test(start_paused = true)]
async fn an_unused_reservation_expires() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    host.join(&admission.room, &ada()).unwrap();
    assert_eq!(code(host.join(&admission.room, &ada())), ErrorCode::RoomFull);
    seconds(29.0).await;
    assert_eq!(code(host.join(&admission.room, &ada())), ErrorCode::RoomFull);
    seconds(2.0).await;
    assert_eq!(code(host.claim(&admission.ticket)), ErrorCode::TicketExpired);
    host.join(&admission.room, &ada()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_never_enters_expires_with_its_ticket() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let connection = host.claim(&admission.ticket).unwrap();
    seconds(31.0).await;
    assert_eq!(code(connection.enter(Arc::new(Fake(Arc::default())))), ErrorCode::TicketExpired);
    assert_eq!(host.rooms(None).rooms[0].players, 0);
}

#[tokio::test(start_paused = true)]
async fn a_room_without_people_closes() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (connection, _) = walk_in(&host, &admission.ticket);
    seconds(60.0).await;
    assert_eq!(host.rooms(None).rooms.len(), 1);
    connection.leave();
    seconds(9.0).await;
    assert_eq!(host.rooms(None).rooms.len(), 1);
    seconds(2.0).await;
    assert_eq!(host.rooms(None).rooms, []);
    assert_eq!(code(host.join(&admission.room, &ada())), ErrorCode::UnknownRoom);
    assert_eq!(code(host.claim(&admission.ticket)), ErrorCode::TicketExpired);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_keeps_its_seat_for_the_grace_time() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (connection, memory) = walk_in(&host, &admission.ticket);
    seconds(1.0).await;
    connection.disconnect();
    seconds(GRACE - 0.2).await;
    let back = host.claim_back(&memory.resume(), Some(Tick(10))).unwrap();
    let again = enter(&back);
    back.inlet().push(&EAST_AGAIN);
    connection.disconnect();
    seconds(3.0).await;
    assert!(again.frames() > 50, "the lost connection's end is no concern of the new one");
    assert_eq!(code(host.claim_back(&memory.resume(), None)), ErrorCode::BadResume);
    back.disconnect();
    seconds(GRACE + 0.2).await;
    assert_eq!(code(host.claim_back(&again.resume(), None)), ErrorCode::ResumeExpired);
    assert_eq!(host.rooms(None).rooms[0].players, 0);
}

#[tokio::test(start_paused = true)]
async fn one_of_two_resumes_with_one_token_gets_the_seat() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (_, memory) = walk_in(&host, &admission.ticket);
    let (first, second) = (host.claim_back(&memory.resume(), None).unwrap(), host.claim_back(&memory.resume(), None).unwrap());
    let winner = enter(&first);
    assert_eq!(memory.overs(), [OverReason::Replaced]);
    first.inlet().push(&EAST_AGAIN);
    seconds(0.1).await;
    assert_eq!(code(second.enter(Arc::new(Fake(Arc::default())))), ErrorCode::BadResume);
    second.inlet().push(&EAST);
    second.disconnect();
    second.leave();
    seconds(1.0).await;
    assert!(first.is_live() && winner.overs().is_empty() && winner.frames() > 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_room_full_by_one_never_takes_two() {
    let host = host();
    for _ in 0..50 {
        let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
        let tries: Vec<_> = (0..8)
            .map(|_| {
                let (host, room) = (host.clone(), admission.room.clone());
                tokio::task::spawn_blocking(move || host.join(&room, &ada()).is_ok())
            })
            .collect();
        let mut seated = 0;
        for attempt in tries {
            seated += usize::from(attempt.await.unwrap());
        }
        assert_eq!(seated, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_rules_ends_one_room_alone() {
    let host = host();
    let doomed = host.create("duel", &options(json!({"panic_at": 20})), &ada()).unwrap();
    let healthy = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (_, first) = walk_in(&host, &doomed.ticket);
    let (_, second) = walk_in(&host, &healthy.ticket);
    seconds(10.0).await;
    assert_eq!(first.overs(), [OverReason::RulesError]);
    assert_eq!(first.frames(), 19);
    assert_eq!((second.frames(), second.overs()), (200, vec![]));
    assert_eq!(host.rooms(None).rooms.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_finished_room_lingers_and_closes() {
    let host = host();
    let admission = host.create("duel", &options(json!({"win_at": 20})), &ada()).unwrap();
    let (_, memory) = walk_in(&host, &admission.ticket);
    seconds(1.5).await;
    assert_eq!((memory.overs(), memory.frames()), (vec![OverReason::Finished], 20));
    assert_eq!(host.rooms(None).rooms, [], "nobody may join");
    assert_eq!(code(host.join(&admission.room, &ada())), ErrorCode::UnknownRoom);
    assert_eq!(code(host.claim_back(&memory.resume(), None)), ErrorCode::ResumeExpired);
    seconds(6.0).await;
    assert_eq!(memory.overs(), [OverReason::Finished], "told once");
    assert_eq!(*memory.endings.lock().unwrap(), [Ending::AfterQueued]);
}

#[tokio::test(start_paused = true)]
async fn the_last_frame_waits_for_a_connection_that_takes_no_frames() {
    let host = host();
    let admission = host.create("duel", &options(json!({"win_at": 20})), &ada()).unwrap();
    let (_, memory) = walk_in(&host, &admission.ticket);
    let watching = host.claim(&host.spectate(&admission.room, &ada()).unwrap().ticket).unwrap();
    let watcher = enter(&watching);
    seconds(0.5).await;
    [&memory, &watcher].into_iter().for_each(|memory| memory.refuses_frames.store(true, Ordering::Relaxed));
    seconds(1.0).await;
    for memory in [memory, watcher] {
        assert!(memory.frames_missed.load(Ordering::Relaxed) > 0);
        assert_eq!((memory.overs(), &*memory.last_frames.lock().unwrap()), (vec![OverReason::Finished], &vec![0]));
    }
}

#[tokio::test(start_paused = true)]
async fn friends_play_again_by_the_code_of_their_private_room() {
    let host = host();
    let config = json!({"win_at": 20});
    let first = host.create("duel", &options(config.clone()).entrance(Entrance::Code), &ada()).unwrap();
    let typed = first.code.clone().unwrap();
    let (_, memory) = walk_in(&host, &first.ticket);
    seconds(1.5).await;
    assert_eq!(memory.overs(), [OverReason::Finished]);
    let again = host.join_private(typed.as_str(), &ada()).unwrap();
    let friend = host.join_private(typed.as_str(), &ada()).unwrap();
    assert_ne!(again.room, first.room);
    assert_eq!((&again.room, &again.code), (&friend.room, &Some(typed.clone())));
    assert_eq!(host.rooms(None).rooms, [], "it is private, too");
    let (_, memory) = walk_in(&host, &again.ticket);
    seconds(1.5).await;
    assert_eq!((memory.overs(), memory.frames()), (vec![OverReason::Finished], 20), "with the same configuration");
    assert!(host.join_private(typed.as_str(), &ada()).is_ok(), "and once more");
}

#[tokio::test(start_paused = true)]
async fn a_slow_outlet_misses_frames_and_keeps_its_seat() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (connection, memory) = walk_in(&host, &admission.ticket);
    memory.refuses_frames.store(true, Ordering::Relaxed);
    seconds(2.0).await;
    assert!(memory.frames() == 0 && memory.frames_missed.load(Ordering::Relaxed) > 1);
    memory.refuses_frames.store(false, Ordering::Relaxed);
    seconds(1.0).await;
    assert!(connection.is_live() && memory.frames() > 5);
}

#[tokio::test(start_paused = true)]
async fn an_outlet_that_takes_nothing_is_cut_and_may_come_back() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (connection, memory) = walk_in(&host, &admission.ticket);
    seconds(0.5).await;
    memory.refuses_all.store(true, Ordering::Relaxed);
    // Somebody comes: news of the seats, which must not be lost.
    let (other, others) = walk_in(&host, &host.join(&admission.room, &ada()).unwrap().ticket);
    seconds(0.5).await;
    assert!(!connection.is_live());
    assert_eq!(*memory.endings.lock().unwrap(), [Ending::Cut]);
    let back = host.claim_back(&memory.resume(), None).unwrap();
    enter(&back);
    seconds(1.0).await;
    assert!(back.is_live() && other.is_live() && others.frames() >= 29);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_inputs_is_no_concern_of_the_other_seat() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (flooder, _) = walk_in(&host, &admission.ticket);
    let other = host.claim(&host.join(&admission.room, &ada()).unwrap().ticket).unwrap();
    let memory = enter(&other);
    for _ in 0..10_000 {
        flooder.inlet().push(&EAST);
    }
    other.inlet().push(&EAST);
    seconds(1.0).await;
    assert_eq!(memory.frames(), 20);
    assert!(flooder.is_live());
}

#[tokio::test(start_paused = true)]
async fn a_desync_is_answered_once_a_second() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (connection, _) = walk_in(&host, &admission.ticket);
    let desync = Desync { component: Some(1), expected: Some(1), got: Some(2) };
    assert_eq!(connection.resync(desync), Ok(()));
    assert_eq!(code(connection.resync(desync)), ErrorCode::RateLimited);
    seconds(1.0).await;
    assert_eq!(connection.resync(desync), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_watch_a_room_and_no_more() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (_player, _) = walk_in(&host, &admission.ticket);
    let watch = || host.spectate(&admission.room, &ada());
    let [early, unused] = [watch().unwrap(), watch().unwrap()];
    let mut audience: Vec<_> = (0..100).map(|_| host.claim(&watch().unwrap().ticket).unwrap()).collect();
    let seen: Vec<_> = audience.iter().map(enter).collect();
    assert_eq!(code(watch()), ErrorCode::RoomFull);
    let late = host.claim(&early.ticket).unwrap();
    assert_eq!(code(late.enter(Arc::new(Fake(Arc::default())))), ErrorCode::RoomFull);
    seconds(1.0).await;
    let frames: Vec<_> = seen.iter().map(|memory| memory.frames()).collect();
    assert!(frames.iter().all(|frames| *frames > 15), "{frames:?}");
    audience.pop().unwrap().leave();
    assert!(watch().is_ok());
    seconds(32.0).await;
    assert_eq!(code(host.claim(&unused.ticket)), ErrorCode::TicketExpired);
    let tickets: Vec<_> = (0..300).map_while(|_| watch().ok()).collect();
    assert_eq!((tickets.len(), code(watch())), (200, ErrorCode::RateLimited), "tickets that nobody uses are few");
}

#[tokio::test(start_paused = true)]
async fn a_closing_host_tells_everybody_and_takes_nobody() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (connection, memory) = walk_in(&host, &admission.ticket);
    seconds(1.0).await;
    host.close();
    assert_eq!(memory.overs(), [OverReason::Closed]);
    assert!(!connection.is_live());
    assert_eq!(code(host.quick("duel", &ada())), ErrorCode::ShuttingDown);
    assert_eq!(code(host.claim(&admission.ticket)), ErrorCode::ShuttingDown);
    seconds(1.0).await;
    assert_eq!(host.rooms(None).rooms, []);
}
