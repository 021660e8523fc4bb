//! What changed since when, for whom, in how few bytes.
//!
//! This room knows worlds, shadow columns and frames. It refuses to know games, seats' connections and sockets.
//!
//! After each step [`Replicator::collect`] compares the replicated components against *shadow columns*: what a client that
//! is in step holds. A write that changes nothing visible costs no byte. What differs is encoded once for each audience;
//! a seat's frame is a head and clones of those blocks.

mod encode;
mod ids;
mod mirror;
mod shadow;
mod view;

use std::collections::{BTreeMap, VecDeque};

use bevy_ecs::{
    change_detection::{DetectChanges, Tick as ChangeTick},
    component::ComponentId,
    prelude::*,
};
use smallvec::SmallVec;

use crate::{
    protocol::{self, Audience, Block, Columns, Id, Replicate, SEAT_COMPONENT, Seat, SectionWriter, Tick},
    sim::Team,
};

pub use ids::Ids;
pub use mirror::{Applied, Desync, Mended, Mirror, MirrorError};
pub use view::View;

use shadow::{Scan, Shadow, Typed};

/// Seconds for which despawns and removals are remembered, and ids not given again: a client that fell behind further
/// gets a snapshot.
pub const MEMORY_SECONDS: f32 = 10.0;

/// Who sees something: the whole match, one team or one seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Nobody: an owner-only component of an entity without an owner.
    Nobody,
    /// Every seat.
    Everyone,
    /// The seats of a team.
    Team(Team),
    /// A seat.
    Owner(Seat),
}

/// A seat as a watcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    /// The seat.
    pub seat: Seat,
    /// Its avatar's team.
    pub team: Option<Team>,
}

impl Viewer {
    /// Whether the seat sees what goes to `key`.
    pub fn sees(&self, key: Key) -> bool {
        match key {
            Key::Nobody => false,
            Key::Everyone => true,
            Key::Team(team) => self.team == Some(team),
            Key::Owner(seat) => self.seat == seat,
        }
    }

    /// What the seat sees besides what everyone does.
    fn keys(&self) -> impl Iterator<Item = Key> {
        self.team.map(Key::Team).into_iter().chain([Key::Owner(self.seat)])
    }
}

/// Blocks of one frame, in order.
pub type Blocks = SmallVec<[Block; 3]>;

/// The replicated state of one match, as clients hold it, and what changed in it lately.
pub struct Replicator {
    tables: Vec<Table>,
    ids: Ids,
    teams: QueryState<(Entity, Ref<'static, Team>)>,
    /// By entity id.
    entities: Vec<Known>,
    now: Tick,
    memory: u32,
    since: ChangeTick,
    despawned: VecDeque<Despawned>,
    removed: VecDeque<Removed>,
    team_by_seat: BTreeMap<Seat, Team>,
    /// Lost their owner in this tick.
    orphaned: Vec<u32>,
    /// Everyone hears of them in this tick.
    spawned_now: Vec<u32>,
    /// What the tick changed for everyone.
    public_diff: Block,
    /// What it changed for teams and owners.
    diffs: BTreeMap<Key, Block>,
    public_checks: Block,
    packed: bool,
    writer: SectionWriter,
}

/// A replicated component: its shadow, and the typed eye that scans the world for it.
struct Table {
    component: ComponentId,
    shadow: Shadow,
    scan: Box<dyn Scan>,
}

/// What is known of an entity.
#[derive(Debug, Clone, Default)]
struct Known {
    owner: Option<Seat>,
    team: Option<Team>,
    /// The tick at which everyone heard of it; `None` while only some did.
    public_since: Option<Tick>,
    /// Those who heard of it before or besides everyone.
    told: SmallVec<[Key; 2]>,
}

struct Despawned {
    at: Tick,
    id: u32,
    told: SmallVec<[Key; 2]>,
    public_since: Option<Tick>,
}

struct Removed {
    at: Tick,
    id: u32,
    component: u8,
    key: Key,
}

impl Replicator {
    /// A replicator of a match at `hz` ticks a second. `Seat` is replicated in every match.
    pub fn new(world: &mut World, hz: u16) -> Self {
        let mut this = Self {
            tables: Vec::new(),
            ids: Ids::new(protocol::ticks(MEMORY_SECONDS, hz)),
            teams: world.query(),
            entities: Vec::new(),
            now: Tick(0),
            memory: protocol::ticks(MEMORY_SECONDS, hz),
            // What is spawned from now on is newer than this.
            since: world.increment_change_tick(),
            despawned: VecDeque::new(),
            removed: VecDeque::new(),
            team_by_seat: BTreeMap::new(),
            orphaned: Vec::new(),
            spawned_now: Vec::new(),
            public_diff: Block::default(),
            diffs: BTreeMap::new(),
            public_checks: Block::default(),
            packed: false,
            writer: SectionWriter::default(),
        };
        this.register::<Seat>(world);
        this
    }

    /// Packs lists in frames from now on.
    pub fn pack(&mut self) {
        self.packed = true;
        self.writer = SectionWriter::new(true);
    }

    /// Replicates a component.
    pub fn register<C: Component + Replicate>(&mut self, world: &mut World) {
        let component = world.register_component::<C>();
        if self.tables.iter().any(|table| table.component == component) {
            return;
        }
        let table = Table { component, shadow: Shadow::of::<C>(), scan: Box::new(Typed::<C>::new(world)) };
        let place = self.tables.partition_point(|table| table.shadow.id < C::ID);
        self.tables.insert(place, table);
    }

    /// Takes over which entity has which id, from a saved match.
    pub fn restore(&mut self, ids: Ids, entities: Vec<(Entity, Id)>) {
        self.ids = ids;
        entities.into_iter().for_each(|(entity, id)| self.ids.bind(entity, id));
    }

