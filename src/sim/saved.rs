//! Saves a match as bytes, to the last bit, with the order of iteration.
//!
//! Systems walk over archetypes in the order in which these were made, and over entities in the order of their table. A restored match
//! must walk in the same way, so both orders are saved. An archetype that is empty is made again from samples.

use bevy_ecs::{component::ComponentId, prelude::*};
use serde::{Deserialize, Serialize};

use super::{Clock, Commands, Inputs, MatchRng, Sim, registry::Restoring};
use crate::protocol::{Id, Tick};

#[derive(Serialize, Deserialize)]
struct SavedSim {
    tick: Tick,
    rng: Vec<u8>,
    inputs: Inputs,
    commands: Commands,
    resources: Vec<u8>,
    archetypes: Vec<SavedArchetype>,
}

#[derive(Serialize, Deserialize)]
struct SavedArchetype {
    /// The places in the registry, ascending.
    components: Vec<usize>,
    /// One value of each component, if the archetype is empty and every component has been seen.
    sample: Option<Vec<u8>>,
    entities: Vec<(Option<Id>, Vec<u8>)>,
}

/// Saves what the future of the match depends on. The samples only help to restore it, so they are left out.
pub(super) fn essence(sim: &Sim) -> Vec<u8> {
    let mut saved = snapshot(sim, |_| None);
    saved.archetypes.iter_mut().for_each(|archetype| archetype.sample = None);
    write(&saved)
}

pub(super) fn save(sim: &Sim, id: impl Fn(Entity) -> Option<Id>) -> Vec<u8> {
    write(&snapshot(sim, id))
}

fn write(saved: &SavedSim) -> Vec<u8> {
    rmp_serde::to_vec(saved).expect("plain data is written to memory")
}

fn snapshot(sim: &Sim, id: impl Fn(Entity) -> Option<Id>) -> SavedSim {
    let mut resources = Vec::new();
    for (save, _) in &sim.registry.resources {
        save(&sim.world, &mut resources);
    }
    SavedSim {
        tick: sim.tick,
        rng: rmp_serde::to_vec(sim.world.resource::<MatchRng>()).expect("plain data is written to memory"),
        inputs: sim.inputs.clone(),
        commands: sim.commands.clone(),
        resources,
        archetypes: sim.world.archetypes().iter().filter_map(|archetype| save_archetype(sim, archetype, &id)).collect(),
    }
}

fn save_archetype(
    sim: &Sim, archetype: &bevy_ecs::archetype::Archetype, id: &impl Fn(Entity) -> Option<Id>,
) -> Option<SavedArchetype> {
    let registered = &sim.registry.components;
    let components: Vec<usize> = (0..registered.len()).filter(|&place| archetype.contains(registered[place].0)).collect();
    if components.is_empty() || components.len() != archetype.component_count() {
        // Resources have entities of their own, and are saved separately.
        return None;
    }
    let mut rows: Vec<_> = archetype.entities().iter().map(|row| (row.table_row().index(), row.id())).collect();
    rows.sort_unstable_by_key(|row| row.0);
    let entities = rows.into_iter().map(|(_, entity)| {
        let mut bytes = Vec::new();
        components.iter().for_each(|&place| registered[place].1.save(sim.world.entity(entity), &mut bytes));
        (id(entity), bytes)
    });
    let entities: Vec<_> = entities.collect();
    let samples = || components.iter().map(|&place| sample(sim, place)).collect::<Option<Vec<_>>>();
    let sample = if entities.is_empty() { samples().map(|all| all.concat()) } else { None };
    Some(SavedArchetype { components, sample, entities })
}

/// Returns one value of a component: one that was seen earlier, or a current one.
fn sample(sim: &Sim, place: usize) -> Option<Vec<u8>> {
    let (id, component) = &sim.registry.components[place];
    sim.registry.samples.get(&place).cloned().or_else(|| {
        let mut archetypes = sim.world.archetypes().iter().filter(|archetype| archetype.contains(*id));
        let entity = archetypes.find_map(|archetype| archetype.entities().first())?;
        let mut bytes = Vec::new();
        component.save(sim.world.entity(entity.id()), &mut bytes);
        Some(bytes)
    })
}

pub(super) fn restore(sim: &mut Sim, bytes: &[u8]) -> Option<Vec<(Entity, Id)>> {
    let saved: SavedSim = rmp_serde::from_slice(bytes).ok()?;
    sim.tick = saved.tick;
    (sim.inputs, sim.commands) = (saved.inputs, saved.commands);
    sim.world.resource_mut::<Clock>().tick = saved.tick.0;
    *sim.world.resource_mut::<MatchRng>() = rmp_serde::from_slice(&saved.rng).ok()?;
    let mut resources = &saved.resources[..];
    for (_, restore) in &sim.registry.resources {
        restore(&mut sim.world, &mut resources)?;
    }
    let mut ids = Vec::new();
    for archetype in &saved.archetypes {
        if let Some(sample) = &archetype.sample {
            let entity = restore_entity(sim, &archetype.components, sample)?;
            sim.check().ok()?;
            sim.world.despawn(entity);
        }
        for (id, bytes) in &archetype.entities {
            let entity = restore_entity(sim, &archetype.components, bytes)?;
            ids.extend(id.map(|id| (entity, id)));
        }
    }
    Some(ids)
}

fn restore_entity(sim: &mut Sim, places: &[usize], mut bytes: &[u8]) -> Option<Entity> {
    let registered = &sim.registry.components;
    let components = places.iter().map(|&place| registered.get(place)).collect::<Option<Vec<_>>>()?;
    let ids: Vec<ComponentId> = components.iter().map(|(id, _)| *id).collect();
    let rest: Vec<_> = components.iter().map(|(_, component)| &**component).collect();
    let mut entity = sim.world.spawn_empty();
    let made = entity.id();
    Restoring { from: &mut bytes, rest: &rest, ids: &ids, entity: &mut entity }.go_on(Default::default())?;
    Some(made)
}
