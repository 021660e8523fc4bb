//! Matches that step on input: which tick they need next, and the time that passes without a step.

use super::{Room, SeatStatus};
use crate::protocol::{Tick, ticks};

impl Room {
    /// Returns the next tick that has to be stepped if nothing happens until then. `None`: nothing has to, until somebody does something.
    ///
    /// A match of a game that does not [step on input](crate::game::MatchBuilder::steps_on_input) needs every tick.
    pub fn next_step(&self) -> Option<Tick> {
        let next = Tick(self.sim.tick().0 + 1);
        if !self.def.options().on_input {
            return Some(next);
        }
        if self.outcome.is_some() {
            return None;
        }
        if self.has_moved || self.is_seating() {
            return Some(next);
        }
        let wanted = [self.sim.next_input(), self.sim.deadline(), self.next_count(), self.next_scene(), self.next_of_seats()];
        wanted.into_iter().flatten().min().map(|tick| tick.max(next))
    }

    /// Lets time pass up to a tick, which becomes the newest one, without a step. Does nothing if that tick is over.
    ///
    /// The ticks from [`next_step`](Self::next_step) on are not to be skipped, unless the host is too late for them.
    pub fn skip_to(&mut self, tick: Tick) {
        let (now, hz) = (self.sim.tick(), u32::from(self.def.hz()));
        if tick <= now {
            return;
        }
        self.sim.skip_to(tick);
        self.seats.playing_mut().for_each(|(_, occupant)| occupant.delivery.skip(tick.since(now), hz));
    }

    /// Notes whether the tick that was just stepped has changed something, so that the next one may, too.
    pub(super) fn note_moved(&mut self, has_said: bool) {
        self.has_moved = has_said || self.replicator.has_changes();
    }

    /// Whether the rules have to hear of seats, or bots have to come or go.
    fn is_seating(&self) -> bool {
        let wanted = if self.bots_allowed { usize::from(self.seats.plan.fill) } else { 0 };
        let wants_bot = || self.hooks.bot.is_some() && self.seats.wanted_bot(wanted).is_some();
        !self.leaving.is_empty() || self.seats.is_changing() || wants_bot() || self.seats.surplus_bot(wanted).is_some()
    }

    /// Returns the tick in which a seat is owed something, its grace time is over, or it has been idle for too long.
    fn next_of_seats(&self) -> Option<Tick> {
        let (now, hz) = (self.sim.tick(), self.def.hz());
        let idle_after = self.def.options().idle_after.map(|time| ticks(time.as_secs_f32(), hz));
        let all = self.seats.iter().flat_map(|(_, occupant)| {
            // A time that is over at the end of a tick is noticed in the next one.
            let away = occupant.away_until.map(|until| Tick(until.0 + 1));
            let plays = occupant.status == SeatStatus::Playing;
            let idle = idle_after.filter(|_| plays).map(|allowed| Tick(occupant.active_at.0 + allowed + 2));
            let owed = plays.then(|| occupant.delivery.next_needed(now, hz.into())).flatten();
            [away, idle, owed]
        });
        all.flatten().min()
    }
}
