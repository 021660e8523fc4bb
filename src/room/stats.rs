//! The counters of a room.

use std::collections::BTreeMap;

use crate::protocol::{ErrorCode, Kind};

/// Counters of one room since it began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoomStats {
    /// Ticks stepped.
    pub ticks: u64,
    /// Times that a connection entered a seat.
    pub entered: u64,
    /// Inputs that came in time.
    pub inputs: u64,
    /// Inputs that came after their tick.
    pub inputs_late: u64,
    /// Inputs that had come before.
    pub inputs_duplicate: u64,
    /// Inputs refused, by reason.
    pub inputs_refused: BTreeMap<ErrorCode, u64>,
    /// Messages with nothing but an acknowledgement.
    pub acks: u64,
    /// Frames made.
    pub frames: u64,
    /// Bytes in the frames.
    pub frame_bytes: u64,
    /// Encoded blocks that several seats may share.
    pub blocks: u64,
    /// Frames that were snapshots.
    pub snapshots: u64,
    /// Frames that were merged diffs.
    pub merged: u64,
    /// Frames that were not made because too much was on the way to the client.
    pub skipped: u64,
    /// Frames that did not reach their seat.
    pub missed: u64,
    /// Snapshots that clients asked for.
    pub resyncs: u64,
}

impl RoomStats {
    pub(super) fn refused(&mut self, code: ErrorCode) -> &mut u64 {
        self.inputs_refused.entry(code).or_default()
    }

    pub(super) fn frame(&mut self, kind: Kind, bytes: usize) {
        self.frames += 1;
        self.frame_bytes += bytes as u64;
        self.snapshots += u64::from(kind == Kind::Snapshot);
        self.merged += u64::from(kind == Kind::Merged);
    }
}
