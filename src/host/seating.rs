//! One room and its players: reservations, connections and stays. All of it is under the room's lock.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tokio::time::Instant;

use super::{
    attendees::{Attendees, Played},
    guard::guarded,
    hold::{Audience, Hold},
    intake::{Batch, Intake},
    limits::Limits,
    outlet::{Ending, Outlet},
    quota::Quotas,
    refusal::Refusal,
    schedule::Activity,
    spectators::Spectators,
    stay::{Attendance, Stay, Stays},
    ticket::SeatTickets,
};
use crate::{
    lobby::UserId,
    observe::{self, DropReason, GameMeters},
    prefetch::prefetch,
    protocol::{Seat, Tick},
    room::{Frames, Message, Over, OverReason, Population, Room, SeatStatus},
};

pub(super) struct Seating {
    /// `None` once the room has closed.
    room: Option<Room>,
    pub(super) stays: Stays,
    intake: Arc<Intake>,
    audience: Arc<Audience>,
    /// The inputs of the current step.
    batch: Batch,
    tickets: SeatTickets,
    pub(super) spectators: Spectators,
    /// Users who were removed from this match.
    pub(super) banned: BTreeSet<UserId>,
    attendees: Attendees,
    pub(super) over_at: Option<Instant>,
    empty_since: Option<Instant>,
    quotas: Arc<Quotas>,
    /// Whether a connection that has its seat may not have sent anything yet.
    any_silent: bool,
}

impl Seating {
    pub(super) fn new(room: Room, intake: &Arc<Intake>, audience: &Arc<Audience>, quotas: &Arc<Quotas>) -> Self {
        Self {
            room: Some(room),
            stays: Stays::default(),
            intake: intake.clone(),
            audience: audience.clone(),
            batch: Batch::default(),
            tickets: SeatTickets::default(),
            spectators: Spectators::default(),
            banned: BTreeSet::new(),
            attendees: Attendees::default(),
            over_at: None,
            empty_since: None,
            quotas: quotas.clone(),
            any_silent: false,
        }
    }

    /// Calls `act`, which may run the rules of the game. If they panic, this room ends.
    pub(super) fn with<R>(&mut self, meters: &GameMeters, act: impl FnOnce(&mut Room) -> R) -> Result<R, Refusal> {
        let result = guarded(self.room.as_mut(), meters, act);
        self.close_if_panicked(result)
    }

    fn close_if_panicked<R>(&mut self, result: Result<R, Refusal>) -> Result<R, Refusal> {
        if result.is_err() && self.room.is_some() {
            self.close(OverReason::RulesError, "the rules of this game failed");
        }
        result
    }

    /// Steps the room once with the queued inputs, and sends its messages and frames. Returns the newest tick and the bytes of the frames,
    /// or `None` if the room has ended.
    ///
    /// The result of the match is handed to `record` before anybody is told that it is over: whoever asks for a rating then gets the new
    /// one.
    pub(super) fn step(&mut self, meters: &GameMeters, record: impl FnOnce(Played)) -> Option<(Tick, u64)> {
        self.pull();
        meters.inputs.increment(self.hand_over());
        let stepped = self.with(meters, Room::tick);
        let outbox = stepped.ok()?;
        if self.audience.is_over() {
            // The step took so long that the room was given up.
            self.close(OverReason::Closed, "");
            return None;
        }
        if let Some(room) = &mut self.room {
            self.spectators.show(&outbox, room);
        }
        let events: u64 = outbox.messages.into_iter().map(|(seat, message)| self.deliver(seat, message, meters)).sum();
        let is_last = outbox.over.as_ref().is_some_and(|over| over.reason == OverReason::Finished);
        let bytes = events + self.show(&outbox.frames, is_last, meters);
        outbox.stalled.into_iter().for_each(|seat| self.cut(seat, meters));
        for (seat, reason) in outbox.evicted {
            if reason == OverReason::Kicked {
                self.ban(seat);
            }
            self.detach(seat, Some((reason, reason.explain())));
            self.free(seat);
        }
        if let Some(over) = outbox.over {
            match over.reason {
                OverReason::RulesError => {
                    tracing::error!(message = over.message, "the rules failed");
                    meters.rules_panics.increment(1);
                }
                OverReason::OverBudget => {
                    tracing::warn!(message = over.message, "a room was over its budget");
                    observe::dropped(DropReason::RoomOverBudget);
                }
                _ => {}
            }
            if over.reason == OverReason::Finished {
                record(self.attendees.played(&self.stays, &over.winners));
            }
            for seat in self.stays.seats() {
                self.deliver(seat, Message::Over(over.clone()), meters);
            }
            self.spectators.end(&over);
            self.over_at = Some(Instant::now());
        }
        self.forget_freed_seats();
        self.room.as_ref().map(|room| (room.current_tick(), bytes))
    }

