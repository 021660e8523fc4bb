//! Encodes a tick's changes by cell, and picks the blocks for each seat.
//!
//! In a tick, every entity in the grid either stayed in its cell (or appeared or died there), or moved from one cell to another. The
//! entities that stayed make one block a cell, and those that moved one block a pair of cells. Each block comes in the forms that seats
//! need: a seat may have had a cell in view or not, and may have it now, near or far. A form is encoded when the first seat needs it, and
//! shared by all.

use std::{cell::OnceCell, sync::Arc};

use smallvec::SmallVec;

use super::{
    Interest, Replicator, Tracked, Viewer,
    encode::{sum, write_removed, write_rows},
    grid::{Cell, Class, Sight},
    interest::{Chunk, Move},
};
use crate::protocol::{Audience, Block, Blocks, SectionWriter, Tick};

/// The form of a cell's block that a seat needs, for the entities that stayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChunkUpdate {
    /// Differences: the seat holds everything of the tick before.
    Changes,
    /// New and dead entities: the seat sees the cell from afar.
    Presence,
    /// Values that the seat has not been told: it saw the cell from afar.
    Values,
    /// Everything: the seat did not see the cell before.
    Whole,
    /// Despawns: the seat does not see the cell any more.
    Lost,
}

/// The form of a block that a seat needs, for the entities that moved from one cell to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Go {
    Changes,
    Whole,
    Lost,
}

impl Replicator {
    /// Adds the blocks that take a seat's view of the tick before to its view of now.
    pub(super) fn chunks_for(&self, interest: &Interest, viewer: Viewer, blocks: &mut SmallVec<[Block; 8]>) {
        let now = interest.sight(viewer.seat, self.now);
        let then = interest.sight(viewer.seat, Tick(self.now.0.saturating_sub(1)));
        let is_still = Arc::ptr_eq(now, then);
        let mut push = |block: &Block| {
            if !block.is_empty() {
                blocks.push(block.clone());
            }
        };
        push(self.chunk_block(interest, &interest.everywhere, ChunkUpdate::Changes));
        for &(cell, class, _) in &now.cells {
            let Some(chunk) = interest.chunk(cell) else { continue };
            let was = if is_still { class } else { then.class(Some(cell)) };
            let update = match (was, class) {
                (Class::Out, _) => ChunkUpdate::Whole,
                (Class::Near, Class::Near) => ChunkUpdate::Changes,
                (Class::Far, Class::Near) => ChunkUpdate::Values,
                _ if self.is_far_due(interest, cell) => ChunkUpdate::Values,
                _ => ChunkUpdate::Presence,
            };
            push(self.chunk_block(interest, chunk, update));
        }
        let mut partly = Vec::new();
        if !is_still {
            for (cell, ..) in then.cells.iter().filter(|(cell, ..)| !now.sees(Some(*cell))) {
                let Some(chunk) = interest.chunk(*cell) else { continue };
                push(self.chunk_block(interest, chunk, ChunkUpdate::Lost));
                partly.extend(self.stayed(interest, chunk).filter(|&id| self.was_public(id) && !self.is_plain(id)));
            }
        }
        self.moves_for(interest, (then, now), &mut push, &mut partly);
        if !partly.is_empty() {
            partly.sort_unstable();
            push(&self.block(|writer| self.write_out_of_view(writer, viewer, &partly)));
        }
    }

    /// Returns the tick's changes for a viewer who sees all components for everyone.
    pub fn public_diff(&self) -> Blocks {
        let Some(interest) = &self.interest else { return self.public_diff.clone() };
        let cells = [&interest.everywhere].into_iter().chain(interest.chunks());
        let stayed = cells.map(|chunk| self.chunk_block(interest, chunk, ChunkUpdate::Changes));
        let moved = interest.moves.values().map(|moved| self.move_block(moved, Go::Changes));
        stayed.chain(moved).chain(self.public_diff.iter()).cloned().collect()
    }

