//! From shadow columns to sections: a tick's changes once for each audience, and whole states or merged changes for one
//! viewer.

use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use super::{Blocks, Key, Replicator, Table, Viewer};
use crate::protocol::{Audience, Block, Id, SectionWriter, Tick, term};

impl Replicator {
    /// Encodes the changes of the tick just collected for each audience that there is.
    pub(super) fn encode_diffs(&mut self, gone: &[(u32, SmallVec<[Key; 2]>)]) {
        self.diffs.clear();
        self.public_diff = Block::default();
        let mut keys: BTreeSet<Key> = gone.iter().flat_map(|(_, told)| told.iter().copied()).collect();
        keys.extend(self.removed.iter().rev().take_while(|entry| entry.at == self.now).map(|entry| entry.key));
        for table in self.tables.iter().filter(|table| !table.shadow.is_clean()) {
            match table.shadow.to {
                Audience::Everyone => keys.extend([Key::Everyone]),
                _ => keys.extend(table.shadow.dirty().map(|id| table.shadow.key(id))),
            }
        }
        keys.remove(&Key::Nobody);
        let mut writer = std::mem::take(&mut self.writer);
        for key in keys {
            self.encode_diff(&mut writer, key, gone);
            let block = writer.finish();
            if key == Key::Everyone {
                self.public_diff = block;
            } else if !block.is_empty() {
                self.diffs.insert(key, block);
            }
        }
        self.writer = writer;
    }

    fn encode_diff(&self, writer: &mut SectionWriter, key: Key, gone: &[(u32, SmallVec<[Key; 2]>)]) {
        let gone: Vec<u32> = gone.iter().filter(|(_, told)| told.contains(&key)).map(|(id, _)| *id).collect();
        writer.despawn(&gone);
        let removed = self.removed.iter().rev().take_while(|entry| entry.at == self.now).filter(|entry| entry.key == key);
        write_removed(writer, removed.map(|entry| (entry.component, entry.id)));
        let spawned: &[u32] = if key == Key::Everyone { &self.spawned_now } else { &[] };
        write_rows(writer, spawned, &self.tables, |table, _| table.shadow.to == Audience::Everyone);
        for Table { shadow, .. } in self.tables.iter().filter(|table| !table.shadow.is_clean()) {
            let ids: Vec<u32> = match (shadow.to, key) {
                (Audience::Everyone, Key::Everyone) if spawned.is_empty() => shadow.dirty().collect(),
                (Audience::Everyone, Key::Everyone) => shadow.dirty().filter(|id| spawned.binary_search(id).is_err()).collect(),
                (Audience::Everyone, _) | (_, Key::Everyone) => continue,
                _ => shadow.dirty().filter(|&id| shadow.key(id) == key).collect(),
            };
            if !ids.is_empty() {
                writer.change(shadow.id, shadow.dirty_columns(), &ids, |column| shadow.deltas(column));
            }
        }
    }

    /// Everything that a seat sees.
    pub fn snapshot(&self, viewer: Viewer) -> Block {
        let mut writer = SectionWriter::new(self.packed);
        let all: Vec<u32> = (0..self.ids.limit() as u32).collect();
        write_rows(&mut writer, &all, &self.tables, |table, id| viewer.sees(table.shadow.key(id)));
        writer.finish()
    }

