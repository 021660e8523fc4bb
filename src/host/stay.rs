//! Who has a seat, and how it is held.

use std::sync::Arc;

use super::{Outlet, connection::Link};
use crate::lobby::{Identity, Sitting};

/// One person's time in a seat, from reservation to leaving.
pub(super) struct Stay {
    pub(super) id: u128,
    pub(super) who: Identity,
    /// The newest resume token's number.
    pub(super) resume: u128,
    pub(super) place: Place,
}

impl Stay {
    /// Whether its person plays; `None` while a ticket is on its way.
    pub(super) fn sitting(&self) -> Option<Sitting> {
        match self.place {
            Place::Reserved => None,
            Place::Connected { .. } => Some(Sitting::Playing),
            Place::Away => Some(Sitting::Away),
        }
    }
}

pub(super) enum Place {
    Reserved,
    Connected { link: Arc<Link>, outlet: Arc<dyn Outlet> },
    Away,
}