    /// Returns all components for everyone.
    pub fn public_snapshot(&self) -> Block {
        let all: Vec<u32> = (0..self.ids.limit() as u32).collect();
        self.block(|writer| write_rows(writer, &all, &self.tracked, |tracked, _| tracked.shadow.to == Audience::Everyone))
    }

    /// Pushes the blocks of entities that moved. Entities that leave the view and have components for a team or an owner are added to
    /// `partly`.
    fn moves_for(
        &self, interest: &Interest, (then, now): (&Sight, &Sight), push: &mut impl FnMut(&Block), partly: &mut Vec<u32>,
    ) {
        for (&(from, to), moved) in &interest.moves {
            let go = match (then.class(from), now.class(to)) {
                (Class::Out, Class::Out) => continue,
                (Class::Near, Class::Near) => Go::Changes,
                (_, Class::Out) => Go::Lost,
                _ => Go::Whole,
            };
            if go == Go::Lost {
                partly.extend(moved.ids.iter().copied().filter(|&id| !self.is_plain(id)));
            }
            push(self.move_block(moved, go));
        }
    }

    /// Writes the entities that left a seat's view. An entity is despawned if the seat sees nothing else of it.
    pub(super) fn write_out_of_view(&self, writer: &mut SectionWriter, viewer: Viewer, ids: &[u32]) {
        let shadows = || self.tracked.iter().map(|tracked| &tracked.shadow);
        let keeps = |id: &u32| {
            let mut others = shadows().filter(|shadow| shadow.to != Audience::Everyone && shadow.has(*id));
            others.any(|shadow| viewer.sees(shadow.key(*id)))
        };
        let (kept, gone): (Vec<u32>, Vec<u32>) = ids.iter().copied().partition(keeps);
        writer.despawn(&gone);
        for shadow in shadows().filter(|shadow| shadow.to == Audience::Everyone) {
            writer.remove(shadow.id, &kept);
        }
    }

    /// Returns whether seats that see a cell from afar get its changes in this tick.
    fn is_far_due(&self, interest: &Interest, cell: Cell) -> bool {
        self.checked_at == Some(self.now) || interest.layout.is_due(cell, self.now.0)
    }

