//! Keeps which entities are in which cell, which moved, and what each seat has in view, now and in the recent past.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, HashMap, VecDeque},
    hash::BuildHasherDefault,
    sync::Arc,
};

use fixedbitset::FixedBitSet;
use serde::{Deserialize, Serialize};

use super::{
    EntityRecord, Removed, Shadow, ViewKey,
    grid::{Cell, CellHasher, GridLayout, Sight},
};
use crate::protocol::{Block, Id, Seat, Tick};

/// A match's grid, and the entities in it.
pub(super) struct Interest {
    pub layout: GridLayout,
    memory: u32,
    /// The cell of each entity, by id.
    cells: Vec<Option<Cell>>,
    /// The cells of a restored match's entities, until these are placed.
    saved: BTreeMap<u32, Cell>,
    chunks: HashMap<Cell, Chunk, BuildHasherDefault<CellHasher>>,
    /// The entities in no cell, which every seat sees.
    pub everywhere: Chunk,
    /// The entities that changed their cell in this tick, by the cells from and to which they moved.
    pub moves: BTreeMap<(Option<Cell>, Option<Cell>), Move>,
    moved: FixedBitSet,
    /// The recent changes of cells.
    log: VecDeque<Moved>,
    looks: BTreeMap<Seat, Look>,
    blind: Arc<Sight>,
}

/// The entities of one cell, and the tick's blocks for the seats that see it. A block is encoded when the first seat needs it.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// The ids, ascending.
    pub members: Vec<u32>,
    /// The entities known to everyone that died here in this tick.
    pub dead: Vec<u32>,
    /// The components that members lost in this tick.
    pub removed: Vec<(u8, u32)>,
    pub blocks: [OnceCell<Block>; 5],
    pub sums: OnceCell<Vec<(u8, u32)>>,
}

/// The entities that moved from one cell to another in this tick.
#[derive(Debug, Default)]
pub(super) struct Move {
    pub ids: Vec<u32>,
    pub removed: Vec<(u8, u32)>,
    pub blocks: [OnceCell<Block>; 3],
}

struct Moved {
    at: Tick,
    id: u32,
    from: Option<Cell>,
}

/// The recent views of a seat with the ticks from which on it had them, oldest first.
#[derive(Default)]
struct Look(VecDeque<(Tick, Arc<Sight>)>);

/// A grid's part of a saved match. Cells depend on where entities came from, and views on where seats were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedInterest {
    cells: Vec<(Id, Cell)>,
    looks: Vec<(Seat, Vec<Cell>)>,
}

impl Interest {
    pub fn new(layout: GridLayout, memory: u32) -> Self {
        Self {
            layout,
            memory,
            cells: Vec::new(),
            saved: BTreeMap::new(),
            chunks: HashMap::default(),
            everywhere: Chunk::default(),
            moves: BTreeMap::new(),
            moved: FixedBitSet::new(),
            log: VecDeque::new(),
            looks: BTreeMap::new(),
            blind: Arc::default(),
        }
    }

    pub fn save(&self) -> SavedInterest {
        let cells = self.cells.iter().zip(0..).filter_map(|(cell, id)| Some((Id(id), (*cell)?)));
        let looks = self.looks.iter().filter_map(|(seat, look)| Some((*seat, look.0.back()?.1.from.to_vec())));
        SavedInterest { cells: cells.collect(), looks: looks.collect() }
    }

    pub fn restore(&mut self, saved: SavedInterest, now: Tick) {
        self.saved = saved.cells.into_iter().map(|(id, cell)| (id.0, cell)).collect();
        for (seat, from) in saved.looks {
            let sight = Arc::new(Sight::from(&self.layout, from.into()));
            self.looks.insert(seat, Look([(now, sight)].into()));
        }
    }

    /// Forgets the changes of the last tick.
    pub fn begin(&mut self, now: Tick) {
        self.chunks.retain(|_, chunk| {
            chunk.begin();
            !chunk.members.is_empty()
        });
        self.everywhere.begin();
        self.moves.clear();
        self.moved.clear();
        while self.log.pop_front_if(|moved| now.since(moved.at) > self.memory).is_some() {}
    }

    /// Takes out an entity that is gone. `public`: everyone knew it.
    pub fn died(&mut self, id: u32, public: bool) {
        let cell = self.cells.get_mut(id as usize).and_then(Option::take);
        let chunk = self.chunk_mut(cell);
        chunk.remove(id);
        if public {
            chunk.dead.push(id);
        }
    }

