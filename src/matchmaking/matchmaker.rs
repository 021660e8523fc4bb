//! The matchmaker: all queues and ready checks, and who is where.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use super::{
    CheckId, DEFAULT_MODE, Entrant, EntryId, Match, Mode, Opening, QueueEntry, QueueError, QueueRequest, QueueStatus,
    UnreadyReason,
    check::{Check, CheckOutcome},
    queue::{Queue, QueueKey},
};
use crate::lobby::UserId;

/// Something to tell people, or to do.
#[derive(Debug, Clone, PartialEq)]
pub enum MatchmakerEvent {
    /// A match was found: everybody is asked whether they are there.
    Asked {
        /// The ready check.
        check: CheckId,
        /// Who is asked.
        users: Vec<UserId>,
        /// The game.
        game: &'static str,
        /// The mode.
        mode: Arc<str>,
        /// How long they have.
        time: Duration,
    },
    /// Somebody said yes.
    Answered {
        /// The ready check.
        check: CheckId,
        /// Who hears of it.
        users: Vec<UserId>,
        /// How many have said yes.
        accepted: usize,
        /// How many were asked.
        players: usize,
    },
    /// The match is not played.
    Unready {
        /// The ready check.
        check: CheckId,
        /// Who hears of it.
        users: Vec<UserId>,
        /// Why.
        reason: UnreadyReason,
        /// Whether they are in the queue again, with their age.
        requeued: bool,
    },
    /// A party is out of its queue: a member has left the queue, or the party is another now.
    Left {
        /// Who hears of it: not the member who wanted to leave.
        users: Vec<UserId>,
    },
    /// A match to be held. Its people are in no queue any more.
    Formed(Match),
}

/// All queues and ready checks. An entry is in one place at a time, and a user in one entry.
#[derive(Debug, Default)]
pub struct Matchmaker {
    queues: Vec<Queue>,
    users: HashMap<UserId, Whereabouts>,
    checks: BTreeMap<CheckId, Check>,
    last: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whereabouts {
    Queued { queue: usize, key: QueueKey },
    Asked(CheckId),
}

impl Matchmaker {
    /// Opens a queue. The first one of a game is for requests that name no mode, unless one is named [`DEFAULT_MODE`].
    pub fn open(&mut self, game: &'static str, name: &str, mode: Mode) {
        self.queues.push(Queue::new(game, name, mode));
    }

    /// The game, the name and the rule of the queue that a request means.
    ///
    /// # Errors
    /// There is no such queue.
    pub fn mode(&self, request: &QueueRequest) -> Result<(&'static str, &Arc<str>, &Mode), QueueError> {
        let queue = &self.queues[self.find(request)?];
        Ok((queue.game, &queue.name, &queue.mode))
    }

    /// Puts people who want to play together at the end of a queue; their position there, from 1.
    ///
    /// # Errors
    /// There is no such queue, one of them waits already, or they can never be matched.
    pub fn enqueue(&mut self, request: &QueueRequest, members: Vec<Entrant>, now: Duration) -> Result<usize, QueueError> {
        let queue = self.find(request)?;
        let mut users = BTreeSet::new();
        for Entrant { user, .. } in &members {
            if self.users.contains_key(user) || !users.insert(user) {
                return Err(QueueError::AlreadyQueued(user.clone()));
            }
        }
        if members.is_empty() {
            return Err(QueueError::NotQueued);
        }
        let entry = QueueEntry::new(EntryId(self.last + 1), &self.queues[queue].mode, request, members, now)?;
        self.last += 1;
        Ok(self.put(queue, entry))
    }

    /// Takes whoever waits out of the queue, and their party with them. Who is asked whether they are ready says no.
    ///
    /// # Errors
    /// They wait nowhere.
    pub fn leave(&mut self, user: &UserId, now: Duration) -> Result<Vec<MatchmakerEvent>, QueueError> {
        match *self.users.get(user).ok_or(QueueError::NotQueued)? {
            Whereabouts::Asked(check) => self.decline(user, check, now),
            Whereabouts::Queued { queue, key } => {
                let entry = self.take(queue, key).ok_or(QueueError::NotQueued)?;
                let users: Vec<_> = entry.users().filter(|member| *member != user).cloned().collect();
                Ok(if users.is_empty() { Vec::new() } else { vec![MatchmakerEvent::Left { users }] })
            }
        }
    }