    fn chunk_block<'a>(&self, interest: &Interest, chunk: &'a Chunk, update: ChunkUpdate) -> &'a Block {
        self.once(&chunk.blocks[update as usize], |writer| self.write_chunk(writer, interest, chunk, update))
    }

    fn move_block<'a>(&self, moved: &'a Move, go: Go) -> &'a Block {
        self.once(&moved.blocks[go as usize], |writer| self.write_move(writer, moved, go))
    }

    /// Returns a block, and encodes it if this is the first time that it is needed.
    fn once<'a>(&self, place: &'a OnceCell<Block>, write: impl FnOnce(&mut SectionWriter)) -> &'a Block {
        let make = || {
            let block = self.block(write);
            self.blocks_made.set(self.blocks_made.get() + u64::from(!block.is_empty()));
            block
        };
        place.get_or_init(make)
    }

    fn write_chunk(&self, writer: &mut SectionWriter, interest: &Interest, chunk: &Chunk, update: ChunkUpdate) {
        let stayed: SmallVec<[u32; 16]> = self.stayed(interest, chunk).collect();
        if update == ChunkUpdate::Lost {
            let plain = stayed.iter().copied().filter(|&id| self.was_public(id) && self.is_plain(id));
            let mut gone: Vec<u32> = plain.chain(chunk.dead.iter().copied()).collect();
            gone.sort_unstable();
            return writer.despawn(&gone);
        }
        if update != ChunkUpdate::Whole {
            writer.despawn(&chunk.dead);
            if !chunk.removed.is_empty() {
                write_removed(writer, chunk.removed.iter().copied());
            }
        }
        let rows = |writer: &mut SectionWriter, sees: &dyn Fn(&Tracked, u32) -> bool| {
            write_rows(writer, &stayed, &self.tracked, |tracked, id| {
                tracked.shadow.to == Audience::Everyone && sees(tracked, id)
            });
        };
        let told = self.now.0.saturating_sub(interest.layout.every);
        match update {
            ChunkUpdate::Changes => self.write_changes(writer, &stayed),
            ChunkUpdate::Presence => rows(writer, &|tracked, id| tracked.shadow.is_fresh(id)),
            ChunkUpdate::Values => rows(writer, &|tracked, id| tracked.shadow.changed_at(id).0 > told),
            ChunkUpdate::Whole | ChunkUpdate::Lost => rows(writer, &|_, _| true),
        }
    }

    fn write_move(&self, writer: &mut SectionWriter, moved: &Move, go: Go) {
        if go == Go::Lost {
            let plain: Vec<u32> = moved.ids.iter().copied().filter(|&id| self.is_plain(id)).collect();
            return writer.despawn(&plain);
        }
        write_removed(writer, moved.removed.iter().copied());
        match go {
            Go::Changes => self.write_changes(writer, &moved.ids),
            _ => write_rows(writer, &moved.ids, &self.tracked, |tracked, _| tracked.shadow.to == Audience::Everyone),
        }
    }

    /// Writes the tick's changes of some entities' components for everyone: spawns of new ones, differences of the others.
    fn write_changes(&self, writer: &mut SectionWriter, ids: &[u32]) {
        let new: Vec<u32> = ids.iter().copied().filter(|&id| !self.was_public(id)).collect();
        if !new.is_empty() {
            write_rows(writer, &new, &self.tracked, |tracked, _| tracked.shadow.to == Audience::Everyone);
        }
        for Tracked { shadow, .. } in self.tracked.iter().filter(|tracked| !tracked.shadow.is_clean()) {
            if shadow.to == Audience::Everyone {
                let ids = ids.iter().copied().filter(|&id| shadow.is_dirty(id) && (new.is_empty() || self.was_public(id)));
                let ids: SmallVec<[u32; 16]> = ids.collect();
                if !ids.is_empty() {
                    writer.change(shadow.id, shadow.dirty_columns_of(&ids), &ids, |column| shadow.deltas(column));
                }
            }
        }
    }

    fn stayed<'a>(&self, interest: &'a Interest, chunk: &'a Chunk) -> impl Iterator<Item = u32> + use<'a> {
        chunk.members.iter().copied().filter(|&id| !interest.moved(id))
    }

    /// Returns whether an entity was visible to everyone in its cell before this tick.
    fn was_public(&self, id: u32) -> bool {
        self.entities[id as usize].public_since.is_some_and(|since| since < self.now)
    }

    /// Returns whether all components of an entity are for everyone.
    fn is_plain(&self, id: u32) -> bool {
        self.tracked.iter().all(|tracked| tracked.shadow.to == Audience::Everyone || !tracked.shadow.has(id))
    }

    /// Returns the checksums of the components for everyone that a seat holds: the sums of its cells.
    pub(super) fn chunk_sums(&self, interest: &Interest, viewer: Viewer) -> Vec<(u8, u32)> {
        let sums_of = |chunk: &Chunk| {
            let held =
                |chunk: &Chunk, shadow: &super::Shadow| sum(shadow, chunk.members.iter().copied().filter(|&id| shadow.has(id)));
            chunk.sums.get_or_init(|| self.sums(Audience::Everyone, |shadow| held(chunk, shadow))).clone()
        };
        let sight = interest.sight(viewer.seat, self.now);
        let chunks = sight.cells.iter().filter_map(|(cell, ..)| interest.chunk(*cell));
        let mut total = sums_of(&interest.everywhere);
        for chunk in chunks {
            let sums = sums_of(chunk);
            total.iter_mut().zip(sums).for_each(|((_, total), (_, sum))| *total = total.wrapping_add(sum));
        }
        total
    }
}
