//! The client's side: a mirror of what one seat sees, kept up to date by frames.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use thiserror::Error;

use crate::protocol::{Block, FrameError, Head, Id, Kind, Schema, Section, SectionWriter, Tick, decode_frame, term};

/// A client's copy of the state of a match, as one seat sees it.
#[derive(Debug, Clone)]
pub struct Mirror {
    schema: Arc<Schema>,
    tick: Tick,
    entities: Entities,
    avatar: Option<Id>,
    /// The difference that a checksum found, until a snapshot mends it.
    differs: Option<(Tick, Desync)>,
}

type Entities = BTreeMap<Id, Components>;

/// The columns of an entity's components, by wire id.
type Components = BTreeMap<u8, Box<[i64]>>;

/// The result of applying a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The kind of the frame.
    pub kind: Kind,
    /// The tick whose state the mirror holds now.
    pub tick: Tick,
    /// The low 16 bits of the number of the newest input taken.
    pub ack: u16,
    /// The ticks by which that input came before its own tick.
    pub margin: i8,
    /// The first component whose checksum differs.
    pub desync: Option<Desync>,
    /// The difference that this snapshot mended, if a checksum had found one.
    pub mended: Option<Mended>,
}

/// A component whose checksum differs from the server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Desync {
    /// The component's wire id.
    pub component: u8,
    /// The checksum that the server sent.
    pub expected: u32,
    /// The checksum of the mirror.
    pub got: u32,
}

/// A difference that a checksum found, with the entities that the next snapshot changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// The tick whose checksum differed.
    pub tick: Tick,
    /// The component and its checksums.
    pub desync: Desync,
    /// The entities whose component the snapshot changed, added or removed, by ascending id. They include entities that changed
    /// between the checksum and the snapshot, because a sum does not say which entities are wrong.
    pub entities: Vec<Id>,
}

/// The reason why a frame was not applied. The mirror is unchanged, and a snapshot brings it up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// The bytes are not a frame of the schema.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The frame starts from a tick that the mirror does not hold.
    #[error("the frame starts from tick {base}, but the mirror holds tick {held}")]
    WrongBase {
        /// The tick that the mirror holds.
        held: Tick,
        /// The tick that the frame starts from.
        base: Tick,
    },
}

impl Mirror {
    /// Makes an empty mirror.
    pub fn new(schema: Arc<Schema>) -> Self {
        Self { schema, tick: Tick(0), entities: BTreeMap::new(), avatar: None, differs: None }
    }

    /// Returns the tick whose state the mirror holds; 0 before the first snapshot.
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// Iterates over the entities and the columns of their components, by id and wire id.
    pub fn entities(&self) -> impl Iterator<Item = (Id, &BTreeMap<u8, Box<[i64]>>)> {
        self.entities.iter().map(|(id, components)| (*id, components))
    }

    /// Returns the avatar of the seat: the entity to which its inputs go.
    pub fn avatar(&self) -> Option<Id> {
        self.avatar
    }

    /// Returns the columns of one component of an entity.
    pub fn get(&self, id: Id, component: u8) -> Option<&[i64]> {
        self.entities.get(&id)?.get(&component).map(|columns| &**columns)
    }

    /// Encodes everything that the mirror holds as a snapshot.
    pub fn encode(&self) -> Block {
        let mut groups: BTreeMap<u64, (Vec<u32>, Vec<i64>)> = BTreeMap::new();
        for (id, components) in &self.entities {
            let mask = components.keys().fold(0, |mask, component| mask | 1 << component);
            let (ids, values) = groups.entry(mask).or_default();
            ids.push(id.0);
            components.values().for_each(|columns| values.extend_from_slice(columns));
        }
        groups.remove(&0);
        let mut writer = SectionWriter::new(self.schema.packed);
        groups.into_iter().for_each(|(mask, (ids, values))| writer.spawn(mask, &ids, &values));
        writer.finish()
    }

