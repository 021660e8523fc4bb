//! The spectators of one room. They have no seat, and the match never waits for them: one that misses a frame gets a snapshot later.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    hold::Hold,
    outlet::{Ending, Full, Outlet},
    quota::{Held, HeldInRoom, Kind, Quotas},
    refusal::Refusal,
    ticket::Ticket,
};
use crate::{
    lobby::{Identity, UserId},
    observe::{self, DropReason},
    protocol::{ErrorCode, Frame, Tick},
    room::{Message, Outbox, Over, OverReason, Room},
};

/// The most spectators of one room.
const MAX_SPECTATORS: usize = 100;

/// The most unexpired tickets to spectate in one room.
const MAX_TICKETS: usize = 200;

#[derive(Default)]
pub(super) struct Spectators {
    all: Vec<Spectator>,
    tickets: Vec<WatchTicket>,
}

/// A ticket to watch. It may be tried again until it expires, because spectators send nothing that shows that they were welcomed.
/// The newest connection has the place.
struct WatchTicket {
    who: Identity,
    ticket: Ticket,
    /// The ticket in the count of the person, until it is used.
    unused: Option<Held>,
    /// The place in the count of the person. `None` once the spectator has left or their connection is lost.
    place: Option<Arc<Held>>,
}

struct Spectator {
    /// The number of its ticket.
    id: u128,
    user: UserId,
    outlet: Arc<dyn Outlet>,
    hold: Arc<Hold>,
    /// The place in the count of the person.
    _place: Option<Arc<Held>>,
    /// Its mirror has the newest scene, so that it can take the next one.
    in_step: bool,
    /// It gets no snapshot before this tick.
    quiet_until: Tick,
}

impl Spectators {
    /// Refuses if the room has its most spectators.
    pub(super) fn check_room(&self) -> Result<(), Refusal> {
        let full = || Refusal::new(ErrorCode::RoomFull, format!("this room has {MAX_SPECTATORS} spectators, the most it may"));
        if self.all.len() < MAX_SPECTATORS { Ok(()) } else { Err(full()) }
    }

    /// Records a ticket, and returns its number.
    pub(super) fn let_in(
        &mut self, who: &Identity, life: Duration, quotas: &Arc<Quotas>, held: &HeldInRoom,
    ) -> Result<u128, Refusal> {
        self.check_room()?;
        if self.tickets.len() >= MAX_TICKETS {
            // Spectators whose connection is lost mostly ask for a new ticket.
            let lost = self.tickets.iter().position(|held| held.place.is_none());
            let too_many = "too many tickets to spectate in this room are out, try again later";
            self.tickets.remove(lost.ok_or_else(|| Refusal::new(ErrorCode::RateLimited, too_many))?);
        }
        let place = Some(Arc::new(held.take(quotas, Kind::Place, who)?));
        let unused = Some(held.take(quotas, Kind::Ticket, who)?);
        let ticket = Ticket::new(life);
        let id = ticket.id;
        self.tickets.push(WatchTicket { who: who.clone(), ticket, unused, place });
        Ok(id)
    }

    /// Counts the place of a ticket again, if it was given back and the room has a place.
    pub(super) fn take_place(&mut self, id: u128, quotas: &Arc<Quotas>, held: &HeldInRoom) -> Result<(), Refusal> {
        let given_back = self.tickets.iter().position(|held| held.ticket.id == id && held.place.is_none());
        if let Some(at) = given_back {
            self.check_room()?;
            self.tickets[at].place = Some(Arc::new(held.take(quotas, Kind::Place, &self.tickets[at].who)?));
        }
        Ok(())
    }

    pub(super) fn ticket(&self, id: u128) -> Option<&Ticket> {
        self.tickets.iter().map(|held| &held.ticket).find(|ticket| ticket.id == id)
    }

    pub(super) fn expire_tickets(&mut self, now: Instant) {
        self.tickets.retain(|held| held.ticket.until > now);
    }

    /// Adds the spectator whose ticket this is.
    pub(super) fn add(&mut self, id: u128, hold: &Arc<Hold>, outlet: Arc<dyn Outlet>, room: &mut Room) -> Result<(), Refusal> {
        let WatchTicket { who, unused, place, .. } =
            self.tickets.iter_mut().find(|held| held.ticket.id == id).ok_or_else(Ticket::too_old)?;
        let (user, place) = (who.user.clone(), place.clone());
        *unused = None;
        self.remove(id, Some(OverReason::Replaced));
        self.check_room()?;
        room.open_gallery();
        hold.begin(&outlet);
        let (in_step, quiet_until) = (false, Tick(0));
        self.all.push(Spectator { id, user, outlet, hold: hold.clone(), _place: place, in_step, quiet_until });
        Ok(())
    }