    /// Puts entities that changed their position into their cells, and new entities without a position into `everywhere`.
    pub fn place(&mut self, shadow: &Shadow, known: &[EntityRecord], spawned: &[u32], removed: &[&Removed], now: Tick) {
        self.cells.resize(known.len(), None);
        self.moved.grow(known.len());
        let (x, y) = (shadow.values(self.layout.column), shadow.values(self.layout.column + 1));
        for id in shadow.dirty() {
            let at = id as usize;
            let saved = self.saved.remove(&id);
            let cell = saved.unwrap_or_else(|| self.layout.cell(x[at], y[at], self.cells[at]));
            self.put(id, Some(cell), &known[at], now);
        }
        for entry in removed.iter().filter(|entry| entry.component == shadow.id && !shadow.has(entry.id)) {
            self.put(entry.id, None, &known[entry.id as usize], now);
        }
        for &id in spawned.iter().filter(|id| self.cells[**id as usize].is_none()) {
            self.everywhere.insert(id);
        }
        self.moves.values_mut().for_each(|moved| moved.ids.sort_unstable());
        for entry in removed.iter().filter(|entry| entry.key == ViewKey::Everyone) {
            let cell = self.cells[entry.id as usize];
            let gone = (entry.component, entry.id);
            if self.moved.contains(entry.id as usize) {
                let mut moves = self.moves.values_mut();
                moves.find(|moved| moved.ids.contains(&entry.id)).into_iter().for_each(|moved| moved.removed.push(gone));
            } else {
                self.chunk_mut(cell).removed.push(gone);
            }
        }
    }

    fn put(&mut self, id: u32, cell: Option<Cell>, known: &EntityRecord, now: Tick) {
        let old = std::mem::replace(&mut self.cells[id as usize], cell);
        let was_public = known.public_since.is_some_and(|since| since < now);
        if old == cell {
            return;
        }
        self.chunk_mut(old).remove(id);
        if cell.is_some() || was_public {
            self.chunk_mut(cell).insert(id);
        }
        if was_public {
            self.moves.entry((old, cell)).or_default().ids.push(id);
            self.moved.insert(id as usize);
            self.log.push_back(Moved { at: now, id, from: old });
        }
    }

    /// Notes the cells from which each seat looks. `owned` has the seats' entities.
    pub fn look(&mut self, owned: impl Iterator<Item = (Seat, u32)>, now: Tick) {
        let mut from: Vec<(Seat, Cell)> = owned.filter_map(|(seat, id)| Some((seat, self.cell(id)?))).collect();
        from.sort_unstable();
        from.dedup();
        for group in from.chunk_by(|(a, _), (b, _)| a == b) {
            let look = self.looks.entry(group[0].0).or_default();
            let cells = group.iter().map(|(_, cell)| *cell);
            if look.0.back().is_none_or(|(_, sight)| !sight.from.iter().copied().eq(cells.clone())) {
                look.0.push_back((now, Arc::new(Sight::from(&self.layout, cells.collect()))));
            }
            while look.0.get(1).is_some_and(|(since, _)| now.since(*since) > self.memory) {
                look.0.pop_front();
            }
        }
    }

    /// Forgets the views of a seat that is free.
    pub fn forget(&mut self, seat: Seat) {
        self.looks.remove(&seat);
    }

    /// Returns the view that a seat had after a tick.
    pub fn sight(&self, seat: Seat, at: Tick) -> &Arc<Sight> {
        let look = self.looks.get(&seat).map(|look| &look.0);
        let sight = look.and_then(|look| look.iter().rev().find(|(since, _)| *since <= at));
        sight.map_or(&self.blind, |(_, sight)| sight)
    }

    /// Returns the cell of an entity.
    pub fn cell(&self, id: u32) -> Option<Cell> {
        self.cells.get(id as usize).copied().flatten()
    }

    /// Returns a cell that has entities, or had some in this tick.
    pub fn chunk(&self, cell: Cell) -> Option<&Chunk> {
        self.chunks.get(&cell)
    }

    /// Iterates, in order, over all cells that have entities, or had some in this tick.
    pub fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        let ordered: BTreeMap<Cell, &Chunk> = self.chunks.iter().map(|(cell, chunk)| (*cell, chunk)).collect();
        ordered.into_values()
    }

    /// Returns whether an entity changed its cell in this tick.
    pub fn moved(&self, id: u32) -> bool {
        self.moved.contains(id as usize)
    }

    /// Returns the cells at tick `base` of the entities that have moved since.
    pub fn were(&self, base: Tick) -> BTreeMap<u32, Option<Cell>> {
        let moved = self.log.iter().rev().take_while(|moved| moved.at > base);
        moved.map(|moved| (moved.id, moved.from)).collect()
    }

    fn chunk_mut(&mut self, cell: Option<Cell>) -> &mut Chunk {
        match cell {
            Some(cell) => self.chunks.entry(cell).or_default(),
            None => &mut self.everywhere,
        }
    }
}

impl Chunk {
    fn begin(&mut self) {
        self.dead.clear();
        self.removed.clear();
        self.blocks.iter_mut().for_each(|block| drop(block.take()));
        self.sums.take();
    }

    fn insert(&mut self, id: u32) {
        if let Err(at) = self.members.binary_search(&id) {
            self.members.insert(at, id);
        }
    }

    fn remove(&mut self, id: u32) {
        if let Ok(at) = self.members.binary_search(&id) {
            self.members.remove(at);
        }
    }
}
