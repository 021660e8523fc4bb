//! What each seat has been sent, and what its next frame starts from: its baseline is one integer.

use std::borrow::Cow;

use super::window::Window;
use crate::{
    protocol::{Blocks, ErrorCode, Kind, Tick},
    replication::{Meter, Replicator, Viewer},
    sim::Team,
};

/// Inputs that a client may send before its first tick: what a busy machine reads late comes all at once.
const FIRST_CREDIT: u32 = 32;

/// What one seat's connection has been sent and has said.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// The tick that the seat's mirror holds once all sent frames have arrived; `None`: nothing of use.
    base: Option<Tick>,
    /// `base` before the newest frame.
    before: Option<Tick>,
    /// It has had everything since `base`, so that the tick's own diff fits.
    in_step: bool,
    /// The first tick that was ever sent to this seat.
    pub first_sent: Option<Tick>,
    /// The newest.
    pub newest_sent: Tick,
    /// `newest_sent` before the newest frame.
    newest_before: Tick,
    acked: Tick,
    window: Window,
    told_ack: u16,
    /// Frames in a row that were not delivered.
    misses: u32,
    /// No frame is made before this tick.
    quiet_until: Tick,
    team: Option<Team>,
    /// Inputs that may still come before it counts as a flood.
    input_credit: u32,
    refused: Option<Refused>,
    told_refused: Tick,
    /// What the seat is owed under a budget of bytes.
    meter: Meter,
}

impl Delivery {
    /// A connection begins whose mirror holds a tick that this seat was sent. Gives back whether that is of use: it was
    /// sent, and not longer than `memory` ticks ago.
    pub fn resume(&mut self, held: Option<Tick>, now: Tick, memory: u32) -> bool {
        let sent = |held: Tick| self.first_sent.is_some_and(|first| first <= held) && held <= self.newest_sent;
        let base = held.filter(|&held| sent(held) && now.since(held) < memory);
        let base = base.filter(|&held| self.meter.resume(held));
        let newest_sent = base.unwrap_or_default();
        let Self { first_sent, team, .. } = *self;
        let meter = std::mem::take(&mut self.meter);
        *self = Self {
            base,
            first_sent,
            team,
            meter,
            newest_sent,
            acked: newest_sent,
            window: Window::new(newest_sent),
            told_refused: now,
            input_credit: FIRST_CREDIT,
            ..Self::default()
        };
        base.is_some()
    }

    /// Forgets what the mirror holds.
    pub fn restart(&mut self) {
        self.base = None;
        self.in_step = false;
        self.window.forget(self.newest_sent);
    }

    /// The newest frame was not delivered. The next try waits, longer each time, up to half a second: a merged diff that
    /// nobody reads is made for nothing.
    pub fn missed(&mut self, now: Tick, hz: u32) {
        self.base = self.before;
        self.newest_sent = self.newest_before;
        self.in_step = false;
        self.meter.missed();
        self.misses += 1;
        self.quiet_until = Tick(now.0 + (1 << self.misses.min(6)).min(hz / 2));
    }

    /// Takes one input from the credit; false if there is none.
    pub fn spend_input(&mut self) -> bool {
        let has = self.input_credit > 0;
        self.input_credit = self.input_credit.saturating_sub(1);
        has
    }

    /// Notes that the mirror holds a tick, of which `ack` are the low 16 bits; 0 says nothing.
    pub fn acknowledge(&mut self, ack: u16, now: Tick, hz: u32) -> Result<(), ErrorCode> {
        if ack == 0 {
            return Ok(());
        }
        let behind = u32::from((self.newest_sent.0 as u16).wrapping_sub(ack));
        match self.newest_sent.0.checked_sub(behind).map(Tick) {
            Some(tick) if tick >= self.acked => {
                let before = std::mem::replace(&mut self.acked, tick);
                self.window.acknowledge((before, tick), self.newest_sent, now, hz);
                Ok(())
            }
            _ => Err(ErrorCode::BadAck),
        }
    }

    pub fn refuse(&mut self, code: ErrorCode) {
        let count = self.refused.map_or(0, |refused| refused.count) + 1;
        self.refused = Some(Refused { code, count });
    }

    /// Prepares for a tick's frame: a seat that changed teams starts anew, and the credit for inputs grows.
    pub fn begin_tick(&mut self, team: Option<Team>, hz: u32) {
        if std::mem::replace(&mut self.team, team) != team {
            self.restart();
        }
        // A second's worth of credit at twice the tick rate, so that a burst after a stall is not a flood.
        self.input_credit = (self.input_credit + 2).min(2 * hz);
    }

    /// Since when too much is on the way for another frame, if it is; the tick's diff does not fit the seat any more then.
    pub fn full_since(&mut self, now: Tick, hz: u32) -> Option<Tick> {
        let since = self.window.full_since(self.newest_sent, now, hz)?;
        self.in_step = false;
        Some(since)
    }

    /// Whether no frame is made yet because the last ones were not delivered.
    pub fn is_quiet(&mut self, now: Tick) -> bool {
        let is_quiet = now < self.quiet_until;
        if !is_quiet && self.in_step {
            self.misses = 0;
        }
        is_quiet
    }

    /// The tick that the seat's mirror holds once all sent frames have arrived; 0 if it holds nothing of use.
    pub fn base(&self) -> Tick {
        self.base.unwrap_or_default()
    }

    /// The newest input that the seat was told had been taken.
    pub fn told_ack(&self) -> u16 {
        self.told_ack
    }

    /// Whether nothing was held back from the seat under its budget.
    pub fn owes_nothing(&self) -> bool {
        self.meter.is_empty()
    }

    /// What was refused since the seat was last told, at most once a second.
    pub fn take_refused(&mut self, now: Tick, hz: u32) -> Option<Refused> {
        let refused = self.refused.filter(|_| now.since(self.told_refused) >= hz)?;
        self.refused = None;
        self.told_refused = now;
        Some(refused)
    }

    /// The kind and the content of the seat's next frame.
    pub fn state<'a>(
        &mut self, replicator: &'a Replicator, viewer: Viewer, now: Tick, budget: Option<usize>,
    ) -> (Kind, Cow<'a, Blocks>) {
        if self.base.is_some() && self.in_step && self.meter.is_empty() {
            let blocks = replicator.diff(viewer);
            if budget.is_none_or(|budget| blocks.len() <= budget) {
                self.meter.shared();
                return (Kind::Diff, blocks);
            }
        }
        let merged = self.base.and_then(|base| match budget {
            Some(budget) => replicator.metered(viewer, base, budget, &mut self.meter),
            None => replicator.merged(viewer, base).map(|block| [block].into()),
        });
        let (kind, blocks) = merged.map(|blocks| (Kind::Merged, blocks)).unwrap_or_else(|| {
            self.meter.settle(now);
            (Kind::Snapshot, [replicator.snapshot(viewer)].into())
        });
        (kind, Cow::Owned(blocks))
    }

    /// Notes that a frame of the tick `now` was made.
    pub fn sent(&mut self, now: Tick, ack: u16) {
        self.before = self.base;
        self.base = Some(now);
        self.in_step = true;
        self.first_sent.get_or_insert(now);
        self.newest_before = std::mem::replace(&mut self.newest_sent, now);
        self.told_ack = ack;
    }
}

/// Inputs of a seat that were refused since it was last told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Why the newest of them was.
    pub code: ErrorCode,
    /// How many.
    pub count: u32,
}