    /// What changed for a seat since it held `base`, as values. `None` if that is too long ago to be remembered.
    pub fn merged(&self, viewer: Viewer, base: Tick) -> Option<Block> {
        if self.now.since(base) > self.memory {
            return None;
        }
        let mut writer = SectionWriter::new(self.packed);
        let knew = |since: Option<Tick>| since.is_none_or(|since| since <= base);
        let gone = self.despawned.iter().rev().take_while(|entry| entry.at > base);
        let gone = gone.filter(|entry| {
            entry.public_since.is_some_and(|since| since <= base) || entry.told.iter().any(|&key| viewer.sees(key))
        });
        let gone: BTreeSet<u32> = gone.map(|entry| entry.id).collect();
        writer.despawn(&gone.into_iter().collect::<Vec<_>>());

        let removed = self.removed.iter().rev().take_while(|entry| entry.at > base);
        let removed = removed.filter(|entry| viewer.sees(entry.key) && !self.holds(viewer, entry.component, entry.id));
        write_removed(&mut writer, removed.map(|entry| (entry.component, entry.id)));

        let is_new = |id: u32| !knew(self.entities[id as usize].public_since);
        let new: Vec<u32> = (0..self.entities.len() as u32).filter(|&id| is_new(id)).collect();
        write_rows(&mut writer, &new, &self.tables, |table, id| viewer.sees(table.shadow.key(id)));
        for Table { shadow, .. } in &self.tables {
            let ids = shadow.present().filter(|&id| shadow.changed_at(id) > base && !is_new(id) && viewer.sees(shadow.key(id)));
            let ids: Vec<u32> = ids.collect();
            if !ids.is_empty() {
                writer.change(shadow.id, shadow.all_columns(), &ids, |column| shadow.values(column));
            }
        }
        Some(writer.finish())
    }

    /// Sums up what everyone sees, for [`Replicator::checks`] of this tick.
    pub fn encode_checks(&mut self) {
        let mut writer = SectionWriter::new(self.packed);
        writer.checksums(&self.sums(Audience::Everyone, |_| true));
        self.public_checks = writer.finish();
    }

    /// The checksums of what a seat should hold after this tick. [`Replicator::encode_checks`] comes first.
    pub fn checks(&self, viewer: Viewer) -> Blocks {
        let mut writer = SectionWriter::new(self.packed);
        let mut sums = self.sums(Audience::Owner, |key| viewer.sees(key));
        sums.extend(self.sums(Audience::Team, |key| viewer.sees(key)));
        writer.checksums(&sums);
        [self.public_checks.clone(), writer.finish()].into_iter().collect()
    }

    fn sums(&self, to: Audience, sees: impl Fn(Key) -> bool) -> Vec<(u8, u32)> {
        let tables = self.tables.iter().map(|table| &table.shadow).filter(|shadow| shadow.to == to);
        let sum = tables.map(|shadow| {
            let held = shadow.present().filter(|&id| sees(shadow.key(id)));
            (shadow.id, held.fold(0u32, |sum, id| sum.wrapping_add(term(Id(id), shadow.row(id)))))
        });
        sum.collect()
    }

    fn holds(&self, viewer: Viewer, component: u8, id: u32) -> bool {
        let table = self.tables.iter().find(|table| table.shadow.id == component);
        table.is_some_and(|table| table.shadow.has(id) && viewer.sees(table.shadow.key(id)))
    }
}

/// Spawn sections for those of `ids` that have a component which `sees` lets through, grouped by their components.
fn write_rows(writer: &mut SectionWriter, ids: &[u32], tables: &[Table], sees: impl Fn(&Table, u32) -> bool) {
    let mut groups: BTreeMap<u64, (Vec<u32>, Vec<i64>)> = BTreeMap::new();
    for &id in ids {
        let seen = |table: &&Table| table.shadow.has(id) && sees(table, id);
        let mask = tables.iter().filter(seen).fold(0, |mask, table| mask | 1 << table.shadow.id);
        if mask != 0 {
            let (ids, values) = groups.entry(mask).or_default();
            ids.push(id);
            tables.iter().filter(seen).for_each(|table| values.extend(table.shadow.row(id)));
        }
    }
    for (mask, (ids, values)) in groups {
        writer.spawn(mask, &ids, &values);
    }
}

fn write_removed(writer: &mut SectionWriter, removed: impl Iterator<Item = (u8, u32)>) {
    let mut by_component: BTreeMap<u8, BTreeSet<u32>> = BTreeMap::new();
    for (component, id) in removed {
        by_component.entry(component).or_default().insert(id);
    }
    for (component, ids) in by_component {
        writer.remove(component, &ids.into_iter().collect::<Vec<_>>());
    }
}
