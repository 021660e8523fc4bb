//! The spectators of one room. They have no seat, and the match never waits for them: one that misses a frame gets a snapshot later.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    hold::Hold,
    outlet::{Ending, Full, Outlet},
    refusal::Refusal,
    ticket::Ticket,
};
use crate::{
    lobby::UserId,
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
    tickets: Vec<(UserId, Ticket)>,
}

struct Spectator {
    /// The number of its ticket.
    id: u128,
    user: UserId,
    outlet: Arc<dyn Outlet>,
    hold: Arc<Hold>,
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
    pub(super) fn let_in(&mut self, user: &UserId, life: Duration) -> Result<u128, Refusal> {
        self.check_room()?;
        if self.tickets.len() >= MAX_TICKETS {
            return Err(Refusal::new(
                ErrorCode::RateLimited,
                "too many tickets to spectate in this room are out, try again later",
            ));
        }
        let ticket = Ticket::new(life);
        let id = ticket.id;
        self.tickets.push((user.clone(), ticket));
        Ok(id)
    }

    pub(super) fn ticket(&mut self, id: u128) -> Option<&mut Ticket> {
        self.tickets.iter_mut().map(|(_, ticket)| ticket).find(|ticket| ticket.id == id)
    }

    pub(super) fn expire_tickets(&mut self, now: Instant) {
        self.tickets.retain(|(_, ticket)| ticket.until > now);
    }

    /// Adds the spectator whose ticket this is.
    pub(super) fn add(&mut self, id: u128, hold: &Arc<Hold>, outlet: Arc<dyn Outlet>, room: &mut Room) -> Result<(), Refusal> {
        self.check_room()?;
        let user = self.tickets.iter().find(|(_, ticket)| ticket.id == id).map(|(user, _)| user.clone());
        let user = user.ok_or_else(Ticket::too_old)?;
        room.open_gallery();
        hold.begin(&outlet);
        self.all.push(Spectator { id, user, outlet, hold: hold.clone(), in_step: false, quiet_until: Tick(0) });
        Ok(())
    }

    /// Removes a user, and every ticket of theirs.
    pub(super) fn evict(&mut self, user: &UserId, message: &str) {
        self.tickets.retain(|(of, _)| of != user);
        let theirs: Vec<_> = self.all.extract_if(.., |spectator| spectator.user == *user).collect();
        let over = Over { reason: OverReason::Kicked, message: message.to_owned(), winners: Vec::new() };
        theirs.into_iter().for_each(|spectator| spectator.end(over.clone()));
    }

    /// Lets a spectator start again with a snapshot, because its mirror is wrong.
    pub(super) fn restart(&mut self, id: u128) {
        self.all.iter_mut().filter(|spectator| spectator.id == id).for_each(|spectator| spectator.in_step = false);
    }

    /// Removes a spectator, which is told the reason if there is one.
    pub(super) fn remove(&mut self, id: u128, why: Option<OverReason>) {
        let Some(at) = self.all.iter().position(|spectator| spectator.id == id) else { return };
        let spectator = self.all.swap_remove(at);
        match why {
            Some(reason) => spectator.end(Over { reason, message: reason.explain().into(), winners: Vec::new() }),
            None => drop(spectator.hold.end()),
        }
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
        self.all.retain_mut(|spectator| {
            let told = seats.map_or(Ok(()), |seats| spectator.outlet.send(seats.clone()));
            let shown = told.and_then(|()| {
                spectator.catch_up(out, || snapshot.get_or_insert_with(|| room.gallery_snapshot()).clone(), (now, later))
            });
            if shown.is_err() && spectator.hold.end() {
                observe::dropped(DropReason::Stalled);
                spectator.outlet.close(Ending::Cut);
            }
            shown.is_ok()
        });
    }

    /// Tells all spectators that the match is over, and removes them.
    pub(super) fn end(&mut self, over: &Over) {
        self.all.drain(..).for_each(|spectator| spectator.end(over.clone()));
    }
}

impl Spectator {
    /// Sends the scenes of the tick, or a snapshot instead. If the connection does not take a frame, a snapshot is tried `later`.
    /// It is an error if the connection does not take a reliable message.
    fn catch_up(
        &mut self, out: &Outbox, snapshot: impl FnOnce() -> Option<Frame>, (now, later): (Tick, Tick),
    ) -> Result<(), Full> {
        if self.in_step {
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
        } else if self.quiet_until <= now
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
