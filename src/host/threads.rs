//! The threads that step rooms, and the watchdog over them.
//!
//! Each room belongs to one thread. A thread whose step takes long keeps that room alone: its other rooms move to a new thread at
//! once. A room that is in time again moves back. A room that does not return from a step is given up, and with it its thread.

use std::{
    any::Any,
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    task::{Wake, Waker},
    thread,
    time::Duration,
};

use tokio::{runtime::Handle, time::Instant};

use super::{driver::Driver, limits::Limits, running::Running};
use crate::{
    observe::{self, DropReason},
    room::OverReason,
};

/// The stack of a thread that steps rooms. Rules may recurse, and a stack overflow ends the process.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// How often the watchdog looks while rooms are stepped.
const WATCH_INTERVAL: Duration = Duration::from_millis(4);

/// A room with a thread of its own moves back after this time without a late step.
const CALM: Duration = Duration::from_secs(2);

/// The threads that step the rooms of a host. Cheap to clone.
#[derive(Clone)]
pub(super) struct RoomThreads(Arc<Shared>);

/// Stops the threads when it is dropped. A thread that is in a step ends after that step.
pub(super) struct StopRoomThreads(RoomThreads);

struct Shared {
    state: Mutex<State>,
    /// Wakes the watchdog when it may have to look earlier.
    watch: Condvar,
    limits: Limits,
    /// Entered by every thread, so that what a room calls may spawn tasks.
    runtime: Handle,
}

/// Rooms and threads have numbers, which are never used twice.
type Number = u64;

#[derive(Default)]
struct State {
    rooms: HashMap<Number, Entry>,
    threads: BTreeMap<Number, RoomThread>,
    newest: Number,
    stops: bool,
}

/// One room.
struct Entry {
    running: Arc<Running>,
    /// `None` while the room has its turn.
    driver: Option<Driver>,
    /// When its next turn is due.
    due: Instant,
    /// It was woken during its turn.
    woken: bool,
    thread: Number,
    /// When its last late step ended.
    late_at: Option<Instant>,
    /// Dropped when the room has ended.
    _kept: Box<dyn Any + Send>,
}

/// What is left of a room that has ended. To be dropped without the lock.
type Ended = (Driver, Option<Entry>);

/// One thread.
struct RoomThread {
    /// The turns that are due. A room that has moved, or whose turn is due at another time by now, is skipped.
    turns: BinaryHeap<Reverse<(Instant, Number)>>,
    /// How many rooms belong to this thread.
    rooms: usize,
    /// The room that has its turn, and since when.
    turn: Option<(Number, Instant)>,
    changed: Arc<Condvar>,
    /// Ends when no room belongs to it any more. Such a thread gets no further rooms.
    ends: bool,
    /// The system has started the thread.
    started: bool,
}

/// What a thread does next.
enum Next {
    Turn(Number, Driver),
    Wait(Option<Instant>),
    End,
}

impl RoomThreads {
    /// Starts the threads. Must be called within a runtime.
    pub(super) fn start(limits: &Limits) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            watch: Condvar::new(),
            limits: limits.clone(),
            runtime: Handle::current(),
        });
        {
            let mut state = shared.state();
            let threads = match limits.room_threads {
                0 => thread::available_parallelism().map_or(1, usize::from),
                threads => threads,
            };
            for _ in 0..threads {
                state.add_thread();
            }
            shared.start_threads(&mut state);
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
        let mut state = self.0.state();
        let room = state.number();
        let running = driver.running().clone();
        running.wakes(&Waker::from(Arc::new(RoomWaker { shared: Arc::downgrade(&self.0), room })));
        let (due, kept) = (Instant::now(), Box::new(kept));
        let thread = state.idlest().unwrap_or_else(|| state.add_thread());
        let entry = Entry { running, driver: Some(driver), due, woken: false, thread, late_at: None, _kept: kept };
        if state.stops {
            drop(state);
            return drop(entry);
        }
        state.rooms.insert(room, entry);
        state.assign(room, thread);
        self.0.start_threads(&mut state);
        self.0.watch.notify_one();
    }
}

