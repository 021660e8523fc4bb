//! A budget of bytes for one seat: when a tick has more for it than that, the most important goes first and the rest is
//! owed.
//!
//! What is owed gathers priority in every tick that it waits, more if it is near. The highest goes first, and starts again
//! from nothing, so that whatever waits overtakes in the end what is sent again and again.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Replicator, Viewer,
    encode::write_rows,
    merged::{Past, Stance},
};
use crate::protocol::{Audience, Blocks, SectionWriter, Tick};

/// What a tick of waiting is worth in the seat's own ring; in the ring `r` it is this by `r + 1`, but at least 1.
const NEAREST: u32 = 16;

/// Bytes that open a section for entities with the same components, besides the mask: a code and the heads of two arrays.
const SECTION: usize = 1 + 2 * 3;

/// Bytes of a frame's head, at most.
const HEAD: usize = 16;

/// What one seat is owed.
#[derive(Debug, Default)]
pub struct Meter {
    owed: BTreeMap<u32, Debt>,
    /// What was owed before the newest frame.
    before: BTreeMap<u32, Debt>,
    /// The newest tick whose frame was made for the seat alone: all that was not owed then was as of that tick.
    exact_at: Option<Tick>,
    /// The newest tick after whose frame something was owed.
    owed_at: Option<Tick>,
}

/// An entity whose newest values the seat does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Debt {
    /// As of which tick it holds them; `None`: not at all.
    held: Option<Tick>,
    priority: u32,
}

impl Meter {
    /// How many entities are owed.
    pub fn len(&self) -> usize {
        self.owed.len()
    }

    /// Whether nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.owed.is_empty()
    }

    /// The newest frame did not arrive.
    pub fn missed(&mut self) {
        self.owed = self.before.clone();
    }

    /// A connection begins with a mirror that holds an earlier tick; gives back whether all of it was paid then.
    pub fn resume(&mut self, held: Tick) -> bool {
        *self = Self { owed_at: self.owed_at, ..Self::default() };
        self.owed_at.is_none_or(|owed_at| owed_at < held)
    }

    /// A frame went out that others may share.
    pub fn shared(&mut self) {
        self.before.clear();
    }

    /// The seat gets everything.
    pub fn settle(&mut self, now: Tick) {
        *self = Self { exact_at: Some(now), owed_at: self.owed_at, ..Self::default() };
    }
}

impl Replicator {
    /// What changed for a seat since it held `base`, within about `budget` bytes: what is gone, the seat's own entities and what
    /// goes to teams and owners in any case, then the most important of the rest. `None` if `base` is too long ago.
    pub fn metered(&self, viewer: Viewer, base: Tick, budget: usize, meter: &mut Meter) -> Option<Blocks> {
        let past = self.past(viewer, base, meter.exact_at != Some(base))?;
        let stances = self.stances(&past);
        // What was owed before it became the seat's own is paid as what it was.
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

    /// What goes in any case: all of the seat's own entities, and what goes to teams and owners.
    fn write_owned(&self, writer: &mut SectionWriter, past: &Past<'_>, stances: &[(u32, Stance)], is_own: impl Fn(u32) -> bool) {
        let new = stances.iter().filter(|(id, stance)| stance.is_new() && is_own(*id));
        let new: Vec<u32> = new.map(|(id, _)| *id).collect();
        write_rows(writer, &new, &self.tracked, |tracked, _| tracked.shadow.to == Audience::Everyone);
        // What everyone sees of the others is owed instead.
        let mine = |(id, stance): &(u32, Stance)| (*id, Stance { held: stance.held.filter(|_| is_own(*id)), ..*stance });
        self.write_changed(writer, past, &stances.iter().map(mine).collect::<Vec<_>>());
    }

    /// Lets what is owed wait for another tick, and adds what changed to it.
    fn wait(&self, others: impl Iterator<Item = (u32, Stance)>, owed: &BTreeMap<u32, Debt>) -> BTreeMap<u32, Debt> {
        let waiting = others.filter_map(|(id, Stance { ring, held, .. })| {
            let fresh = || self.changed_since(id, held).then_some(Debt { held, priority: 0 });
            let Debt { held, priority } = owed.get(&id).copied().or_else(fresh)?;
            let weight = (NEAREST / (u32::from(ring) + 1)).max(1);
            Some((id, Debt { held, priority: priority.saturating_add(weight) }))
        });
        waiting.collect()
    }

    /// Whether what everyone sees of an entity changed since a tick; since `None` if there is anything.
    fn changed_since(&self, id: u32, held: Option<Tick>) -> bool {
        let mut public = self.tracked.iter().map(|tracked| &tracked.shadow).filter(|shadow| shadow.to == Audience::Everyone);
        public.any(|shadow| shadow.has(id) && held.is_none_or(|held| shadow.changed_at(id) > held))
    }

    /// Takes the most important out of what is owed, as much as the bytes allow, but one at least.
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

    /// The components of an entity that changed since a tick, and how many bytes their values take.
    fn price(&self, id: u32, held: Option<Tick>) -> (u64, usize) {
        let public = self.tracked.iter().map(|tracked| &tracked.shadow).filter(|shadow| shadow.to == Audience::Everyone);
        let changed = public.filter(|shadow| shadow.has(id) && held.is_none_or(|held| shadow.changed_at(id) > held));
        changed.fold((0, 0), |(mask, bytes), shadow| (mask | 1 << shadow.id, bytes + shadow.row(id).map(length).sum::<usize>()))
    }
}

/// How many bytes another id takes in a list, at most: it makes two gaps of one.
fn price_of_id(ids: &BTreeSet<u32>, id: u32) -> usize {
    let first = ids.range(..id).next_back().map_or(0, |before| before + 1);
    let gap = |from: u32, to: u32| length(i64::from(to - from));
    match ids.range(id..).next() {
        Some(&after) => (gap(first, id) + gap(id + 1, after)).saturating_sub(gap(first, after)),
        None => gap(first, id),
    }
}

/// The length of an integer in MessagePack.
fn length(value: i64) -> usize {
    match value {
        -32..=127 => 1,
        -128..=255 => 2,
        -32_768..=65_535 => 3,
        -2_147_483_648..=4_294_967_295 => 5,
        _ => 9,
    }
}
