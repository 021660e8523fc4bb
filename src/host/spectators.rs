//! The spectators of one room. They hold no seat: what they miss is a snapshot later, and nobody waits for them.

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

/// The most that watch one room.
const MOST: usize = 100;

/// Tickets to watch one room that are out at a time.
const MOST_TICKETS: usize = 200;

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
    /// It holds what the gallery's mirror does.
    in_step: bool,
    /// No snapshot is made for it before this tick.
    quiet_until: Tick,
}

impl Spectators {
    /// Refuses if there is no place.
    pub(super) fn check_room(&self) -> Result<(), Refusal> {
        let full = || Refusal::new(ErrorCode::RoomFull, format!("{MOST} watch this room already, the most there may be"));
        if self.all.len() < MOST { Ok(()) } else { Err(full()) }
    }

    /// Writes a ticket down, the only one for what it lets in.
    pub(super) fn let_in(&mut self, user: &UserId, life: Duration) -> Result<u128, Refusal> {
        self.check_room()?;
        if self.tickets.len() >= MOST_TICKETS {
            return Err(Refusal::new(ErrorCode::RateLimited, "too many are about to watch this room"));
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

    /// Whoever has the ticket watches from now on.
    pub(super) fn add(&mut self, id: u128, hold: &Arc<Hold>, outlet: Arc<dyn Outlet>, room: &mut Room) -> Result<(), Refusal> {
        self.check_room()?;
        let user = self.tickets.iter().find(|(_, ticket)| ticket.id == id).map(|(user, _)| user.clone());
        let user = user.ok_or_else(Ticket::too_old)?;
        room.open_gallery();
        hold.begin();
        self.all.push(Spectator { id, user, outlet, hold: hold.clone(), in_step: false, quiet_until: Tick(0) });
        Ok(())
    }

    /// Takes away somebody, and every ticket of theirs.
    pub(super) fn evict(&mut self, user: &UserId, message: &str) {
        self.tickets.retain(|(of, _)| of != user);
        let theirs: Vec<_> = self.all.extract_if(.., |spectator| spectator.user == *user).collect();
        let over = Over { reason: OverReason::Kicked, message: message.to_owned(), winners: Vec::new() };
        theirs.into_iter().for_each(|spectator| spectator.end(over.clone()));
    }

    /// Its mirror is of no use.
    pub(super) fn restart(&mut self, id: u128) {
        self.all.iter_mut().filter(|spectator| spectator.id == id).for_each(|spectator| spectator.in_step = false);
    }

    /// Takes a spectator away, and tells it why if there is a reason.
    pub(super) fn remove(&mut self, id: u128, why: Option<OverReason>) {
        let Some(at) = self.all.iter().position(|spectator| spectator.id == id) else { return };
        let spectator = self.all.swap_remove(at);
        spectator.hold.end();
        if let Some(reason) = why {
            spectator.end(Over { reason, message: reason.explain().into(), winners: Vec::new() });
        }
    }

    /// Hands out what a tick has for spectators.
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
            if shown.is_err() {
                observe::dropped(DropReason::Stalled);
                spectator.hold.end();
                spectator.outlet.close(Ending::Cut);
            }
            shown.is_ok()
        });
    }

    /// Ends the room for all of them.
    pub(super) fn end(&mut self, over: &Over) {
        self.all.drain(..).for_each(|spectator| spectator.end(over.clone()));
    }
}

impl Spectator {
    /// The scenes of the tick, or a snapshot behind them; what finds no place is tried again `later`. An error: a reliable message
    /// found none.
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
        // Before it is closed: that ends the connection, which then must not come back to this table.
        self.hold.end();
        let ending = if self.outlet.send(Message::Over(over)).is_ok() { Ending::AfterQueued } else { Ending::Cut };
        self.outlet.close(ending);
    }
}
