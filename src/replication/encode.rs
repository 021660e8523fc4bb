//! Writes shadow columns as sections: a tick's changes once for each audience, and checksums.

use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use super::{Blocks, Replicator, Shadow, Tracked, ViewKey, Viewer};
use crate::protocol::{Audience, Block, Id, SectionWriter, term};

impl Replicator {
    /// Encodes the changes of the tick that was just collected, once for each audience.
    pub(super) fn encode_diffs(&mut self, gone: &[(u32, SmallVec<[ViewKey; 2]>)]) {
        self.diffs.clear();
        self.public_diff = Blocks::default();
        let mut keys: BTreeSet<ViewKey> = gone.iter().flat_map(|(_, told)| told.iter().copied()).collect();
        keys.extend(self.removed.iter().rev().take_while(|entry| entry.at == self.now).map(|entry| entry.key));
        for tracked in self.tracked.iter().filter(|tracked| !tracked.shadow.is_clean()) {
            match tracked.shadow.to {
                Audience::Everyone if self.interest.is_some() => {}
                Audience::Everyone => keys.extend([ViewKey::Everyone]),
                _ => keys.extend(tracked.shadow.dirty().map(|id| tracked.shadow.key(id))),
            }
        }
        keys.remove(&ViewKey::Nobody);
        if self.interest.is_some() {
            // With a grid, the part for everyone goes by cells, and is encoded when the first seat needs it.
            keys.remove(&ViewKey::Everyone);
        }
        let mut writer = self.writer.take();
        for key in keys {
            self.encode_diff(&mut writer, key, gone);
            let block = writer.finish();
            self.blocks_made.set(self.blocks_made.get() + u64::from(!block.is_empty()));
            if key == ViewKey::Everyone {
                self.public_diff = [block].into();
            } else if !block.is_empty() {
                self.diffs.insert(key, block);
            }
        }
        self.writer.replace(writer);
    }

    fn encode_diff(&self, writer: &mut SectionWriter, key: ViewKey, gone: &[(u32, SmallVec<[ViewKey; 2]>)]) {
        let gone: Vec<u32> = gone.iter().filter(|(_, told)| told.contains(&key)).map(|(id, _)| *id).collect();
        writer.despawn(&gone);
        let removed = self.removed.iter().rev().take_while(|entry| entry.at == self.now).filter(|entry| entry.key == key);
        write_removed(writer, removed.map(|entry| (entry.component, entry.id)));
        let spawned: &[u32] = if key == ViewKey::Everyone { &self.spawned_now } else { &[] };
        write_rows(writer, spawned, &self.tracked, |tracked, _| tracked.shadow.to == Audience::Everyone);
        for Tracked { shadow, .. } in self.tracked.iter().filter(|tracked| !tracked.shadow.is_clean()) {
            let ids: Vec<u32> = match (shadow.to, key) {
                (Audience::Everyone, ViewKey::Everyone) if spawned.is_empty() => shadow.dirty().collect(),
                (Audience::Everyone, ViewKey::Everyone) => {
                    shadow.dirty().filter(|id| spawned.binary_search(id).is_err()).collect()
                }
                (Audience::Everyone, _) | (_, ViewKey::Everyone) => continue,
                _ => shadow.dirty().filter(|&id| shadow.key(id) == key).collect(),
            };
            if !ids.is_empty() {
                writer.change(shadow.id, shadow.dirty_columns(), &ids, |column| shadow.deltas(column));
            }
        }
    }

    /// Sums up the components for everyone, for [`Replicator::checks`] of this tick.
    pub fn encode_checks(&mut self) {
        self.checked_at = Some(self.now);
        if self.interest.is_none() {
            let all = |shadow: &Shadow| sum(shadow, shadow.present());
            self.public_checks = self.block(|writer| writer.checksums(&self.sums(Audience::Everyone, all)));
        }
    }

    /// Returns the checksums of everything that a seat should hold after this tick. Call [`Replicator::encode_checks`] first.
    pub fn checks(&self, viewer: Viewer) -> Blocks {
        let own = |shadow: &Shadow| sum(shadow, shadow.present().filter(|&id| viewer.sees(shadow.key(id))));
        let mut sums = self.interest.as_ref().map_or_else(Vec::new, |interest| self.chunk_sums(interest, viewer));
        sums.extend(self.sums(Audience::Owner, own));
        sums.extend(self.sums(Audience::Team, own));
        [self.public_checks.clone(), self.block(|writer| writer.checksums(&sums))].into()
    }

    /// Returns the sums of all components of an audience.
    pub(super) fn sums(&self, to: Audience, sum: impl Fn(&Shadow) -> u32) -> Vec<(u8, u32)> {
        let shadows = self.tracked.iter().map(|tracked| &tracked.shadow).filter(|shadow| shadow.to == to);
        shadows.map(|shadow| (shadow.id, sum(shadow))).collect()
    }

    /// Returns a block with everything that `write` writes.
    pub(crate) fn block(&self, write: impl FnOnce(&mut SectionWriter)) -> Block {
        let mut writer = self.writer.borrow_mut();
        write(&mut writer);
        writer.finish()
    }
}

/// Returns the checksum of one component over some entities that have it.
pub(super) fn sum(shadow: &Shadow, ids: impl Iterator<Item = u32>) -> u32 {
    ids.fold(0u32, |sum, id| sum.wrapping_add(term(Id(id), shadow.row(id))))
}

/// Writes spawn sections, grouped by components, for those of `ids` that have a component for which `sees` is true.
pub(super) fn write_rows(writer: &mut SectionWriter, ids: &[u32], tracked: &[Tracked], sees: impl Fn(&Tracked, u32) -> bool) {
    let mut groups: BTreeMap<u64, (Vec<u32>, Vec<i64>)> = BTreeMap::new();
    for &id in ids {
        let seen = |tracked: &&Tracked| tracked.shadow.has(id) && sees(tracked, id);
        let mask = tracked.iter().filter(seen).fold(0, |mask, one| mask | 1 << one.shadow.id);
        if mask != 0 {
            let (ids, values) = groups.entry(mask).or_default();
            ids.push(id);
            tracked.iter().filter(seen).for_each(|one| values.extend(one.shadow.row(id)));
        }
    }
    for (mask, (ids, values)) in groups {
        writer.spawn(mask, &ids, &values);
    }
}

pub(super) fn write_removed(writer: &mut SectionWriter, removed: impl Iterator<Item = (u8, u32)>) {
    let mut by_component: BTreeMap<u8, BTreeSet<u32>> = BTreeMap::new();
    for (component, id) in removed {
        by_component.entry(component).or_default().insert(id);
    }
    for (component, ids) in by_component {
        writer.remove(component, &ids.into_iter().collect::<Vec<_>>());
    }
}
