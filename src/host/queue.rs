//! The matchmaking service: who is connected and who waits, and how a match that was found becomes a room.
//!
//! Every pass, [`MatchQueue::run`] asks the [`Matchmaker`] for matches, seats their people through the host, and tells each
//! connection what concerns it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{
    admission::Admission, events::EventSink, forming::Forming, leaders::Leader, parties::Parties, ratings::Ratings,
    refusal::Refusal, registry::Host,
};
use crate::{
    lobby::{Identity, UserId},
    matchmaking::{
        CheckId, DEFAULT_MODE, Entrant, Matchmaker, MatchmakerEvent, Mode, QueueEntry, QueueError, QueueRequest, QueueStatus,
        Rating, UnreadyReason,
    },
    protocol::ErrorCode,
};

use matched::Matched;

/// The time between two passes over the queues. Changes in between are taken together.
const PASS_INTERVAL: Duration = Duration::from_millis(250);

/// The time between two passes while nothing but time changes, and before a match that found no room is tried again.
const IDLE_INTERVAL: Duration = Duration::from_secs(1);

/// How a server makes matches.
pub(crate) struct MatchRules {
    /// The modes by game and name. A game without any has one, for as many players as it seats.
    pub(crate) modes: Vec<(&'static str, String, Mode)>,
    pub(crate) ratings: Arc<Ratings>,
    /// The source of the parties; the lobby by default.
    pub(crate) parties: Option<Arc<dyn Parties>>,
}

/// An event for a connection about its user's place in the queue.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum QueueEvent {
    /// Where the user stands.
    Status(QueueStatus),
    /// A match was found, and the user is asked whether they are ready.
    ReadyCheck { check: CheckId, game: &'static str, mode: String, players: usize, seconds: f64 },
    /// Somebody accepted.
    Ready { check: CheckId, accepted: usize, players: usize },
    /// The match is not played.
    Unready { check: CheckId, reason: UnreadyReason, requeued: bool },
    /// The user is out of the queue, because their party changed or left it.
    Left { reason: &'static str },
    /// The user has a seat in a match of this game and mode.
    Matched {
        game: &'static str,
        mode: String,
        #[serde(flatten)]
        admission: Admission,
    },
}

impl QueueEvent {
    /// The event's name on the wire.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::ReadyCheck { .. } => "ready_check",
            Self::Ready { .. } => "ready",
            Self::Unready { .. } => "unready",
            Self::Left { .. } => "left",
            Self::Matched { .. } => "matched",
        }
    }
}

/// The number of a connection to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueConnectionId(u64);

/// The matchmaking of a host. Cheap to clone.
#[derive(Clone)]
pub(crate) struct MatchQueue(Arc<Shared>);

struct Shared {
    host: Host,
    parties: Arc<dyn Parties>,
    ratings: Arc<Ratings>,
    queues: Mutex<Queues>,
    /// Something changed that a pass may turn into a match.
    changed: Notify,
    /// A match was found that needs seats.
    found: Notify,
    /// The room of a user who came back was busy.
    untold: Notify,
    epoch: Instant,
}

/// The connected users, and those who wait.
#[derive(Default)]
struct Queues {
    matchmaker: Matchmaker,
    /// The matches that are being seated.
    forming: Forming,
    users: HashMap<UserId, ConnectedUser>,
    /// The users who were matched lately, until their reservation ends.
    matched: HashMap<UserId, Matched>,
    /// The users who came back while the room of their match was busy. They are told of it as soon as it can be asked.
    untold: BTreeSet<UserId>,
    newest: u64,
}

/// A user with one connection or several.
struct ConnectedUser {
    identity: Identity,
    connections: Vec<(QueueConnectionId, Arc<dyn EventSink<QueueEvent>>)>,
}

impl MatchQueue {
    pub(crate) fn new(host: Host, rules: MatchRules) -> Self {
        let MatchRules { modes, ratings, parties } = rules;
        let mut queues = Queues { matchmaker: Matchmaker::new(host.services().limits.ready_check_pauses()), ..Queues::default() };
        for game in host.games() {
            let own = modes.iter().filter(|(of, ..)| *of == game.name());
            own.clone().for_each(|(game, name, mode)| queues.matchmaker.open(game, name, mode.clone()));
            if own.count() == 0 {
                let players = usize::from(*game.seats().start())..=usize::from(*game.seats().end());
                queues.matchmaker.open(game.name(), DEFAULT_MODE, Mode::free_for_all(players));
            }
        }
        let parties = parties.unwrap_or_else(|| Arc::new(host.clone()));
        let (changed, found, untold, epoch) = (Notify::new(), Notify::new(), Notify::new(), Instant::now());
        Self(Arc::new(Shared { host, parties, ratings, queues: Mutex::new(queues), changed, found, untold, epoch }))
    }

