//! Replication: it finds what changed since when and for whom, and says it in few bytes.
//!
//! This room knows worlds, shadow columns and frames. It refuses to know games, connections and sockets.
//!
//! After each step [`Replicator::collect`] compares the replicated components with *shadow columns*: the values that a client in step
//! holds. A write that changes nothing visible costs no byte. The differences are encoded once for each audience. A seat's frame is a
//! head and references to those blocks.

mod ids;
mod shadow;
mod grid;
mod interest;
mod encode;
mod merged;
mod view;
mod chunks;
mod budget;
mod mirror;

use std::{
    borrow::Cow,
    cell::{Cell as Counter, RefCell},
    collections::{BTreeMap, VecDeque},
};

use bevy_ecs::{
    change_detection::{DetectChanges, Tick as ChangeTick},
    component::ComponentId,
    prelude::*,
};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    prefetch::prefetch,
    protocol::{self, Audience, Block, Blocks, Columns, Id, Replicate, SEAT_COMPONENT, Seat, SectionWriter, Tick},
    sim::Team,
};

pub use budget::Meter;
pub use grid::{Cell, Grid, GridError};
pub use ids::Ids;
pub use interest::SavedInterest;
pub use mirror::{Applied, Desync, Mended, Mirror, MirrorError};
pub use view::View;

pub(crate) use grid::GridLayout;

use grid::Sight;
use interest::Interest;
use shadow::{Scan, Shadow, Since, Typed};

/// The seconds for which despawns and removals are remembered, and freed ids rest. A client that fell further behind gets a snapshot.
pub const MEMORY_SECONDS: f32 = 10.0;

/// The seats that see a component: all of the match, one team or one seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ViewKey {
    /// No seat, as with a component for the owner of an entity that has none.
    Nobody,
    /// Every seat.
    Everyone,
    /// The seats of a team.
    Team(Team),
    /// One seat.
    Owner(Seat),
}

/// A seat that looks at the match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    /// The seat.
    pub seat: Seat,
    /// The team of its avatar.
    pub team: Option<Team>,
}

impl Viewer {
    /// Returns whether the seat sees components with this key.
    pub fn sees(&self, key: ViewKey) -> bool {
        match key {
            ViewKey::Nobody => false,
            ViewKey::Everyone => true,
            ViewKey::Team(team) => self.team == Some(team),
            ViewKey::Owner(seat) => self.seat == seat,
        }
    }

    /// Returns the keys that the seat sees besides `Everyone`.
    fn keys(&self) -> impl Iterator<Item = ViewKey> {
        self.team.map(ViewKey::Team).into_iter().chain([ViewKey::Owner(self.seat)])
    }
}

/// The replicated state of one match as clients hold it, and its recent changes.
pub struct Replicator {
    tracked: Vec<Tracked>,
    ids: Ids,
    teams: QueryState<(Entity, Ref<'static, Team>)>,
    team: ComponentId,
    /// Indexed by entity id.
    entities: Vec<EntityRecord>,
    now: Tick,
    memory: u32,
    since: ChangeTick,
    despawned: VecDeque<Despawned>,
    removed: VecDeque<Removed>,
    team_by_seat: BTreeMap<Seat, Team>,
    /// The entities that lost their owner in this tick.
    orphaned: Vec<u32>,
    /// The entities that become visible to everyone in this tick.
    spawned_now: Vec<u32>,
    /// The tick's changes for everyone.
    public_diff: Blocks,
    /// The tick's changes for teams and owners.
    diffs: BTreeMap<ViewKey, Block>,
    public_checks: Block,
    /// The tick of the newest checksums. In this tick far cells are sent, too, so that the sums hold.
    checked_at: Option<Tick>,
    interest: Option<Box<Interest>>,
    packed: bool,
    writer: RefCell<SectionWriter>,
    blocks_made: Counter<u64>,
}

/// A replicated component: its shadow, and the scan of the world for its type.
struct Tracked {
    component: ComponentId,
    shadow: Shadow,
    scan: Box<dyn Scan>,
    /// The change tick at which it was last compared.
    since: ChangeTick,
}

/// The audience of an entity.
#[derive(Debug, Clone, Default)]
struct EntityRecord {
    owner: Option<Seat>,
    team: Option<Team>,
    /// The tick at which it became visible to everyone; `None` while only some seats see it.
    public_since: Option<Tick>,
    /// The keys to which it was visible before or besides everyone.
    told: SmallVec<[ViewKey; 2]>,
}

struct Despawned {
    at: Tick,
    id: u32,
    told: SmallVec<[ViewKey; 2]>,
    public_since: Option<Tick>,
    cell: Option<Cell>,
}

struct Removed {
    at: Tick,
    id: u32,
    component: u8,
    key: ViewKey,
}

impl Replicator {
    /// Makes a replicator for a match with `hz` ticks a second. `Seat` is replicated in every match.
    pub fn new(world: &mut World, hz: u16) -> Self {
        let mut this = Self {
            tracked: Vec::new(),
            ids: Ids::new(protocol::ticks(MEMORY_SECONDS, hz)),
            teams: world.query(),
            team: world.register_component::<Team>(),
            entities: Vec::new(),
            now: Tick(0),
            memory: protocol::ticks(MEMORY_SECONDS, hz),
            // Entities that are spawned from now on are newer than this.
            since: world.increment_change_tick(),
            despawned: VecDeque::new(),
            removed: VecDeque::new(),
            team_by_seat: BTreeMap::new(),
            orphaned: Vec::new(),
            spawned_now: Vec::new(),
            public_diff: Blocks::default(),
            diffs: BTreeMap::new(),
            public_checks: Block::default(),
            checked_at: None,
            interest: None,
            packed: false,
            writer: RefCell::default(),
            blocks_made: Counter::default(),
        };
        this.register::<Seat>(world);
        this
    }

