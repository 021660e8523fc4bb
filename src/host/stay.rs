//! Who has a seat, and how it is held.

use std::sync::Arc;

use super::{hold::Hold, outlet::Outlet};
use crate::lobby::{Identity, Sitting};

/// One person's time in a seat, from reservation to leaving.
pub(super) struct Stay {
    pub(super) id: u128,
    pub(super) who: Identity,
    /// The newest resume token's number.
    pub(super) resume: u128,
    pub(super) attendance: Attendance,
}

impl Stay {
    /// Whether its person plays; `None` while a ticket is on its way.
    pub(super) fn sitting(&self) -> Option<Sitting> {
        match self.attendance {
            Attendance::Reserved => None,
            Attendance::Connected { .. } => Some(Sitting::Playing),
            Attendance::Away => Some(Sitting::Away),
        }
    }
}

pub(super) enum Attendance {
    Reserved,
    Connected { hold: Arc<Hold>, outlet: Arc<dyn Outlet> },
    Away,
}
