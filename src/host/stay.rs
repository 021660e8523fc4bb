//! A person's stay in a seat.

use std::sync::Arc;

use super::{hold::Hold, outlet::Outlet};
use crate::lobby::{Identity, Sitting};

/// One person's time in a seat, from reservation to leaving.
pub(super) struct Stay {
    pub(super) id: u128,
    pub(super) who: Identity,
    /// The number of the newest resume token.
    pub(super) resume: u128,
    pub(super) attendance: Attendance,
}

impl Stay {
    /// Whether the person plays or is away. `None` until they have used their ticket.
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