impl Drop for StopRoomThreads {
    fn drop(&mut self) {
        let StopRoomThreads(RoomThreads(shared)) = self;
        let rooms = {
            let mut state = shared.state();
            state.stops = true;
            state.threads.values().for_each(|thread| thread.changed.notify_one());
            std::mem::take(&mut state.rooms)
        };
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
            shared.state().wake(self.room, Instant::now());
            shared.watch.notify_one();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn start_threads(self: &Arc<Self>, state: &mut State) {
        for (&number, thread) in state.threads.iter_mut().filter(|(_, thread)| !thread.started) {
            let shared = self.clone();
            thread.started = self.spawn("rooms", move || shared.run(number));
        }
    }

    /// Gives the rooms of one thread their turns.
    fn run(&self, own: Number) {
        let _within = self.runtime.enter();
        let mut state = self.state();
        loop {
            match state.next(own, Instant::now()) {
                Next::Turn(room, mut driver) => {
                    drop(state);
                    let turn = catch_unwind(AssertUnwindSafe(|| driver.turn(Instant::now())));
                    let next = turn.unwrap_or_else(|_| {
                        tracing::error!(room = %driver.running().id, "a room's driver panicked, so the room ends");
                        None
                    });
                    state = self.state();
                    let ended = state.take_back(own, (room, driver), next, &self.limits);
                    if ended.is_some() {
                        drop(state);
                        drop(ended);
                        state = self.state();
                    }
                }
                Next::Wait(until) => {
                    let Some(thread) = state.threads.get(&own) else { return };
                    state = wait(&thread.changed.clone(), state, until);
                }
                Next::End => {
                    state.threads.remove(&own);
                    return;
                }
            }
        }
    }

    /// Looks for rooms and threads that are late until the host ends.
    fn watch(self: Arc<Self>) {
        let mut state = self.state();
        while !state.stops {
            let now = Instant::now();
            let next = state.earliest().map(|due| (due + self.limits.late_after).max(now + WATCH_INTERVAL));
            state = wait(&self.watch, state, next);
            // Whoever is late together with the watchdog waits for a busy machine.
            if next.is_some_and(|next| Instant::now() < next + WATCH_INTERVAL) {
                let given_up = state.look(Instant::now(), &self.limits);
                self.start_threads(&mut state);
                if !given_up.is_empty() {
                    drop(state);
                    given_up.into_iter().for_each(|entry| entry.give_up(&self.limits));
                    state = self.state();
                }
            }
        }
    }
}

/// Waits until a time, or until notified.
fn wait<'a>(on: &Condvar, state: MutexGuard<'a, State>, until: Option<Instant>) -> MutexGuard<'a, State> {
    match until {
        Some(until) => {
            let left = until.saturating_duration_since(Instant::now());
            on.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
        }
        None => on.wait(state).unwrap_or_else(PoisonError::into_inner),
    }
}

impl State {
    fn number(&mut self) -> Number {
        self.newest += 1;
        self.newest
    }

    /// Adds a thread, which is to be started.
    fn add_thread(&mut self) -> Number {
        let number = self.number();
        let thread =
            RoomThread { turns: BinaryHeap::new(), rooms: 0, turn: None, changed: Arc::default(), ends: false, started: false };
        self.threads.insert(number, thread);
        number
    }

    /// The thread with the fewest rooms.
    fn idlest(&self) -> Option<Number> {
        let open = self.threads.iter().filter(|(_, thread)| !thread.ends);
        open.min_by_key(|(_, thread)| thread.rooms).map(|(number, _)| *number)
    }

    /// Moves a room to another thread, on which its next turn will be.
    fn move_room(&mut self, room: Number, to: Number) {
        let Some(entry) = self.rooms.get_mut(&room) else { return };
        let from = std::mem::replace(&mut entry.thread, to);
        if let Some(from) = self.threads.get_mut(&from) {
            from.rooms -= 1;
            from.changed.notify_one();
        }
        self.assign(room, to);
    }

    /// Counts a room as one of its thread's, and queues its next turn.
    fn assign(&mut self, room: Number, to: Number) {
        let Some(entry) = self.rooms.get(&room) else { return };
        let Some(thread) = self.threads.get_mut(&to) else { return };
        thread.rooms += 1;
        if entry.driver.is_some() {
            thread.turns.push(Reverse((entry.due, room)));
            thread.changed.notify_one();
        }
    }

    /// Makes a room's turn due now.
    fn wake(&mut self, room: Number, now: Instant) {
        let Some(entry) = self.rooms.get_mut(&room) else { return };
        entry.woken = entry.driver.is_none();
        if !entry.woken
            && let Some(thread) = self.threads.get_mut(&entry.thread)
        {
            entry.due = entry.due.min(now);
            thread.turns.push(Reverse((entry.due, room)));
            thread.changed.notify_one();
        }
    }

    fn next(&mut self, own: Number, now: Instant) -> Next {
        let has_ended = |thread: &RoomThread| self.stops || thread.ends && thread.rooms == 0;
        let Some(thread) = self.threads.get_mut(&own).filter(|thread| !has_ended(thread)) else { return Next::End };
        while let Some(&Reverse((due, room))) = thread.turns.peek() {
            let entry = self.rooms.get_mut(&room).filter(|entry| entry.thread == own && entry.due == due);
            if let Some(entry) = entry
                && let Some(driver) = entry.driver.take()
            {
                if due > now {
                    entry.driver = Some(driver);
                    return Next::Wait(Some(due));
                }
                thread.turns.pop();
                thread.turn = Some((room, now));
                return Next::Turn(room, driver);
            }
            thread.turns.pop();
        }
        Next::Wait(None)
    }

