//! The connections outside of rooms, by user, so that blocking a user ends them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::refusal::Refusal;
use crate::lobby::UserId;

/// A connection outside of rooms that the host can end.
pub trait Visitor: Send + Sync {
    /// Tells the client why, and ends the connection. Does not wait, and does not call back into the host.
    fn disconnect(&self, why: &Refusal);
}

/// The host's number for a [`Visitor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitorId(u64);

#[derive(Default)]
pub(super) struct Visitors(Mutex<ByUser>);

type Numbered = (VisitorId, Arc<dyn Visitor>);

#[derive(Default)]
struct ByUser {
    newest: u64,
    visitors: HashMap<UserId, Vec<Numbered>>,
}

impl Visitors {
    /// Adds a connection. Returns also those that the user has beyond `most`, the oldest ones, which are removed: a user whose lines
    /// break leaves old connections behind, so the newest ones are kept.
    pub(super) fn add(&self, user: &UserId, visitor: Arc<dyn Visitor>, most: usize) -> (VisitorId, Vec<Arc<dyn Visitor>>) {
        let mut by_user = self.by_user();
        by_user.newest += 1;
        let id = VisitorId(by_user.newest);
        let own = by_user.visitors.entry(user.clone()).or_default();
        own.push((id, visitor));
        let surplus = own.len().saturating_sub(most.max(1));
        (id, own.drain(..surplus).map(|(_, visitor)| visitor).collect())
    }

    pub(super) fn remove(&self, user: &UserId, id: VisitorId) {
        let mut by_user = self.by_user();
        let Some(own) = by_user.visitors.get_mut(user) else { return };
        own.retain(|(other, _)| *other != id);
        if own.is_empty() {
            by_user.visitors.remove(user);
        }
    }

    /// Ends every connection of a user.
    pub(super) fn disconnect(&self, user: &UserId, why: &Refusal) {
        // The lock is released first: a connection that ends removes itself.
        let own = self.by_user().visitors.remove(user).unwrap_or_default();
        own.iter().for_each(|(_, visitor)| visitor.disconnect(why));
    }

    fn by_user(&self) -> MutexGuard<'_, ByUser> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
