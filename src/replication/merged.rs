//! Frames for one viewer alone: everything that it sees, or the changes since a tick that it holds.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    EntityRecord, Eye, Replicator, Tracked, ViewKey, Viewer,
    encode::{write_removed, write_rows},
    grid::{Cell, Class, Sight},
};
use crate::protocol::{Audience, Block, SectionWriter, Tick};

/// The state that a seat held at an earlier tick, as far as it differs from now.
pub(super) struct Past<'a> {
    pub base: Tick,
    eye: Eye<'a>,
    /// The view at that tick, and the cells at that tick of the entities that have moved since.
    then: Option<&'a Sight>,
    were: BTreeMap<u32, Option<Cell>>,
    /// The most ticks by which the seat's values of far entities were behind.
    lag: u32,
}

/// How a seat sees the components for everyone of an entity, and what it holds of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stance {
    /// Whether the seat sees them now, and in which ring.
    pub seen: bool,
    pub ring: u8,
    /// The tick as of which the seat holds them; `None` if it does not.
    pub held: Option<Tick>,
}

impl Stance {
    /// Returns whether the entity comes into the seat's view.
    pub fn is_new(&self) -> bool {
        self.seen && self.held.is_none()
    }
}

impl Past<'_> {
    /// Returns the class in which the seat saw an entity that is, or died, in `cell`.
    fn class(&self, id: u32, cell: Option<Cell>) -> Class {
        self.then.map_or(Class::Near, |then| then.class(self.were.get(&id).copied().unwrap_or(cell)))
    }

    /// Returns how the seat sees an entity now, and saw it then.
    pub fn stance(&self, id: u32, known: &EntityRecord) -> Stance {
        let (cell, class, ring) = self.eye.interest.map_or((None, Class::Near, 0), |(interest, sight)| {
            let cell = interest.cell(id);
            let (class, ring) = sight.look(cell);
            (cell, class, ring)
        });
        let held = match known.public_since {
            Some(since) if since <= self.base => match self.class(id, cell) {
                Class::Near => Some(self.base),
                Class::Far => Some(Tick(self.base.0.saturating_sub(self.lag))),
                Class::Out => None,
            },
            _ => None,
        };
        Stance { seen: known.public_since.is_some() && class != Class::Out, ring, held }
    }
}

impl Replicator {
    /// Encodes everything that a seat sees.
    pub fn snapshot(&self, viewer: Viewer) -> Block {
        let eye = self.eye(viewer);
        let mut writer = SectionWriter::new(self.packed);
        write_rows(&mut writer, &self.in_view(eye), &self.tracked, |tracked, id| eye.sees(tracked.shadow.key(id), id));
        writer.finish()
    }

    /// Encodes the changes for a seat since it held `base`, as values. `None` if that is too long ago to be remembered.
    pub fn merged(&self, viewer: Viewer, base: Tick) -> Option<Block> {
        let past = self.past(viewer, base, true)?;
        let mut writer = SectionWriter::new(self.packed);
        self.write_gone(&mut writer, &past);
        let (new, old): (Vec<_>, Vec<_>) = self.stances(&past).into_iter().partition(|(_, stance)| stance.is_new());
        let new: Vec<u32> = new.into_iter().map(|(id, _)| id).collect();
        write_rows(&mut writer, &new, &self.tracked, |tracked, id| past.eye.sees(tracked.shadow.key(id), id));
        self.write_changed(&mut writer, &past, &old);
        Some(writer.finish())
    }

