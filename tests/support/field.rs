//! A field with a grid over it, and a plain reference of what each seat should see of it.
//!
//! It has components of its own, because a mirror is compared without ids: each component says to which entity it belongs. Entities
//! drift by themselves, so that they change cells without inputs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tickcast::{
    prelude::*,
    protocol::{Columns, Replicate},
};

pub use crate::walk::Pad;

/// The size of a cell.
pub const CELL: f32 = 8.0;

/// The first of the components. `hits` makes it more than a position.
#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 1)]
pub struct Pos {
    pub hits: u8,
    #[q(step = 0.03125)]
    pub at: Vec2,
}

#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 2)]
pub struct Tag(pub u32);

#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 3, to = team)]
pub struct Radar {
    pub tag: u32,
    pub blip: u8,
}

#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 4, to = owner)]
pub struct Purse {
    pub tag: u32,
    pub coins: u8,
}

#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 5)]
pub struct Hp(pub u8);

/// Told every fifth tick.
#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 6, every = 5)]
pub struct Mood(pub u8);

#[derive(Component, Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Drift(pub Vec2);

/// A field with cells of 8 units. Entities beyond the first ring are sent every `FAR` ticks, if that is not 0. `BUDGET` is in bytes per
/// frame, 0 for none.
pub struct Field<const FAR: u32, const BUDGET: usize>;

impl<const FAR: u32, const BUDGET: usize> Game for Field<FAR, BUDGET> {
    const NAME: &'static str = "field";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        let grid = Grid::<Pos>::cells(CELL);
        let grid = if FAR > 0 { grid.radius(2).far_beyond(1, FAR) } else { grid.radius(1) };
        m.tick_rate(20)
            .seats(1..=8)
            .replicate::<(Pos, Tag, Radar, Purse, Hp, Mood)>()
            .state::<Drift>()
            .interest(grid)
            .on_join(|seat, w| {
                let at = Vec2::new(f32::from(seat.0) * 100.0, 4.0);
                let part = (Pos { hits: 0, at }, Tag(u32::from(seat.0)), Drift(Vec2::ZERO));
                w.spawn_avatar(seat, (part, Team(seat.0 % 2)))
            })
            .systems((
                |mut all: Query<(&Intent<Pad>, &mut Drift)>| all.iter_mut().for_each(|(i, mut d)| d.0 = i.dir.unit()),
                |mut all: Query<(&Drift, &mut Pos)>| all.iter_mut().for_each(|(d, mut p)| p.at += d.0),
            ))
            .reconnect_grace(secs(20.0))
            .bot::<Watcher>();
        if BUDGET > 0 {
            m.budget(BUDGET);
        }
    }
}

/// Chooses its direction from what it sees, so that a bot's view influences the match.
#[derive(Default, Serialize, Deserialize)]
pub struct Watcher(u32);

impl<const FAR: u32, const BUDGET: usize> Bot<Field<FAR, BUDGET>> for Watcher {
    fn think(&mut self, view: &View<'_>, _: &mut MatchRng) -> Pad {
        self.0 = view.iter::<Mood>().map(|(id, mood)| id.0 + u32::from(mood.0)).sum::<u32>() + self.0 / 2;
        self.0 += view.iter::<Tag>().map(|(_, tag)| tag.0).sum::<u32>();
        let dirs = [Dir8::E, Dir8::N, Dir8::W, Dir8::S];
        Pad { dir: dirs[self.0 as usize / 3 % 4] }
    }
}

pub fn entity<const FAR: u32, const BUDGET: usize>(table: &mut TestRoom<Field<FAR, BUDGET>>, tag: u32) -> Entity {
    let world = table.world();
    let mut all = world.query::<(Entity, &Tag)>();
    all.iter(world).find(|(_, t)| t.0 == tag).expect("an entity with that tag").0
}

/// Moves an entity to a position.
pub fn put<const FAR: u32, const BUDGET: usize>(table: &mut TestRoom<Field<FAR, BUDGET>>, tag: u32, x: f32, y: f32) {
    let entity = entity(table, tag);
    table.world().get_mut::<Pos>(entity).expect("a position").at = Vec2::new(x, y);
}

/// The columns of each component, by tag and component id.
pub type State = BTreeMap<u32, BTreeMap<u8, Vec<i64>>>;

