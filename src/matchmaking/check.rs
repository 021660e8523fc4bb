//! Ready checks: everybody who was matched says whether they are there.

use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;

use super::{Match, QueueEntry};
use crate::lobby::UserId;

/// Why a match that was found is not played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnreadyReason {
    /// Somebody said no, or left.
    Declined,
    /// Somebody said nothing in time.
    TimedOut,
}

/// A match that waits for everybody's word.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) queue: usize,
    pub(super) until: Duration,
    pub(super) players: usize,
    found: Match,
    accepted: BTreeSet<UserId>,
    declined: bool,
}

/// How a ready check ended.
#[derive(Debug)]
pub(super) enum CheckOutcome {
    /// Everybody is there.
    Ready(Match),
    /// Somebody is not: some go back to where they waited, the others have left.
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

    /// Takes the entry of whoever said no out: a party is there together or not at all.
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

    /// The entry by which somebody is asked.
    pub(super) fn entry_of(&self, user: &UserId) -> Option<&QueueEntry> {
        self.found.teams.iter().flatten().find(|entry| entry.users().any(|member| member == user))
    }

    /// Those who are still asked, or have said yes.
    pub(super) fn users(&self) -> Vec<UserId> {
        self.found.users().cloned().collect()
    }

    pub(super) fn accepted(&self) -> usize {
        self.accepted.len()
    }

    /// Whether there is nothing more to wait for. After somebody said no the others still have their time to say yes, which
    /// keeps their place in the queue.
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
