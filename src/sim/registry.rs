//! The components and resources that make up a match, and how each is saved to the last bit.

use std::{any::type_name, collections::BTreeMap};

use bevy_ecs::{
    component::{ComponentId, Mutable},
    prelude::*,
    ptr::OwningPtr,
    resource::IsResource,
    world::EntityWorldMut,
};
use serde::{Serialize, de::DeserializeOwned};

use super::SimError;
use crate::protocol::Replicate;

/// The values of an entity that is being restored.
pub(super) type Values<'a> = Vec<OwningPtr<'a>>;

/// A registered component.
pub(super) trait StateComponent: Send + Sync {
    fn register(&self, world: &mut World) -> ComponentId;
    /// Appends the component of an entity, if it has it.
    fn save(&self, entity: EntityRef<'_>, to: &mut Vec<u8>);
    /// Reads one value, then those of `rest`. Then inserts all of them at once, so that the entity goes straight to its archetype.
    fn restore(&self, next: &mut Restoring<'_, '_, '_>, values: Values<'_>) -> Option<()>;
}

/// An entity being restored.
pub(super) struct Restoring<'a, 'b, 'w> {
    pub(super) from: &'a mut &'b [u8],
    pub(super) rest: &'a [&'a dyn StateComponent],
    pub(super) ids: &'a [ComponentId],
    pub(super) entity: &'a mut EntityWorldMut<'w>,
}

impl Restoring<'_, '_, '_> {
    pub(super) fn go_on(&mut self, values: Values<'_>) -> Option<()> {
        if let Some((next, rest)) = self.rest.split_first() {
            self.rest = rest;
            return next.restore(self, values);
        }
        #[expect(
            unsafe_code,
            reason = "an entity must get all its components at once to reach its archetype without steps between"
        )]
        // SAFETY: `ids` are this world's ids of the registered components whose typed `restore` made the values, in the
        // same order, one each.
        unsafe {
            self.entity.insert_by_ids(self.ids, values.into_iter());
        }
        Some(())
    }
}

/// The functions that save and restore a component.
struct SavedComponent<C> {
    save: fn(&C, &mut Vec<u8>),
    restore: fn(&mut &[u8]) -> Option<C>,
}

impl<C: Component> StateComponent for SavedComponent<C> {
    fn register(&self, world: &mut World) -> ComponentId {
        world.register_component::<C>()
    }
    fn save(&self, entity: EntityRef<'_>, to: &mut Vec<u8>) {
        entity.get::<C>().into_iter().for_each(|component| (self.save)(component, to));
    }
    fn restore(&self, next: &mut Restoring<'_, '_, '_>, values: Values<'_>) -> Option<()> {
        push((self.restore)(next.from)?, next, values)
    }
}

fn push<C>(value: C, next: &mut Restoring<'_, '_, '_>, values: Values<'_>) -> Option<()> {
    OwningPtr::make(value, |pointer| {
        let mut values: Values<'_> = values;
        values.push(pointer);
        next.go_on(values)
    })
}

/// Appends a value by serde, to the last bit. A type that serde cannot write is found when the server starts.
fn write<T: Serialize>(value: &T, to: &mut Vec<u8>) {
    if let Err(error) = rmp_serde::encode::write(to, value) {
        panic!("the type {} cannot be saved by serde: {error}", type_name::<T>());
    }
}

fn read<T: DeserializeOwned>(from: &mut &[u8]) -> Option<T> {
    T::deserialize(&mut rmp_serde::Deserializer::new(from)).ok()
}

type SaveResource = fn(&World, &mut Vec<u8>);
type RestoreResource = fn(&mut World, &mut &[u8]) -> Option<()>;

/// Whether types have names. Without them the components of the ECS cannot be told from the rules' own.
const HAS_NAMES: bool = cfg!(not(target_arch = "wasm32"));

