//! The part of a game that a client runs: its predicted systems, on a world with only the components that clients have.

use bevy_ecs::{prelude::*, system::BoxedSystem};

use super::{
    Game, MatchBuilder,
    parts::{ClientParts, ErasedComponent, Parts},
    predicted::PredictedAccess,
};
use crate::{
    protocol::{Replicate as _, Seat},
    sim::{Intent, Teams},
};

/// A component that predicted systems name.
pub(crate) struct UsedComponent {
    pub component: ErasedComponent,
    /// Whether a system writes it, so that a client draws what was predicted.
    pub is_written: bool,
    /// The distance beyond which a correction is drawn at once.
    pub snap: Option<f32>,
}

/// The part of a game that a client runs.
pub(crate) struct ClientRules {
    pub world: World,
    pub systems: Vec<BoxedSystem<(), ()>>,
    /// By ascending wire id.
    pub used: Vec<UsedComponent>,
    /// Whether the systems look at entities besides the avatar.
    pub sees_others: bool,
}

impl ClientRules {
    /// Builds the client's half of a game.
    pub fn of<G: Game>(teams: u8, config: G::Config) -> Self {
        let mut m = MatchBuilder::<G>::new(Parts::for_client());
        m.parts.world.insert_resource(Teams::new(teams));
        m.parts.world.insert_resource(config);
        G::build(&mut m);
        let (ClientParts { components, mut systems, snaps }, mut world) = m.parts.into_client();
        let intent = world.register_component::<Intent<G::Input>>();
        let accesses: Vec<_> = systems.iter_mut().map(|system| PredictedAccess::of(system, &mut world)).collect();
        let sees_others = !accesses.iter().all(|access| access.only_avatars(intent));
        let mut used = Vec::new();
        for component in components {
            let (mut is_named, mut is_written) = (sees_others && component.id == Seat::ID, false);
            accesses.iter().for_each(|access| {
                access.components(|id, writes| {
                    is_named |= id == component.component;
                    is_written |= writes && id == component.component;
                });
            });
            let snap = snaps.iter().find(|(id, _)| *id == component.component).map(|(_, distance)| *distance);
            if is_named {
                used.push(UsedComponent { component, is_written, snap });
            }
        }
        used.sort_by_key(|used| used.component.id);
        Self { world, systems, used, sees_others }
    }
}
