//! The entities of a predictor's world, by the ids that clients know, and their components as bytes.

use bevy_ecs::prelude::*;
use smallvec::{SmallVec, smallvec};

use super::agreement::Agreement;
use crate::{
    game::{ErasedComponent, UsedComponent},
    protocol::{Id, SEAT_COMPONENT, Seat},
};

/// A component that the predicted systems name.
pub(super) struct Tracked {
    pub component: ErasedComponent,
    pub is_written: bool,
    agreement: Agreement,
}

/// The rule by which an entity is one that the client predicts.
#[derive(Clone, Copy)]
pub(super) struct Own {
    pub avatar: Option<Id>,
    /// Entities of this seat are own ones, too.
    pub seat: Option<Seat>,
}

/// How the server's state of a tick differs from what was predicted for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    /// By nothing that counts.
    None,
    /// Only in components that the systems read. What they wrote is right, but may not be after the next steps.
    InRead,
    /// In components that the systems write, or in which entities there are.
    InWritten,
}

/// The entities of a world, by ascending id.
#[derive(Default)]
pub(super) struct Entities(Vec<Held>);

struct Held {
    id: u32,
    entity: Entity,
    is_own: bool,
}

/// Rows of columns: an id, a component's wire id, its columns, and so on.
struct Rows<'a> {
    tracked: &'a [Tracked],
    rest: &'a [i64],
}

struct Row<'a> {
    id: u32,
    /// The component's place among the tracked ones.
    place: usize,
    columns: &'a [i64],
}

/// The columns of one component.
type Columns = SmallVec<[i64; 16]>;

/// The columns of one entity, by place.
type Group<'a> = SmallVec<[Option<&'a [i64]>; 16]>;

impl Tracked {
    pub fn new(UsedComponent { component, is_written, snap }: UsedComponent) -> Self {
        Self { component, is_written, agreement: Agreement::of(&(component.fields)(), snap) }
    }
}

impl Own {
    fn is(&self, id: u32, group: &Group<'_>, tracked: &[Tracked]) -> bool {
        let seat = tracked.iter().position(|tracked| tracked.component.id == SEAT_COMPONENT).and_then(|place| group[place]);
        let owner = seat.and_then(|columns| columns.first().copied());
        self.avatar == Some(Id(id)) || self.seat.is_some_and(|own| owner == Some(i64::from(own.0)))
    }
}

impl Entities {
    /// Returns an entity by its id.
    pub fn get(&self, id: Id) -> Option<Entity> {
        self.0.binary_search_by_key(&id.0, |held| held.id).ok().map(|at| self.0[at].entity)
    }

    pub fn clear(&mut self, world: &mut World) {
        for held in self.0.drain(..) {
            world.despawn(held.entity);
        }
    }

    /// Makes the world hold exactly the entities and components of some rows.
    pub fn set(&mut self, world: &mut World, tracked: &[Tracked], rows: &[i64], own: Own) {
        let mut next: Vec<Held> = Vec::with_capacity(self.0.len());
        for (id, group) in groups(tracked, rows) {
            let entity = self.get(Id(id)).unwrap_or_else(|| world.spawn_empty().id());
            let mut entity = world.entity_mut(entity);
            for (tracked, columns) in tracked.iter().zip(&group) {
                match columns {
                    Some(columns) => (tracked.component.set)(&mut entity, tracked.component.component, columns),
                    None => (tracked.component.remove)(&mut entity),
                }
            }
            // Ids that do not go upwards are no rows of a mirror.
            if next.last().is_none_or(|last| last.id < id) {
                next.push(Held { id, entity: entity.id(), is_own: own.is(id, &group, tracked) });
            }
        }
        let is_gone = |held: &&Held| next.binary_search_by_key(&held.id, |held| held.id).is_err();
        for held in self.0.iter().filter(is_gone) {
            world.despawn(held.entity);
        }
        self.0 = next;
    }

    /// Appends the components of the own entities: for each component a byte that says whether it is there, then its value.
    pub fn save(&self, world: &World, tracked: &[Tracked], to: &mut Vec<u8>) {
        for held in self.own() {
            for Tracked { component, .. } in tracked {
                let at = to.len();
                to.push(0);
                to[at] = u8::from((component.save)(world, held.entity, to));
            }
        }
    }

    /// Puts saved components back into the own entities, which are the same as when they were saved.
    pub fn restore(&self, world: &mut World, tracked: &[Tracked], from: &[u8]) {
        self.restore_those(world, tracked, from, |_| true);
    }

    /// Puts saved components back, but only those that the systems write.
    pub fn restore_written(&self, world: &mut World, tracked: &[Tracked], from: &[u8]) {
        self.restore_those(world, tracked, from, |tracked| tracked.is_written);
    }

    fn restore_those(&self, world: &mut World, tracked: &[Tracked], mut from: &[u8], wanted: impl Fn(&Tracked) -> bool) {
        let mut skipped = Columns::new();
        for held in self.own() {
            let mut entity = world.entity_mut(held.entity);
            for one in tracked {
                let Tracked { component, .. } = one;
                if !is_there(&mut from) {
                    continue;
                }
                if wanted(one) {
                    (component.restore)(&mut entity, component.component, &mut from).expect(SAVED);
                } else {
                    skipped.resize(component.width, 0);
                    (component.quantise)(&mut from, &mut skipped).expect(SAVED);
                }
            }
        }
    }

