//! One client's copy of its room's state. Every client reads the head of each frame and checks that the frame's base is the tick
//! that the client holds. A verifying client also applies the frame to a mirror, which checks the checksums.

use std::sync::Arc;
use std::time::Duration;

use rmp::decode;
use serde::Serialize;
use tickcast::protocol::{Schema, inflate};
use tickcast::replication::{Mended, Mirror};
use tokio::time::Instant;

/// A client asks for a resync again after this time: the first request may be lost, or refused as too early.
const ASK_AGAIN: Duration = Duration::from_millis(1500);

const SNAPSHOT: u8 = 0;
pub(crate) const MERGED: u8 = 2;

/// The first five elements of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: u8,
    pub(crate) tick: u32,
    pub(crate) age: u32,
    pub(crate) ack: u16,
    pub(crate) margin: i16,
}

impl Head {
    pub(crate) fn read(mut frame: &[u8]) -> Option<Self> {
        let elements = decode::read_array_len(&mut frame).ok()?;
        let head = Self {
            kind: decode::read_int(&mut frame).ok()?,
            tick: decode::read_int(&mut frame).ok()?,
            age: decode::read_int(&mut frame).ok()?,
            ack: decode::read_int(&mut frame).ok()?,
            margin: decode::read_int(&mut frame).ok()?,
        };
        (elements >= 5 && head.kind <= MERGED).then_some(head)
    }

    fn fits(&self, held: Option<u32>) -> bool {
        self.kind == SNAPSHOT || held.is_some_and(|held| self.tick.checked_sub(self.age) == Some(held))
    }
}

/// The argument of the request `resync`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Resync {
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    got: Option<u32>,
}

/// The outcome of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FrameResult {
    /// The client holds the frame's tick now.
    Held,
    /// The client holds the frame's tick, and the snapshot has mended a desync.
    Mended(Mended),
    /// The frame is a diff that came while the client waits for a snapshot.
    Ignored,
    /// The bytes are not a frame, or the mirror refuses the frame.
    BadFrame(Resync),
    /// The frame is a diff from a tick that the client does not hold.
    WrongBase(Resync),
    /// A checksum differs.
    Desync(Resync),
    /// The snapshot that the client has asked for is overdue.
    AskAgain(Resync),
}

pub(crate) struct Replica {
    held: Option<u32>,
    newest: u32,
    asked: Option<Instant>,
    /// Whether no diff fits until a snapshot comes. After a desync, diffs still fit.
    lost: bool,
    mirror: Option<Mirror>,
}

impl Replica {
    /// `newest` is the tick of the welcome. With a `schema`, every frame is decoded in full.
    pub(crate) fn new(newest: u32, schema: Option<Arc<Schema>>) -> Self {
        Self { held: None, newest, asked: None, lost: false, mirror: schema.map(Mirror::new) }
    }

    /// Returns the acknowledgement for an input: the low 16 bits of the tick held, or 0 if there is none.
    pub(crate) fn ack(&self) -> u16 {
        (self.held.unwrap_or(0) & 0xffff) as u16
    }

    /// Returns the tick that the client holds.
    pub(crate) fn held(&self) -> Option<u32> {
        self.held
    }

    /// Returns the newest tick that the server has named.
    pub(crate) fn newest(&self) -> u32 {
        self.newest
    }

    pub(crate) fn verifies(&self) -> bool {
        self.mirror.is_some()
    }

    pub(crate) fn take(&mut self, frame: &[u8], now: Instant) -> FrameResult {
        let frame = inflate(frame).unwrap_or_default();
        let Some(head) = Head::read(&frame) else {
            return FrameResult::BadFrame(self.lose(now));
        };
        self.newest = self.newest.max(head.tick);
        if head.kind == SNAPSHOT {
            (self.asked, self.lost) = (None, false);
        } else if self.asked.is_some_and(|asked| now.duration_since(asked) >= ASK_AGAIN) {
            return FrameResult::AskAgain(self.lose(now));
        } else if self.lost {
            return FrameResult::Ignored;
        }
        if !head.fits(self.held) {
            return FrameResult::WrongBase(self.lose(now));
        }
        self.apply(&frame, head.tick, now)
    }

    fn apply(&mut self, frame: &[u8], tick: u32, now: Instant) -> FrameResult {
        let applied = match self.mirror.as_mut().map(|mirror| mirror.apply(frame)) {
            None => None,
            Some(Ok(applied)) => Some(applied),
            Some(Err(_)) => return FrameResult::BadFrame(self.lose(now)),
        };
        self.held = Some(tick);
        let Some(applied) = applied else { return FrameResult::Held };
        match applied.desync {
            // Until the snapshot comes, this is the desync that was reported already.
            Some(desync) if self.asked.is_none() => {
                self.asked = Some(now);
                let component = Some(desync.component.into());
                FrameResult::Desync(Resync { component, expected: Some(desync.expected), got: Some(desync.got) })
            }
            _ => applied.mended.map_or(FrameResult::Held, FrameResult::Mended),
        }
    }

    /// Notes that the client waits for a snapshot.
    fn lose(&mut self, now: Instant) -> Resync {
        (self.asked, self.lost) = (Some(now), true);
        Resync::default()
    }
}

#[cfg(test)]
mod tests {
    use tickcast::protocol::{self, Audience, Columns, Frame, Id, Kind, Seat, SectionWriter, Tick, term};
    use tickcast::replication::Desync;

