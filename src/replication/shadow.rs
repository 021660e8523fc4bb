//! Shadow columns: the quantised values of one component of all entities, as a client in step holds them.

use std::marker::PhantomData;

use bevy_ecs::{change_detection::Tick as ChangeTick, prelude::*};
use fixedbitset::FixedBitSet;

use super::{Ids, ViewKey, columns_of};
use crate::{
    prefetch::prefetch,
    protocol::{Audience, Column, Replicate, Tick},
};

/// The columns of one component, by entity id.
pub(super) struct Shadow {
    /// The wire id.
    pub id: u8,
    pub to: Audience,
    /// The ticks from one comparison to the next.
    pub every: u32,
    pub columns: Vec<Column>,
    /// The values, by column and then by entity id. Zero where the component is missing.
    values: Vec<Vec<i64>>,
    /// The changes of this tick, by column and then by entity id. Valid for `dirty` ids.
    deltas: Vec<Vec<i64>>,
    present: FixedBitSet,
    /// The ids that changed or are new in this tick.
    dirty: FixedBitSet,
    /// The ids that are new in this tick for their audience: their deltas are their values.
    fresh: FixedBitSet,
    /// The columns that changed in this tick for any entity.
    dirty_columns: u64,
    changed_at: Vec<Tick>,
    keys: Vec<ViewKey>,
}