    /// Compares the own entities of some rows with those that were saved.
    pub fn difference(&self, tracked: &[Tracked], mut saved: &[u8], rows: &[i64], own: Own) -> Difference {
        let mut held = self.own();
        let mut predicted = Columns::new();
        let mut difference = Difference::None;
        for (id, group) in groups(tracked, rows) {
            if !own.is(id, &group, tracked) {
                continue;
            }
            if held.next().is_none_or(|held| held.id != id) {
                return Difference::InWritten;
            }
            for (Tracked { component, is_written, agreement }, told) in tracked.iter().zip(group) {
                let is_there = is_there(&mut saved);
                if is_there {
                    predicted.resize(component.width, 0);
                    (component.quantise)(&mut saved, &mut predicted).expect(SAVED);
                }
                let agrees = told.map_or(!is_there, |told| is_there && agreement.holds(&predicted, told));
                match (agrees, is_written) {
                    (true, _) => {}
                    (false, false) => difference = Difference::InRead,
                    (false, true) => return Difference::InWritten,
                }
            }
        }
        if held.next().is_some() { Difference::InWritten } else { difference }
    }

    /// Appends the saved values of written components of the own entities: id, component, a number for each column, and so on.
    pub fn values(&self, tracked: &[Tracked], mut saved: &[u8], to: &mut Vec<f64>) {
        for held in self.own() {
            for Tracked { component, is_written, .. } in tracked {
                if !is_there(&mut saved) {
                    continue;
                }
                let at = to.len();
                to.extend([f64::from(held.id), f64::from(component.id)]);
                to.resize(at + 2 + component.width, 0.0);
                (component.values)(&mut saved, &mut to[at + 2..]).expect(SAVED);
                if !is_written {
                    to.truncate(at);
                }
            }
        }
    }

    /// Iterates over the own entities.
    fn own(&self) -> impl Iterator<Item = &Held> {
        self.0.iter().filter(|held| held.is_own)
    }
}

const SAVED: &str = "the bytes were saved from the same components";

fn is_there(from: &mut &[u8]) -> bool {
    let (first, rest) = from.split_first().expect(SAVED);
    *from = rest;
    *first == 1
}

/// Appends by how much the values `before` a correction are ahead of those `after` it, for what is in both and differs. Returns whether
/// anything must be drawn at once.
pub(super) fn errors(tracked: &[Tracked], before: &[f64], after: &[f64], to: &mut Vec<f64>) -> bool {
    let mut is_snapped = false;
    for (tracked_one, row) in value_rows(tracked, before) {
        let Some((_, now)) = value_rows(tracked, after).find(|(_, now)| now[..2] == row[..2]) else { continue };
        let at = to.len();
        to.extend_from_slice(row);
        is_snapped |= tracked_one.agreement.error(&row[2..], &now[2..], &mut to[at + 2..]);
        if to[at + 2..].iter().all(|by| *by == 0.0) {
            to.truncate(at);
        }
    }
    is_snapped
}

/// Returns whether the values `after` a correction are others than those `before` it, beyond what is rounded.
pub(super) fn changed(tracked: &[Tracked], before: &[f64], after: &[f64]) -> bool {
    // Rows of the same entities and components are equally long.
    before.len() != after.len()
        || value_rows(tracked, before)
            .zip(value_rows(tracked, after))
            .any(|((one, before), (_, after))| before[..2] != after[..2] || one.agreement.changed(&before[2..], &after[2..]))
}

/// Iterates over rows of values: an id, a component, a number for each column.
fn value_rows<'a>(tracked: &'a [Tracked], mut values: &'a [f64]) -> impl Iterator<Item = (&'a Tracked, &'a [f64])> {
    std::iter::from_fn(move || {
        let component = *values.get(1)?;
        let tracked = tracked.iter().find(|tracked| f64::from(tracked.component.id) == component)?;
        let (row, rest) = values.split_at_checked(2 + tracked.component.width)?;
        values = rest;
        Some((tracked, row))
    })
}

/// Splits rows by entity.
fn groups<'a>(tracked: &'a [Tracked], rows: &'a [i64]) -> impl Iterator<Item = (u32, Group<'a>)> {
    let mut rows = Rows { tracked, rest: rows }.peekable();
    std::iter::from_fn(move || {
        let id = rows.peek()?.id;
        let mut group: Group<'a> = smallvec![None; tracked.len()];
        while let Some(row) = rows.next_if(|row| row.id == id) {
            group[row.place] = Some(row.columns);
        }
        Some((id, group))
    })
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    /// Ends at the first row that is none.
    fn next(&mut self) -> Option<Row<'a>> {
        let [id, component, rest @ ..] = self.rest else { return None };
        let place = self.tracked.iter().position(|tracked| i64::from(tracked.component.id) == *component)?;
        let (columns, rest) = rest.split_at_checked(self.tracked[place].component.width)?;
        self.rest = rest;
        Some(Row { id: u32::try_from(*id).ok()?, place, columns })
    }
}