    /// Removes a user, and every ticket of theirs.
    pub(super) fn evict(&mut self, user: &UserId, message: &str) {
        self.tickets.retain(|held| held.who.user != *user);
        let theirs: Vec<_> = self.all.extract_if(.., |spectator| spectator.user == *user).collect();
        let over = Over { reason: OverReason::Kicked, message: message.to_owned(), winners: Vec::new() };
        theirs.into_iter().for_each(|spectator| spectator.end(over.clone()));
    }

    /// Lets a spectator start again with a snapshot, because its mirror is wrong.
    pub(super) fn restart(&mut self, id: u128) {
        self.all.iter_mut().filter(|spectator| spectator.id == id).for_each(|spectator| spectator.in_step = false);
    }

    /// Removes a spectator who has asked to leave. Their ticket is used up.
    pub(super) fn leave(&mut self, id: u128) {
        for held in self.tickets.iter_mut().filter(|held| held.ticket.id == id) {
            held.ticket.spend();
            held.place = None;
        }
        self.remove(id, Some(OverReason::Left));
    }

    /// Removes a spectator, which is told the reason if there is one. Otherwise its connection is lost.
    pub(super) fn remove(&mut self, id: u128, why: Option<OverReason>) {
        let Some(at) = self.all.iter().position(|spectator| spectator.id == id) else { return };
        let spectator = self.all.swap_remove(at);
        match why {
            Some(reason) => spectator.end(Over { reason, message: reason.explain().into(), winners: Vec::new() }),
            None => {
                spectator.hold.end();
                self.give_back_place(id);
            }
        }
    }

    /// Takes the place of a lost connection out of the person's count. They may come back with the same ticket, or with a new one.
    fn give_back_place(&mut self, id: u128) {
        self.tickets.iter_mut().filter(|held| held.ticket.id == id).for_each(|held| held.place = None);
    }

    /// Returns the tick in which a spectator is to get a snapshot, if one waits for it.
    pub(super) fn next_snapshot(&self) -> Option<Tick> {
        self.all.iter().filter(|spectator| !spectator.in_step).map(|spectator| spectator.quiet_until).min()
    }

    /// Whether tickets are out.
    pub(super) fn has_tickets(&self) -> bool {
        !self.tickets.is_empty()
    }

    /// Sends what a tick has for spectators.
    pub(super) fn show(&mut self, out: &Outbox, room: &mut Room) {
        if self.all.is_empty() {
            return room.close_gallery();
        }
        let seats = out.messages.iter().find(|(_, message)| matches!(message, Message::Seats(_))).map(|(_, message)| message);
        let mut snapshot = None;
        let now = room.current_tick();
        let later = Tick(now.0 + u32::from(room.def().hz()));
        let mut lost = Vec::new();
        self.all.retain_mut(|spectator| {
            let told = seats.map_or(Ok(()), |seats| spectator.outlet.send(seats.clone()));
            let shown = told.and_then(|()| {
                spectator.catch_up(out, || snapshot.get_or_insert_with(|| room.gallery_snapshot()).clone(), (now, later))
            });
            if shown.is_err() {
                lost.push(spectator.id);
                if spectator.hold.end() {
                    observe::dropped(DropReason::Stalled);
                    spectator.outlet.close(Ending::Cut);
                }
            }
            shown.is_ok()
        });
        lost.into_iter().for_each(|id| self.give_back_place(id));
    }

    /// Tells all spectators that the match is over, and removes them.
    pub(super) fn end(&mut self, over: &Over) {
        self.all.drain(..).for_each(|spectator| spectator.end(over.clone()));
    }
}

impl Spectator {
    /// Sends the scenes of the tick, or a snapshot instead. If the connection does not take a frame, a snapshot is tried `later`; after
    /// the last tick it is queued. It is an error if the connection does not take a reliable message.
    fn catch_up(
        &mut self, out: &Outbox, snapshot: impl FnOnce() -> Option<Frame>, (now, later): (Tick, Tick),
    ) -> Result<(), Full> {
        let was_in_step = self.in_step;
        if was_in_step {
            for scene in &out.scenes {
                if !scene.events.is_empty() {
                    self.outlet.send(Message::Events(scene.events.clone()))?;
                }
                if self.outlet.show(scene.frame.by_ref()).is_err() {
                    observe::dropped(DropReason::Frame);
                    (self.in_step, self.quiet_until) = (false, later);
                    break;
                }
            }
        }
        let is_last = out.over.is_some();
        if is_last && !self.in_step {
            let Some(frame) = snapshot() else { return Ok(()) };
            return self.outlet.show_last(frame.by_ref());
        }
        if !was_in_step
            && self.quiet_until <= now
            && let Some(frame) = snapshot()
        {
            (self.in_step, self.quiet_until) = (self.outlet.show(frame.by_ref()).is_ok(), later);
        }
        Ok(())
    }

    fn end(self, over: Over) {
        // First, because closing the outlet ends the connection, and a live hold would disconnect it here again.
        if self.hold.end() {
            self.outlet.finish(over);
        }
    }
}
