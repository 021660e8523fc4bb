//! One queue: who waits for a mode of a game.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::{Serialize, Serializer};

use super::{
    EntryId, Mode, QueueEntry,
    entry::is_near,
    pool::{Formed, Pool},
};
use crate::lobby::{RoomId, UserId};

/// Between two statuses of a queue.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);

/// The longest without a status, while nothing moves.
const STATUS_LATEST: Duration = Duration::from_secs(5);

/// What the newest wait counts in the estimate.
const NEWEST: f64 = 0.2;

/// Openings that are looked at in a pass; the others are in the next.
const OPENINGS: usize = 64;

/// Where an entry stands, as it travels. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueStatus {
    /// The game.
    pub game: &'static str,
    /// The mode.
    #[serde(serialize_with = "text")]
    pub mode: Arc<str>,
    /// The entry's place in the queue, from 1.
    pub position: usize,
    /// How many people wait.
    pub waiting: usize,
    /// How many people a match needs.
    pub needed: usize,
    /// How long the entry has waited.
    pub waited: u64,
    /// How long entries have waited lately until they were matched; none were if there is no number.
    pub estimate: Option<u64>,
}

/// People who play together, by team.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The game.
    pub game: &'static str,
    /// The mode.
    pub mode: Arc<str>,
    /// The entries of each team; one team of all if everybody plays for themselves.
    pub teams: Vec<Vec<QueueEntry>>,
    /// Where everybody has a good connection, if the mode has regions.
    pub region: Option<Arc<str>>,
    /// Seats that bots are to take.
    pub bots: usize,
    /// The running match that they join, if it is not a new one.
    pub room: Option<RoomId>,
}

/// A running match that has free seats.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// The room.
    pub room: RoomId,
    /// Its game.
    pub game: &'static str,
    /// Its mode.
    pub mode: Arc<str>,
    /// Free seats by team.
    pub free: Vec<usize>,
    /// Whom it is for.
    pub terms: Terms,
}

/// What holds for all in a match, also for those who join it later.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Their properties, as text.
    pub(super) same: String,
    /// Where everybody has a good connection, if the mode has regions.
    pub(super) region: Option<Arc<str>>,
    /// The mean skill of those who were matched.
    pub(super) rating: f64,
}

impl Match {
    /// Everybody.
    pub fn users(&self) -> impl Iterator<Item = &UserId> {
        self.teams.iter().flatten().flat_map(QueueEntry::users)
    }

    /// What others must fit who join it later.
    pub fn terms(&self) -> Terms {
        let entries = || self.teams.iter().flatten();
        let ratings = || entries().flat_map(|entry| entry.members.iter().map(|member| member.rating));
        let rating = ratings().sum::<f64>() / ratings().count().max(1) as f64;
        let same = entries().next().map_or_else(String::new, |entry| entry.same.clone());
        Terms { same, region: self.region.clone(), rating }
    }
}

/// Where an entry stands in its queue: oldest first, and by number if they came together.
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

    /// Puts an entry where its age belongs; its position there, from 1.
    pub(super) fn put(&mut self, entry: QueueEntry) -> usize {
        let key = (entry.since, entry.id);
        self.players += entry.size();
        self.moved = true;
        self.waiting.insert(key, entry);
        // The newest is last, and is the one that is asked about.
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

    /// Every match that can be made now; their entries wait no more.
    pub(super) fn form(&mut self, now: Duration) -> Vec<Match> {
        // By group, the places of its entries in the queue.
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
        // Most of a queue may go at once, and a tree gives up thousands one by one more slowly than it is built.
        let mut waiting: Vec<Option<QueueEntry>> = std::mem::take(&mut self.waiting).into_values().map(Some).collect();
        let mut matches = Vec::with_capacity(formed.len());
        for (teams, region, bots) in formed {
            let region = region.map(|region| self.mode.regions[region].clone());
            let mut take = |at: usize| waiting[at].take().expect("a pass takes an entry once");
            let teams: Vec<Vec<QueueEntry>> = teams.into_iter().map(|team| team.into_iter().map(&mut take).collect()).collect();
            teams.iter().flatten().for_each(|entry| self.matched(entry, now));
            matches.push(Match { game: self.game, mode: self.name.clone(), teams, region, bots, room: None });
        }
        self.waiting = waiting.into_iter().flatten().map(|entry| (key_of(&entry), entry)).collect();
        matches
    }

    /// Sends entries into running matches, the oldest first.
    pub(super) fn fill(&mut self, openings: &[Opening], now: Duration) -> Vec<Match> {
        if !self.mode.backfill {
            return Vec::new();
        }
        let ours: Vec<_> = openings.iter().filter(|opening| opening.game == self.game && opening.mode == self.name).collect();
        let mut matches = Vec::new();
        for opening in ours.into_iter().take(OPENINGS) {
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
                let mut take = |key| self.waiting.remove(&key).expect("only entries that wait were looked at");
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

    /// Where everybody stands, if anything moved; not more often than people read.
    pub(super) fn statuses(&mut self, now: Duration) -> Vec<(UserId, QueueStatus)> {
        let since = self.told.map(|told| now.saturating_sub(told));
        let due = since.is_none_or(|since| since >= if self.moved { STATUS_INTERVAL } else { STATUS_LATEST });
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

    /// Whether somebody waits for a status that is not due yet.
    pub(super) fn owes_status(&self) -> bool {
        self.moved && !self.waiting.is_empty()
    }

    fn went(&mut self, entry: &QueueEntry) {
        self.players -= entry.size();
        self.moved = true;
    }

    /// Notes that an entry went into a match, and how long it waited.
    fn matched(&mut self, entry: &QueueEntry, now: Duration) {
        self.went(entry);
        let waited = now.saturating_sub(entry.since).as_secs_f64();
        self.mean_wait = Some(self.mean_wait.map_or(waited, |mean| mean + NEWEST * (waited - mean)));
    }
}

fn key_of(entry: &QueueEntry) -> QueueKey {
    (entry.since, entry.id)
}

fn text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}
