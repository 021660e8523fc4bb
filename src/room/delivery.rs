//! Keeps what each seat has been sent, and the base of its next frame. A seat's baseline is one integer.

use std::borrow::Cow;

use super::window::Window;
use crate::{
    protocol::{Blocks, ErrorCode, Kind, Tick, ticks},
    replication::{Meter, Replicator, Viewer},
    sim::{EIGHTHS, Team},
};

/// The inputs that a client may send before its first tick. A busy machine may read several late inputs at once.
const FIRST_CREDIT: u32 = 32;

/// The commands of a seat, and their bytes: in a second, and at once after a pause.
const COMMANDS_A_SECOND: u32 = 20;
const COMMAND_BURST: u32 = 40;
const COMMAND_BYTES_A_SECOND: u32 = 16 * 1024;
const COMMAND_BURST_BYTES: u32 = 64 * 1024;

/// How much older than the acknowledged tick the picture of a client may be: what a connection needs whose frames come up to 50 ms
/// earlier or later than usual. At low tick rates it is some ticks.
const DRAWN_BEFORE_SECONDS: f32 = 0.15;
const DRAWN_BEFORE_TICKS: u32 = 3;

/// How much newer it may be: a client lets what moves evenly go on for so long, while no frame comes.
const DRAWN_BEYOND_SECONDS: f32 = 0.25;

/// The state of one seat's connection: what it was sent, and what it acknowledged.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// The tick that the seat's mirror holds once all sent frames have arrived. `None`: the mirror is of no use.
    base: Option<Tick>,
    /// `base` before the newest frame.
    before: Option<Tick>,
    /// Whether the seat has had everything since `base`, so that the tick's shared diff fits.
    in_step: bool,
    /// The first tick that was ever sent to this seat.
    pub first_sent: Option<Tick>,
    /// The newest tick that was sent.
    pub newest_sent: Tick,
    /// `newest_sent` before the newest frame.
    newest_before: Tick,
    acked: Tick,
    window: Window,
    told_ack: u16,
    /// The number of frames in a row that were not delivered.
    misses: u32,
    /// No frame is made before this tick.
    quiet_until: Tick,
    team: Option<Team>,
    /// The inputs that may still come before they count as a flood.
    input_credit: u32,
    commands: CommandCredit,
    refused: Option<Refused>,
    told_refused: Tick,
    /// The entities that the seat is owed under a byte budget.
    meter: Meter,
}