    /// Breaks one column of an entity, for tests of the checksums.
    #[doc(hidden)]
    pub fn corrupt(&mut self, id: Id, component: u8, column: usize, by: i64) {
        if let Some(columns) = self.entities.get_mut(&id).and_then(|components| components.get_mut(&component)) {
            columns[column] += by;
        }
    }

    /// Applies a frame, whole or not at all.
    ///
    /// # Errors
    /// The bytes are not a frame, or the frame does not fit the tick that the mirror holds.
    pub fn apply(&mut self, frame: &[u8]) -> Result<Applied, MirrorError> {
        let (head, sections) = decode_frame(&self.schema, frame)?;
        let mut before = None;
        if head.kind == Kind::Snapshot {
            before = Some(std::mem::take(&mut self.entities));
            self.avatar = None;
        } else if head.base != self.tick || self.tick == Tick(0) {
            return Err(MirrorError::WrongBase { held: self.tick, base: head.base });
        }
        self.tick = head.tick;
        let mut desync = None;
        for section in sections {
            match section {
                Section::Despawn { ids } => ids.into_iter().for_each(|id| drop(self.entities.remove(&Id(id)))),
                Section::Remove { component, ids } => {
                    for id in ids {
                        self.entities.get_mut(&Id(id)).map(|components| components.remove(&component));
                    }
                }
                Section::Spawn { components, ids, values } => self.spawn(&components, &ids, &values),
                Section::Change { component, columns, ids, values } => {
                    self.change(&head, component, &columns, &ids, &values);
                }
                Section::Avatar { id } => self.avatar = id,
                Section::Checksums { sums } => desync = desync.or(self.check(&sums)),
            }
        }
        let mended = before.and_then(|before| self.mend(&before));
        self.differs = self.differs.or(desync.map(|desync| (head.tick, desync)));
        Ok(Applied { kind: head.kind, tick: head.tick, ack: head.ack, margin: head.margin, desync, mended })
    }

    /// Compares a snapshot with what was held `before`. Returns what it mended, if a checksum had differed.
    fn mend(&mut self, before: &Entities) -> Option<Mended> {
        let (tick, desync) = self.differs.take()?;
        let row = |id: Id| before.get(&id).and_then(|held| held.get(&desync.component)).map(|columns| &**columns);
        let ids: BTreeSet<Id> = before.keys().chain(self.entities.keys()).copied().collect();
        let entities = ids.into_iter().filter(|id| row(*id) != self.get(*id, desync.component)).collect();
        Some(Mended { tick, desync, entities })
    }

    fn spawn(&mut self, components: &[u8], ids: &[u32], mut values: &[i64]) {
        for &id in ids {
            let entity = self.entities.entry(Id(id)).or_default();
            for &component in components {
                let width = self.schema.component(component).map_or(0, <[_]>::len);
                let (columns, rest) = values.split_at(width);
                entity.insert(component, columns.into());
                values = rest;
            }
        }
    }

    fn change(&mut self, head: &Head, component: u8, columns: &[usize], ids: &[u32], values: &[i64]) {
        let Some(specs) = self.schema.component(component) else { return };
        for (at, &id) in ids.iter().enumerate() {
            let entity = self.entities.entry(Id(id)).or_default();
            let held = entity.entry(component).or_insert_with(|| vec![0; specs.len()].into());
            for (nth, &column) in columns.iter().enumerate() {
                let value = values[nth * ids.len() + at];
                held[column] = if head.kind == Kind::Diff { specs[column].sum(held[column], value) } else { value };
            }
        }
    }

    fn check(&self, sums: &[(u8, u32)]) -> Option<Desync> {
        let got = |component: u8| {
            let held = self.entities.iter().filter_map(|(id, components)| Some((*id, components.get(&component)?)));
            held.fold(0u32, |sum, (id, columns)| sum.wrapping_add(term(id, columns.iter().copied())))
        };
        let compared = sums.iter().map(|&(component, expected)| Desync { component, expected, got: got(component) });
        compared.into_iter().find(|desync| desync.expected != desync.got)
    }
}
