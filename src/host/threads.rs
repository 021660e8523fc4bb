//! The threads that step rooms, and the watchdog over them.
//!
//! Each room belongs to one thread. A thread whose step takes long keeps that room alone: its other rooms move to a new thread at
//! once. A room that is in time again moves back. A room over its budget has a thread of its own, too, which runs when no other
//! thread wants the CPU. A room that does not return from a step is given up, and with it its thread.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    task::{Wake, Waker},
    thread,
    time::Duration,
};

use metrics::Gauge;
use tokio::{runtime::Handle, time::Instant};

use super::{
    cpu::ThreadId,
    driver::Driver,
    limits::Limits,
    roster::{Next, Number, Roster},
};
use crate::{observe, room::OverReason};

/// The stack of a thread that steps rooms. Rules may recurse, and a stack overflow ends the process.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// How often the watchdog looks while rooms are stepped.
const WATCH_INTERVAL: Duration = Duration::from_millis(4);

/// The threads that step the rooms of a host. Cheap to clone.
#[derive(Clone)]
pub(super) struct RoomThreads(Arc<Shared>);

/// Stops the threads when it is dropped. A thread that is in a step ends after that step.
pub(super) struct StopRoomThreads(RoomThreads);

struct Shared {
    roster: Mutex<Roster>,
    /// Wakes the watchdog when it may have to look earlier.
    watch: Condvar,
    limits: Limits,
    /// Entered by every thread, so that what a room calls may spawn tasks.
    runtime: Handle,
}

impl RoomThreads {
    /// Starts the threads. Must be called within a runtime.
    pub(super) fn start(limits: &Limits) -> Self {
        let shared = Arc::new(Shared {
            roster: Mutex::default(),
            watch: Condvar::new(),
            limits: limits.clone(),
            runtime: Handle::current(),
        });
        {
            let mut roster = shared.roster();
            let threads = match limits.room_threads {
                0 => thread::available_parallelism().map_or(1, usize::from),
                threads => threads,
            };
            for _ in 0..threads {
                roster.add_thread(None);
            }
            shared.start_threads(&mut roster);
        }
        let watched = shared.clone();
        shared.spawn("rooms-watchdog", move || watched.watch());
        Self(shared)
    }

    /// Returns a guard that stops the threads. Rooms that are open then are dropped without a word to their clients.
    pub(super) fn stop_on_drop(&self) -> StopRoomThreads {
        StopRoomThreads(self.clone())
    }

    /// Steps a room until it has closed, and then drops `kept`.
    pub(super) fn add(&self, driver: Driver, kept: impl Any + Send) {
        let mut roster = self.0.roster();
        let room = roster.number();
        driver.running().wakes(&Waker::from(Arc::new(RoomWaker { shared: Arc::downgrade(&self.0), room })));
        let refused = roster.add_room(room, driver, Box::new(kept), Instant::now());
        self.0.start_threads(&mut roster);
        drop(roster);
        drop(refused);
        self.0.watch.notify_one();
    }
}

impl Drop for StopRoomThreads {
    fn drop(&mut self) {
        let StopRoomThreads(RoomThreads(shared)) = self;
        let rooms = shared.roster().stop();
        shared.watch.notify_one();
        drop(rooms);
    }
}

/// Wakes one room's driver.
struct RoomWaker {
    shared: Weak<Shared>,
    room: Number,
}

impl Wake for RoomWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            shared.roster().wake(self.room, Instant::now());
            shared.watch.notify_one();
        }
    }
}

impl Shared {
    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a thread. Returns false if the system refuses.
    fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static) -> bool {
        let started = thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn(work);
        if let Err(error) = &started {
            tracing::error!(%error, "cannot start a thread for rooms");
        }
        started.is_ok()
    }

    /// Starts the threads that have been added.
    fn start_threads(self: &Arc<Self>, roster: &mut Roster) {
        roster.start_threads(|number| {
            let shared = self.clone();
            self.spawn("rooms", move || shared.run(number))
        });
    }

    /// Gives the rooms of one thread their turns.
    fn run(self: Arc<Self>, own: Number) {
        let _within = self.runtime.enter();
        let _counted = Counted::new();
        let mut roster = self.roster();
        roster.runs(own, ThreadId::current());
        loop {
            match roster.next(own, Instant::now()) {
                Next::Turn(room, mut driver, after) => {
                    drop(roster);
                    if let Some(after) = after {
                        after.prefetch();
                    }
                    let next = take_turn(&mut driver);
                    roster = self.roster();
                    let ended = roster.take_back((own, room, driver), next, Instant::now(), self.limits.late_after);
                    self.start_threads(&mut roster);
                    if ended.is_some() {
                        drop(roster);
                        drop(ended);
                        roster = self.roster();
                    }
                }
                Next::Wait { on, until } => roster = wait(&on, roster, until),
                Next::End => return roster.remove_thread(own),
            }
        }
    }

    /// Looks for rooms and threads that are late until the host ends.
    fn watch(self: Arc<Self>) {
        let mut roster = self.roster();
        while !roster.stops() {
            let soonest = Instant::now() + WATCH_INTERVAL;
            let next = roster.earliest().map(|due| soonest.max(due + self.limits.late_after / 2));
            roster = wait(&self.watch, roster, next);
            let given_up = roster.look(Instant::now(), &self.limits);
            self.start_threads(&mut roster);
            if !given_up.is_empty() {
                drop(roster);
                for entry in given_up {
                    entry.running.give_up_stuck();
                }
                roster = self.roster();
            }
        }
    }
}

/// Gives a room its turn. If that panics beyond the rules, the room ends.
fn take_turn(driver: &mut Driver) -> Option<Instant> {
    let turn = catch_unwind(AssertUnwindSafe(|| driver.turn(Instant::now())));
    turn.unwrap_or_else(|_| {
        tracing::error!(room = %driver.running().id, "a room's driver panicked, so the room ends");
        driver.running().give_up(OverReason::Closed, "the room failed");
        None
    })
}

/// Counts a thread for as long as it runs.
struct Counted(Gauge);

impl Counted {
    fn new() -> Self {
        let threads = observe::room_threads();
        threads.increment(1);
        Self(threads)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// Waits until a time, or until notified.
fn wait<'a>(on: &Condvar, roster: MutexGuard<'a, Roster>, until: Option<Instant>) -> MutexGuard<'a, Roster> {
    match until {
        Some(until) => {
            let left = until.saturating_duration_since(Instant::now());
            on.wait_timeout(roster, left).unwrap_or_else(PoisonError::into_inner).0
        }
        None => on.wait(roster).unwrap_or_else(PoisonError::into_inner),
    }
}