    /// Takes a driver back after its turn. Returns it if its room has ended.
    fn take_back(
        &mut self, own: Number, (room, driver): (Number, Driver), next: Option<Instant>, limits: &Limits,
    ) -> Option<Ended> {
        let now = Instant::now();
        let turn = self.threads.get_mut(&own).and_then(|thread| thread.turn.take());
        let Some(entry) = self.rooms.get_mut(&room) else { return Some((driver, None)) };
        if turn.is_some_and(|(_, since)| now >= since + limits.late_after) {
            entry.late_at = Some(now);
            entry.running.set_late(false);
        }
        let Some(next) = next else { return Some((driver, self.remove(room))) };
        entry.driver = Some(driver);
        entry.due = if std::mem::take(&mut entry.woken) { now } else { next };
        let (due, on) = (entry.due, entry.thread);
        let is_calm = entry.late_at.is_none_or(|late_at| now >= late_at + CALM);
        if is_calm
            && self.threads[&on].ends
            && let Some(to) = self.idlest()
        {
            self.move_room(room, to);
        } else if let Some(thread) = self.threads.get_mut(&on) {
            thread.turns.push(Reverse((due, room)));
            if on != own {
                thread.changed.notify_one();
            }
        }
        None
    }

    fn remove(&mut self, room: Number) -> Option<Entry> {
        let entry = self.rooms.remove(&room)?;
        if let Some(thread) = self.threads.get_mut(&entry.thread) {
            thread.rooms -= 1;
        }
        Some(entry)
    }

    /// When the turn that began first began, or the next one is due. `None` without rooms.
    fn earliest(&self) -> Option<Instant> {
        let began = self.threads.values().filter_map(|thread| Some(thread.turn?.1));
        let due = self.threads.values().filter_map(|thread| thread.turns.peek().map(|Reverse((due, _))| *due));
        began.chain(due).min()
    }

    /// Looks after threads that are late. Returns the rooms that are to be given up.
    fn look(&mut self, now: Instant, limits: &Limits) -> Vec<Entry> {
        let mut given_up = Vec::new();
        for number in self.threads.keys().copied().collect::<Vec<_>>() {
            match self.threads[&number].turn {
                Some((room, since)) if now >= since + limits.late_after => {
                    let Some(entry) = self.rooms.get(&room) else { continue };
                    entry.running.set_late(true);
                    if now >= since + limits.stuck_after {
                        given_up.extend(self.remove(room));
                    }
                    if !self.threads[&number].ends {
                        self.leave_alone(number, room);
                    }
                }
                _ => self.relieve(number, now, limits.late_after),
            }
        }
        given_up
    }

    /// Leaves a thread to the room that has its turn, and moves its other rooms to a new thread.
    fn leave_alone(&mut self, number: Number, alone: Number) {
        let to = self.add_thread();
        if let Some(thread) = self.threads.get_mut(&number) {
            thread.ends = true;
        }
        let others = self.rooms.iter().filter(|(room, entry)| entry.thread == number && **room != alone);
        let others: Vec<Number> = others.map(|(room, _)| *room).collect();
        tracing::debug!(rooms = others.len(), "a step takes long, the other rooms move to a new thread");
        others.into_iter().for_each(|room| self.move_room(room, to));
    }

    /// Moves half of the rooms whose turns are late to a thread that is in time and has nothing to do, if there is one.
    fn relieve(&mut self, number: Number, now: Instant, late_after: Duration) {
        let is_late = |due: Instant| due + late_after <= now;
        let has_late = |thread: &RoomThread| thread.turns.peek().is_some_and(|Reverse((due, _))| is_late(*due));
        let idle = |thread: &RoomThread| thread.started && !thread.ends && thread.turn.is_none() && !has_late(thread);
        if self.threads[&number].ends || !has_late(&self.threads[&number]) {
            return;
        }
        let Some(to) = self.threads.iter().find(|(_, thread)| idle(thread)).map(|(number, _)| *number) else { return };
        let waits = |entry: &Entry| entry.thread == number && entry.driver.is_some() && is_late(entry.due);
        let late: Vec<Number> = self.rooms.iter().filter(|(_, entry)| waits(entry)).map(|(room, _)| *room).collect();
        late.iter().take(late.len().div_ceil(2)).for_each(|room| self.move_room(*room, to));
    }
}

impl Entry {
    /// Ends a room that does not return from a step. Its thread ends with the step.
    fn give_up(self, limits: &Limits) {
        observe::dropped(DropReason::RoomStuck);
        let message = format!("a step of this match did not end within {:?}, so the match was ended", limits.stuck_after);
        tracing::error!(room = %self.running.id, game = self.running.def.name(), message, "a room is given up");
        self.running.give_up(OverReason::OverBudget, &message);
    }
}
