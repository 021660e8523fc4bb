//! The systems that clients run too, to predict what an input does: which functions can be, and which of them are refused.
//!
//! A client has the replicated components, the clock, the teams and the configuration. The compiler refuses systems whose parameters give
//! more than that, such as `ResMut` and `Commands`. Systems that read a component or a resource which clients do not have are refused when
//! the server starts.

use bevy_ecs::{
    component::ComponentId,
    entity_disabling::Disabled,
    prelude::*,
    query::{FilteredAccess, IterQueryData, QueryData, QueryFilter},
    resource::IS_RESOURCE,
    system::{BoxedSystem, IsFunctionSystem, SystemAccess},
};

/// Functions that clients can run too: their parameters are only [`Query`], [`Single`] and [`Res`]. Also tuples of such functions.
///
/// The argument of [`MatchBuilder::predicted`](super::MatchBuilder::predicted).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be predicted",
    label = "not a function of `Query`, `Single` and `Res` only",
    note = "clients have no random numbers, no commands, no `Local` state and no resources that rules change"
)]
pub trait PredictedSystems<M> {
    /// Hands over each system, in order.
    #[doc(hidden)]
    fn each(self, to: &mut dyn FnMut(BoxedSystem<(), ()>));
}

/// A parameter that a predicted system may have: [`Query`], [`Single`] or [`Res`].
///
/// Each of these is an error of the compiler that names the parameter:
///
/// ```compile_fail,E0277
/// # use tickcast::prelude::*;
/// fn spawns(_: Query<&Seat>, mut commands: Commands) {}
/// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
/// m.predicted(spawns);
/// # }
/// ```
/// ```compile_fail,E0277
/// # use tickcast::{bevy_ecs::prelude::Local, prelude::*};
/// fn remembers(mut last: Local<u32>) {}
/// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
/// m.predicted(remembers);
/// # }
/// ```
/// ```compile_fail,E0277
/// # use tickcast::prelude::*;
/// fn takes_all(world: &mut World) {}
/// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
/// m.predicted(takes_all);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "a predicted system cannot have the parameter `{Self}`",
    label = "`{Self}` is not a `Query`, a `Single` or a `Res`",
    note = "clients have no random numbers, no commands, no `Local` state and no resources that rules change"
)]
pub trait PredictedParam {}

/// A filter that a query of a predicted system may have: [`With`], [`Without`], [`Or`], and tuples of them.
///
/// `Changed` and `Added` are none: a client puts components back and forth, so every component has changed.
///
/// ```compile_fail,E0277
/// # use tickcast::{bevy_ecs::prelude::Changed, prelude::*};
/// fn looks_for_changes(all: Query<&Seat, Changed<Seat>>) {}
/// # fn build<G: Game>(m: &mut MatchBuilder<G>) {
/// m.predicted(looks_for_changes);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "a query of a predicted system cannot have the filter `{Self}`",
    label = "`{Self}` is not a `With`, a `Without` or an `Or`",
    note = "a client puts components back and forth, so every component has changed there"
)]
pub trait PredictedFilter: QueryFilter {}

impl<D: QueryData, F: PredictedFilter> PredictedParam for Query<'_, '_, D, F> {}
impl<D: IterQueryData, F: PredictedFilter> PredictedParam for Single<'_, '_, D, F> {}
impl<R: Resource> PredictedParam for Res<'_, R> {}

impl<C: Component> PredictedFilter for With<C> {}
impl<C: Component> PredictedFilter for Without<C> {}

/// Marks the implementation for tuples.
#[doc(hidden)]
pub struct SeveralSystems;