    /// The ids given, to save them.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Compares the world after the step of `now` against the shadow and encodes what differs, once for each audience.
    pub fn collect(&mut self, world: &mut World, now: Tick) {
        self.now = now;
        self.spawned_now.clear();
        self.tables.iter_mut().for_each(|table| table.shadow.begin());
        let forgotten = |at: Tick| now.since(at) > self.memory;
        while self.despawned.pop_front_if(|entry| forgotten(entry.at)).is_some() {}
        while self.removed.pop_front_if(|entry| forgotten(entry.at)).is_some() {}
        self.ids.advance(now);

        let gone = self.collect_removed(world);
        self.collect_owners(world);
        let since = self.since;
        for table in self.tables.iter_mut().filter(|table| table.shadow.id != SEAT_COMPONENT) {
            table.scan.scan(world, since, &mut self.ids, &mut table.shadow, now);
        }
        let limit = self.ids.limit();
        self.tables.iter_mut().for_each(|table| table.shadow.fit(limit));
        self.entities.resize(self.ids.limit().max(self.entities.len()), Known::default());
        self.assign_keys();
        self.since = world.change_tick();
        world.increment_change_tick();
        world.clear_trackers();
        self.encode_diffs(&gone);
    }

    /// What changed for a seat in the tick collected last.
    pub fn diff(&self, viewer: Viewer) -> Blocks {
        let mut blocks = Blocks::new();
        if !self.public_diff.is_empty() {
            blocks.push(self.public_diff.clone());
        }
        // In most ticks of most games nothing else changed, and a seat costs no look-up.
        if !self.diffs.is_empty() {
            blocks.extend(viewer.keys().filter_map(|key| self.diffs.get(&key).cloned()));
        }
        blocks
    }

    /// The team of a seat: that of an entity which it owns.
    pub fn team_of(&self, seat: Seat) -> Option<Team> {
        self.team_by_seat.get(&seat).copied()
    }

    /// Notes which components and entities went since the last tick. Gives back the entities, with who knew of them.
    fn collect_removed(&mut self, world: &World) -> Vec<(u32, SmallVec<[Key; 2]>)> {
        let mut gone = Vec::new();
        for at in 0..self.tables.len() {
            let (component, wire) = (self.tables[at].component, self.tables[at].shadow.id);
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
                        if let Some(key) = self.tables[at].shadow.take(id) {
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

    fn despawn(&mut self, entity: Entity, id: u32) -> SmallVec<[Key; 2]> {
        for table in &mut self.tables {
            table.shadow.take(id);
        }
        self.ids.free(entity, self.now);
        let known = std::mem::take(&mut self.entities[id as usize]);
        let Known { public_since, told, .. } = known;
        self.despawned.push_back(Despawned { at: self.now, id, told: told.clone(), public_since });
        if public_since.is_some() { SmallVec::from_slice(&[Key::Everyone]) } else { told }
    }

    /// Learns who owns what, and on which team it is. Where that changed, the components that hang on it change hands.
    fn collect_owners(&mut self, world: &World) {
        let mut moved = std::mem::take(&mut self.orphaned);
        let (since, now) = (self.since, self.now);
        let seats = self.tables.iter_mut().find(|table| table.shadow.id == SEAT_COMPONENT);
        let seats = seats.expect("Seat is registered at the start");
        seats.scan.scan(world, since, &mut self.ids, &mut seats.shadow, now);
        self.entities.resize(self.ids.limit().max(self.entities.len()), Known::default());
        for id in seats.shadow.dirty() {
            self.entities[id as usize].owner = seats.shadow.first_column(id).map(|seat| Seat(seat as u8));
            moved.push(id);
        }
        for (entity, team) in self.teams.iter(world) {
            if team.last_changed().is_newer_than(self.since, world.read_change_tick()) {
                let Id(id) = self.ids.get_or_give(entity);
                self.entities.resize(self.ids.limit().max(self.entities.len()), Known::default());
                self.entities[id as usize].team = Some(*team);
                moved.push(id);
            }
        }
        for entity in world.removed::<Team>() {
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
            for table in &mut self.tables {
                let key = key_of(table.shadow.to, &self.entities[id as usize]);
                if let Some(old) = table.shadow.rekey(id, key, self.now) {
                    self.removed.push_back(Removed { at: self.now, id, component: table.shadow.id, key: old });
                }
            }
        }
    }

    /// Gives what is new in this tick its audience, and notes who hears of an entity for the first time.
    fn assign_keys(&mut self) {
        for table in &mut self.tables {
            for id in table.shadow.fresh() {
                let known = &mut self.entities[id as usize];
                let key = key_of(table.shadow.to, known);
                table.shadow.set_key(id, key);
                if key == Key::Everyone && known.public_since.is_none() {
                    known.public_since = Some(self.now);
                    self.spawned_now.push(id);
                } else if key != Key::Everyone && key != Key::Nobody && !known.told.contains(&key) {
                    known.told.push(key);
                }
            }
        }
        self.spawned_now.sort_unstable();
    }
}

fn key_of(to: Audience, known: &Known) -> Key {
    match to {
        Audience::Everyone => Key::Everyone,
        Audience::Owner => known.owner.map_or(Key::Nobody, Key::Owner),
        Audience::Team => known.team.map_or(Key::Nobody, Key::Team),
    }
}

/// The columns of a component's value.
fn columns_of<C: Columns>(value: &C) -> SmallVec<[i64; 8]> {
    let mut columns = SmallVec::from_elem(0, C::WIDTH);
    value.quantise(&mut columns);
    columns
}