/// Returns the content of a player's mirror by tag. Leaves out entities without components.
pub fn held<const FAR: u32, const BUDGET: usize>(table: &mut TestRoom<Field<FAR, BUDGET>>, player: usize) -> State {
    let entities = table.mirror(player).entities().filter(|(_, parts)| !parts.is_empty());
    let tagged = entities.map(|(id, parts)| {
        let tag = [Tag::ID, Radar::ID, Purse::ID].iter().find_map(|component| parts.get(component));
        let tag = tag.unwrap_or_else(|| panic!("{id:?} holds no tag but {parts:?}"))[0] as u32;
        (tag, parts.iter().map(|(component, columns)| (*component, columns.to_vec())).collect())
    });
    tagged.collect()
}

/// Returns the tags that a player's mirror holds.
pub fn tags<const FAR: u32, const BUDGET: usize>(table: &mut TestRoom<Field<FAR, BUDGET>>, player: usize) -> Vec<u32> {
    held(table, player).into_keys().collect()
}

/// The rule of interest in a simple form: cells with hysteresis, and a view of a square of cells around each entity of the seat.
#[derive(Default)]
pub struct Rule {
    cells: BTreeMap<u32, (i32, i32)>,
    looks: BTreeMap<u8, BTreeSet<(i32, i32)>>,
    radius: i32,
    moods: BTreeMap<u32, u8>,
}

impl Rule {
    pub fn of(radius: i32) -> Self {
        Self { radius, ..Self::default() }
    }

    /// Updates the rule from the world after a tick.
    pub fn step(&mut self, world: &mut World) {
        let tick = world.resource::<Clock>().tick;
        let mut all = world.query::<(&Tag, Option<&Pos>, Option<&Seat>, Option<&Mood>)>();
        let mut cells = BTreeMap::new();
        let mut looks: BTreeMap<u8, BTreeSet<(i32, i32)>> = BTreeMap::new();
        let mut moods = BTreeMap::new();
        for (tag, pos, seat, mood) in all.iter(world) {
            if let Some(pos) = pos {
                let mut columns = [0; 3];
                pos.quantise(&mut columns);
                let old = self.cells.get(&tag.0);
                let axis = |steps: i64, old: Option<i32>| {
                    let at = steps as f64 / 32.0 / f64::from(CELL);
                    match old {
                        Some(old) if f64::from(old) - 0.125 <= at && at <= f64::from(old) + 1.125 => old,
                        _ => at.floor() as i32,
                    }
                };
                let cell = (axis(columns[1], old.map(|cell| cell.0)), axis(columns[2], old.map(|cell| cell.1)));
                cells.insert(tag.0, cell);
                seat.map(|seat| looks.entry(seat.0).or_default().insert(cell));
            }
            if let Some(mood) = mood {
                let old = self.moods.get(&tag.0).filter(|_| !tick.is_multiple_of(5));
                moods.insert(tag.0, *old.unwrap_or(&mood.0));
            }
        }
        (self.cells, self.moods) = (cells, moods);
        self.looks.extend(looks);
    }

    /// Returns the ring in which a seat sees an entity, or `None` if it does not.
    pub fn ring(&self, tag: u32, seat: u8) -> Option<i32> {
        let Some(cell) = self.cells.get(&tag) else { return Some(0) };
        let rings = self.looks.get(&seat)?.iter().map(|from| (from.0 - cell.0).abs().max((from.1 - cell.1).abs()));
        rings.min().filter(|ring| *ring <= self.radius)
    }

    /// Returns the state that a seat of a team should see.
    pub fn seen(&self, world: &mut World, seat: Seat, team: u8) -> State {
        let mut seen = State::new();
        let mut all = world.query::<(
            &Tag,
            (Option<&Pos>, Option<&Radar>, Option<&Purse>, Option<&Hp>),
            (Option<&Seat>, Option<&Team>, Has<Mood>),
        )>();
        for (tag, (pos, radar, purse, hp), (owner, of, has_mood)) in all.iter(world) {
            let mut parts = BTreeMap::new();
            if self.ring(tag.0, seat.0).is_some() {
                parts.extend(part(Some(tag)));
                parts.extend(part(pos));
                parts.extend(part(hp));
                parts.extend(part(owner));
                parts.extend(part(has_mood.then(|| Mood(self.moods[&tag.0])).as_ref()));
            }
            parts.extend(part(radar.filter(|_| of.is_some_and(|of| of.0 == team))));
            parts.extend(part(purse.filter(|_| owner == Some(&seat))));
            if !parts.is_empty() {
                seen.insert(tag.0, parts);
            }
        }
        seen
    }
}

fn part<C: Replicate>(value: Option<&C>) -> Option<(u8, Vec<i64>)> {
    let mut columns = vec![0; C::WIDTH];
    value?.quantise(&mut columns);
    Some((C::ID, columns))
}
