//! Makes the frames of a tick, at most one for each seat.

use std::borrow::Cow;

use super::{Message, Outbox, Room};
use crate::{
    protocol::{Head, Kind, Tick},
    replication::Viewer,
};

/// The seconds between two checksums.
const CHECK_SECONDS: u32 = 2;

/// The seconds after which a client that reads nothing loses its connection.
const STALL_SECONDS: u32 = 15;

impl Room {
    /// Makes the frames of the tick that was just stepped, for all connected seats. Every seat gets the last one, whatever is on the
    /// way to it: nothing would make up for it.
    pub(super) fn frames(&mut self, out: &mut Outbox, is_last: bool) {
        let (now, hz) = (self.sim.tick(), u32::from(self.def.hz()));
        let is_check = match self.def.options().on_input {
            true => self.replicator.checked_at().is_none_or(|at| now.since(at) >= CHECK_SECONDS * hz),
            false => now.0 % (CHECK_SECONDS * hz) == 0,
        };
        if is_check {
            self.replicator.encode_checks();
        }
        let mut acked = self.sim.inputs().all_acked().peekable();
        out.frames.reserve(self.seats.len());
        for (seat, occupant) in self.seats.playing_mut() {
            let delivery = &mut occupant.delivery;
            let viewer = Viewer { seat, team: self.replicator.team_of(seat) };
            delivery.begin_tick(viewer.team, hz);
            let full_since = delivery.full_since(now, hz);
            if let Some(since) = full_since.filter(|_| !is_last) {
                self.stats.skipped += 1;
                if now.since(since) >= STALL_SECONDS * hz {
                    out.stalled.push(seat);
                }
                continue;
            }
            if delivery.is_quiet(now) && !is_last {
                continue;
            }
            while acked.next_if(|(other, _)| *other < seat).is_some() {}
            let (ack, margin) = acked.next_if(|(other, _)| *other == seat).map(|(_, acked)| acked).unwrap_or_default();
            let base = delivery.base();
            let (kind, mut blocks) = delivery.state(&self.replicator, viewer, now, self.def.options().budget);
            if let Some(avatar) = occupant.avatar.news(kind, base) {
                let block = self.replicator.block(|writer| writer.avatar(avatar));
                blocks = Cow::Owned(blocks.with(&[block].into()));
            }
            if is_check && delivery.owes_nothing() {
                blocks = Cow::Owned(blocks.with(&self.replicator.checks(viewer)));
            }
            let silent = kind == Kind::Diff && blocks.is_empty() && ack == delivery.told_ack() && now.since(base) < hz;
            if !silent {
                let base = if kind == Kind::Snapshot { Tick(0) } else { base };
                delivery.sent(now, ack);
                let bytes = out.frames.push(seat, Head { kind, tick: now, base, ack, margin }, blocks);
                self.stats.frame(kind, bytes);
            }
            if let Some(refused) = delivery.take_refused(now, hz) {
                out.messages.push((seat, Message::Refused(refused)));
            }
        }
    }
}
