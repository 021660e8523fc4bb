//! The people who are connected outside of rooms, and the way to end a connection of theirs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Refusal;
use crate::lobby::UserId;

/// The end of one connection.
pub trait Exit: Send + Sync {
    /// Tells the client why, and ends the connection. Does not wait.
    fn end(&self, why: &Refusal);
}

/// A connection of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitId(u64);

struct Visit {
    id: VisitId,
    exit: Arc<dyn Exit>,
}

#[derive(Default)]
pub(super) struct Visitors(Mutex<Visits>);

#[derive(Default)]
struct Visits {
    newest: u64,
    by_user: HashMap<UserId, Vec<Visit>>,
}

impl Visitors {
    pub(super) fn enter(&self, user: &UserId, exit: Arc<dyn Exit>) -> VisitId {
        let mut visits = self.visits();
        visits.newest += 1;
        let id = VisitId(visits.newest);
        visits.by_user.entry(user.clone()).or_default().push(Visit { id, exit });
        id
    }

    pub(super) fn leave(&self, user: &UserId, id: VisitId) {
        let mut visits = self.visits();
        let Some(own) = visits.by_user.get_mut(user) else { return };
        own.retain(|visit| visit.id != id);
        if own.is_empty() {
            visits.by_user.remove(user);
        }
    }

    /// Ends every connection of somebody.
    pub(super) fn end(&self, user: &UserId, why: &Refusal) {
        // Ended without the lock: what ends leaves.
        let own = self.visits().by_user.remove(user).unwrap_or_default();
        own.iter().for_each(|visit| visit.exit.end(why));
    }

    fn visits(&self) -> MutexGuard<'_, Visits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
