//! The queue for one mode of a game.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::{Serialize, Serializer};

use super::{
    EntryId, Mode, QueueEntry,
    entry::is_near,
    pool::{Formed, Pool},
};
use crate::lobby::{RoomId, UserId};

/// The shortest time between two statuses of a queue.
const MIN_STATUS_INTERVAL: Duration = Duration::from_secs(1);

/// The time between two statuses of a queue that does not change.
const MAX_STATUS_INTERVAL: Duration = Duration::from_secs(5);

/// The weight of the newest wait in the moving average.
const NEWEST_WEIGHT: f64 = 0.2;

/// The largest number of openings that a pass visits.
const MAX_OPENINGS: usize = 64;

/// The status of an entry as it is sent to clients. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QueueStatus {
    /// The game.
    pub game: &'static str,
    /// The mode.
    #[serde(serialize_with = "text")]
    pub mode: Arc<str>,
    /// The entry's position in the queue, counted from 1.
    pub position: usize,
    /// The number of users in the queue.
    pub waiting: usize,
    /// The number of players that a match needs.
    pub needed: usize,
    /// The time that the entry has waited.
    pub waited: u64,
    /// The recent average wait until a match, or `None` if no entry has been matched yet.
    pub estimate: Option<u64>,
}

/// A match: the entries that play together.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The game.
    pub game: &'static str,
    /// The mode.
    pub mode: Arc<str>,
    /// The entries of each team. A match without teams has a single team here.
    pub teams: Vec<Vec<QueueEntry>>,
    /// The region, if the mode has regions.
    pub region: Option<Arc<str>>,
    /// The number of seats for bots.
    pub bots: usize,
    /// The room of the running match that the entries join, or `None` for a new match.
    pub room: Option<RoomId>,
}

/// A running match that has free seats.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// The room.
    pub room: RoomId,
    /// The room's game.
    pub game: &'static str,
    /// The room's mode.
    pub mode: Arc<str>,
    /// The number of free seats by team.
    pub free: Vec<usize>,
    /// The terms that an entry must meet.
    pub terms: Terms,
}

/// The terms that all entries of a match meet, including those that join it later.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// The entries' properties, as text that is compared.
    pub(super) same: String,
    /// The region, if the mode has regions.
    pub(super) region: Option<Arc<str>>,
    /// The mean rating of the match's first players.
    pub(super) rating: f64,
}

impl Match {
    /// Returns the users of all entries.
    pub fn users(&self) -> impl Iterator<Item = &UserId> {
        self.teams.iter().flatten().flat_map(QueueEntry::users)
    }

    /// Returns the terms for entries that join the match later.
    pub fn terms(&self) -> Terms {
        let entries = || self.teams.iter().flatten();
        let ratings = || entries().flat_map(|entry| entry.members.iter().map(|member| member.rating));
        let rating = ratings().sum::<f64>() / ratings().count().max(1) as f64;
        let same = entries().next().map_or_else(String::new, |entry| entry.same.clone());
        Terms { same, region: self.region.clone(), rating }
    }
}

/// The sort key of an entry in its queue: its age, and then its id.
pub(super) type QueueKey = (Duration, EntryId);

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) game: &'static str,
    pub(super) name: Arc<str>,
    pub(super) mode: Mode,
    waiting: BTreeMap<QueueKey, QueueEntry>,
    players: usize,
    moved: bool,
    told: Option<Duration>,
    mean_wait: Option<f64>,
}

impl Queue {
    pub(super) fn new(game: &'static str, name: &str, mode: Mode) -> Self {
        let name = name.into();
        Self { game, name, mode, waiting: BTreeMap::new(), players: 0, moved: false, told: None, mean_wait: None }
    }

    /// Inserts an entry at the place of its age. Returns its position, counted from 1.
    pub(super) fn put(&mut self, entry: QueueEntry) -> usize {
        let key = (entry.since, entry.id);
        self.players += entry.size();
        self.moved = true;
        self.waiting.insert(key, entry);
        self.position(key)
    }

    /// Returns the position of an entry that waits here, counted from 1.
    pub(super) fn position(&self, key: QueueKey) -> usize {
        // New entries are last, so that counting from the end is short.
        self.waiting.len() - self.waiting.range(key..).skip(1).count()
    }

    pub(super) fn take(&mut self, key: QueueKey) -> Option<QueueEntry> {
        let entry = self.waiting.remove(&key)?;
        self.went(&entry);
        Some(entry)
    }

