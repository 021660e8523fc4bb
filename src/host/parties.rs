//! The parties, as the matchmaker sees them.

use super::registry::Host;
use crate::lobby::{Identity, Party, UserId};

/// Tells the matchmaker who is in a party. By default these are the lobby's parties.
pub trait Parties: Send + Sync + 'static {
    /// Returns the members of a user's party, the leader first. Empty if they are in no party.
    fn members(&self, user: &UserId) -> Vec<UserId>;

    /// Notes whether a user is in a queue now.
    fn set_queued(&self, _who: &Identity, _queued: bool) {}

    /// Returns the users in a queue whose party may have changed since the last call, each with its [`members`](Self::members).
    /// If these are not exactly the people they queued with, all of those are taken out of the queue.
    fn regrouped(&self) -> Vec<(UserId, Vec<UserId>)> {
        Vec::new()
    }
}

impl Parties for Host {
    fn members(&self, user: &UserId) -> Vec<UserId> {
        self.social()
            .change(|social, _| social.party(user).map_or_else(Vec::new, |party: &Party| party.roster().cloned().collect()))
    }

    fn set_queued(&self, who: &Identity, queued: bool) {
        self.social().change(|social, now| social.set_queued(who, queued, now));
    }

    fn regrouped(&self) -> Vec<(UserId, Vec<UserId>)> {
        self.social().change(|social, _| social.take_regrouped())
    }
}