/// The components and resources that make up a match.
#[derive(Default)]
pub struct Registry {
    pub(super) components: Vec<(ComponentId, Box<dyn StateComponent>)>,
    pub(super) resources: Vec<(SaveResource, RestoreResource)>,
    /// One saved value of each component, by place. With them, an archetype that is empty now can be made again.
    pub(super) samples: BTreeMap<usize, Vec<u8>>,
    /// The components and resources that the library itself puts into a world.
    known: Vec<ComponentId>,
}

impl Registry {
    /// Registers a component that is sent to clients.
    pub fn replicated<C: Component + Replicate>(&mut self, world: &mut World) {
        self.component::<C>(world, C::save, C::restore);
    }

    /// Registers a component that stays on the server.
    pub fn state<C: Component + Serialize + DeserializeOwned>(&mut self, world: &mut World) {
        self.component::<C>(world, write, read);
    }

    /// Registers a component with functions that save and restore it.
    pub fn component<C: Component>(
        &mut self, world: &mut World, save: fn(&C, &mut Vec<u8>), restore: fn(&mut &[u8]) -> Option<C>,
    ) {
        let component = SavedComponent { save, restore };
        let id = component.register(world);
        if self.components.iter().all(|(known, _)| *known != id) {
            self.components.push((id, Box::new(component)));
        }
    }

    /// Registers a resource, which must already be in the world.
    pub fn resource<R: Resource<Mutability = Mutable> + Serialize + DeserializeOwned>(&mut self, world: &mut World) {
        self.known.push(world.register_component::<R>());
        self.resources.push((
            |world, to| write(world.resource::<R>(), to),
            |world, from| {
                *world.resource_mut::<R>() = read(from)?;
                Some(())
            },
        ));
    }

    /// Accepts a resource that never changes. It belongs to the rules and is not saved.
    pub fn constant<R: Resource>(&mut self, world: &mut World) {
        self.known.push(world.register_component::<R>());
    }

    /// Accepts everything that the world has by now as the library's own.
    pub fn accept_known(&mut self, world: &World) {
        self.known.extend(world.components().iter_registered().map(|(id, _)| id));
    }

    /// Returns the name of a component or resource that systems use but that is not registered, if there is one.
    pub fn unregistered(&self, world: &World) -> Option<String> {
        let mut all = world.components().iter_registered();
        all.find(|(id, _)| !self.knows(world, *id)).map(|(_, info)| info.name().to_string())
    }

    /// Checks that the components of the archetypes from `first` on are registered, and keeps a sample of each component.
    pub(super) fn look(&mut self, world: &World, first: usize) -> Result<(), SimError> {
        let resource = world.components().component_id::<IsResource>();
        for archetype in world.archetypes().iter().skip(first) {
            // A resource has an entity of its own, and is saved separately.
            let is_resource = resource.is_some_and(|id| archetype.contains(id));
            let mut components = archetype.iter_components();
            let saved = |id: &ComponentId| self.components.iter().any(|(known, _)| known == id);
            let unknown = components.find(|id| if is_resource { !self.knows(world, *id) } else { !saved(id) });
            if let Some(id) = unknown {
                return Err(SimError::Unregistered(name_of(world, id)));
            }
            let Some(entity) = archetype.entities().first() else { continue };
            for (place, (id, component)) in self.components.iter().enumerate() {
                if archetype.contains(*id) && !self.samples.contains_key(&place) {
                    let mut sample = Vec::new();
                    component.save(world.entity(entity.id()), &mut sample);
                    self.samples.insert(place, sample);
                }
            }
        }
        Ok(())
    }

    /// Returns whether a component is registered, or belongs to the library or the ECS.
    fn knows(&self, world: &World, id: ComponentId) -> bool {
        let registered = self.components.iter().any(|(known, _)| *known == id) || self.known.contains(&id);
        registered || !HAS_NAMES || name_of(world, id).starts_with("bevy_ecs::")
    }
}

fn name_of(world: &World, id: ComponentId) -> String {
    world.components().get_name(id).map(|name| name.to_string()).unwrap_or_default()
}