    /// Somebody is in a party of these members now, or in none. If that is not who they queued with, their entry is taken
    /// out, and all its people hear of it. Who is asked whether they are ready says no.
    pub fn regroup(&mut self, user: &UserId, members: &[UserId], now: Duration) -> Vec<MatchmakerEvent> {
        let members = if members.is_empty() { std::slice::from_ref(user) } else { members };
        let is_whole = |entry: &QueueEntry| entry.size() == members.len() && entry.users().all(|user| members.contains(user));
        match self.users.get(user).copied() {
            None => Vec::new(),
            Some(Whereabouts::Queued { queue, key }) => {
                if self.queues[queue].entry(key).is_none_or(is_whole) {
                    return Vec::new();
                }
                let left = self.take(queue, key).map(|entry| MatchmakerEvent::Left { users: entry.users().cloned().collect() });
                left.into_iter().collect()
            }
            Some(Whereabouts::Asked(check)) => {
                if self.checks.get(&check).and_then(|check| check.entry_of(user)).is_none_or(is_whole) {
                    return Vec::new();
                }
                self.decline(user, check, now).unwrap_or_default()
            }
        }
    }

    /// Somebody is ready.
    ///
    /// # Errors
    /// That ready check does not ask them.
    pub fn accept(&mut self, user: &UserId, id: CheckId, now: Duration) -> Result<Vec<MatchmakerEvent>, QueueError> {
        let check = self.asks(user, id)?;
        check.accept(user);
        let (users, accepted, players) = (check.users(), check.accepted(), check.players);
        let mut events = vec![MatchmakerEvent::Answered { check: id, users, accepted, players }];
        events.extend(self.settle(id, now));
        Ok(events)
    }

    /// Somebody does not want to play after all: they leave, with their party. The others may still say that they are ready.
    ///
    /// # Errors
    /// That ready check does not ask them.
    pub fn decline(&mut self, user: &UserId, id: CheckId, now: Duration) -> Result<Vec<MatchmakerEvent>, QueueError> {
        let entry = self.asks(user, id)?.decline(user).ok_or(QueueError::UnknownCheck(id))?;
        self.forget([&entry]);
        let users = entry.users().cloned().collect();
        let mut events = vec![MatchmakerEvent::Unready { check: id, users, reason: UnreadyReason::Declined, requeued: false }];
        events.extend(self.settle(id, now));
        Ok(events)
    }

    /// Ends ready checks whose time is over, sends people into running matches, and makes every match that can be made.
    pub fn pass(&mut self, openings: &[Opening], now: Duration) -> Vec<MatchmakerEvent> {
        let over: Vec<_> = self.checks.iter().filter(|(_, check)| now >= check.until).map(|(id, _)| *id).collect();
        let mut events: Vec<_> = over.into_iter().flat_map(|id| self.settle(id, now)).collect();
        for queue in 0..self.queues.len() {
            for found in self.queues[queue].fill(openings, now) {
                self.forget(found.teams.iter().flatten());
                events.push(MatchmakerEvent::Formed(found));
            }
            for found in self.queues[queue].form(now) {
                events.push(self.found(queue, found, now));
            }
        }
        events
    }

    /// Puts the people of a match that could not be held back to where they waited. Parties of which somebody queued again
    /// meanwhile are left out.
    pub fn put_back(&mut self, unheld: Match) {
        let queue = self.queues.iter().position(|queue| queue.game == unheld.game && queue.name == unheld.mode);
        let Some(queue) = queue else { return };
        for entry in unheld.teams.into_iter().flatten() {
            if !entry.users().any(|user| self.users.contains_key(user)) {
                self.put(queue, entry);
            }
        }
    }

    /// Where everybody stands in the queues for which it is time to say so.
    pub fn statuses(&mut self, now: Duration) -> Vec<(UserId, QueueStatus)> {
        self.queues.iter_mut().flat_map(|queue| queue.statuses(now)).collect()
    }

