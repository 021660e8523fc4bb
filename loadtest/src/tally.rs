//! Counters that all clients share. Clients only add; the run reads the difference between two moments.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;
use tickcast::protocol::Schema;
use tickcast::replication::{Desync, Mended};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// Clients that took their first seat.
    Seated,
    /// Clients that took their first seat or gave up.
    Settled,
    /// All received frames.
    Frames,
    /// Bytes of the frames themselves.
    FrameBytes,
    /// Bytes of the WebSocket frames that carried a frame.
    FrameWireBytes,
    /// Bytes of everything received, as WebSocket frames.
    ReceivedBytes,
    /// Bytes of everything sent, without WebSocket headers.
    SentBytes,
    Inputs,
    Rejoins,
    /// Merged diffs.
    Merged,
    /// Frames that a mirror decoded in full.
    Verified,
    Desyncs,
}

const COUNTS: usize = Count::Desyncs as usize + 1;

/// The longest gap that the histogram records, in microseconds. Longer gaps count as this one.
const LONGEST_GAP: u64 = 120_000_000;

/// The number of differences that are kept in full. The counts have their total.
const DIFFERENCES: usize = 20;

/// A difference that a checksum found in a client's mirror, and the entities that the mending snapshot changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    pub(crate) tick: u32,
    pub(crate) component: String,
    pub(crate) expected: u32,
    pub(crate) got: u32,
    /// The entities that the snapshot changed: the wrong ones, and those that changed in the meantime.
    pub(crate) entities: Vec<u32>,
}

impl Difference {
    pub(crate) fn new(schema: &Schema, mended: &Mended) -> Self {
        let Desync { component, expected, got } = mended.desync;
        let name = schema.component_name(component).map_or_else(|| component.to_string(), str::to_owned);
        let entities = mended.entities.iter().map(|id| id.0).collect();
        Self { tick: mended.tick.0, component: name, expected, got, entities }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tick, component, expected, got, entities } = self;
        write!(f, "tick {tick}: {component} of entities {entities:?}, checksum {got} instead of {expected}")
    }
}

pub(crate) struct Tally {
    counts: [AtomicU64; COUNTS],
    stopping: AtomicBool,
    errors: Mutex<BTreeMap<String, u64>>,
    differences: Mutex<Vec<Difference>>,
    gaps: Mutex<Histogram<u64>>,
}

/// The counts at one moment, or what was added between two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts([u64; COUNTS]);

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            counts: Default::default(),
            stopping: AtomicBool::new(false),
            errors: Mutex::default(),
            differences: Mutex::default(),
            gaps: Mutex::new(Histogram::new_with_max(LONGEST_GAP, 3).expect("the bounds are valid")),
        }
    }

    pub(crate) fn add(&self, count: Count, amount: u64) {
        self.counts[count as usize].fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts(std::array::from_fn(|i| self.counts[i].load(Ordering::Relaxed)))
    }

    /// Counts an error by its protocol code, or by a kind that this tool defines.
    pub(crate) fn error(&self, kind: &str, amount: u64) {
        let mut errors = locked(&self.errors);
        match errors.get_mut(kind) {
            Some(count) => *count += amount,
            None => drop(errors.insert(kind.to_owned(), amount)),
        }
    }

    pub(crate) fn errors(&self) -> BTreeMap<String, u64> {
        locked(&self.errors).clone()
    }

    /// Keeps what was wrong with a mirror that has been mended.
    pub(crate) fn mended(&self, difference: Difference) {
        let mut differences = locked(&self.differences);
        if differences.len() < DIFFERENCES {
            differences.push(difference);
        }
    }

    pub(crate) fn differences(&self) -> Vec<Difference> {
        locked(&self.differences).clone()
    }

    /// Records the time between two consecutive frames of one client.
    pub(crate) fn gap(&self, gap: Duration) {
        let micros = u64::try_from(gap.as_micros()).unwrap_or(u64::MAX);
        locked(&self.gaps).saturating_record(micros);
    }

    pub(crate) fn gaps(&self) -> Histogram<u64> {
        locked(&self.gaps).clone()
    }

    pub(crate) fn forget_gaps(&self) {
        locked(&self.gaps).reset();
    }

    /// Asks every client to leave.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

impl Counts {
    /// Returns the sums of two sets of counts.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }

    /// Returns the counts added since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] - earlier.0[i]))
    }
}

impl Index<Count> for Counts {
    type Output = u64;

    fn index(&self, count: Count) -> &u64 {
        &self.0[count as usize]
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no code panics while it holds one of these locks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_apart_and_subtracted() {
        let tally = Tally::new();
        tally.add(Count::Seated, 2);
        let before = tally.counts();
        tally.add(Count::Frames, 5);
        tally.add(Count::Desyncs, 1);
        let added = tally.counts().since(&before);
        assert_eq!((added[Count::Seated], added[Count::Frames], added[Count::Desyncs]), (0, 5, 1));
    }

    #[test]
    fn errors_add_up_by_kind() {
        let tally = Tally::new();
        tally.error("room_full", 1);
        tally.error("bad_input", 3);
        tally.error("room_full", 2);
        let errors: Vec<_> = tally.errors().into_iter().collect();
        assert_eq!(errors, [("bad_input".to_owned(), 3), ("room_full".to_owned(), 3)]);
    }
}