    /// Lets time pass up to `time`, the newest tick that is due by now, in a match that steps on input, and hands the queued inputs over.
    /// Returns the tick to step next. If that is not later than `time`, time has not passed, and it is due.
    pub(super) fn look_ahead(&mut self, time: Tick, meters: &GameMeters) -> Option<Tick> {
        let is_due = |next: &Tick| *next <= time;
        if let Some(next) = self.next_step().filter(is_due) {
            return Some(next);
        }
        self.skip_to(time);
        meters.inputs.increment(self.hand_over());
        self.next_step()
    }

    /// Lets time pass up to `time`, or to the tick before the next step.
    pub(super) fn pass_time(&mut self, time: Tick) {
        let last = self.next_step().map_or(time, |next| time.min(Tick(next.0 - 1)));
        self.skip_to(last);
    }

    /// Lets time pass without a step.
    pub(super) fn skip_to(&mut self, tick: Tick) {
        self.room.iter_mut().for_each(|room| room.skip_to(tick));
    }

    fn next_step(&self) -> Option<Tick> {
        let room = self.room.as_ref()?;
        let snapshot = self.spectators.next_snapshot().filter(|_| room.has_gallery_snapshot());
        let snapshot = snapshot.map(|tick| tick.max(Tick(room.current_tick().0 + 1)));
        room.next_step().into_iter().chain(snapshot).min()
    }

    /// Whether something may expire soon, so that the driver has to look after it.
    pub(super) fn may_expire(&self) -> bool {
        self.any_silent || self.over_at.is_some() || self.tickets.next_expiry().is_some() || self.spectators.has_tickets()
    }

    /// Reads the clients whose connections are read by the room.
    fn pull(&self) {
        let Some(hz) = self.room.as_ref().map(|room| room.def().hz()) else { return };
        self.stays.lines().for_each(|line| line.prefetch());
        self.stays.lines().for_each(|line| line.clone().pull(hz));
    }

    /// Begins to fetch what the next step looks at into the CPU's caches.
    pub(super) fn prefetch(&self) {
        self.stays.lines().for_each(|line| line.prefetch());
        prefetch(&*self.intake);
        if let Some(room) = &self.room {
            room.prefetch();
        }
    }

    /// Stops reading the clients.
    pub(super) fn release(&self) {
        self.stays.lines().for_each(|line| line.clone().release());
    }

    /// Hands the queued inputs to the room. Returns their number.
    fn hand_over(&mut self) -> u64 {
        self.intake.take(&mut self.batch);
        let Some(room) = &mut self.room else { return 0 };
        let (mut inputs, duplicates) = (0, room.stats().inputs_duplicate);
        for (seat, input) in self.batch.iter() {
            // The room itself tells a seat that an input was refused.
            let _ = room.handle(seat, input);
            inputs += 1;
        }
        let duplicates = room.stats().inputs_duplicate - duplicates;
        if duplicates > 0 {
            observe::dropped_many(DropReason::DuplicateInput, duplicates);
        }
        if self.any_silent {
            self.note_heard();
        }
        inputs
    }

    /// Notes which clients sent something in this batch. They have had their `welcome`, so their tickets are used.
    fn note_heard(&mut self) {
        for (seat, _) in self.batch.iter() {
            let Some(stay) = self.stays.get_mut(seat) else { continue };
            if let Attendance::Connected { silent_since: since @ Some(_), .. } = &mut stay.attendance {
                *since = None;
                stay.heard();
                self.tickets.confirm(stay.id);
            }
        }
    }

    /// Ends the connections that have sent nothing for too long since they entered: nobody is there. Their seats can be resumed.
    fn end_silent(&mut self, now: Instant, limits: &Limits, meters: &GameMeters) {
        if !self.any_silent {
            return;
        }
        self.any_silent = false;
        for seat in self.stays.seats() {
            let Some(stay) = self.stays.get_mut(seat) else { continue };
            let Attendance::Connected { silent_since: Some(since), outlet, .. } = &stay.attendance else { continue };
            if now < *since + limits.silent_timeout {
                self.any_silent = true;
                continue;
            }
            observe::dropped(DropReason::Silent);
            let outlet = outlet.clone();
            self.detach(seat, None);
            outlet.close(Ending::AfterQueued);
            let _ = self.with(meters, |room| room.disconnect(seat));
        }
    }

