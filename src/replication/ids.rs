//! Dense match-local ids for entities. An id freed by a despawn rests until no client can hold it.

use std::collections::{BTreeSet, VecDeque};

use bevy_ecs::entity::Entity;
use serde::{Deserialize, Serialize};

use crate::protocol::{Id, Tick};

/// Which entity has which id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ids {
    /// By entity index.
    #[serde(skip)]
    given: Vec<Option<(Entity, Id)>>,
    limit: u32,
    free: BTreeSet<Id>,
    resting: VecDeque<(Tick, Id)>,
    rest: u32,
}

impl Ids {
    /// No ids yet; a freed one rests for `rest` ticks.
    pub(super) fn new(rest: u32) -> Self {
        Self { rest, ..Self::default() }
    }

    /// The id of an entity.
    #[inline]
    pub fn get(&self, entity: Entity) -> Option<Id> {
        self.given.get(entity.index_u32() as usize).copied().flatten().filter(|(known, _)| *known == entity).map(|(_, id)| id)
    }

    /// The id of an entity; a new one gets the least that is free.
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

    /// Takes the id of an entity that is gone.
    pub(super) fn free(&mut self, entity: Entity, now: Tick) {
        if let Some(id) = self.get(entity) {
            self.given[entity.index_u32() as usize] = None;
            self.resting.push_back((now, id));
        }
    }

    /// Lets ids that have rested be given again.
    pub(super) fn advance(&mut self, now: Tick) {
        while let Some((_, id)) = self.resting.pop_front_if(|(freed, _)| now.since(*freed) > self.rest) {
            self.free.insert(id);
        }
    }

    /// All ids are below this.
    pub(super) fn limit(&self) -> usize {
        self.limit as usize
    }
}
