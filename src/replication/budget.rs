//! Keeps one seat's frames within a budget of bytes: the most important entities go first, and the others are *owed*.
//!
//! An owed entity gains priority in every tick of waiting, and more if it is near. The highest priority is sent first and starts again
//! from zero. So every waiting entity in the end overtakes those that are sent again and again.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Replicator, Viewer,
    encode::write_rows,
    merged::{Past, Stance},
};
use crate::protocol::{Audience, Blocks, SectionWriter, Tick};

/// The priority for a tick of waiting in the seat's own ring. In ring `r` it is divided by `r + 1`, but is at least 1.
const NEAREST: u32 = 16;

/// The bytes of a section besides its mask, ids and values: a code and the heads of two arrays.
const SECTION: usize = 1 + 2 * 3;

/// The most bytes of a frame's head.
const HEAD: usize = 16;

/// The entities that one seat is owed.
#[derive(Debug, Default)]
pub struct Meter {
    owed: BTreeMap<u32, Debt>,
    /// The entities that were owed before the newest frame.
    before: BTreeMap<u32, Debt>,
    /// The newest tick whose frame was made for the seat alone. Entities that were not owed then are held as of that tick.
    exact_at: Option<Tick>,
    /// The newest tick whose frame left something owed.
    owed_at: Option<Tick>,
}

/// An entity whose newest values the seat does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Debt {
    /// The tick as of which the seat holds them; `None` if it does not hold them.
    held: Option<Tick>,
    priority: u32,
}

impl Meter {
    /// Returns the number of owed entities.
    pub fn len(&self) -> usize {
        self.owed.len()
    }

    /// Returns whether nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.owed.is_empty()
    }

    /// Notes that the newest frame did not arrive.
    pub fn missed(&mut self) {
        self.owed = self.before.clone();
    }

    /// Notes a connection with a mirror that holds an earlier tick. Returns whether nothing was owed at that tick.
    pub fn resume(&mut self, held: Tick) -> bool {
        *self = Self { owed_at: self.owed_at, ..Self::default() };
        self.owed_at.is_none_or(|owed_at| owed_at < held)
    }

    /// Notes a frame that other seats may share.
    pub fn shared(&mut self) {
        self.before.clear();
    }

    /// Notes that the seat gets everything.
    pub fn settle(&mut self, now: Tick) {
        *self = Self { exact_at: Some(now), owed_at: self.owed_at, ..Self::default() };
    }
}

impl Replicator {
    /// Returns the changes for a seat since it held `base`, within about `budget` bytes.
    ///
    /// Despawns, the seat's own entities and components for teams and owners always go. Then come the most important of the others.
    /// `None` if `base` is too long ago.
    pub fn metered(&self, viewer: Viewer, base: Tick, budget: usize, meter: &mut Meter) -> Option<Blocks> {
        let past = self.past(viewer, base, meter.exact_at != Some(base))?;
        let stances = self.stances(&past);
        // An entity that was owed before it became the seat's own is still sent as one that is owed.
        let is_own = |id: u32| self.entities[id as usize].owner == Some(viewer.seat) && !meter.owed.contains_key(&id);
        let first = self.block(|writer| {
            self.write_gone(writer, &past);
            self.write_owned(writer, &past, &stances, is_own);
        });
        let others = stances.into_iter().filter(|(id, stance)| stance.seen && !is_own(*id));
        let mut owed = self.wait(others, &meter.owed);
        let sent = self.afford(&mut owed, budget.saturating_sub(HEAD + first.len()));
        meter.before = std::mem::replace(&mut meter.owed, owed);
        meter.exact_at = Some(self.now);
        if !meter.owed.is_empty() {
            meter.owed_at = Some(self.now);
        }
        let rest = self.block(|writer| {
            let ids: Vec<u32> = sent.keys().copied().collect();
            write_rows(writer, &ids, &self.tracked, |tracked, id| {
                tracked.shadow.to == Audience::Everyone && sent[&id].held.is_none_or(|held| tracked.shadow.changed_at(id) > held)
            });
        });
        Some([first, rest].into())
    }

