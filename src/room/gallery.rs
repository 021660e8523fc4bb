//! Frames for spectators: the components for everyone, some ticks late, encoded once for all spectators.
//!
//! A mirror follows the match by the game's delay. A new spectator, or one that fell behind, gets a snapshot of this mirror. The others
//! get the same differences as the mirror.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;

use super::{Outbox, Room, outbox::Scene};
use crate::{
    protocol::{Blocks, Frame, Head, Kind, Schema, Tick},
    replication::Mirror,
};

pub(super) struct Gallery {
    mirror: Mirror,
    waiting: VecDeque<Scene>,
    newest: Tick,
}

impl Gallery {
    fn new(schema: Arc<Schema>) -> Self {
        Self { mirror: Mirror::new(schema), waiting: VecDeque::new(), newest: Tick(0) }
    }
}

impl Room {
    /// Starts to make frames for spectators, if that was not done.
    pub fn open_gallery(&mut self) {
        let schema = self.def.schema().clone();
        self.gallery.get_or_insert_with(|| Box::new(Gallery::new(schema)));
    }

    /// Stops making frames for spectators.
    pub fn close_gallery(&mut self) {
        self.gallery = None;
    }

    /// Returns the tick in which there is something for spectators, if they see the match.
    pub(super) fn next_scene(&self) -> Option<Tick> {
        let gallery = self.gallery.as_ref()?;
        match gallery.waiting.front() {
            Some(scene) => Some(Tick(scene.frame.tick().0 + self.def.spectator_delay())),
            None => (gallery.newest == Tick(0)).then_some(Tick(0)),
        }
    }

    /// Returns whether there is a state that spectators may see.
    pub fn has_gallery_snapshot(&self) -> bool {
        self.gallery.as_ref().is_some_and(|gallery| gallery.mirror.tick() > Tick(0))
    }

    /// Returns the newest state that spectators may see; `None` until the delay is over.
    pub fn gallery_snapshot(&self) -> Option<Frame> {
        let mirror = &self.gallery.as_ref()?.mirror;
        (mirror.tick() > Tick(0)).then(|| Frame::new(head(Kind::Snapshot, mirror.tick(), Tick(0)), [mirror.encode()]))
    }

    /// Takes in the tick that was just stepped, and puts scenes that are old enough into `out`. Once the match is over it puts all of them.
    pub(super) fn show(&mut self, out: &mut Outbox, events: Bytes, is_over: bool) {
        let now = self.sim.tick();
        let Some(gallery) = &mut self.gallery else { return };
        let (kind, blocks) = match gallery.newest {
            Tick(0) => (Kind::Snapshot, Blocks::from([self.replicator.public_snapshot()])),
            _ => (Kind::Diff, self.replicator.public_diff()),
        };
        let silent = blocks.is_empty() && events.is_empty() && now.since(gallery.newest) < u32::from(self.def.hz());
        if !silent {
            let frame = Frame::new(head(kind, now, gallery.newest), blocks);
            gallery.newest = now;
            gallery.waiting.push_back(Scene { frame, events });
        }
        let is_due = |scene: &mut Scene| is_over || now.since(scene.frame.tick()) >= self.def.spectator_delay();
        while let Some(scene) = gallery.waiting.pop_front_if(is_due) {
            let applied = gallery.mirror.apply(&scene.frame.to_bytes());
            debug_assert!(applied.is_ok(), "the mirror takes a frame of its own match: {applied:?}");
            out.scenes.push(scene);
        }
    }
}

fn head(kind: Kind, tick: Tick, base: Tick) -> Head {
    let base = if kind == Kind::Snapshot { Tick(0) } else { base };
    Head { kind, tick, base, ack: 0, margin: 0 }
}