    /// Packs lists in frames from now on.
    pub fn pack(&mut self) {
        self.packed = true;
        self.writer = RefCell::new(SectionWriter::new(true));
    }

    /// Replicates a component.
    pub fn register<C: Component + Replicate>(&mut self, world: &mut World) {
        let component = world.register_component::<C>();
        if self.tracked.iter().any(|tracked| tracked.component == component) {
            return;
        }
        let tracked = Tracked { component, shadow: Shadow::of::<C>(), scan: Box::new(Typed::<C>::new(world)), since: self.since };
        let place = self.tracked.partition_point(|tracked| tracked.shadow.id < C::ID);
        // A room has few of them, and they are large.
        self.tracked.reserve_exact(1);
        self.tracked.insert(place, tracked);
    }

    /// Limits the view of seats by a grid, over a component that is registered.
    pub(crate) fn set_grid(&mut self, layout: GridLayout) {
        self.interest = Some(Box::new(Interest::new(layout, self.memory)));
    }

    /// Saves what the future of the match depends on besides its world.
    pub fn save(&self) -> SavedReplicator {
        let late = self.tracked.iter().map(|tracked| &tracked.shadow).filter(|shadow| shadow.every > 1);
        let rows = |shadow: &Shadow| shadow.present().map(|id| (Id(id), shadow.row(id).collect())).collect();
        SavedReplicator {
            ids: self.ids.clone(),
            late: late.map(|shadow| (shadow.id, rows(shadow))).collect(),
            interest: self.interest.as_ref().map(|interest| interest.save()),
        }
    }

    /// Restores what [`Replicator::save`] saved, and the ids of the entities. The world must already be the restored one.
    pub fn restore(&mut self, saved: SavedReplicator, entities: Vec<(Entity, Id)>, world: &mut World, now: Tick) {
        self.ids = saved.ids;
        entities.into_iter().for_each(|(entity, id)| self.ids.bind(entity, id));
        if let (Some(interest), Some(saved)) = (&mut self.interest, saved.interest) {
            interest.restore(saved, now);
        }
        self.collect(world, now);
        for (component, rows) in saved.late {
            let Some(tracked) = self.tracked.iter_mut().find(|tracked| tracked.shadow.id == component) else { continue };
            rows.into_iter().for_each(|(Id(id), row)| tracked.shadow.write(id, &row, now));
        }
    }

    /// Begins to fetch what the next [`collect`](Self::collect) looks at into the CPU's caches.
    pub(crate) fn prefetch(&self) {
        self.ids.prefetch();
        prefetch(&*self.entities);
        for tracked in &self.tracked {
            prefetch(&*tracked.scan);
            tracked.shadow.prefetch();
        }
    }

    /// Returns the ids of the entities.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Forgets the views of a seat that is free.
    pub fn forget(&mut self, seat: Seat) {
        self.interest.iter_mut().for_each(|interest| interest.forget(seat));
    }

    /// Returns the tick of the newest checksums.
    pub(crate) fn checked_at(&self) -> Option<Tick> {
        self.checked_at
    }

    /// Returns whether the newest tick changed something that a client sees.
    pub(crate) fn has_changes(&self) -> bool {
        !self.public_diff.is_empty() || !self.diffs.is_empty()
    }

    /// Returns the number of blocks for several seats that were encoded since the match began.
    pub fn blocks_made(&self) -> u64 {
        self.blocks_made.get()
    }

