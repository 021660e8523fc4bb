//! Which room belongs to which thread, when its turn is, and which threads are late. It starts no thread and reads no clock.

use std::{
    any::Any,
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
    sync::{Arc, Condvar},
    time::Duration,
};

use tokio::time::Instant;

use super::{cpu::ThreadId, driver::Driver, limits::Limits, running::Running};

/// A room with a thread of its own moves back after this time without a late step.
const CALM: Duration = Duration::from_secs(2);

/// Nobody waits for a room's lock any more once its step takes this many times [`Limits::late_after`]. Before that an honest room with
/// much to do would refuse its players.
const BUSY_AFTER: u32 = 5;

/// A thread that is in one step for longer gets the lowest priority, whatever becomes of the step.
const LONG_STEP: Duration = Duration::from_millis(500);

/// A room is given up, however little CPU time its step has had, once the step takes this many times [`Limits::stuck_after`]. At the
/// lowest priority a step that never ends may get hardly any.
const STARVED: u32 = 3;

/// Rooms and threads have numbers, which are never used twice.
pub(super) type Number = u64;

/// The rooms and the threads of a host.
#[derive(Default)]
pub(super) struct Roster {
    rooms: HashMap<Number, Entry>,
    threads: BTreeMap<Number, RoomThread>,
    newest: Number,
    /// A thread has been added that is to be started.
    has_new: bool,
    stops: bool,
}

/// One room.
pub(super) struct Entry {
    pub(super) running: Arc<Running>,
    /// `None` while the room has its turn.
    driver: Option<Box<Driver>>,
    /// When its next turn is due.
    due: Instant,
    /// It was woken during its turn.
    woken: bool,
    thread: Number,
    /// When its last late step ended.
    late_at: Option<Instant>,
    /// It was over its budget after its last turn.
    is_slowed: bool,
    /// Dropped when the room has ended.
    _kept: Box<dyn Any + Send>,
}

/// The remains of a room that has ended. Drop them without the roster's lock.
pub(super) type Ended = (Box<Driver>, Option<Entry>);

/// One thread.
struct RoomThread {
    /// The turns that are due. A room that has moved, or whose turn is due at another time by now, is skipped.
    turns: BinaryHeap<Reverse<(Instant, Number)>>,
    /// How many rooms belong to this thread.
    rooms: usize,
    turn: Option<Turn>,
    changed: Arc<Condvar>,
    /// The room that has this thread for itself. Then the thread ends when the room has moved or ended.
    alone: Option<Number>,
    state: ThreadState,
    /// Whether it has the lowest priority.
    is_low: bool,
}

/// A room has its turn.
#[derive(Clone, Copy)]
struct Turn {
    room: Number,
    since: Instant,
    /// How long the thread had waited for a CPU when the turn first looked long.
    waited: Option<Duration>,
}

/// How far the system is with a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ThreadState {
    New,
    Starting,
    Runs(ThreadId),
}

/// The next action of a thread.
pub(super) enum Next {
    /// The turn of a room. The room behind it is the next one that is due, if one is.
    Turn(Number, Box<Driver>, Option<Arc<Running>>),
    Wait {
        on: Arc<Condvar>,
        until: Option<Instant>,
    },
    End,
}

impl RoomThread {
    /// When its next turn is due, or was due before the room moved away.
    fn next_due(&self) -> Option<Instant> {
        self.turns.peek().map(|Reverse((due, _))| *due)
    }

    fn has_ended(&self) -> bool {
        self.alone.is_some() && self.rooms == 0
    }

    /// Returns how long the current turn takes. See [`Turn::time`].
    fn turn_time(&mut self, now: Instant, late_after: Duration) -> Option<Duration> {
        let turn = self.turn.as_mut()?;
        match self.state {
            ThreadState::Runs(id) => Some(turn.time(now, late_after, || id.waited())),
            _ => Some(now.saturating_duration_since(turn.since)),
        }
    }
}

impl Turn {
    /// Returns how long the turn takes, without the time that its thread waited for a CPU since the turn looked long. A busy machine
    /// is not the room's fault, least of all where the thread has the lowest priority. `waited` is the thread's time in the queue of a
    /// CPU since it began.
    fn time(&mut self, now: Instant, late_after: Duration, waited: impl FnOnce() -> Duration) -> Duration {
        let time = now.saturating_duration_since(self.since);
        if time < late_after / 2 {
            return time;
        }
        let waited = waited();
        let before = *self.waited.get_or_insert(waited);
        time.saturating_sub(waited.saturating_sub(before))
    }
}

impl Roster {
    /// Numbers a new room or thread.
    pub(super) fn number(&mut self) -> Number {
        self.newest += 1;
        self.newest
    }