    pub(super) fn entry(&self, key: QueueKey) -> Option<&QueueEntry> {
        self.waiting.get(&key)
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> impl Iterator<Item = &QueueEntry> {
        self.waiting.values()
    }

    /// Forms every possible match and removes its entries from the queue.
    pub(super) fn form(&mut self, now: Duration) -> Vec<Match> {
        // For each group, the positions of its entries in the queue.
        let mut groups: BTreeMap<&str, (Vec<usize>, Vec<&QueueEntry>)> = BTreeMap::new();
        for (at, entry) in self.waiting.values().enumerate() {
            let (places, entries) = groups.entry(&entry.same).or_default();
            places.push(at);
            entries.push(entry);
        }
        let mut formed = Vec::new();
        for (places, entries) in groups.into_values() {
            let matches = Pool::new(&self.mode, entries, now).matches();
            formed.extend(matches.into_iter().map(|Formed { teams, region, bots }| {
                let teams: Vec<Vec<usize>> = teams.iter().map(|team| team.iter().map(|at| places[*at]).collect()).collect();
                (teams, region, bots)
            }));
        }
        if formed.is_empty() {
            return Vec::new();
        }
        // A pass may take most of the queue. Building a new tree is then faster than thousands of removals.
        let mut waiting: Vec<Option<QueueEntry>> = std::mem::take(&mut self.waiting).into_values().map(Some).collect();
        let mut matches = Vec::with_capacity(formed.len());
        for (teams, region, bots) in formed {
            let region = region.map(|region| self.mode.regions[region].clone());
            let mut take = |at: usize| waiting[at].take().expect("a pass takes an entry only once");
            let teams: Vec<Vec<QueueEntry>> = teams.into_iter().map(|team| team.into_iter().map(&mut take).collect()).collect();
            teams.iter().flatten().for_each(|entry| self.matched(entry, now));
            matches.push(Match { game: self.game, mode: self.name.clone(), teams, region, bots, room: None });
        }
        self.waiting = waiting.into_iter().flatten().map(|entry| (key_of(&entry), entry)).collect();
        matches
    }

    /// Sends entries into running matches, oldest entry first.
    pub(super) fn fill(&mut self, openings: &[Opening], now: Duration) -> Vec<Match> {
        if !self.mode.backfill {
            return Vec::new();
        }
        let ours: Vec<_> = openings.iter().filter(|opening| opening.game == self.game && opening.mode == self.name).collect();
        let mut matches = Vec::new();
        for opening in ours.into_iter().take(MAX_OPENINGS) {
            let mut free = opening.free.clone();
            let mut teams = vec![Vec::new(); free.len()];
            for entry in self.waiting.values() {
                let roomiest = (0..free.len()).max_by_key(|team| (free[*team], usize::MAX - team));
                let Some(team) = roomiest.filter(|team| free[*team] > 0) else { break };
                if free[team] >= entry.size() && self.fits(entry, &opening.terms, now) {
                    free[team] -= entry.size();
                    teams[team].push(key_of(entry));
                }
            }
            if teams.iter().any(|team| !team.is_empty()) {
                let mut take = |key| self.waiting.remove(&key).expect("only waiting entries were visited");
                let teams: Vec<Vec<QueueEntry>> =
                    teams.into_iter().map(|team| team.into_iter().map(&mut take).collect()).collect();
                teams.iter().flatten().for_each(|entry| self.matched(entry, now));
                let (mode, room) = (self.name.clone(), Some(opening.room.clone()));
                matches.push(Match { game: self.game, mode, teams, region: None, bots: 0, room });
            }
        }
        matches
    }

    fn fits(&self, entry: &QueueEntry, terms: &Terms, now: Duration) -> bool {
        let waited = now.saturating_sub(entry.since);
        let region = terms.region.as_ref().and_then(|region| self.mode.regions.iter().position(|name| name == region));
        entry.same == terms.same
            && (entry.rating - terms.rating).abs() <= self.mode.window(waited)
            && region.is_none_or(|region| is_near(entry.latencies[region], self.mode.limit(waited)))
    }

    /// Returns the status of each user if one is due.
    pub(super) fn statuses(&mut self, now: Duration) -> Vec<(UserId, QueueStatus)> {
        let since = self.told.map(|told| now.saturating_sub(told));
        let due = since.is_none_or(|since| since >= if self.moved { MIN_STATUS_INTERVAL } else { MAX_STATUS_INTERVAL });
        if !due || self.waiting.is_empty() {
            return Vec::new();
        }
        (self.told, self.moved) = (Some(now), false);
        let mut statuses = Vec::with_capacity(self.players);
        for (position, entry) in (1..).zip(self.waiting.values()) {
            let status = QueueStatus {
                game: self.game,
                mode: self.name.clone(),
                position,
                waiting: self.players,
                needed: *self.mode.players().start(),
                waited: now.saturating_sub(entry.since).as_secs(),
                estimate: self.mean_wait.map(|seconds| seconds.round() as u64),
            };
            statuses.extend(entry.users().map(|user| (user.clone(), status.clone())));
        }
        statuses
    }

    /// Returns whether a change in the queue is still to be reported to its users.
    pub(super) fn owes_status(&self) -> bool {
        self.moved && !self.waiting.is_empty()
    }

    fn went(&mut self, entry: &QueueEntry) {
        self.players -= entry.size();
        self.moved = true;
    }

    /// Counts an entry as matched, and adds its wait to the average.
    fn matched(&mut self, entry: &QueueEntry, now: Duration) {
        self.went(entry);
        let waited = now.saturating_sub(entry.since).as_secs_f64();
        self.mean_wait = Some(self.mean_wait.map_or(waited, |mean| mean + NEWEST_WEIGHT * (waited - mean)));
    }
}

fn key_of(entry: &QueueEntry) -> QueueKey {
    (entry.since, entry.id)
}

fn text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}