macro_rules! functions {
    ($($param:ident)*) => {
        impl<Fun, $($param: PredictedParam + 'static),*> PredictedSystems<(IsFunctionSystem, fn($($param),*))> for Fun
        where
            Fun: IntoSystem<(), (), (IsFunctionSystem, fn($($param),*))>,
        {
            fn each(self, to: &mut dyn FnMut(BoxedSystem<(), ()>)) {
                to(Box::new(IntoSystem::into_system(self)));
            }
        }
    };
}
functions!(A);
functions!(A B);
functions!(A B C);
functions!(A B C D);
functions!(A B C D E);
functions!(A B C D E F);
functions!(A B C D E F H);
functions!(A B C D E F H I);

macro_rules! tuples {
    ($($system:ident $marker:ident)*) => {
        #[allow(non_snake_case, reason = "a value is named as its type")]
        impl<$($system, $marker),*> PredictedSystems<(SeveralSystems, $($marker,)*)> for ($($system,)*)
        where
            $($system: PredictedSystems<$marker>,)*
        {
            fn each(self, to: &mut dyn FnMut(BoxedSystem<(), ()>)) {
                let ($($system,)*) = self;
                $($system.each(to);)*
            }
        }
    };
}
tuples!(A M);
tuples!(A M B N);
tuples!(A M B N C O);
tuples!(A M B N C O D P);
tuples!(A M B N C O D P E Q);
tuples!(A M B N C O D P E Q F R);
tuples!(A M B N C O D P E Q F R H S);
tuples!(A M B N C O D P E Q F R H S I T);

macro_rules! filters {
    ($($filter:ident)*) => {
        impl<$($filter: PredictedFilter),*> PredictedFilter for ($($filter,)*) {}
        impl<$($filter: PredictedFilter),*> PredictedFilter for Or<($($filter,)*)> {}
    };
}
filters!();
filters!(A);
filters!(A B);
filters!(A B C);
filters!(A B C D);

/// The components and resources that one predicted system reads and writes.
pub(super) struct PredictedAccess {
    system: String,
    access: SystemAccess,
}

/// The components and resources that clients have, by the ids of one world.
pub(super) struct ClientHas {
    /// The components that are sent.
    pub replicated: Vec<ComponentId>,
    /// Those of them that are compared only in some ticks, so that a prediction of them cannot be checked in the others.
    pub seldom: Vec<ComponentId>,
    pub intent: ComponentId,
    /// The clock, the teams and the configuration.
    pub resources: Vec<ComponentId>,
}

impl PredictedAccess {
    pub(super) fn of(system: &mut BoxedSystem<(), ()>, world: &mut World) -> Self {
        let access = system.initialize(world);
        Self { system: system.name().to_string(), access }
    }

    /// Returns the first thing that the system does and a client cannot do, with the system's name.
    pub(super) fn refusal(&self, has: &ClientHas, world: &World) -> Option<(String, String)> {
        let reason = self.reason(has, world)?;
        Some((self.system.clone(), reason))
    }

    fn reason(&self, has: &ClientHas, world: &World) -> Option<String> {
        let set = match &self.access {
            SystemAccess::None => return None,
            SystemAccess::Exclusive => return Some("it takes the whole world".into()),
            SystemAccess::Shared(set) => set,
        };
        let access = set.combined_access();
        let (Some(_), Some(writes)) = (access.reads().as_finite_set(), access.writes().as_finite_set()) else {
            return Some("it looks at all components of an entity, but clients have only those that are replicated".into());
        };
        let name = |id: ComponentId| world.components().get_name(id).map(|name| name.to_string()).unwrap_or_default();
        let library = [Some(IS_RESOURCE), world.components().component_id::<Disabled>()];
        if set.filtered_accesses().iter().any(|one| one.without_filters().any(|id| id == has.intent)) {
            return Some(format!(
                "it looks for entities without {}, which clients have on their own avatar alone",
                name(has.intent)
            ));
        }
        for id in set.filtered_accesses().iter().flat_map(named).filter(|id| !library.contains(&Some(*id))) {
            let sent = has.replicated.contains(&id);
            if !sent && id != has.intent && !has.resources.contains(&id) {
                return Some(format!("it {} {}, which clients do not have", verb(writes.contains(id)), name(id)));
            }
            if writes.contains(id) && !sent {
                return Some(format!("it writes {}, which only the server sets", name(id)));
            }
            if writes.contains(id) && has.seldom.contains(&id) {
                return Some(format!("it writes {}, which is not compared in every tick", name(id)));
            }
        }
        None
    }

    /// Calls back with the components that the system reads or asks for, and whether it writes them.
    pub(crate) fn components(&self, mut each: impl FnMut(ComponentId, bool)) {
        let SystemAccess::Shared(set) = &self.access else { return };
        for one in set.filtered_accesses() {
            let writes = one.access().writes().as_finite_set();
            named(one).for_each(|id| each(id, writes.is_some_and(|writes| writes.contains(id))));
        }
    }

    /// Returns whether the system looks only at avatars, besides resources.
    pub(crate) fn only_avatars(&self, intent: ComponentId) -> bool {
        let SystemAccess::Shared(set) = &self.access else { return true };
        let alone = |one: &FilteredAccess, id| one.filter_sets().iter().all(|filters| filters.with().contains(id));
        set.filtered_accesses().iter().all(|one| alone(one, intent) || alone(one, IS_RESOURCE))
    }
}

/// Returns all ids that a query or a resource names, some of them several times.
fn named(one: &FilteredAccess) -> impl Iterator<Item = ComponentId> {
    let reads = one.access().reads().as_finite_set().into_iter().flat_map(|reads| reads.iter());
    reads.chain(one.access().archetypal().iter()).chain(one.with_filters()).chain(one.without_filters())
}

fn verb(writes: bool) -> &'static str {
    if writes { "writes" } else { "reads" }
}