    /// Whether time alone can change anything.
    pub fn is_busy(&self) -> bool {
        !self.users.is_empty() || self.queues.iter().any(Queue::owes_status)
    }

    /// Whether somebody waits, or is asked whether they are ready.
    pub fn has(&self, user: &UserId) -> bool {
        self.users.contains_key(user)
    }

    fn find(&self, QueueRequest { game, mode, .. }: &QueueRequest) -> Result<usize, QueueError> {
        let of_game = || self.queues.iter().enumerate().filter(|(_, queue)| queue.game == game);
        let (first, queue) = of_game().next().ok_or_else(|| QueueError::UnknownGame(game.clone()))?;
        let name = mode.as_deref().unwrap_or(DEFAULT_MODE);
        match (of_game().find(|(_, queue)| &*queue.name == name), mode) {
            (Some((at, _)), _) => Ok(at),
            (None, None) => Ok(first),
            (None, Some(mode)) => {
                let known: Vec<_> = of_game().map(|(_, queue)| format!("\"{}\"", queue.name)).collect();
                Err(QueueError::UnknownMode { game: queue.game, mode: mode.clone(), known: known.join(", ") })
            }
        }
    }

    fn asks(&mut self, user: &UserId, id: CheckId) -> Result<&mut Check, QueueError> {
        let unknown = QueueError::UnknownCheck(id);
        match self.users.get(user) {
            Some(Whereabouts::Asked(asking)) if *asking == id => self.checks.get_mut(&id).ok_or(unknown),
            _ => Err(unknown),
        }
    }

    fn found(&mut self, queue: usize, found: Match, now: Duration) -> MatchmakerEvent {
        let Some(time) = self.queues[queue].mode.ready_check else {
            self.forget(found.teams.iter().flatten());
            return MatchmakerEvent::Formed(found);
        };
        self.last += 1;
        let check = CheckId(self.last);
        let users: Vec<_> = found.users().cloned().collect();
        self.users.extend(users.iter().map(|user| (user.clone(), Whereabouts::Asked(check))));
        let events = MatchmakerEvent::Asked { check, users, game: found.game, mode: found.mode.clone(), time };
        self.checks.insert(check, Check::new(queue, found, now + time));
        events
    }

    /// Ends a ready check if there is nothing more to wait for.
    fn settle(&mut self, id: CheckId, now: Duration) -> Vec<MatchmakerEvent> {
        if !self.checks.get(&id).is_some_and(|check| check.is_settled(now)) {
            return Vec::new();
        }
        let Some(check) = self.checks.remove(&id) else { return Vec::new() };
        let queue = check.queue;
        match check.verdict() {
            CheckOutcome::Ready(found) => {
                self.forget(found.teams.iter().flatten());
                vec![MatchmakerEvent::Formed(found)]
            }
            CheckOutcome::Unready { reason, back, gone } => {
                let users = |entries: &[QueueEntry]| entries.iter().flat_map(QueueEntry::users).cloned().collect::<Vec<_>>();
                let told = [(users(&back), true), (users(&gone), false)];
                self.forget(back.iter().chain(&gone));
                back.into_iter().for_each(|entry| {
                    self.put(queue, entry);
                });
                let told = told.into_iter().filter(|(users, _)| !users.is_empty());
                told.map(|(users, requeued)| MatchmakerEvent::Unready { check: id, users, reason, requeued }).collect()
            }
        }
    }

    fn put(&mut self, queue: usize, entry: QueueEntry) -> usize {
        let key = (entry.since, entry.id);
        self.users.extend(entry.users().map(|user| (user.clone(), Whereabouts::Queued { queue, key })));
        self.queues[queue].put(entry)
    }

    fn take(&mut self, queue: usize, key: QueueKey) -> Option<QueueEntry> {
        let entry = self.queues[queue].take(key)?;
        self.forget([&entry]);
        Some(entry)
    }

    fn forget<'t>(&mut self, entries: impl IntoIterator<Item = &'t QueueEntry>) {
        for user in entries.into_iter().flat_map(QueueEntry::users) {
            self.users.remove(user);
        }
    }
}

#[cfg(test)]
mod tests;