    /// Makes matches for as long as the server runs.
    pub(crate) async fn run(self) {
        let mut tasks = JoinSet::new();
        // Each is a task, because each may wait for a room.
        tasks.spawn(self.clone().find_matches());
        tasks.spawn(self.clone().seat_matches());
        tasks.spawn(self.tell_again());
        tasks.join_all().await;
    }

    /// Seats each match that was found. Rooms that take long to be made do not keep others waiting.
    async fn seat_matches(self) {
        let mut seating = JoinSet::new();
        loop {
            self.0.found.notified().await;
            while seating.try_join_next().is_some() {}
            let found = self.0.queues().forming.begin();
            for id in found {
                let shared = self.0.clone();
                seating.spawn(async move { shared.seat(id) });
            }
        }
    }

    async fn find_matches(self) {
        loop {
            // A statement of its own, so that the lock is released before the wait.
            let is_busy = self.0.queues().matchmaker.is_busy();
            if is_busy {
                // Windows widen and ready checks end with time alone.
                let _ = timeout(IDLE_INTERVAL, self.0.changed.notified()).await;
            } else {
                self.0.changed.notified().await;
            }
            self.0.pass();
            sleep(PASS_INTERVAL).await;
        }
    }

    /// Tells users of their match whose room was busy when they came back.
    async fn tell_again(self) {
        loop {
            self.0.untold.notified().await;
            while self.0.tell_untold() {
                sleep(PASS_INTERVAL).await;
            }
        }
    }

    /// Has a user's ratings read, so that they are at hand when the user queues.
    pub(crate) fn load_ratings(&self, user: &UserId) {
        self.0.ratings.store.load(user);
    }

    /// Adds a connection of a user, who may queue from now on. A user whose seat in a match is still reserved is told of it again: now,
    /// or as soon as its room can be asked.
    pub(crate) fn connect(&self, identity: &Identity, sink: Arc<dyn EventSink<QueueEvent>>) -> QueueConnectionId {
        let (id, matched) = {
            let mut queues = self.0.queues();
            let id = QueueConnectionId(queues.count());
            let new = || ConnectedUser { identity: identity.clone(), connections: Vec::new() };
            let user = queues.users.entry(identity.user.clone()).or_insert_with(new);
            user.identity = identity.clone();
            user.connections.push((id, sink.clone()));
            (id, queues.matched.get(&identity.user).cloned())
        };
        let Some(matched) = matched else { return id };
        match self.0.renew(&matched, &identity.user) {
            Ok(Some(matched)) => sink.send(&matched),
            Ok(None) => {}
            Err(_) => {
                self.0.queues().untold.insert(identity.user.clone());
                self.0.untold.notify_one();
            }
        }
        id
    }

    /// Removes a connection. With their last one, a user leaves the queue.
    pub(crate) fn disconnect(&self, user: &UserId, id: QueueConnectionId) {
        let mut queues = self.0.queues();
        let Some(connected) = queues.users.get_mut(user) else { return };
        connected.connections.retain(|(other, _)| *other != id);
        if connected.connections.is_empty() {
            // Most users are not in a queue when they go.
            let _ = self.0.leave(&mut queues, user);
            queues.users.remove(user);
            queues.untold.remove(user);
        }
    }