    /// Compares the world after the step of `now` with the shadow, and encodes the differences once for each audience.
    pub fn collect(&mut self, world: &mut World, now: Tick) {
        self.now = now;
        self.spawned_now.clear();
        self.tracked.iter_mut().for_each(|tracked| tracked.shadow.begin());
        let forgotten = |at: Tick| now.since(at) > self.memory;
        while self.despawned.pop_front_if(|entry| forgotten(entry.at)).is_some() {}
        while self.removed.pop_front_if(|entry| forgotten(entry.at)).is_some() {}
        self.ids.advance(now);
        self.interest.iter_mut().for_each(|interest| interest.begin(now));

        let gone = self.collect_removed(world);
        self.collect_owners(world);
        let this = world.change_tick();
        for tracked in self.tracked.iter_mut().filter(|tracked| tracked.shadow.id != SEAT_COMPONENT) {
            let is_due = now.0.is_multiple_of(tracked.shadow.every);
            let since = if is_due { Since::Written(tracked.since) } else { Since::Added(self.since) };
            tracked.scan.scan(world, since, &mut self.ids, &mut tracked.shadow, now);
            if is_due {
                tracked.since = this;
            }
        }
        let limit = self.ids.limit();
        self.tracked.iter_mut().for_each(|tracked| tracked.shadow.fit(limit));
        self.entities.resize(self.ids.limit().max(self.entities.len()), EntityRecord::default());
        self.assign_keys();
        self.settle();
        self.since = this;
        world.increment_change_tick();
        world.clear_trackers();
        self.encode_diffs(&gone);
    }

    /// Returns the changes for a seat in the newest tick.
    pub fn diff(&self, viewer: Viewer) -> Cow<'_, Blocks> {
        // In most ticks of most games there are only changes for everyone, and a seat costs no look-up.
        if self.interest.is_none() && self.diffs.is_empty() {
            return Cow::Borrowed(&self.public_diff);
        }
        let mut blocks = SmallVec::<[Block; 8]>::new();
        if let Some(interest) = &self.interest {
            self.chunks_for(interest, viewer, &mut blocks);
        }
        blocks.extend(self.public_diff.iter().cloned());
        blocks.extend(viewer.keys().filter_map(|key| self.diffs.get(&key).cloned()));
        Cow::Owned(blocks.into_iter().collect())
    }

    /// Returns the team of a seat: that of an entity which it owns.
    pub fn team_of(&self, seat: Seat) -> Option<Team> {
        // Most games have no teams.
        if self.team_by_seat.is_empty() { None } else { self.team_by_seat.get(&seat).copied() }
    }

    /// Notes the components and entities that are gone since the last tick. Returns the entities with the keys that saw them.
    fn collect_removed(&mut self, world: &World) -> Vec<(u32, SmallVec<[ViewKey; 2]>)> {
        let mut gone = Vec::new();
        for at in 0..self.tracked.len() {
            let (component, wire) = (self.tracked[at].component, self.tracked[at].shadow.id);
            for entity in world.removed_with_id(component) {
                let Some(Id(id)) = self.ids.get(entity) else { continue };
                match world.get_entity(entity) {
                    Err(_) => gone.push((entity, id)),
                    Ok(alive) if alive.contains_id(component) => {}
                    Ok(_) => {
                        if wire == SEAT_COMPONENT {
                            self.entities[id as usize].owner = None;
                            self.orphaned.push(id);
                        }
                        if let Some(key) = self.tracked[at].shadow.take(id) {
                            self.removed.push_back(Removed { at: self.now, id, component: wire, key });
                        }
                    }
                }
            }
        }
        gone.sort_unstable_by_key(|(_, id)| *id);
        gone.dedup();
        gone.into_iter().map(|(entity, id)| (id, self.despawn(entity, id))).collect()
    }

    fn despawn(&mut self, entity: Entity, id: u32) -> SmallVec<[ViewKey; 2]> {
        for tracked in &mut self.tracked {
            tracked.shadow.take(id);
        }
        self.ids.free(entity, self.now);
        let known = std::mem::take(&mut self.entities[id as usize]);
        let EntityRecord { public_since, told, .. } = known;
        let cell = self.interest.as_ref().and_then(|interest| interest.cell(id));
        self.despawned.push_back(Despawned { at: self.now, id, told: told.clone(), public_since, cell });
        if let Some(interest) = &mut self.interest {
            interest.died(id, public_since.is_some());
            return told;
        }
        if public_since.is_some() { SmallVec::from_slice(&[ViewKey::Everyone]) } else { told }
    }

