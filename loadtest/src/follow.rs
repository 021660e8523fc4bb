//! What one client holds of its room. Every client reads the head of each frame and sees that it fits the tick it holds;
//! a verifying one also applies it to a mirror, which checks the checksums.

use std::sync::Arc;
use std::time::Duration;

use rmp::decode;
use serde::Serialize;
use tickcast::protocol::{Schema, inflate};
use tickcast::replication::Mirror;
use tokio::time::Instant;

/// A lost resync, or one refused because it came too early, is asked for again after this time.
const ASK_AGAIN: Duration = Duration::from_millis(1500);

const SNAPSHOT: u8 = 0;
const MERGED: u8 = 2;

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

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The client holds the frame's tick now.
    Held,
    /// A diff that came while the client waits for its snapshot.
    Ignored,
    /// Not a frame, or one that its mirror refuses.
    BadFrame(Resync),
    /// A diff from a tick that the client does not hold.
    WrongBase(Resync),
    /// A checksum differs.
    Desync(Resync),
    /// The snapshot asked for has not come for long.
    AskAgain(Resync),
}

pub(crate) struct Follower {
    held: Option<u32>,
    newest: u32,
    asked: Option<Instant>,
    mirror: Option<Mirror>,
}

impl Follower {
    /// `newest` is the tick that the welcome named; with a `schema` every frame is decoded in full.
    pub(crate) fn new(newest: u32, schema: Option<Arc<Schema>>) -> Self {
        Self { held: None, newest, asked: None, mirror: schema.map(Mirror::new) }
    }

    /// The low 16 bits of the tick held, 0 if none: what an input acknowledges.
    pub(crate) fn ack(&self) -> u16 {
        (self.held.unwrap_or(0) & 0xffff) as u16
    }

    /// The newest tick heard of.
    pub(crate) fn newest(&self) -> u32 {
        self.newest
    }

    pub(crate) fn verifies(&self) -> bool {
        self.mirror.is_some()
    }

    pub(crate) fn take(&mut self, frame: &[u8], now: Instant) -> Taken {
        let frame = inflate(frame).unwrap_or_default();
        let Some(head) = Head::read(&frame) else {
            return Taken::BadFrame(self.ask(Resync::default(), now));
        };
        self.newest = self.newest.max(head.tick);
        if let Some(asked) = self.asked
            && head.kind != SNAPSHOT
        {
            return if now.duration_since(asked) < ASK_AGAIN {
                Taken::Ignored
            } else {
                Taken::AskAgain(self.ask(Resync::default(), now))
            };
        }
        if !head.fits(self.held) {
            return Taken::WrongBase(self.ask(Resync::default(), now));
        }
        self.asked = None;
        self.apply(&frame, head.tick, now)
    }

    fn apply(&mut self, frame: &[u8], tick: u32, now: Instant) -> Taken {
        let desync = match self.mirror.as_mut().map(|mirror| mirror.apply(frame)) {
            None => None,
            Some(Ok(applied)) => applied.desync,
            Some(Err(_)) => return Taken::BadFrame(self.ask(Resync::default(), now)),
        };
        self.held = Some(tick);
        match desync {
            None => Taken::Held,
            Some(desync) => {
                let resync =
                    Resync { component: Some(desync.component.into()), expected: Some(desync.expected), got: Some(desync.got) };
                Taken::Desync(self.ask(resync, now))
            }
        }
    }

    fn ask(&mut self, resync: Resync, now: Instant) -> Resync {
        self.asked = Some(now);
        resync
    }
}

#[cfg(test)]
mod tests {
    use tickcast::protocol::{self, Frame, Kind, SectionWriter, Tick};

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
        let mut follower = Follower::new(9, None);
        assert_eq!((follower.ack(), follower.newest()), (0, 9));
        let now = Instant::now();
        assert_eq!(follower.take(&frame(0, 65_540, 0), now), Taken::Held);
        assert_eq!(follower.take(&frame(1, 65_541, 1), now), Taken::Held);
        assert_eq!(follower.take(&frame(2, 65_545, 4), now), Taken::Held);
        assert_eq!((follower.ack(), follower.newest()), (9, 65_545));
    }

    #[test]
    fn a_deflated_snapshot_is_a_snapshot() {
        let mut sections = SectionWriter::default();
        sections.spawn(1, &(0..2000).collect::<Vec<_>>(), &[1; 2000]);
        let head = protocol::Head { kind: Kind::Snapshot, tick: Tick(300), base: Tick(0), ack: 1, margin: 0 };
        let snapshot = Frame::new(head, [sections.finish()]).to_bytes();
        assert!(snapshot.len() < 100 && Head::read(&snapshot).is_none());
        let mut follower = Follower::new(0, None);
        let now = Instant::now();
        assert_eq!(follower.take(&snapshot, now), Taken::Held);
        assert_eq!(follower.take(&frame(1, 301, 1), now), Taken::Held);
        assert!(matches!(follower.take(&snapshot[..snapshot.len() - 1], now), Taken::BadFrame(_)));
    }

    #[test]
    fn a_diff_from_another_base_asks_once_and_waits_for_the_snapshot() {
        let mut follower = Follower::new(0, None);
        let now = Instant::now();
        assert_eq!(follower.take(&frame(0, 10, 0), now), Taken::Held);
        assert_eq!(follower.take(&frame(1, 12, 1), now), Taken::WrongBase(Resync::default()));
        assert_eq!(follower.take(&frame(1, 11, 1), now), Taken::Ignored);
        assert_eq!(follower.ack(), 10);
        assert_eq!(follower.take(&frame(1, 13, 1), now + ASK_AGAIN), Taken::AskAgain(Resync::default()));
        assert_eq!(follower.take(&frame(0, 14, 0), now + ASK_AGAIN), Taken::Held);
        assert_eq!(follower.take(&frame(1, 15, 1), now + ASK_AGAIN), Taken::Held);
    }
}