    /// Adds a thread, which is to be started.
    pub(super) fn add_thread(&mut self, alone: Option<Number>) -> Number {
        let number = self.number();
        let thread = RoomThread {
            turns: BinaryHeap::new(),
            rooms: 0,
            turn: None,
            changed: Arc::default(),
            alone,
            state: ThreadState::New,
            is_low: false,
        };
        self.threads.insert(number, thread);
        self.has_new = true;
        number
    }

    /// Calls `start` for each thread that has been added. If that fails, it is called again next time.
    pub(super) fn start_threads(&mut self, start: impl Fn(Number) -> bool) {
        if !std::mem::take(&mut self.has_new) {
            return;
        }
        for (number, thread) in self.threads.iter_mut().filter(|(_, thread)| thread.state == ThreadState::New) {
            if start(*number) {
                thread.state = ThreadState::Starting;
            } else {
                self.has_new = true;
            }
        }
    }

    /// Notes that a thread runs.
    pub(super) fn runs(&mut self, thread: Number, id: ThreadId) {
        self.threads.entry(thread).and_modify(|thread| thread.state = ThreadState::Runs(id));
    }

    /// Removes a thread that has ended.
    pub(super) fn remove_thread(&mut self, thread: Number) {
        self.threads.remove(&thread);
    }

    /// Ends all threads. Returns the rooms, which are to be dropped without the roster's lock.
    pub(super) fn stop(&mut self) -> impl Sized + use<> {
        self.stops = true;
        self.threads.values().for_each(|thread| thread.changed.notify_one());
        std::mem::take(&mut self.rooms)
    }

    pub(super) fn stops(&self) -> bool {
        self.stops
    }

    /// Gives a room to the thread with the fewest rooms. `kept` is dropped when the room has ended. Returns the room if the threads
    /// have ended.
    pub(super) fn add_room(&mut self, room: Number, driver: Driver, kept: Box<dyn Any + Send>, now: Instant) -> Option<Entry> {
        let thread = self.emptiest().unwrap_or_else(|| self.add_thread(None));
        let running = driver.running().clone();
        let entry = Entry {
            running,
            driver: Some(Box::new(driver)),
            due: now,
            woken: false,
            thread,
            late_at: None,
            is_slowed: false,
            _kept: kept,
        };
        if self.stops {
            return Some(entry);
        }
        self.rooms.insert(room, entry);
        self.assign(room, thread);
        None
    }

