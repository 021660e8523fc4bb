//! Applies inputs to the avatars.

use bevy_ecs::{prelude::*, world::EntityWorldMut};

use super::{GameInput, rewind::Lags};
use crate::{
    protocol::{Columns, Exact, Seat},
    sim::{DueInput, Intent, Intents, Registry, Team, Teams, resource_in_table},
};

/// Writes the inputs of one type into the avatars' [`Intent`]s.
pub(super) struct IntentWriter<I: GameInput> {
    avatars: QueryState<(&'static Seat, &'static mut Intent<I>)>,
    entities: QueryState<(&'static Seat, Entity), With<Intent<I>>>,
    /// The input of each seat in this tick, sorted by seat. A reused buffer.
    newest: Vec<(Seat, I)>,
}

/// Inserts the game's [`Intent`] into an avatar, without naming the input's type.
#[derive(Clone, Copy)]
struct AvatarKind(fn(&mut EntityWorldMut<'_>));

resource_in_table!(AvatarKind);

impl<I: GameInput> IntentWriter<I> {
    pub(super) fn new(world: &mut World, registry: &mut Registry) -> Self {
        registry.component::<Intent<I>>(world, save, restore);
        world.insert_resource(AvatarKind(|avatar| {
            avatar.insert(Intent(I::default()));
        }));
        Self { avatars: world.query(), entities: world.query_filtered(), newest: Vec::new() }
    }
}

impl<I: GameInput> Intents for IntentWriter<I> {
    fn apply(&mut self, world: &mut World, taken: &[DueInput]) {
        self.newest.clear();
        if let Some(mut lags) = world.get_resource_mut::<Lags>() {
            lags.note(taken);
        }
        for DueInput { seat, columns, .. } in taken {
            let mut input = I::dequantise(columns);
            if let Some((_, earlier)) = self.newest.pop_if(|(earlier, _)| earlier == seat) {
                input.keep_shots(&earlier);
            }
            self.newest.push((*seat, input));
        }
        for (seat, mut intent) in self.avatars.iter_mut(world) {
            match self.newest.binary_search_by_key(seat, |(seat, _)| *seat) {
                Ok(at) => intent.0 = self.newest[at].1.clone(),
                Err(_) => intent.0.clear_shots(),
            }
        }
    }

    fn avatars(&self, world: &World) -> Vec<(Seat, Entity)> {
        let avatars = world.try_query_filtered::<(&Seat, Entity), With<Intent<I>>>();
        avatars.map(|mut avatars| avatars.iter(world).map(|(seat, avatar)| (*seat, avatar)).collect()).unwrap_or_default()
    }

    fn find_avatars(&mut self, world: &World) -> Vec<(Seat, Entity)> {
        self.entities.iter(world).map(|(seat, avatar)| (*seat, avatar)).collect()
    }
}

fn save<I: GameInput>(intent: &Intent<I>, to: &mut Vec<u8>) {
    let mut columns = vec![0; I::WIDTH];
    intent.0.quantise(&mut columns);
    columns.iter().for_each(|column| Exact::save(column, to));
}

fn restore<I: GameInput>(from: &mut &[u8]) -> Option<Intent<I>> {
    let columns = (0..I::WIDTH).map(|_| Exact::restore(from)).collect::<Option<Vec<i64>>>()?;
    Some(Intent(<I as Columns>::dequantise(&columns)))
}

/// Spawns avatars, mostly in a join rule ([`MatchBuilder::on_join`](super::MatchBuilder::on_join)).
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// #[derive(Component, Replicate)]
/// #[replicate(id = 1)]
/// struct Hp(u8);
///
/// fn join(seat: Seat, world: &mut World) {
///     world.spawn_avatar(seat, Hp(100));
/// }
/// ```
pub trait SpawnAvatar {
    /// Spawns the avatar of a seat: an entity with the bundle, the [`Seat`] and an [`Intent`].
    ///
    /// The avatar also gets the seat's [`Team`] if the match has [`Teams`] and the bundle contains no team. It is despawned when
    /// the seat becomes free, like every entity with that [`Seat`].
    fn spawn_avatar(&mut self, seat: Seat, bundle: impl Bundle) -> Entity;
}

impl SpawnAvatar for World {
    fn spawn_avatar(&mut self, seat: Seat, bundle: impl Bundle) -> Entity {
        let AvatarKind(add_intent) = *self.resource::<AvatarKind>();
        let team = self.resource::<Teams>().of(seat);
        let mut avatar = self.spawn((seat, bundle));
        add_intent(&mut avatar);
        if let Some(team) = team.filter(|_| !avatar.contains::<Team>()) {
            avatar.insert(team);
        }
        avatar.id()
    }
}