impl Delivery {
    /// Starts a connection whose mirror holds the tick `held`. Returns whether that mirror is of use: the tick was sent to this seat, at
    /// most `memory` ticks ago.
    pub fn resume(&mut self, held: Option<Tick>, now: Tick, memory: u32) -> bool {
        let sent = |held: Tick| self.first_sent.is_some_and(|first| first <= held) && held <= self.newest_sent;
        let base = held.filter(|&held| sent(held) && now.since(held) < memory);
        let base = base.filter(|&held| self.meter.resume(held));
        let newest_sent = base.unwrap_or_default();
        let Self { first_sent, team, commands, .. } = *self;
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
            commands,
            ..Self::default()
        };
        base.is_some()
    }

    /// Makes the next frame a snapshot.
    pub fn restart(&mut self) {
        self.base = None;
        self.in_step = false;
        self.window.forget(self.newest_sent);
    }

    /// Notes that the newest frame was not delivered. The next try waits, longer each time, up to half a second, because a merged diff
    /// that nobody reads is made for nothing.
    pub fn missed(&mut self, now: Tick, hz: u32) {
        self.base = self.before;
        self.newest_sent = self.newest_before;
        self.in_step = false;
        self.meter.missed();
        self.misses += 1;
        self.quiet_until = Tick(now.0 + (1 << self.misses.min(6)).min(hz / 2));
    }

    /// Takes one input from the credit. Returns false if there is none.
    pub fn spend_input(&mut self) -> bool {
        let has = self.input_credit > 0;
        self.input_credit = self.input_credit.saturating_sub(1);
        has
    }

    /// Takes a command of so many bytes from the credit. Returns false if there is too little.
    pub fn spend_command(&mut self, bytes: usize, hz: u32) -> bool {
        self.commands.spend(bytes, hz)
    }

    /// Notes an acknowledged tick. `ack` has its low 16 bits; 0 says nothing.
    ///
    /// # Errors
    /// The tick was never sent, or is older than one acknowledged before.
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

    /// Bounds how far behind `tick` a client says that it drew the others, in eighths of a tick: by what it can have drawn of the tick that
    /// it acknowledged last. Returns 0, which says nothing, for a client that acknowledges nothing.
    pub fn bound_behind(&self, tick: Tick, behind: u16, hz: u32) -> u16 {
        if self.acked == Tick(0) {
            return 0;
        }
        let eighths = |tick: Tick| i64::from(tick.0) * i64::from(EIGHTHS);
        let (held, own) = (eighths(self.acked), eighths(tick));
        let oldest = held - eighths(Tick(ticks(DRAWN_BEFORE_SECONDS, hz as u16).max(DRAWN_BEFORE_TICKS)));
        let newest = held + eighths(Tick(ticks(DRAWN_BEYOND_SECONDS, hz as u16)));
        let drawn = (own - i64::from(behind)).clamp(oldest, newest);
        (own - drawn).clamp(0, u16::MAX.into()) as u16
    }

    pub fn refuse(&mut self, code: ErrorCode) {
        let count = self.refused.map_or(0, |refused| refused.count) + 1;
        self.refused = Some(Refused { code, count });
    }

    /// Prepares for a tick's frame: a seat that changed its team gets a snapshot, and the credit for inputs grows.
    pub fn begin_tick(&mut self, team: Option<Team>, hz: u32) {
        if std::mem::replace(&mut self.team, team) != team {
            self.restart();
        }
        self.allow_inputs(1, hz);
    }

    /// Adds the credit for inputs and commands of some ticks that were due.
    ///
    /// It holds a second of inputs at twice the tick rate, so that a burst after a stall is not a flood.
    pub fn allow_inputs(&mut self, ticks: u32, hz: u32) {
        self.input_credit = ticks.saturating_mul(2).saturating_add(self.input_credit).min(2 * hz);
        self.commands.allow(ticks);
    }

    /// Lets time pass in which no frame is made: to a tick, by a number of ticks.
    pub fn skip(&mut self, ticks: u32, hz: u32) {
        self.window.skip(ticks);
        self.allow_inputs(ticks, hz);
    }

    /// Returns the tick in which the seat needs a frame or a message, also if nothing changes; `None` if it has everything.
    pub fn next_needed(&self, now: Tick, hz: u32) -> Option<Tick> {
        let has_state = self.base.is_some() && self.in_step && self.meter.is_empty();
        let state = (!has_state).then(|| self.quiet_until.max(Tick(now.0 + 1)));
        let refused = self.refused.map(|_| Tick(self.told_refused.0 + hz));
        state.into_iter().chain(refused).min()
    }

    /// Returns since when too much is on the way for another frame, if it is. The tick's shared diff does not fit the seat then.
    pub fn full_since(&mut self, now: Tick, hz: u32) -> Option<Tick> {
        let since = self.window.full_since(self.newest_sent, now, hz)?;
        self.in_step = false;
        Some(since)
    }

    /// Returns whether the seat waits after frames that were not delivered.
    pub fn is_quiet(&mut self, now: Tick) -> bool {
        let is_quiet = now < self.quiet_until;
        if !is_quiet && self.in_step {
            self.misses = 0;
        }
        is_quiet
    }

    /// Returns the tick that the seat's mirror holds once all sent frames have arrived; 0 if the mirror is of no use.
    pub fn base(&self) -> Tick {
        self.base.unwrap_or_default()
    }

    /// Returns the newest input of which the seat was told that it was taken.
    pub fn told_ack(&self) -> u16 {
        self.told_ack
    }

    /// Returns whether nothing is owed to the seat under its budget.
    pub fn owes_nothing(&self) -> bool {
        self.meter.is_empty()
    }

    /// Takes the refused inputs since the seat was last told, at most once a second.
    pub fn take_refused(&mut self, now: Tick, hz: u32) -> Option<Refused> {
        let refused = self.refused.filter(|_| now.since(self.told_refused) >= hz)?;
        self.refused = None;
        self.told_refused = now;
        Some(refused)
    }

    /// Returns the kind and the content of the seat's next frame.
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

/// The commands that a seat may still send. It is what was spent, and not what is left, so that a new connection of the seat has all of it.
#[derive(Debug, Clone, Copy, Default)]
struct CommandCredit {
    /// The commands spent, in parts of one that come back in a tick.
    spent: u32,
    /// The bytes spent, likewise.
    spent_bytes: u32,
}

impl CommandCredit {
    fn spend(&mut self, bytes: usize, hz: u32) -> bool {
        let Ok(bytes) = u32::try_from(bytes) else { return false };
        let (spent, spent_bytes) = (self.spent.saturating_add(hz), self.spent_bytes.saturating_add(bytes.saturating_mul(hz)));
        if spent > COMMAND_BURST * hz || spent_bytes > COMMAND_BURST_BYTES * hz {
            return false;
        }
        (self.spent, self.spent_bytes) = (spent, spent_bytes);
        true
    }

    fn allow(&mut self, ticks: u32) {
        self.spent = self.spent.saturating_sub(ticks.saturating_mul(COMMANDS_A_SECOND));
        self.spent_bytes = self.spent_bytes.saturating_sub(ticks.saturating_mul(COMMAND_BYTES_A_SECOND));
    }
}

/// The inputs of a seat that were refused since it was last told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The reason for the newest of them.
    pub code: ErrorCode,
    /// The number of them.
    pub count: u32,
}
