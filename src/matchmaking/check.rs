//! Ready checks: every player of a match must accept it before it starts.

use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;

use super::{Match, QueueEntry};
use crate::lobby::UserId;

/// The reason why a ready check failed.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnreadyReason {
    /// A player declined or left.
    Declined,
    /// A player did not answer in time.
    TimedOut,
}

/// A match that waits for its players to accept.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) queue: usize,
    pub(super) until: Duration,
    pub(super) players: usize,
    found: Match,
    accepted: BTreeSet<UserId>,
    declined: bool,
}

/// The outcome of a ready check.
#[derive(Debug)]
pub(super) enum CheckOutcome {
    /// Everybody accepted.
    Ready(Match),
    /// Somebody did not accept. The entries in `back` return to their place in the queue; those in `gone` leave it.
    Unready { reason: UnreadyReason, back: Vec<QueueEntry>, gone: Vec<QueueEntry> },
}

impl Check {
    pub(super) fn new(queue: usize, found: Match, until: Duration) -> Self {
        let players = found.users().count();
        Self { queue, until, players, found, accepted: BTreeSet::new(), declined: false }
    }

    pub(super) fn accept(&mut self, user: &UserId) {
        self.accepted.insert(user.clone());
    }

    /// Removes the user's entry, and with it their whole party, from the match.
    pub(super) fn decline(&mut self, user: &UserId) -> Option<QueueEntry> {
        self.declined = true;
        let team =
            self.found.teams.iter_mut().find(|team| team.iter().any(|entry| entry.users().any(|member| member == user)))?;
        let at = team.iter().position(|entry| entry.users().any(|member| member == user))?;
        let entry = team.remove(at);
        entry.users().for_each(|member| {
            self.accepted.remove(member);
        });
        Some(entry)
    }

    /// Returns the entry that a user of this check belongs to.
    pub(super) fn entry_of(&self, user: &UserId) -> Option<&QueueEntry> {
        self.found.teams.iter().flatten().find(|entry| entry.users().any(|member| member == user))
    }

    /// Returns the users who have accepted or may still answer.
    pub(super) fn users(&self) -> Vec<UserId> {
        self.found.users().cloned().collect()
    }

    pub(super) fn has_accepted(&self, user: &UserId) -> bool {
        self.accepted.contains(user)
    }

    /// Returns the users who have not answered.
    pub(super) fn silent(&self) -> impl Iterator<Item = &UserId> {
        self.found.users().filter(|user| !self.accepted.contains(*user))
    }

    pub(super) fn accepted(&self) -> usize {
        self.accepted.len()
    }

    /// Returns whether the check is over. After one player declines, the others can still accept in the time that is left, and
    /// so keep their place in the queue.
    pub(super) fn is_settled(&self, now: Duration) -> bool {
        now >= self.until || self.found.users().all(|user| self.accepted.contains(user))
    }

    pub(super) fn verdict(self) -> CheckOutcome {
        let Self { found, accepted, declined, .. } = self;
        let everybody = found.users().all(|user| accepted.contains(user));
        if everybody && !declined {
            return CheckOutcome::Ready(found);
        }
        let reason = if declined { UnreadyReason::Declined } else { UnreadyReason::TimedOut };
        let entries = found.teams.into_iter().flatten();
        let (back, gone) = entries.partition(|entry| entry.users().all(|user| accepted.contains(user)));
        CheckOutcome::Unready { reason, back, gone }
    }
}