    /// Sends a message, and returns the bytes of its game events. A connection that does not take it is cut.
    fn deliver(&mut self, seat: Seat, message: Message, meters: &GameMeters) -> u64 {
        let Some((_, outlet)) = self.stays.connected(seat) else { return 0 };
        let bytes = if let Message::Events(bytes) = &message { bytes.len() as u64 } else { 0 };
        if let Message::Refused(refused) = &message {
            observe::refused(refused.code, u64::from(refused.count));
        }
        if outlet.send(message).is_err() {
            self.cut(seat, meters);
        }
        bytes
    }

    /// Sends the frames of a tick, and returns their bytes. The room makes up for a frame that a connection does not take. Nothing
    /// follows the frames of the last tick, so those wait for connections that do not take them now.
    fn show(&mut self, frames: &Frames, is_last: bool, meters: &GameMeters) -> u64 {
        let (mut shown, mut bytes) = (0, 0);
        let on_input = self.room.as_ref().is_some_and(|room| room.def().options().on_input);
        for (seat, frame) in frames.iter() {
            let length = frame.len() as u64;
            let taken = match self.stays.line(seat) {
                Some(line) if !is_last => line.show(frame),
                _ => {
                    let Some((_, outlet)) = self.stays.connected(seat) else { continue };
                    let taken = if is_last { outlet.show_last(frame) } else { outlet.show(frame) };
                    // A room that looks at its clients only now and then leaves the reading to the network.
                    if !on_input {
                        self.stays.open_line(seat);
                    }
                    taken
                }
            };
            if taken.is_ok() {
                shown += 1;
                bytes += length;
            } else if let Some(room) = &mut self.room {
                observe::dropped(DropReason::Frame);
                room.missed(seat);
            }
        }
        meters.frames.increment(shown);
        meters.frame_bytes.increment(bytes);
        bytes
    }

    /// Ends a connection that did not take a reliable message. Its seat can be resumed.
    pub(super) fn cut(&mut self, seat: Seat, meters: &GameMeters) {
        let Some((hold, outlet)) = self.stays.disconnect(seat) else { return };
        if hold.end() {
            observe::dropped(DropReason::Stalled);
            outlet.close(Ending::Cut);
        }
        self.hand_over();
        let _ = self.with(meters, |room| room.disconnect(seat));
    }

    /// Ends what has expired, and returns what the driver does next.
    pub(super) fn upkeep(&mut self, now: Instant, limits: &Limits, meters: &GameMeters) -> Activity {
        self.expire_tickets(now, meters);
        if self.room.is_none() {
            return Activity::Closed;
        }
        if let Some(over_at) = self.over_at {
            return self.close_after(over_at + limits.over_linger, now, OverReason::Finished);
        }
        self.end_silent(now, limits, meters);
        let present = |stay: &Stay| !matches!(stay.attendance, Attendance::Reserved);
        if self.stays.iter().any(present) {
            self.empty_since = None;
            return Activity::Playing;
        }
        if self.stays.iter().next().is_some() {
            self.empty_since = None;
            return Activity::Waiting(self.tickets.next_expiry().unwrap_or(now + limits.ticket_life));
        }
        let empty_since = *self.empty_since.get_or_insert(now);
        self.close_after(empty_since + limits.empty_linger, now, OverReason::Closed)
    }

    fn close_after(&mut self, until: Instant, now: Instant, reason: OverReason) -> Activity {
        if now < until {
            return Activity::Waiting(until);
        }
        self.close(reason, "");
        Activity::Closed
    }

    fn expire_tickets(&mut self, now: Instant, meters: &GameMeters) {
        self.spectators.expire_tickets(now);
        for (seat, id) in self.tickets.expire(now) {
            if self.stays.get(seat).is_some_and(|stay| stay.id == id && matches!(stay.attendance, Attendance::Reserved)) {
                self.stays.take(seat);
                let _ = self.with(meters, |room| room.release(seat));
            }
        }
    }