    /// Queues a user, with the party that they lead, and returns their position, from 1.
    ///
    /// A user who asks again, because their line broke, keeps their place: they wait as before, are asked again whether they are
    /// ready, or are told again of the match whose seat they have not taken yet.
    pub(crate) fn enqueue(&self, user: &UserId, request: &QueueRequest) -> Result<usize, Refusal> {
        let shared = &*self.0;
        shared.host.check_open()?;
        // Rooms are asked before the queues are locked. Nobody may be matched in between and then wait for another match.
        let (asked, matched) = {
            let queues = shared.up_to_date();
            let (game, mode, _) = queues.matchmaker.mode(request)?;
            let matched = queues.matched.get(user).filter(|matched| matched.game == game && matched.mode == *mode);
            (queues.newest, matched.cloned())
        };
        if let Some(matched) = matched.map_or(Ok(None), |matched| shared.renew(&matched, user))? {
            shared.queues().tell_back(user, &matched);
            return Ok(1);
        }
        let users = shared.party_of(user)?;
        users.iter().for_each(|member| shared.judge(member));
        let mut queues = shared.up_to_date();
        let (game, mode, _) = queues.matchmaker.mode(request)?;
        let mode = mode.clone();
        for member in &users {
            if let Some(matched) = queues.matched.get(member).filter(|matched| matched.number > asked) {
                let is_meant = member == user && matched.game == game && matched.mode == mode;
                return if is_meant { Ok(1) } else { Err(QueueError::AlreadyQueued(member.clone()).into()) };
            }
            if !queues.users.contains_key(member) {
                let message = format!("{member} is in your party, but not connected to /matchmaking");
                return Err(Refusal::new(ErrorCode::PartyAbsent, message));
            }
            shared.host.check_blocked(member)?;
        }
        for identity in users.iter().filter_map(|member| queues.users.get(member)).map(|member| &member.identity) {
            shared.host.check_seats(identity)?;
        }
        if let Some(found) = queues.forming.of(user).filter(|found| found.game == game && found.mode == mode) {
            tracing::debug!(%user, game = found.game, "somebody queues again whose match has no room yet");
            return Ok(1);
        }
        if let Some(member) = users.iter().find(|user| queues.forming.of(user).is_some()) {
            return Err(QueueError::AlreadyQueued(member.clone()).into());
        }
        let entrant = |user: &UserId| Entrant { user: user.clone(), rating: shared.ratings.of(user, game, &mode).rating };
        let members = users.iter().map(entrant).collect();
        let position = queues.matchmaker.enqueue(request, members, shared.now())?;
        shared.tell_parties(&queues, &users);
        if let Some(MatchmakerEvent::Asked { check, players, game, mode, time, .. }) = queues.matchmaker.asked(user, shared.now())
        {
            let (mode, seconds) = (mode.to_string(), time.as_secs_f64());
            queues.tell([user], &QueueEvent::ReadyCheck { check, game, mode, players, seconds });
        }
        shared.changed.notify_one();
        Ok(position)
    }

    /// Takes a user, and their party, out of the queue.
    pub(crate) fn leave(&self, user: &UserId) -> Result<(), Refusal> {
        Ok(self.0.leave(&mut self.0.up_to_date(), user)?)
    }

    /// Says that a user is ready.
    pub(crate) fn accept(&self, user: &UserId, check: CheckId) -> Result<(), Refusal> {
        self.0.answer(|matchmaker, now| matchmaker.accept(user, check, now))
    }

    /// Says that a user does not want to play after all.
    pub(crate) fn decline(&self, user: &UserId, check: CheckId) -> Result<(), Refusal> {
        self.0.answer(|matchmaker, now| matchmaker.decline(user, check, now))
    }

    /// Returns the name of a mode, which is the game's default if none is given, and a user's rating in it.
    pub(crate) fn rating(&self, user: &UserId, game: String, mode: Option<String>) -> Result<(Arc<str>, Rating), Refusal> {
        let queues = self.0.queues();
        let (game, mode, _) = queues.matchmaker.mode(&QueueRequest { game, mode, ..QueueRequest::default() })?;
        Ok((mode.clone(), self.0.ratings.of(user, game, mode)))
    }

    /// Returns the name of a mode, which is the game's default if none is given, and its players with the highest ratings.
    pub(crate) fn leaders(&self, game: String, mode: Option<String>) -> Result<(Arc<str>, Vec<Leader>), Refusal> {
        let queues = self.0.queues();
        let (game, mode, _) = queues.matchmaker.mode(&QueueRequest { game, mode, ..QueueRequest::default() })?;
        Ok((mode.clone(), self.0.ratings.leaders.of(game, mode)))
    }
}

impl Shared {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queues, after everybody whose party has changed was taken out of them.
    fn up_to_date(&self) -> MutexGuard<'_, Queues> {
        let mut queues = self.queues();
        for (user, members) in self.parties.regrouped() {
            let mut events = queues.matchmaker.regroup(&user, &members, self.now());
            let left = queues.forming.regroup(&user, &members);
            events.extend(left.map(|entry| MatchmakerEvent::Left { users: entry.users().cloned().collect() }));
            self.publish(&mut queues, events);
        }
        queues
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// The users who queue when this user does: their party, if they lead one.
    fn party_of(&self, user: &UserId) -> Result<Vec<UserId>, Refusal> {
        let members = self.parties.members(user);
        match members.first() {
            None => Ok(vec![user.clone()]),
            Some(leader) if leader == user => Ok(members),
            Some(_) => Err(Refusal::new(ErrorCode::NotLeader, "only the leader of your party may queue")),
        }
    }

