//! Matches that were found and are being seated. Their people have left the queue, and may still leave the match.

use crate::{
    lobby::UserId,
    matchmaking::{Match, QueueEntry},
};

/// The matches that are being seated.
#[derive(Default)]
pub(super) struct Forming {
    all: Vec<Forms>,
    newest: u64,
}

/// The number of a match that is being seated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FormingId(u64);

struct Forms {
    id: FormingId,
    found: Match,
    /// Its room is being made, or asked for seats.
    is_begun: bool,
    /// Nobody has left.
    is_whole: bool,
}

impl Forming {
    /// Adds a match that needs seats.
    pub(super) fn add(&mut self, found: Match) {
        self.newest += 1;
        self.all.push(Forms { id: FormingId(self.newest), found, is_begun: false, is_whole: true });
    }

    /// Returns the matches that were added since the last call.
    pub(super) fn begin(&mut self) -> Vec<FormingId> {
        let new = self.all.iter_mut().filter(|forms| !forms.is_begun);
        let begin = |forms: &mut Forms| {
            forms.is_begun = true;
            forms.id
        };
        new.map(begin).collect()
    }

    /// Returns a match with the people who have not left it, and whether nobody has.
    pub(super) fn get(&self, id: FormingId) -> Option<(&Match, bool)> {
        self.all.iter().find(|forms| forms.id == id).map(|forms| (&forms.found, forms.is_whole))
    }

    /// Takes a match out, with the people who have not left it. Returns whether nobody has.
    pub(super) fn end(&mut self, id: FormingId) -> Option<(Match, bool)> {
        let at = self.all.iter().position(|forms| forms.id == id)?;
        let Forms { found, is_whole, .. } = self.all.swap_remove(at);
        Some((found, is_whole))
    }

    /// Returns the match that a user is in.
    pub(super) fn of(&self, user: &UserId) -> Option<&Match> {
        self.all.iter().map(|forms| &forms.found).find(|found| found.users().any(|member| member == user))
    }

    /// Removes a user, and whoever queued with them, from their match.
    pub(super) fn leave(&mut self, user: &UserId) -> Option<QueueEntry> {
        self.take(user, |_| true)
    }

    /// Removes a user, and whoever queued with them, if these are not all of their party now. No members means no party.
    pub(super) fn regroup(&mut self, user: &UserId, members: &[UserId]) -> Option<QueueEntry> {
        let members = if members.is_empty() { std::slice::from_ref(user) } else { members };
        self.take(user, |entry| entry.size() != members.len() || !entry.users().all(|user| members.contains(user)))
    }

    fn take(&mut self, user: &UserId, goes: impl Fn(&QueueEntry) -> bool) -> Option<QueueEntry> {
        let is_theirs = |entry: &mut QueueEntry| entry.users().any(|member| member == user) && goes(entry);
        self.all.iter_mut().find_map(|forms| {
            let entry = forms.found.teams.iter_mut().find_map(|team| team.extract_if(.., is_theirs).next())?;
            forms.is_whole = false;
            Some(entry)
        })
    }
}
