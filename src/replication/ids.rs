//! Gives entities dense ids that are local to the match. An id that a despawn frees rests until no client can hold it.

use std::collections::{BTreeSet, VecDeque};

use bevy_ecs::entity::Entity;
use serde::{Deserialize, Serialize};

use crate::{
    prefetch::prefetch,
    protocol::{Id, Tick},
};

/// The ids of a match's entities.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ids {
    /// Indexed by the entity's index in the ECS.
    #[serde(skip)]
    given: Vec<Option<(Entity, Id)>>,
    limit: u32,
    free: BTreeSet<Id>,
    resting: VecDeque<(Tick, Id)>,
    rest: u32,
}

impl Ids {
    /// Starts without ids. A freed id rests for `rest` ticks.
    pub(super) fn new(rest: u32) -> Self {
        Self { rest, ..Self::default() }
    }

    /// Begins to fetch the ids into the CPU's caches.
    pub(super) fn prefetch(&self) {
        prefetch(&*self.given);
    }

    /// Returns the id of an entity.
    #[inline]
    pub fn get(&self, entity: Entity) -> Option<Id> {
        self.given.get(entity.index_u32() as usize).copied().flatten().filter(|(known, _)| *known == entity).map(|(_, id)| id)
    }

    /// Returns the id of an entity. A new entity gets the least free id.
    #[inline]
    pub(super) fn get_or_give(&mut self, entity: Entity) -> Id {
        if let Some(id) = self.get(entity) {
            return id;
        }
        let id = self.free.pop_first().unwrap_or(Id(self.limit));
        self.bind(entity, id);
        id
    }

    /// Gives an entity a certain id.
    pub(super) fn bind(&mut self, entity: Entity, id: Id) {
        let index = entity.index_u32() as usize;
        if self.given.len() <= index {
            self.given.resize(index + 1, None);
        }
        self.given[index] = Some((entity, id));
        self.limit = self.limit.max(id.0 + 1);
    }

    /// Frees the id of an entity that is gone.
    pub(super) fn free(&mut self, entity: Entity, now: Tick) {
        if let Some(id) = self.get(entity) {
            self.given[entity.index_u32() as usize] = None;
            self.resting.push_back((now, id));
        }
    }

    /// Makes ids that have rested long enough free again.
    pub(super) fn advance(&mut self, now: Tick) {
        while let Some((_, id)) = self.resting.pop_front_if(|(freed, _)| now.since(*freed) > self.rest) {
            self.free.insert(id);
        }
    }

    /// Returns the number that all ids are below.
    pub(super) fn limit(&self) -> usize {
        self.limit as usize
    }
}