    /// The thread with the fewest rooms, of those that take more.
    fn emptiest(&self) -> Option<Number> {
        let shared = self.threads.iter().filter(|(_, thread)| thread.alone.is_none());
        shared.min_by_key(|(_, thread)| thread.rooms).map(|(number, _)| *number)
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
    pub(super) fn wake(&mut self, room: Number, now: Instant) {
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

    /// Returns what a thread does next.
    pub(super) fn next(&mut self, own: Number, now: Instant) -> Next {
        let stops = self.stops;
        let Some(thread) = self.threads.get_mut(&own).filter(|thread| !stops && !thread.has_ended()) else { return Next::End };
        while let Some(&Reverse((due, room))) = thread.turns.peek() {
            let is_valid = |entry: &&mut Entry| entry.thread == own && entry.due == due && entry.driver.is_some();
            let entry = self.rooms.get_mut(&room).filter(is_valid);
            if entry.is_some() && due > now {
                break;
            }
            thread.turns.pop();
            if let Some(driver) = entry.and_then(|entry| entry.driver.take()) {
                thread.turn = Some(Turn { room, since: now, waited: None });
                return Next::Turn(room, driver, self.due_next(own, now));
            }
        }
        Next::Wait { on: thread.changed.clone(), until: thread.next_due() }
    }

    /// Returns the room with the next turn on a thread, if that is due.
    fn due_next(&self, own: Number, now: Instant) -> Option<Arc<Running>> {
        let Reverse((_, room)) = self.threads.get(&own)?.turns.peek().filter(|Reverse((due, _))| *due <= now)?;
        Some(self.rooms.get(room)?.running.clone())
    }

    /// Takes a driver back after its turn, with the time of its next one. Returns it if its room has ended.
    pub(super) fn take_back(
        &mut self, (own, room, driver): (Number, Number, Box<Driver>), next: Option<Instant>, now: Instant, late_after: Duration,
    ) -> Option<Ended> {
        let thread = self.threads.get_mut(&own);
        let time = thread.and_then(|thread| thread.turn_time(now, late_after).inspect(|_| thread.turn = None));
        let Some(entry) = self.rooms.get_mut(&room) else { return Some((driver, None)) };
        entry.running.set_late(false);
        if time.is_some_and(|time| time >= late_after) {
            entry.late_at = Some(now);
        }
        let Some(next) = next else { return Some((driver, self.remove(room))) };
        entry.is_slowed = driver.is_slowed();
        entry.driver = Some(driver);
        entry.due = if std::mem::take(&mut entry.woken) { now } else { next };
        let is_calm = entry.late_at.is_none_or(|late_at| now >= late_at + CALM);
        let (due, on, is_slowed) = (entry.due, entry.thread, entry.is_slowed);
        let is_alone = self.threads.get(&on).is_some_and(|thread| thread.alone.is_some());
        if is_slowed && !is_alone {
            let to = self.add_thread(Some(room));
            self.move_room(room, to);
        } else if !is_slowed
            && is_calm
            && is_alone
            && let Some(to) = self.emptiest()
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

    /// When the longest turn began, or the next one is due. `None` without rooms.
    pub(super) fn earliest(&self) -> Option<Instant> {
        let began = self.threads.values().filter_map(|thread| Some(thread.turn?.since));
        let due = self.threads.values().filter_map(RoomThread::next_due);
        began.chain(due).min()
    }

    /// Looks after threads that are late. Returns the rooms that do not return from a step, which are to be given up.
    pub(super) fn look(&mut self, now: Instant, limits: &Limits) -> Vec<Entry> {
        let mut given_up = Vec::new();
        for number in self.threads.keys().copied().collect::<Vec<_>>() {
            let Some(thread) = self.threads.get_mut(&number) else { continue };
            let time = thread.turn_time(now, limits.late_after);
            let entry = thread.turn.and_then(|turn| self.rooms.get(&turn.room));
            if let (Some(time), Some(entry), Some(turn)) = (time, entry, thread.turn) {
                let is_long = time >= LONG_STEP || entry.is_slowed;
                entry.running.look();
                if time >= limits.late_after * BUSY_AFTER {
                    entry.running.set_late(true);
                }
                if time >= limits.late_after {
                    self.leave_alone(number, turn.room);
                }
                if is_long {
                    self.lower_priority(number);
                }
                let since = now.saturating_duration_since(turn.since);
                if time >= limits.stuck_after || since >= limits.stuck_after * STARVED {
                    given_up.extend(self.remove(turn.room));
                }
            }
            self.relieve(number, now, limits.late_after);
        }
        given_up
    }

    /// Gives the lowest priority to a thread that has one room alone.
    fn lower_priority(&mut self, number: Number) {
        let Some(thread) = self.threads.get_mut(&number).filter(|thread| thread.alone.is_some() && !thread.is_low) else {
            return;
        };
        if let ThreadState::Runs(id) = thread.state {
            thread.is_low = true;
            id.lower_priority();
        }
    }

    /// Leaves a thread to the room that has its turn, and moves its other rooms to a new thread.
    fn leave_alone(&mut self, number: Number, alone: Number) {
        match self.threads.get_mut(&number) {
            Some(thread) if thread.alone.is_none() => thread.alone = Some(alone),
            _ => return,
        }
        let to = self.add_thread(None);
        let others = self.rooms.iter().filter(|(room, entry)| entry.thread == number && **room != alone);
        let others: Vec<Number> = others.map(|(room, _)| *room).collect();
        tracing::debug!(rooms = others.len(), "a step takes long, the other rooms move to a new thread");
        others.into_iter().for_each(|room| self.move_room(room, to));
    }

    /// Moves half of the rooms whose turns are late to a thread that is in time and has nothing to do, if there is one.
    fn relieve(&mut self, number: Number, now: Instant, late_after: Duration) {
        let is_late = |due: Instant| due + late_after <= now;
        let has_late = |thread: &RoomThread| thread.next_due().is_some_and(is_late);
        let idle = |thread: &RoomThread| thread.alone.is_none() && thread.turn.is_none() && !has_late(thread);
        if !self.threads.get(&number).is_some_and(|thread| thread.alone.is_none() && has_late(thread)) {
            return;
        }
        let Some(to) = self.threads.iter().find(|(_, thread)| idle(thread)).map(|(number, _)| *number) else { return };
        let waits = |entry: &Entry| entry.thread == number && entry.driver.is_some() && is_late(entry.due);
        let late: Vec<Number> = self.rooms.iter().filter(|(_, entry)| waits(entry)).map(|(room, _)| *room).collect();
        late.iter().take(late.len().div_ceil(2)).for_each(|room| self.move_room(*room, to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_not_late_because_its_thread_waits_for_a_cpu() {
        let (since, late_after) = (Instant::now(), Duration::from_millis(10));
        let ms = Duration::from_millis;
        let mut turn = Turn { room: 1, since, waited: None };
        assert_eq!(turn.time(since + ms(4), late_after, || panic!("it is short")), ms(4));
        assert_eq!(turn.time(since + ms(6), late_after, || ms(1000)), ms(6), "earlier turns have waited, too");
        assert_eq!(turn.time(since + ms(900), late_after, || ms(1890)), ms(10));
    }
}
