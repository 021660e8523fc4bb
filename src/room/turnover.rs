//! Seats that come and go with a tick: idle players, grace times, bots, and the rules for each of them.

use super::{
    Room,
    outbox::{Outbox, OverReason},
    seats::{Occupant, SeatStatus},
};
use crate::{
    game::Hooks,
    protocol::{Seat, ticks},
    sim::Sim,
};

impl Room {
    pub(super) fn evict(&mut self, seat: Seat, reason: OverReason, out: &mut Outbox) {
        self.leave(seat);
        out.evicted.push((seat, reason));
    }

    /// Removes players who have not sent an input for as long as the game allows.
    pub(super) fn evict_idle(&mut self, out: &mut Outbox) {
        let Some(allowed) = self.def.options().idle_after.map(|time| ticks(time.as_secs_f32(), self.def.hz())) else { return };
        let now = self.sim.tick();
        let idle = |occupant: &Occupant| occupant.status == SeatStatus::Playing && now.since(occupant.active_at) > allowed;
        let idle: Vec<Seat> = self.seats.iter().filter(|(_, occupant)| idle(occupant)).map(|(seat, _)| seat).collect();
        idle.into_iter().for_each(|seat| self.evict(seat, OverReason::Idle, out));
    }

    /// Ends grace times that are over, fills seats with bots, and runs the rules for seats that came and went.
    pub(super) fn seat_changes(&mut self) {
        for seat in self.seats.away_since(self.sim.tick()) {
            self.leave(seat);
        }
        self.bots.set_strength(self.strength());
        let wanted = if self.bots_allowed { usize::from(self.seats.plan.fill) } else { 0 };
        while self.seats.surplus_bot(wanted).is_some_and(|bot| {
            self.leave(bot);
            true
        }) {}
        while let Some(seat) = self.seats.wanted_bot(wanted) {
            let Some(brain) = self.hooks.bot else { break };
            self.seats.take(seat, Occupant::bot(seat));
            self.bots.employ(seat, brain());
        }
        for seat in std::mem::take(&mut self.leaving) {
            self.hooks.leave_all(seat, &mut self.sim);
        }
        for seat in self.seats.take_joining() {
            self.hooks.join_all(seat, &mut self.sim);
        }
    }
}

impl Hooks {
    fn join_all(&self, seat: Seat, sim: &mut Sim) {
        self.join.iter().for_each(|rule| rule(seat, sim.world_mut()));
    }

    /// Runs the game's rules for a seat that becomes free, then despawns the entities that it owns.
    fn leave_all(&self, seat: Seat, sim: &mut Sim) {
        use bevy_ecs::prelude::*;
        let world = sim.world_mut();
        self.leave.iter().for_each(|rule| rule(seat, world));
        let mut owned = world.query::<(Entity, &Seat)>();
        let owned: Vec<Entity> = owned.iter(world).filter(|(_, owner)| **owner == seat).map(|(entity, _)| entity).collect();
        for entity in owned {
            world.despawn(entity);
        }
    }
}
