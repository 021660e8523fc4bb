//! Who queues together.

use super::registry::Host;
use crate::lobby::{Identity, Party, UserId};

/// Where the matchmaker learns who is in a party, and tells who waits. The lobby's people are, unless a server has its own.
pub trait Parties: Send + Sync + 'static {
    /// The members of somebody's party, the leader first; none if they are in no party.
    fn members(&self, user: &UserId) -> Vec<UserId>;

    /// Somebody waits for a match from now on, or no more.
    fn set_queued(&self, _who: &Identity, _queued: bool) {}

    /// Those who wait and whose party may have changed since this was last asked, each with its [`members`](Self::members). A
    /// ticket whose people are not exactly these is taken out of its queue.
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