    /// Notes the owners and teams of entities. Where these changed, the entity's components change their audience.
    fn collect_owners(&mut self, world: &World) {
        let mut moved = std::mem::take(&mut self.orphaned);
        let (since, now) = (self.since, self.now);
        let seats = self.tracked.iter_mut().find(|tracked| tracked.shadow.id == SEAT_COMPONENT);
        let seats = seats.expect("Seat is registered at the start");
        seats.scan.scan(world, Since::Written(since), &mut self.ids, &mut seats.shadow, now);
        self.entities.resize(self.ids.limit().max(self.entities.len()), EntityRecord::default());
        for id in seats.shadow.dirty() {
            self.entities[id as usize].owner = seats.shadow.first_column(id).map(|seat| Seat(seat as u8));
            moved.push(id);
        }
        for (entity, team) in self.teams.iter(world) {
            if team.last_changed().is_newer_than(self.since, world.read_change_tick()) {
                let Id(id) = self.ids.get_or_give(entity);
                self.entities.resize(self.ids.limit().max(self.entities.len()), EntityRecord::default());
                self.entities[id as usize].team = Some(*team);
                moved.push(id);
            }
        }
        for entity in world.removed_with_id(self.team) {
            if let Some(Id(id)) = self.ids.get(entity)
                && world.get::<Team>(entity).is_none()
            {
                self.entities[id as usize].team = None;
                moved.push(id);
            }
        }
        if !moved.is_empty() {
            let teams = self.entities.iter().rev().filter_map(|known| Some((known.owner?, known.team?)));
            self.team_by_seat = teams.collect();
        }
        for id in moved {
            for tracked in &mut self.tracked {
                let key = key_of(tracked.shadow.to, &self.entities[id as usize]);
                if let Some(old) = tracked.shadow.rekey(id, key, self.now) {
                    self.removed.push_back(Removed { at: self.now, id, component: tracked.shadow.id, key: old });
                }
            }
        }
    }

    /// Sets the audience of components that are new in this tick, and notes to whom their entities become visible.
    fn assign_keys(&mut self) {
        for tracked in &mut self.tracked {
            for id in tracked.shadow.fresh() {
                let known = &mut self.entities[id as usize];
                let key = key_of(tracked.shadow.to, known);
                tracked.shadow.set_key(id, key);
                if key == ViewKey::Everyone && known.public_since.is_none() {
                    known.public_since = Some(self.now);
                    self.spawned_now.push(id);
                } else if key != ViewKey::Everyone && key != ViewKey::Nobody && !known.told.contains(&key) {
                    known.told.push(key);
                }
            }
        }
        self.spawned_now.sort_unstable();
    }

    /// Finds the cells of entities that moved, and the views of the seats.
    fn settle(&mut self) {
        let Some(mut interest) = self.interest.take() else { return };
        let removed: Vec<&Removed> = self.removed.iter().rev().take_while(|entry| entry.at == self.now).collect();
        if let Some(tracked) = self.tracked.iter().find(|tracked| tracked.shadow.id == interest.layout.component) {
            interest.place(&tracked.shadow, &self.entities, &self.spawned_now, &removed, self.now);
        }
        let seats = self.tracked.iter().find(|tracked| tracked.shadow.id == SEAT_COMPONENT);
        let owned = seats.into_iter().flat_map(|tracked| tracked.shadow.present());
        interest.look(owned.filter_map(|id| Some((self.entities[id as usize].owner?, id))), self.now);
        self.interest = Some(interest);
    }

    /// Returns the current view of a seat.
    fn eye(&self, viewer: Viewer) -> Eye<'_> {
        let interest = self.interest.as_deref();
        Eye { viewer, interest: interest.map(|interest| (interest, &**interest.sight(viewer.seat, self.now))) }
    }
}

/// A seat with its current view.
#[derive(Clone, Copy)]
struct Eye<'a> {
    viewer: Viewer,
    interest: Option<(&'a Interest, &'a Sight)>,
}

impl Eye<'_> {
    /// Returns whether it sees components of an entity with this key.
    #[inline]
    fn sees(&self, key: ViewKey, id: u32) -> bool {
        match key {
            ViewKey::Everyone => self.interest.is_none_or(|(interest, sight)| sight.sees(interest.cell(id))),
            _ => self.viewer.sees(key),
        }
    }
}

/// The part of a saved match, besides its world, on which its future depends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedReplicator {
    ids: Ids,
    /// The shadow's columns of components that are not compared in every tick.
    late: Vec<(u8, Vec<LateRow>)>,
    interest: Option<SavedInterest>,
}

/// An entity's columns when they were last compared.
type LateRow = (Id, Vec<i64>);

fn key_of(to: Audience, known: &EntityRecord) -> ViewKey {
    match to {
        Audience::Everyone => ViewKey::Everyone,
        Audience::Owner => known.owner.map_or(ViewKey::Nobody, ViewKey::Owner),
        Audience::Team => known.team.map_or(ViewKey::Nobody, ViewKey::Team),
    }
}

/// Returns the columns of a component's value.
fn columns_of<C: Columns>(value: &C) -> SmallVec<[i64; 8]> {
    let mut columns = SmallVec::from_elem(0, C::WIDTH);
    value.quantise(&mut columns);
    columns
}
