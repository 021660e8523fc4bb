//! The state that a seat sees, read straight from the shadow: the same values that a client in step holds.

use bevy_ecs::entity::Entity;
use smallvec::SmallVec;

use super::{Eye, Replicator, Shadow, ViewKey, Viewer};
use crate::protocol::{Id, Replicate, SEAT_COMPONENT, Seat, Tick};

/// The match as a client in one seat sees it: quantised, and without components that are for others.
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
/// /// Returns the seat of the weakest other player, as a bot might want to know it.
/// fn weakest(view: &View<'_>) -> Option<Seat> {
///     let others = view.iter::<Hp>().filter(|(id, _)| view.owner(*id) != Some(view.seat()));
///     others.min_by_key(|(_, hp)| hp.0).and_then(|(id, _)| view.owner(id))
/// }
/// ```
#[derive(Clone, Copy)]
pub struct View<'a> {
    replicator: &'a Replicator,
    eye: Eye<'a>,
    avatar: Option<Id>,
}

impl Replicator {
    /// Returns the match as a seat sees it. `avatars` has the avatars of all seats.
    pub fn view(&self, viewer: Viewer, avatars: &[(Seat, Entity)]) -> View<'_> {
        let own = avatars.iter().filter(|(seat, _)| *seat == viewer.seat);
        let avatar = own.filter_map(|(_, avatar)| self.ids().get(*avatar)).min();
        View { replicator: self, eye: self.eye(viewer), avatar }
    }
}

impl<'a> View<'a> {
    /// Returns the seat that looks.
    pub fn seat(&self) -> Seat {
        self.eye.viewer.seat
    }

    /// Returns the tick whose state this is.
    pub fn tick(&self) -> Tick {
        self.replicator.now
    }

    /// Returns a component of the seat's avatar. If the avatar does not have it, returns that of the seat's entity with the least id that
    /// has it.
    pub fn me<C: Replicate>(&self) -> Option<C> {
        let mine = |id: &Id| self.owner(*id) == Some(self.seat());
        let own = self.avatar.filter(mine).and_then(|avatar| self.get(avatar));
        own.or_else(|| self.iter::<C>().find(|(id, _)| mine(id)).map(|(_, component)| component))
    }

    /// Returns a component of an entity, if the seat sees it.
    pub fn get<C: Replicate>(&self, id: Id) -> Option<C> {
        let shadow = self.shadow::<C>()?;
        (shadow.has(id.0) && self.eye.sees(shadow.key(id.0), id.0)).then(|| read(shadow, id.0))
    }

    /// Iterates over all components of a type that the seat sees, by ascending id.
    pub fn iter<C: Replicate>(&self) -> impl Iterator<Item = (Id, C)> + use<'a, C> {
        let eye = self.eye;
        let visible = move |shadow: &'a Shadow| {
            let seen = shadow.present().filter(move |&id| eye.sees(shadow.key(id), id));
            seen.map(move |id| (Id(id), read(shadow, id)))
        };
        self.shadow::<C>().into_iter().flat_map(visible)
    }

    /// Returns the seat that owns an entity.
    pub fn owner(&self, id: Id) -> Option<Seat> {
        let seats = self.shadow_of(SEAT_COMPONENT)?;
        (seats.has(id.0) && self.eye.sees(ViewKey::Everyone, id.0)).then(|| read(seats, id.0))
    }

    fn shadow<C: Replicate>(&self) -> Option<&'a Shadow> {
        self.shadow_of(C::ID)
    }

    fn shadow_of(&self, component: u8) -> Option<&'a Shadow> {
        self.replicator.tracked.iter().map(|tracked| &tracked.shadow).find(|shadow| shadow.id == component)
    }
}

fn read<C: Replicate>(shadow: &Shadow, id: u32) -> C {
    C::dequantise(&shadow.row(id).collect::<SmallVec<[i64; 8]>>())
}