    fn leave(&self, queues: &mut Queues, user: &UserId) -> Result<(), QueueError> {
        let events = match queues.forming.leave(user) {
            Some(entry) => {
                let users = entry.users().filter(|member| *member != user).cloned().collect();
                vec![MatchmakerEvent::Left { users }]
            }
            None => queues.matchmaker.leave(user, self.now())?,
        };
        self.tell_parties(queues, std::slice::from_ref(user));
        self.publish(queues, events);
        self.changed.notify_one();
        Ok(())
    }

    fn answer(
        &self, say: impl FnOnce(&mut Matchmaker, Duration) -> Result<Vec<MatchmakerEvent>, QueueError>,
    ) -> Result<(), Refusal> {
        let mut queues = self.up_to_date();
        let events = say(&mut queues.matchmaker, self.now())?;
        self.publish(&mut queues, events);
        Ok(())
    }

    /// Finds seats for everybody who can be matched, and tells the others where they stand.
    fn pass(&self) {
        let openings = self.host.openings();
        let mut queues = self.up_to_date();
        let (now, instant) = (self.now(), Instant::now());
        queues.matched.retain(|_, matched| instant < matched.until);
        let events = queues.matchmaker.pass(&openings, now);
        self.publish(&mut queues, events);
        for (user, status) in queues.matchmaker.statuses(now) {
            queues.tell([&user], &QueueEvent::Status(status));
        }
    }

    /// Tells everybody what concerns them, and has the matches seated.
    fn publish(&self, queues: &mut Queues, events: Vec<MatchmakerEvent>) {
        for event in events {
            match event {
                MatchmakerEvent::Asked { check, users, players, game, mode, time } => {
                    let (mode, seconds) = (mode.to_string(), time.as_secs_f64());
                    queues.tell(&users, &QueueEvent::ReadyCheck { check, game, mode, players, seconds });
                }
                MatchmakerEvent::Answered { check, users, accepted, players } => {
                    queues.tell(&users, &QueueEvent::Ready { check, accepted, players });
                }
                MatchmakerEvent::Unready { check, users, reason, requeued } => {
                    self.tell_parties(queues, &users);
                    queues.tell(&users, &QueueEvent::Unready { check, reason, requeued });
                    self.changed.notify_one();
                }
                MatchmakerEvent::Left { users } => {
                    self.tell_parties(queues, &users);
                    queues.tell(&users, &QueueEvent::Left { reason: "party" });
                }
                MatchmakerEvent::Formed(found) => {
                    queues.forming.add(found);
                    self.found.notify_one();
                }
            }
        }
    }

    /// Tells the lobby which of these users wait now.
    fn tell_parties(&self, queues: &Queues, users: &[UserId]) {
        for user in users.iter().filter_map(|user| queues.users.get(user)) {
            self.parties.set_queued(&user.identity, queues.waits(&user.identity.user));
        }
    }
}

impl Queues {
    /// Returns the next number of a connection or a match.
    fn count(&mut self) -> u64 {
        self.newest += 1;
        self.newest
    }

    /// Returns whether a user waits for a match, or for its room.
    fn waits(&self, user: &UserId) -> bool {
        self.matchmaker.has(user) || self.forming.of(user).is_some()
    }

    /// The people of these entries. All of them are connected: whoever disconnects leaves the queue.
    fn identities(&self, entries: &[QueueEntry]) -> Vec<Identity> {
        let users = entries.iter().flat_map(QueueEntry::users);
        users.filter_map(|user| self.users.get(user)).map(|user| user.identity.clone()).collect()
    }

    /// Tells every connection of these users. What a full one misses is made up for: a status by the next one, and a ticket that
    /// nobody uses frees its seat.
    fn tell<'u>(&self, users: impl IntoIterator<Item = &'u UserId>, event: &QueueEvent) {
        let users = users.into_iter().filter_map(|user| self.users.get(user));
        users.flat_map(|user| &user.connections).for_each(|(_, sink)| sink.send(event));
    }
}

mod matched;
mod rooms;
#[cfg(test)]
mod tests;
