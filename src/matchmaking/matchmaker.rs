//! The matchmaker: all queues and ready checks, and the place of each user in them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use super::{
    CheckId, DEFAULT_MODE, Entrant, EntryId, Match, Mode, Opening, PauseRule, QueueEntry, QueueError, QueueRequest, QueueStatus,
    UnreadyReason,
    check::{Check, CheckOutcome},
    pause::Pauses,
    queue::{Queue, QueueKey},
};
use crate::lobby::UserId;

/// An event that the host delivers to users or acts on.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub enum MatchmakerEvent {
    /// A match was found, and its players are asked whether they are ready.
    Asked {
        /// The ready check.
        check: CheckId,
        /// The recipients.
        users: Vec<UserId>,
        /// The number of players in the match.
        players: usize,
        /// The game.
        game: &'static str,
        /// The mode.
        mode: Arc<str>,
        /// The time that they have to answer.
        time: Duration,
    },
    /// A player accepted.
    Answered {
        /// The ready check.
        check: CheckId,
        /// The recipients.
        users: Vec<UserId>,
        /// The number of players who have accepted.
        accepted: usize,
        /// The number of players in the match.
        players: usize,
    },
    /// The ready check failed.
    Unready {
        /// The ready check.
        check: CheckId,
        /// The recipients.
        users: Vec<UserId>,
        /// The reason.
        reason: UnreadyReason,
        /// Whether the recipients are back at their place in the queue.
        requeued: bool,
    },
    /// An entry left its queue because a member left, or because the party changed.
    Left {
        /// The recipients. A member who asked to leave is not among them.
        users: Vec<UserId>,
    },
    /// A match is ready to be started. Its players have left the queue.
    Formed(Match),
}

/// All queues and ready checks. A user is in at most one entry, and an entry is in one place at a time.
#[derive(Debug, Default)]
pub struct Matchmaker {
    queues: Vec<Queue>,
    users: HashMap<UserId, Whereabouts>,
    checks: BTreeMap<CheckId, Check>,
    pauses: Pauses<UserId>,
    last: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whereabouts {
    Queued { queue: usize, key: QueueKey },
    Asked(CheckId),
}

impl Matchmaker {
    /// Makes a matchmaker without queues. Users who break ready checks are paused by this rule.
    pub fn new(rule: PauseRule) -> Self {
        Self { pauses: Pauses::new(rule), ..Self::default() }
    }

    /// Opens a queue. Requests without a mode join the game's queue named [`DEFAULT_MODE`], or its first queue if there is none.
    pub fn open(&mut self, game: &'static str, name: &str, mode: Mode) {
        self.queues.push(Queue::new(game, name, mode));
    }

    /// Returns the game, the name and the mode of the queue that a request selects.
    ///
    /// # Errors
    /// Returns an error if the queue does not exist.
    pub fn mode(&self, request: &QueueRequest) -> Result<(&'static str, &Arc<str>, &Mode), QueueError> {
        let queue = &self.queues[self.find(request)?];
        Ok((queue.game, &queue.name, &queue.mode))
    }

    /// Adds users who want to play together to the end of a queue. Returns their position, counted from 1. Users who wait in that
    /// queue already, as the same group, keep their place.
    ///
    /// # Errors
    /// Returns an error if the queue does not exist, if a member waits elsewhere or must pause, or if the mode can never match
    /// them.
    pub fn enqueue(&mut self, request: &QueueRequest, members: Vec<Entrant>, now: Duration) -> Result<usize, QueueError> {
        let queue = self.find(request)?;
        if let Some(position) = self.position(queue, &members) {
            return Ok(position);
        }
        let mut users = BTreeSet::new();
        for Entrant { user, .. } in &members {
            if self.users.contains_key(user) || !users.insert(user) {
                return Err(QueueError::AlreadyQueued(user.clone()));
            }
            if let Some(left) = self.pauses.left(user, now) {
                return Err(QueueError::Paused { user: user.clone(), left });
            }
        }
        if members.is_empty() {
            return Err(QueueError::NotQueued);
        }
        let entry = QueueEntry::new(EntryId(self.last + 1), &self.queues[queue].mode, request, members, now)?;
        self.last += 1;
        Ok(self.put(queue, entry))
    }

    /// Returns the place of these users if they wait in this queue together. Those who are asked come first.
    fn position(&self, queue: usize, members: &[Entrant]) -> Option<usize> {
        let is_whole = |entry: &QueueEntry| {
            entry.size() == members.len() && members.iter().all(|member| entry.users().any(|user| *user == member.user))
        };
        let first = &members.first()?.user;
        match *self.users.get(first)? {
            Whereabouts::Queued { queue: at, key } if at == queue => {
                self.queues[queue].entry(key).filter(|entry| is_whole(entry)).map(|_| self.queues[queue].position(key))
            }
            Whereabouts::Asked(check) => {
                let check = self.checks.get(&check).filter(|check| check.queue == queue)?;
                check.entry_of(first).filter(|entry| is_whole(entry)).map(|_| 1)
            }
            Whereabouts::Queued { .. } => None,
        }
    }

