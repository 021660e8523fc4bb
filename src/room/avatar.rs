//! Keeps which entity is a seat's avatar, and tells the seat when that changes.

use crate::protocol::{Id, Kind, Tick};

/// The avatar of a seat, and the first tick in which it was this one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Avatar {
    id: Option<Id>,
    since: Tick,
}

impl Avatar {
    /// Notes the avatar at a tick.
    pub fn note(&mut self, id: Option<Id>, now: Tick) {
        if self.id != id {
            *self = Self { id, since: now };
        }
    }

    /// Returns what a frame must say, so that a mirror knows the avatar: nothing if a mirror of the frame's base knows it already. A
    /// snapshot starts from no avatar.
    pub fn news(&self, kind: Kind, base: Tick) -> Option<Option<Id>> {
        let is_news = if kind == Kind::Snapshot { self.id.is_some() } else { self.since > base };
        is_news.then_some(self.id)
    }
}