impl Shadow {
    pub fn of<C: Replicate>() -> Self {
        let columns = C::spec(Some(C::ID), Some(C::TO)).columns();
        Self {
            id: C::ID,
            to: C::TO,
            every: C::EVERY,
            values: vec![Vec::new(); columns.len()],
            deltas: vec![Vec::new(); columns.len()],
            columns,
            present: FixedBitSet::new(),
            dirty: FixedBitSet::new(),
            fresh: FixedBitSet::new(),
            dirty_columns: 0,
            changed_at: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// Forgets the changes of the last tick.
    pub fn begin(&mut self) {
        if !self.dirty.is_clear() {
            self.dirty.clear();
            self.fresh.clear();
        }
        self.dirty_columns = 0;
    }

    /// Begins to fetch what a comparison looks at into the CPU's caches.
    pub fn prefetch(&self) {
        self.values.iter().chain(&self.deltas).for_each(|column| prefetch(&**column));
        [&self.present, &self.dirty, &self.fresh].into_iter().for_each(|set| prefetch(set.as_slice()));
        prefetch(&*self.changed_at);
        prefetch(&*self.columns);
    }

    /// Makes room for ids below `limit`.
    pub fn fit(&mut self, limit: usize) {
        if self.keys.len() < limit {
            let limit = limit.next_power_of_two();
            self.values.iter_mut().chain(&mut self.deltas).for_each(|column| column.resize(limit, 0));
            self.changed_at.resize(limit, Tick(0));
            self.keys.resize(limit, ViewKey::Nobody);
            [&mut self.present, &mut self.dirty, &mut self.fresh].into_iter().for_each(|set| set.grow(limit));
        }
    }

    /// Writes the current value of an entity's component. Does nothing if a client would see no difference.
    #[inline]
    pub fn write(&mut self, id: u32, value: &[i64], now: Tick) {
        let at = id as usize;
        self.fit(at + 1);
        if !self.present.put(at) {
            self.fresh.insert(at);
        }
        let fresh = self.fresh.contains(at);
        let mut changed = 0u64;
        for (k, (&new, column)) in value.iter().zip(&self.columns).enumerate() {
            let old = &mut self.values[k][at];
            let delta = if fresh { new } else { column.difference(*old, new) };
            self.deltas[k][at] = delta;
            *old = new;
            changed |= u64::from(delta != 0) << k;
        }
        if changed != 0 || fresh {
            self.dirty_columns |= changed;
            self.dirty.insert(at);
            self.changed_at[at] = now;
        }
    }

    /// Removes the component of an entity. Returns its key, if it was there.
    pub fn take(&mut self, id: u32) -> Option<ViewKey> {
        let at = id as usize;
        if !self.has(id) {
            return None;
        }
        self.present.remove(at);
        self.dirty.remove(at);
        self.fresh.remove(at);
        self.values.iter_mut().for_each(|column| column[at] = 0);
        Some(std::mem::replace(&mut self.keys[at], ViewKey::Nobody))
    }

    /// Gives the component of an entity another audience, for which it is new. Returns the key of the old audience, for which it is gone.
    pub fn rekey(&mut self, id: u32, key: ViewKey, now: Tick) -> Option<ViewKey> {
        let at = id as usize;
        if !self.has(id) || self.keys[at] == key || self.fresh.contains(at) {
            return None;
        }
        self.fresh.insert(at);
        self.dirty.insert(at);
        self.changed_at[at] = now;
        for (k, (column, delta)) in self.values.iter().zip(&mut self.deltas).enumerate() {
            delta[at] = column[at];
            self.dirty_columns |= u64::from(column[at] != 0) << k;
        }
        Some(std::mem::replace(&mut self.keys[at], key))
    }

    pub fn set_key(&mut self, id: u32, key: ViewKey) {
        self.keys[id as usize] = key;
    }

    pub fn key(&self, id: u32) -> ViewKey {
        self.keys[id as usize]
    }

    #[inline]
    pub fn has(&self, id: u32) -> bool {
        self.present.contains(id as usize)
    }

    /// Iterates over the ids that have the component, ascending.
    pub fn present(&self) -> impl Iterator<Item = u32> {
        self.present.ones().map(|id| id as u32)
    }

    #[inline]
    pub fn is_dirty(&self, id: u32) -> bool {
        self.dirty.contains(id as usize)
    }

    #[inline]
    pub fn is_fresh(&self, id: u32) -> bool {
        self.fresh.contains(id as usize)
    }

    /// Iterates over the ids that changed in this tick, ascending.
    pub fn dirty(&self) -> impl Iterator<Item = u32> {
        self.dirty.ones().map(|id| id as u32)
    }

    /// Returns the ids that are new in this tick, ascending.
    pub fn fresh(&self) -> Vec<u32> {
        self.fresh.ones().map(|id| id as u32).collect()
    }

    pub fn is_clean(&self) -> bool {
        self.dirty.is_clear()
    }

    pub fn dirty_columns(&self) -> u64 {
        self.dirty_columns
    }

    /// Returns the columns that changed in this tick for some entities, as a mask.
    pub fn dirty_columns_of(&self, ids: &[u32]) -> u64 {
        let changed = |deltas: &Vec<i64>| ids.iter().any(|&id| deltas[id as usize] != 0);
        self.deltas.iter().zip(0..).fold(0, |mask, (deltas, k)| mask | u64::from(changed(deltas)) << k)
    }

    pub fn all_columns(&self) -> u64 {
        (1 << self.columns.len()) - 1
    }

    pub fn changed_at(&self, id: u32) -> Tick {
        self.changed_at[id as usize]
    }

    /// Returns the values of one column, by entity id.
    pub fn values(&self, column: usize) -> &[i64] {
        &self.values[column]
    }

    /// Returns the changes of one column in this tick, by entity id.
    pub fn deltas(&self, column: usize) -> &[i64] {
        &self.deltas[column]
    }

    /// Iterates over the columns of one entity.
    pub fn row(&self, id: u32) -> impl Iterator<Item = i64> {
        self.values.iter().map(move |column| column[id as usize])
    }

    /// Returns the first column of an entity, if it has the component.
    pub fn first_column(&self, id: u32) -> Option<i64> {
        self.has(id).then(|| self.values[0][id as usize])
    }
}

/// The change ticks that are looked at together.
const CHUNK: usize = 64;

/// The components at which a scan looks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Since {
    /// Those written since this change tick.
    Written(ChangeTick),
    /// Those added since this change tick.
    Added(ChangeTick),
}

/// Scans the world for one component type.
pub(super) trait Scan: Send {
    /// Writes every component that was written, or added, since `since` into the shadow.
    fn scan(&mut self, world: &World, since: Since, ids: &mut Ids, shadow: &mut Shadow, now: Tick);
}

pub(super) struct Typed<C: Component> {
    query: QueryState<(Entity, Ref<'static, C>)>,
    marker: PhantomData<C>,
}

impl<C: Component> Typed<C> {
    pub fn new(world: &mut World) -> Self {
        Self { query: world.query(), marker: PhantomData }
    }
}

impl<C: Component + Replicate> Scan for Typed<C> {
    fn scan(&mut self, world: &World, since: Since, ids: &mut Ids, shadow: &mut Shadow, now: Tick) {
        let this = world.read_change_tick().get();
        let (Since::Written(tick) | Since::Added(tick)) = since;
        let age = this.wrapping_sub(tick.get());
        let is_newer = |tick: ChangeTick| this.wrapping_sub(tick.get()) < age;
        let chunks = self.query.contiguous_iter(world).expect("replicated components are stored in tables, the default");
        for (entities, components) in chunks {
            let ticks = match since {
                Since::Written(_) => components.changed_ticks_slice(),
                Since::Added(_) => components.added_ticks_slice(),
            };
            for (chunk, ticks) in ticks.chunks(CHUNK).enumerate() {
                // Most chunks of a calm world have no change. This loop has no branch, so the compiler can look at many ticks at once.
                if !ticks.iter().fold(false, |any, tick| any | is_newer(*tick)) {
                    continue;
                }
                for at in (chunk * CHUNK..).zip(ticks).filter(|(_, tick)| is_newer(**tick)).map(|(at, _)| at) {
                    let id = ids.get_or_give(entities[at]);
                    shadow.write(id.0, &columns_of(&components[at]), now);
                }
            }
        }
    }
}