    /// Returns the ready check that waits for a user's answer, with the time that is left.
    pub fn asked(&self, user: &UserId, now: Duration) -> Option<MatchmakerEvent> {
        let Whereabouts::Asked(id) = *self.users.get(user)? else { return None };
        let check = self.checks.get(&id).filter(|check| !check.has_accepted(user))?;
        let Queue { game, name, .. } = &self.queues[check.queue];
        let (users, time) = (check.users(), check.until.saturating_sub(now));
        Some(MatchmakerEvent::Asked { check: id, users, players: check.players, game, mode: name.clone(), time })
    }

    /// Removes a user and their party from the queue. During a ready check, this declines it.
    ///
    /// # Errors
    /// Returns an error if the user is not queued.
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

    /// Updates the party of a user; no members means no party. If the party differs from the user's entry, the entry is removed
    /// and all its users are told. During a ready check, this declines it for all of them.
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
                let Some(entry) = self.checks.get(&check).and_then(|check| check.entry_of(user)).filter(|entry| !is_whole(entry))
                else {
                    return Vec::new();
                };
                // A party could break checks by changing itself, and there is no telling whose wish that was.
                let all: Vec<_> = entry.users().cloned().collect();
                all.iter().for_each(|user| self.pauses.add(user, now));
                self.withdraw(user, check, now).unwrap_or_default()
            }
        }
    }

    /// Accepts a ready check for a user.
    ///
    /// # Errors
    /// Returns an error if the user is not part of the ready check, or if it is over.
    pub fn accept(&mut self, user: &UserId, id: CheckId, now: Duration) -> Result<Vec<MatchmakerEvent>, QueueError> {
        let check = self.asks(user, id)?;
        check.accept(user);
        let (users, accepted, players) = (check.users(), check.accepted(), check.players);
        let mut events = vec![MatchmakerEvent::Answered { check: id, users, accepted, players }];
        events.extend(self.settle(id, now));
        Ok(events)
    }

    /// Declines a ready check for a user and removes them and their party from it. The others can still accept. The user must
    /// pause before they may queue again.
    ///
    /// # Errors
    /// Returns an error if the user is not part of the ready check, or if it is over.
    pub fn decline(&mut self, user: &UserId, id: CheckId, now: Duration) -> Result<Vec<MatchmakerEvent>, QueueError> {
        let events = self.withdraw(user, id, now)?;
        self.pauses.add(user, now);
        Ok(events)
    }

    /// Notes that a user was matched and did not come. The user must pause as if they had declined a ready check.
    pub fn blame(&mut self, user: &UserId, now: Duration) {
        self.pauses.add(user, now);
    }

    /// Removes a user's entry from a ready check.
    fn withdraw(&mut self, user: &UserId, id: CheckId, now: Duration) -> Result<Vec<MatchmakerEvent>, QueueError> {
        let entry = self.asks(user, id)?.decline(user).ok_or(QueueError::UnknownCheck(id))?;
        self.forget([&entry]);
        let users = entry.users().cloned().collect();
        let mut events = vec![MatchmakerEvent::Unready { check: id, users, reason: UnreadyReason::Declined, requeued: false }];
        events.extend(self.settle(id, now));
        Ok(events)
    }

    /// Ends ready checks that timed out, fills running matches, and forms every match that is possible.
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

    /// Returns the entries of a match that could not be started to their place in the queue. Entries with a user who has queued
    /// again in the meantime are dropped.
    pub fn put_back(&mut self, unheld: Match) {
        let queue = self.queues.iter().position(|queue| queue.game == unheld.game && queue.name == unheld.mode);
        let Some(queue) = queue else { return };
        for entry in unheld.teams.into_iter().flatten() {
            if !entry.users().any(|user| self.users.contains_key(user)) {
                self.put(queue, entry);
            }
        }
    }

    /// Returns the status of each user in the queues whose status is due.
    pub fn statuses(&mut self, now: Duration) -> Vec<(UserId, QueueStatus)> {
        self.queues.iter_mut().flat_map(|queue| queue.statuses(now)).collect()
    }

    /// Returns whether the matchmaker needs further passes although no request comes in.
    pub fn is_busy(&self) -> bool {
        !self.users.is_empty() || self.queues.iter().any(Queue::owes_status)
    }

    /// Returns whether a user is in a queue or a ready check.
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
        let players = users.len();
        let events = MatchmakerEvent::Asked { check, users, players, game: found.game, mode: found.mode.clone(), time };
        self.checks.insert(check, Check::new(queue, found, now + time));
        events
    }

    /// Ends a ready check if it is settled.
    fn settle(&mut self, id: CheckId, now: Duration) -> Vec<MatchmakerEvent> {
        if !self.checks.get(&id).is_some_and(|check| check.is_settled(now)) {
            return Vec::new();
        }
        let Some(check) = self.checks.remove(&id) else { return Vec::new() };
        let queue = check.queue;
        check.silent().for_each(|user| self.pauses.add(user, now));
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