    /// Bans the player of a seat from this match.
    fn ban(&mut self, seat: Seat) {
        if let Some(user) = self.stays.get(seat).map(|stay| stay.who.user.clone()) {
            self.spectators.evict(&user, OverReason::Kicked.explain());
            self.banned.insert(user);
        }
    }

    /// Removes the player of a seat for good. Returns false if nobody has the seat.
    pub(super) fn kick(&mut self, seat: Seat, meters: &GameMeters) -> bool {
        let Some(user) = self.stays.get(seat).map(|stay| stay.who.user.clone()) else { return false };
        self.ban(seat);
        self.evict(&user, OverReason::Kicked.explain(), meters);
        true
    }

    /// Takes away a user's seat, and their place to spectate.
    pub(super) fn evict(&mut self, user: &UserId, message: &str, meters: &GameMeters) {
        self.spectators.evict(user, message);
        for seat in self.stays.seats() {
            let Some(stay) = self.stays.get(seat).filter(|stay| stay.who.user == *user) else { continue };
            let reserved = matches!(stay.attendance, Attendance::Reserved);
            self.detach(seat, Some((OverReason::Kicked, message)));
            self.free(seat);
            // If the rules panic, the room has been closed already.
            let _ = self.with(meters, |room| if reserved { room.release(seat) } else { room.leave(seat) });
        }
    }

    /// Gives a connection the seat that it has entered. It came with this ticket, or with a resume token, which shows that an earlier
    /// `welcome` arrived.
    pub(super) fn connect(&mut self, hold: &Arc<Hold>, outlet: Arc<dyn Outlet>, ticket: Option<u128>) {
        let Some(stay) = self.stays.get_mut(hold.seat()) else { return };
        match ticket {
            Some(id) => self.tickets.enter(id),
            None => {
                stay.unused = None;
                self.tickets.confirm(stay.id);
            }
        }
        self.attendees.enter();
        hold.begin(&outlet);
        self.stays.connect(hold.seat(), hold.clone(), outlet);
        self.any_silent = true;
    }

    /// Takes the seat from its connection, which is told the reason if there is one.
    pub(super) fn detach(&mut self, seat: Seat, why: Option<(OverReason, &str)>) {
        if let Some((hold, outlet)) = self.stays.disconnect(seat) {
            let was_live = hold.end();
            self.hand_over();
            match why.filter(|_| was_live) {
                // Nothing comes after `over`.
                Some(_) if self.over_at.is_some() => outlet.close(Ending::AfterQueued),
                Some((reason, message)) => {
                    outlet.finish(Over { reason, message: message.to_owned(), winners: Vec::new() });
                }
                None => {}
            }
        }
    }

    /// Gives up a seat at once.
    pub(super) fn free(&mut self, seat: Seat) {
        let stay = self.stays.take(seat);
        stay.iter().for_each(|stay| self.tickets.give_up(stay.id));
        if let Some(stay) = stay.filter(|stay| !matches!(stay.attendance, Attendance::Reserved)) {
            self.attendees.leave(seat, &stay.who);
        }
    }

    /// Ends the room. Connected players are told, unless they were told a result already.
    pub(super) fn close(&mut self, reason: OverReason, message: &str) {
        let over = Over { reason, message: message.to_owned(), winners: Vec::new() };
        for stay in self.stays.take_all() {
            if let Attendance::Connected { hold, outlet, .. } = stay.attendance
                && hold.end()
            {
                match self.over_at {
                    Some(_) => outlet.close(Ending::AfterQueued),
                    None => outlet.finish(over.clone()),
                }
            }
        }
        self.spectators.end(&over);
        if let Some(room) = self.room.take() {
            // A world that panicked may panic again when it is dropped.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(room)));
        }
    }

    /// How many play here. `None` once the room has closed.
    pub(super) fn population(&self) -> Option<Population> {
        self.room.as_ref().map(Room::population)
    }

    /// The room, to read.
    pub(super) fn room(&self) -> Option<&Room> {
        self.room.as_ref()
    }

    /// Frees the seats whose grace time the room has ended.
    fn forget_freed_seats(&mut self) {
        if !self.stays.is_any_away() {
            return;
        }
        let Some(room) = &self.room else { return };
        let seats = room.seats();
        for seat in self.stays.seats() {
            let away = self.stays.get(seat).is_some_and(|stay| matches!(stay.attendance, Attendance::Away));
            if away && !seats.iter().any(|info| info.seat == seat && info.status == SeatStatus::Away) {
                self.free(seat);
            }
        }
    }
}

mod entitlement;
