//! A tick's blocks by cell, and which of them a seat gets.
//!
//! Every entity in the grid did one thing in a tick: it stayed in its cell (or was new or died there), or it moved from one
//! to another. What stayed is one block a cell, what moved one block a pair of cells, each in the forms that seats
//! need: a seat may have had a cell in view or not, and may have it now, near or far. Blocks are made when the first seat needs
//! them, and shared.

use std::{cell::OnceCell, sync::Arc};

use smallvec::SmallVec;

use super::{
    Interest, Replicator, Tracked, Viewer,
    encode::{sum, write_removed, write_rows},
    grid::{Cell, Class, Sight},
    interest::{Chunk, Move},
};
use crate::protocol::{Audience, Block, Blocks, SectionWriter, Tick};

/// What a seat needs of a cell in which nothing moved from or to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChunkUpdate {
    /// It has all of the tick before: differences.
    Changes,
    /// It sees the cell from afar: who came and went.
    Presence,
    /// It saw the cell from afar: what it has not been told, as values.
    Values,
    /// It did not have the cell: everything.
    Whole,
    /// It does not have the cell any more: nothing is left.
    Lost,
}

/// What a seat needs of what moved from one cell to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Go {
    Changes,
    Whole,
    Lost,
}

impl Replicator {
    /// The blocks of a seat's cells: what takes its view of the tick before to that of now.
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

    /// What the tick changed for one who sees everything that everyone may.
    pub fn public_diff(&self) -> Blocks {
        let Some(interest) = &self.interest else { return self.public_diff.clone() };
        let cells = [&interest.everywhere].into_iter().chain(interest.chunks());
        let stayed = cells.map(|chunk| self.chunk_block(interest, chunk, ChunkUpdate::Changes));
        let moved = interest.moves.values().map(|moved| self.move_block(moved, Go::Changes));
        stayed.chain(moved).chain(self.public_diff.iter()).cloned().collect()
    }

    /// All that everyone may see.
    pub fn public_snapshot(&self) -> Block {
        let all: Vec<u32> = (0..self.ids.limit() as u32).collect();
        self.block(|writer| write_rows(writer, &all, &self.tracked, |tracked, _| tracked.shadow.to == Audience::Everyone))
    }

    /// The blocks of what moved. What leaves the view and has components that do not go to everyone is added to `partly`.
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

    /// A seat's entities that left its view: gone if it has nothing else of them.
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

    /// Whether what is far in a cell is sent in this tick.
    fn is_far_due(&self, interest: &Interest, cell: Cell) -> bool {
        self.checked_at == Some(self.now) || interest.layout.is_due(cell, self.now.0)
    }

    fn chunk_block<'a>(&self, interest: &Interest, chunk: &'a Chunk, update: ChunkUpdate) -> &'a Block {
        self.once(&chunk.blocks[update as usize], |writer| self.write_chunk(writer, interest, chunk, update))
    }

    fn move_block<'a>(&self, moved: &'a Move, go: Go) -> &'a Block {
        self.once(&moved.blocks[go as usize], |writer| self.write_move(writer, moved, go))
    }

    /// A block that is made when it is first needed.
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

    /// What everyone's components of some entities changed in the tick: spawns of new ones, differences of the others.
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

    /// Whether everyone in its cell heard of an entity before this tick.
    fn was_public(&self, id: u32) -> bool {
        self.entities[id as usize].public_since.is_some_and(|since| since < self.now)
    }

    /// Whether all that there is of an entity goes to everyone.
    fn is_plain(&self, id: u32) -> bool {
        self.tracked.iter().all(|tracked| tracked.shadow.to == Audience::Everyone || !tracked.shadow.has(id))
    }

    /// The checksums of what a seat holds of what goes to everyone: the sums of its cells.
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
