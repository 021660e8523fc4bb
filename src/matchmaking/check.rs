//! Ready checks: everybody who was matched says whether they are there.

use std::{collections::BTreeSet, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Match, Ticket};
use crate::lobby::UserId;

/// A ready check's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckId(pub u64);

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

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
pub(super) enum Verdict {
    /// Everybody is there.
    Ready(Match),
    /// Somebody is not: some go back to where they waited, the others have left.
    Unready { reason: UnreadyReason, back: Vec<Ticket>, gone: Vec<Ticket> },
}

impl Check {
    pub(super) fn new(queue: usize, found: Match, until: Duration) -> Self {
        let players = found.users().count();
        Self { queue, until, players, found, accepted: BTreeSet::new(), declined: false }
    }

    pub(super) fn accept(&mut self, user: &UserId) {
        self.accepted.insert(user.clone());
    }

    /// Takes the ticket of whoever said no out: a party is there together or not at all.
    pub(super) fn decline(&mut self, user: &UserId) -> Option<Ticket> {
        self.declined = true;
        let team =
            self.found.teams.iter_mut().find(|team| team.iter().any(|ticket| ticket.users().any(|member| member == user)))?;
        let at = team.iter().position(|ticket| ticket.users().any(|member| member == user))?;
        let ticket = team.remove(at);
        ticket.users().for_each(|member| {
            self.accepted.remove(member);
        });
        Some(ticket)
    }

    /// The ticket by which somebody is asked.
    pub(super) fn ticket_of(&self, user: &UserId) -> Option<&Ticket> {
        self.found.teams.iter().flatten().find(|ticket| ticket.users().any(|member| member == user))
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

    pub(super) fn verdict(self) -> Verdict {
        let Self { found, accepted, declined, .. } = self;
        let everybody = found.users().all(|user| accepted.contains(user));
        if everybody && !declined {
            return Verdict::Ready(found);
        }
        let reason = if declined { UnreadyReason::Declined } else { UnreadyReason::TimedOut };
        let tickets = found.teams.into_iter().flatten();
        let (back, gone) = tickets.partition(|ticket| ticket.users().all(|user| accepted.contains(user)));
        Verdict::Unready { reason, back, gone }
    }
}