    /// Writes the part that always goes: the seat's own entities, and components for teams and owners.
    fn write_owned(&self, writer: &mut SectionWriter, past: &Past<'_>, stances: &[(u32, Stance)], is_own: impl Fn(u32) -> bool) {
        let new = stances.iter().filter(|(id, stance)| stance.is_new() && is_own(*id));
        let new: Vec<u32> = new.map(|(id, _)| *id).collect();
        write_rows(writer, &new, &self.tracked, |tracked, _| tracked.shadow.to == Audience::Everyone);
        // The components for everyone of other entities are owed instead.
        let mine = |(id, stance): &(u32, Stance)| (*id, Stance { held: stance.held.filter(|_| is_own(*id)), ..*stance });
        self.write_changed(writer, past, &stances.iter().map(mine).collect::<Vec<_>>());
    }

    /// Raises the priority of owed entities by one tick of waiting, and adds those that changed.
    fn wait(&self, others: impl Iterator<Item = (u32, Stance)>, owed: &BTreeMap<u32, Debt>) -> BTreeMap<u32, Debt> {
        let waiting = others.filter_map(|(id, Stance { ring, held, .. })| {
            let fresh = || self.changed_since(id, held).then_some(Debt { held, priority: 0 });
            let Debt { held, priority } = owed.get(&id).copied().or_else(fresh)?;
            let weight = (NEAREST / (u32::from(ring) + 1)).max(1);
            Some((id, Debt { held, priority: priority.saturating_add(weight) }))
        });
        waiting.collect()
    }

    /// Returns whether an entity's components for everyone changed since a tick. With `None`: whether it has any.
    fn changed_since(&self, id: u32, held: Option<Tick>) -> bool {
        let mut public = self.tracked.iter().map(|tracked| &tracked.shadow).filter(|shadow| shadow.to == Audience::Everyone);
        public.any(|shadow| shadow.has(id) && held.is_none_or(|held| shadow.changed_at(id) > held))
    }

    /// Takes the most important entities out of those owed: as many as the bytes allow, but at least one.
    fn afford(&self, owed: &mut BTreeMap<u32, Debt>, bytes: usize) -> BTreeMap<u32, Debt> {
        let mut by_priority: Vec<(u32, Debt)> = owed.iter().map(|(id, debt)| (*id, *debt)).collect();
        by_priority.sort_unstable_by_key(|(id, debt)| (std::cmp::Reverse(debt.priority), *id));
        let (mut sent, mut spent, mut sections) = (BTreeMap::new(), 0, BTreeMap::new());
        for (id, debt) in by_priority {
            let (mask, values) = self.price(id, debt.held);
            let ids: &mut BTreeSet<u32> = sections.entry(mask).or_default();
            let head = if ids.is_empty() { SECTION + length(mask as i64) } else { 0 };
            spent += head + values + price_of_id(ids, id);
            if spent > bytes && !sent.is_empty() {
                break;
            }
            ids.insert(id);
            sent.insert(id, debt);
            owed.remove(&id);
        }
        sent
    }

    /// Returns the components of an entity that changed since a tick as a mask, and the bytes of their values.
    fn price(&self, id: u32, held: Option<Tick>) -> (u64, usize) {
        let public = self.tracked.iter().map(|tracked| &tracked.shadow).filter(|shadow| shadow.to == Audience::Everyone);
        let changed = public.filter(|shadow| shadow.has(id) && held.is_none_or(|held| shadow.changed_at(id) > held));
        changed.fold((0, 0), |(mask, bytes), shadow| (mask | 1 << shadow.id, bytes + shadow.row(id).map(length).sum::<usize>()))
    }
}

/// Returns the most bytes that another id takes in a list, where it splits one gap into two.
fn price_of_id(ids: &BTreeSet<u32>, id: u32) -> usize {
    let first = ids.range(..id).next_back().map_or(0, |before| before + 1);
    let gap = |from: u32, to: u32| length(i64::from(to - from));
    match ids.range(id..).next() {
        Some(&after) => (gap(first, id) + gap(id + 1, after)).saturating_sub(gap(first, after)),
        None => gap(first, id),
    }
}

/// Returns the bytes of an integer in MessagePack.
fn length(value: i64) -> usize {
    match value {
        -32..=127 => 1,
        -128..=255 => 2,
        -32_768..=65_535 => 3,
        -2_147_483_648..=4_294_967_295 => 5,
        _ => 9,
    }
}