    use super::*;
    use crate::wire::{append_array, append_int};

    fn frame(kind: i64, tick: i64, age: i64) -> Vec<u8> {
        let mut frame = Vec::new();
        append_array(&mut frame, 5);
        for value in [kind, tick, age, 65535, -32] {
            append_int(&mut frame, value);
        }
        frame
    }

    #[test]
    fn the_head_is_read_in_full() {
        let head = Head { kind: 1, tick: 70_000, age: 3, ack: 65_535, margin: -32 };
        assert_eq!(Head::read(&frame(1, 70_000, 3)), Some(head));
        assert_eq!(Head::read(&frame(3, 70_000, 3)), None);
        assert_eq!(Head::read(&frame(1, -1, 3)), None);
        assert_eq!(Head::read(&frame(1, 70_000, 3)[..6]), None);
    }

    #[test]
    fn diffs_that_fit_are_followed() {
        let mut replica = Replica::new(9, None);
        assert_eq!((replica.ack(), replica.newest()), (0, 9));
        let now = Instant::now();
        assert_eq!(replica.take(&frame(0, 65_540, 0), now), FrameResult::Held);
        assert_eq!(replica.take(&frame(1, 65_541, 1), now), FrameResult::Held);
        assert_eq!(replica.take(&frame(2, 65_545, 4), now), FrameResult::Held);
        assert_eq!((replica.ack(), replica.newest()), (9, 65_545));
    }

    #[test]
    fn a_deflated_snapshot_is_a_snapshot() {
        let mut sections = SectionWriter::default();
        sections.spawn(1, &(0..2000).collect::<Vec<_>>(), &[1; 2000]);
        let head = protocol::Head { kind: Kind::Snapshot, tick: Tick(300), base: Tick(0), ack: 1, margin: 0 };
        let snapshot = Frame::new(head, [sections.finish()]).to_bytes();
        assert!(snapshot.len() < 100 && Head::read(&snapshot).is_none());
        let mut replica = Replica::new(0, None);
        let now = Instant::now();
        assert_eq!(replica.take(&snapshot, now), FrameResult::Held);
        assert_eq!(replica.take(&frame(1, 301, 1), now), FrameResult::Held);
        assert!(matches!(replica.take(&snapshot[..snapshot.len() - 1], now), FrameResult::BadFrame(_)));
    }

    #[test]
    fn a_diff_from_another_base_asks_once_and_waits_for_the_snapshot() {
        let mut replica = Replica::new(0, None);
        let now = Instant::now();
        assert_eq!(replica.take(&frame(0, 10, 0), now), FrameResult::Held);
        assert_eq!(replica.take(&frame(1, 12, 1), now), FrameResult::WrongBase(Resync::default()));
        assert_eq!(replica.take(&frame(1, 11, 1), now), FrameResult::Ignored);
        assert_eq!(replica.ack(), 10);
        assert_eq!(replica.take(&frame(1, 13, 1), now + ASK_AGAIN), FrameResult::AskAgain(Resync::default()));
        assert_eq!(replica.take(&frame(0, 14, 0), now + ASK_AGAIN), FrameResult::Held);
        assert_eq!(replica.take(&frame(1, 15, 1), now + ASK_AGAIN), FrameResult::Held);
    }

    /// A snapshot or diff of one entity with the component `Seat`, and a checksum.
    fn seat_frame(kind: i64, tick: i64, seat: i64, sum: u32) -> Vec<u8> {
        let mut frame = Vec::new();
        append_array(&mut frame, if kind == 0 { 7 } else { 6 });
        for value in [kind, tick, if kind == 0 { 0 } else { 1 }, 0, 0] {
            append_int(&mut frame, value);
        }
        if kind == 0 {
            append_array(&mut frame, 4);
            [-1, 1].into_iter().for_each(|value| append_int(&mut frame, value));
            append_array(&mut frame, 1);
            [4, seat].into_iter().for_each(|value| append_int(&mut frame, value));
        }
        append_array(&mut frame, 3);
        [-4, 0, i64::from(sum)].into_iter().for_each(|value| append_int(&mut frame, value));
        frame
    }

    #[test]
    fn a_mirror_that_differs_goes_on_with_diffs_until_the_snapshot_names_the_entity() {
        let seat = Seat::spec(Some(0), Some(Audience::Everyone));
        let schema = Schema::new("toy", 20, vec![seat.clone()], vec![], seat).unwrap();
        let mut replica = Replica::new(9, Some(Arc::new(schema)));
        let now = Instant::now();
        let (one, two) = (term(Id(4), [1]), term(Id(4), [2]));
        assert_eq!(replica.take(&seat_frame(0, 10, 1, one), now), FrameResult::Held);
        let asked = Resync { component: Some(0), expected: Some(two), got: Some(one) };
        assert_eq!(replica.take(&seat_frame(1, 11, 0, two), now), FrameResult::Desync(asked));
        assert_eq!(replica.take(&seat_frame(1, 12, 0, two), now), FrameResult::Held, "asked once");
        assert_eq!(replica.ack(), 12);
        let desync = Desync { component: 0, expected: two, got: one };
        let mended = Mended { tick: Tick(11), desync, entities: vec![Id(4)] };
        assert_eq!(replica.take(&seat_frame(0, 13, 2, two), now), FrameResult::Mended(mended));
        assert_eq!(replica.take(&seat_frame(1, 14, 0, two), now), FrameResult::Held);
    }
}