    /// Returns what a seat held at `base`; `None` if that is too long ago. `late`: its values of far entities were as old as they may be.
    pub(super) fn past(&self, viewer: Viewer, base: Tick, late: bool) -> Option<Past<'_>> {
        if self.now.since(base) > self.memory {
            return None;
        }
        let eye = self.eye(viewer);
        let grid = eye.interest.map(|(interest, _)| interest);
        let then = grid.map(|interest| &**interest.sight(viewer.seat, base));
        let were = grid.map_or_else(BTreeMap::new, |interest| interest.were(base));
        let lag = grid.filter(|_| late).map_or(0, |interest| interest.layout.every);
        Some(Past { base, eye, then, were, lag })
    }

    /// Returns the entities of which a seat may see a component, ascending, and how it sees them.
    pub(super) fn stances(&self, past: &Past<'_>) -> Vec<(u32, Stance)> {
        let ids = self.in_view(past.eye).into_iter();
        ids.map(|id| (id, past.stance(id, &self.entities[id as usize]))).collect()
    }

    /// Returns the entities of which a seat may see a component, ascending.
    fn in_view(&self, eye: Eye<'_>) -> Vec<u32> {
        let Some((interest, sight)) = eye.interest else { return (0..self.entities.len() as u32).collect() };
        let mut ids = interest.everywhere.members.clone();
        let chunks = sight.cells.iter().filter_map(|(cell, ..)| interest.chunk(*cell));
        chunks.for_each(|chunk| ids.extend(&chunk.members));
        for Tracked { shadow, .. } in self.tracked.iter().filter(|tracked| tracked.shadow.to != Audience::Everyone) {
            ids.extend(shadow.present().filter(|&id| eye.viewer.sees(shadow.key(id))));
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Writes the entities and components that are gone for the seat, or out of its view.
    pub(super) fn write_gone(&self, writer: &mut SectionWriter, past: &Past<'_>) {
        let (viewer, base) = (past.eye.viewer, past.base);
        let gone = self.despawned.iter().rev().take_while(|entry| entry.at > base);
        let gone = gone.filter(|entry| {
            let held = entry.public_since.is_some_and(|since| since <= base) && past.class(entry.id, entry.cell) != Class::Out;
            held || entry.told.iter().any(|&key| viewer.sees(key))
        });
        let gone: BTreeSet<u32> = gone.map(|entry| entry.id).collect();
        writer.despawn(&gone.into_iter().collect::<Vec<_>>());
        self.write_out_of_view(writer, viewer, &self.left(past));
        let removed = self.removed.iter().rev().take_while(|entry| entry.at > base);
        let removed =
            removed.filter(|entry| past.eye.sees(entry.key, entry.id) && !self.holds(past.eye, entry.component, entry.id));
        write_removed(writer, removed.map(|entry| (entry.component, entry.id)));
    }

    /// Returns the living entities that were in the seat's view and have left it, ascending.
    fn left(&self, past: &Past<'_>) -> Vec<u32> {
        let (Some((interest, now)), Some(then)) = (past.eye.interest, past.then) else { return Vec::new() };
        let lost = then.cells.iter().filter(|(cell, ..)| !now.sees(Some(*cell)));
        let lost = lost.filter_map(|(cell, ..)| interest.chunk(*cell)).flat_map(|chunk| &chunk.members);
        let moved = past.were.keys().filter(|id| !past.eye.sees(ViewKey::Everyone, **id));
        let left: BTreeSet<u32> = lost.chain(moved).copied().collect();
        left.into_iter().filter(|&id| past.stance(id, &self.entities[id as usize]).held.is_some()).collect()
    }

    /// Writes the values that changed since the seat was told of them: components for everyone of the entities that it holds, and
    /// components for teams and owners.
    pub(super) fn write_changed(&self, writer: &mut SectionWriter, past: &Past<'_>, entities: &[(u32, Stance)]) {
        let viewer = past.eye.viewer;
        for Tracked { shadow, .. } in &self.tracked {
            let is_sent = |(id, stance): &(u32, Stance)| {
                let told = match shadow.to {
                    Audience::Everyone => stance.held.filter(|_| stance.seen),
                    _ => viewer.sees(shadow.key(*id)).then_some(past.base),
                };
                told.is_some_and(|told| shadow.has(*id) && shadow.changed_at(*id) > told)
            };
            let ids: Vec<u32> = entities.iter().filter(|entity| is_sent(entity)).map(|(id, _)| *id).collect();
            if !ids.is_empty() {
                writer.change(shadow.id, shadow.all_columns(), &ids, |column| shadow.values(column));
            }
        }
    }

    fn holds(&self, eye: Eye<'_>, component: u8, id: u32) -> bool {
        let tracked = self.tracked.iter().find(|tracked| tracked.shadow.id == component);
        tracked.is_some_and(|tracked| tracked.shadow.has(id) && eye.sees(tracked.shadow.key(id), id))
    }
}
