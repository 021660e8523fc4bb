//! The namespace `/matchmaking`: the adapter of the room `matchmaking`.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};

use crate::{
    host::{Admission, Host, MatchPlan, Parties, Refusal},
    lobby::{Identity, UserId},
    matchmaking::{CheckId, DEFAULT_MODE, Entrant, Match, Matchmaker, Mode, News, QueueEntry, QueueError, Wish},
    net::namespaces::{
        namespace::{Call, Event, Namespace, SocketArc},
        rating::Ratings,
        request::{Answer, Argument, answer, done},
        session::UserSession,
    },
    protocol::ErrorCode,
};

/// Between one pass over the queues and the next; changes in between are taken together.
const PASS_INTERVAL: Duration = Duration::from_millis(250);

/// Between two passes while nothing but time changes, and until the next try when a match found no room.
const IDLE_INTERVAL: Duration = Duration::from_secs(1);

/// How the matchmaker of a server works.
pub(crate) struct MatchRules {
    /// By game and name; games without any have one for as many as they seat.
    pub(crate) modes: Vec<(&'static str, String, Mode)>,
    pub(crate) ratings: Arc<Ratings>,
    /// Who knows the parties; the lobby if nobody else.
    pub(crate) parties: Option<Arc<dyn Parties>>,
}

#[derive(Clone)]
pub(crate) struct Matchmaking(Arc<Shared>);

struct Shared {
    host: Host,
    parties: Arc<dyn Parties>,
    ratings: Arc<Ratings>,
    line: Mutex<Line>,
    moved: Notify,
    next: AtomicU64,
    epoch: Instant,
}

/// Who is here, and who waits.
#[derive(Default)]
struct Line {
    matchmaker: Matchmaker,
    people: HashMap<UserId, Person>,
}

/// Somebody who is connected, perhaps several times.
struct Person {
    identity: Identity,
    sockets: Vec<(u64, SocketArc)>,
}

pub(crate) struct MatchmakingSession {
    id: u64,
    user: UserSession,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Enqueue {
    game: String,
    mode: Option<String>,
    #[serde(default)]
    properties: BTreeMap<String, Json>,
    #[serde(default)]
    regions: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RatingOf {
    game: String,
    mode: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answering {
    check: CheckId,
}

impl Namespace for Matchmaking {
    const PATH: &'static str = "/matchmaking";
    const EVENTS: &'static [(&'static str, Event<Self>)] = &[
        ("enqueue", Event::Request(enqueue)),
        ("leave", Event::Request(leave)),
        ("accept", Event::Request(|call, argument| answer_check(call, argument, Matchmaker::accept))),
        ("decline", Event::Request(|call, argument| answer_check(call, argument, Matchmaker::decline))),
        ("rating", Event::Request(rating)),
    ];
    type Session = MatchmakingSession;

    async fn admit(&self, auth: Argument) -> Result<MatchmakingSession, Refusal> {
        let user = UserSession::begin(&self.0.host, auth).await?;
        self.0.ratings.store.load(&user.identity.user);
        Ok(MatchmakingSession { id: self.0.next.fetch_add(1, Ordering::Relaxed), user })
    }

    fn check(&self, session: &MatchmakingSession) -> Result<(), Refusal> {
        self.0.host.check_blocked(&session.user.identity.user)
    }

    fn connected(&self, session: &MatchmakingSession, socket: &SocketArc) {
        session.user.connected(&self.0.host, socket);
        let mut line = self.0.line();
        line.let_in(session, socket);
        // It may have ended before it was known.
        if !socket.connected() {
            self.0.let_go(&mut line, session);
        }
    }

    fn disconnected(&self, session: &MatchmakingSession) {
        session.user.disconnected(&self.0.host);
        self.0.let_go(&mut self.0.line(), session);
    }
}

impl Line {
    /// Notes a connection, once. A request may overtake [`connected`](Namespace::connected), which then still comes.
    fn let_in(&mut self, session: &MatchmakingSession, socket: &SocketArc) {
        let identity = &session.user.identity;
        let new = || Person { identity: identity.clone(), sockets: Vec::new() };
        let person = self.people.entry(identity.user.clone()).or_insert_with(new);
        person.identity = identity.clone();
        if person.sockets.iter().all(|(id, _)| *id != session.id) {
            person.sockets.push((session.id, socket.clone()));
        }
    }
}

fn enqueue(call: &Call<'_, Matchmaking>, argument: Argument) -> Answer {
    let Enqueue { game, mode, properties, regions } = argument.read()?;
    let shared = &call.namespace.0;
    shared.host.check_open()?;
    let wish = Wish { game, mode, properties, regions };
    let mut line = shared.up_to_date();
    line.let_in(call.session, call.socket);
    let users = shared.party_of(&call.session.user.identity.user)?;
    for user in &users {
        let Some(person) = line.people.get(user) else {
            let absent = format!("{user} is in your party, but not connected to {}", Matchmaking::PATH);
            return Err(Refusal::new(ErrorCode::PartyAbsent, absent));
        };
        shared.host.check_blocked(&person.identity.user)?;
    }
    let (game, mode, _) = line.matchmaker.mode(&wish)?;
    let entrant = |user: &UserId| Entrant { user: user.clone(), rating: shared.ratings.of(user, game, mode).rating };
    let members = users.iter().map(entrant).collect();
    let position = line.matchmaker.enqueue(&wish, members, shared.now())?;
    shared.tell_parties(&line, &users);
    shared.moved.notify_one();
    answer(&json!({ "position": position }))
}

fn leave(call: &Call<'_, Matchmaking>, argument: Argument) -> Answer {
    argument.none()?;
    let shared = &call.namespace.0;
    shared.leave(&mut shared.up_to_date(), &call.session.user.identity.user)?;
    done()
}

type AnswerCheck = fn(&mut Matchmaker, &UserId, CheckId, Duration) -> Result<Vec<News>, QueueError>;

fn answer_check(call: &Call<'_, Matchmaking>, argument: Argument, say: AnswerCheck) -> Answer {
    let Answering { check } = argument.read()?;
    let shared = &call.namespace.0;
    let mut line = shared.up_to_date();
    let news = say(&mut line.matchmaker, &call.session.user.identity.user, check, shared.now())?;
    shared.publish(&mut line, news);
    done()
}

fn rating(call: &Call<'_, Matchmaking>, argument: Argument) -> Answer {
    let RatingOf { game, mode } = argument.read()?;
    let shared = &call.namespace.0;
    let line = shared.line();
    let (game, mode, _) = line.matchmaker.mode(&Wish { game, mode, ..Wish::default() })?;
    let rating = shared.ratings.of(&call.session.user.identity.user, game, mode);
    answer(&json!({ "mode": &**mode, "rating": rating.rating, "deviation": rating.deviation }))
}

impl From<QueueError> for Refusal {
    fn from(error: QueueError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl Matchmaking {
    pub(crate) fn new(host: Host, rules: MatchRules) -> Self {
        let MatchRules { modes, ratings, parties } = rules;
        let mut line = Line::default();
        for game in host.games() {
            let own = modes.iter().filter(|(of, ..)| *of == game.name());
            own.clone().for_each(|(game, name, mode)| line.matchmaker.open(game, name, mode.clone()));
            if own.count() == 0 {
                let players = usize::from(*game.seats().start())..=usize::from(*game.seats().end());
                line.matchmaker.open(game.name(), DEFAULT_MODE, Mode::free_for_all(players));
            }
        }
        let parties = parties.unwrap_or_else(|| Arc::new(host.clone()));
        let (line, moved) = (Mutex::new(line), Notify::new());
        Self(Arc::new(Shared { host, parties, ratings, line, moved, next: AtomicU64::new(1), epoch: Instant::now() }))
    }

    /// Makes matches for as long as the server lives.
    pub(crate) async fn run(self) {
        loop {
            // Read into a name, so that the lock is not held over the wait.
            let busy = self.0.line().matchmaker.is_busy();
            if busy {
                // Time alone opens windows and ends ready checks.
                let _ = timeout(IDLE_INTERVAL, self.0.moved.notified()).await;
            } else {
                self.0.moved.notified().await;
            }
            let pause = if self.0.pass() { PASS_INTERVAL } else { IDLE_INTERVAL };
            sleep(pause).await;
        }
    }
}

impl Shared {
    /// Forgets a connection; who has no other one leaves the queue.
    fn let_go(&self, line: &mut Line, session: &MatchmakingSession) {
        let user = &session.user.identity.user;
        let Some(person) = line.people.get_mut(user) else { return };
        person.sockets.retain(|(id, _)| *id != session.id);
        if person.sockets.is_empty() {
            // Most connections end without waiting in a queue.
            let _ = self.leave(line, user);
            line.people.remove(user);
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, without the tickets of parties that are others now.
    fn up_to_date(&self) -> MutexGuard<'_, Line> {
        let mut line = self.line();
        for (user, members) in self.parties.regrouped() {
            let news = line.matchmaker.regroup(&user, &members, self.now());
            self.publish(&mut line, news);
        }
        line
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Whom somebody queues with: their party, if they lead it.
    fn party_of(&self, user: &UserId) -> Result<Vec<UserId>, Refusal> {
        let members = self.parties.members(user);
        match members.first() {
            None => Ok(vec![user.clone()]),
            Some(leader) if leader == user => Ok(members),
            Some(_) => Err(Refusal::new(ErrorCode::NotLeader, "only the leader of your party may queue")),
        }
    }

    fn leave(&self, line: &mut Line, user: &UserId) -> Result<(), QueueError> {
        let news = line.matchmaker.leave(user, self.now())?;
        self.tell_parties(line, std::slice::from_ref(user));
        self.publish(line, news);
        self.moved.notify_one();
        Ok(())
    }

    /// Seats everybody who can be matched, and tells the others where they stand. False if a match found no room.
    fn pass(&self) -> bool {
        let openings = self.host.openings();
        let mut line = self.up_to_date();
        let now = self.now();
        let news = line.matchmaker.pass(&openings, now);
        let held = self.publish(&mut line, news);
        for (user, status) in line.matchmaker.statuses(now) {
            // Who does not hear of it: the next status says it all again.
            line.tell([&user], "status", &status);
        }
        held
    }

    /// Tells everybody what concerns them, and holds the matches. False if one found no room.
    fn publish(&self, line: &mut Line, news: Vec<News>) -> bool {
        let mut held = true;
        for news in news {
            match news {
                News::Asked { check, users, game, mode, time } => {
                    let (players, seconds) = (users.len(), time.as_secs_f64());
                    let told = json!({ "check": check, "game": game, "mode": &*mode, "players": players, "seconds": seconds });
                    line.tell(&users, "ready_check", &told);
                }
                News::Answered { check, users, accepted, players } => {
                    line.tell(&users, "ready", &json!({ "check": check, "accepted": accepted, "players": players }));
                }
                News::Unready { check, users, reason, requeued } => {
                    self.tell_parties(line, &users);
                    line.tell(&users, "unready", &json!({ "check": check, "reason": reason, "requeued": requeued }));
                    self.moved.notify_one();
                }
                News::Left { users } => {
                    self.tell_parties(line, &users);
                    line.tell(&users, "left", &json!({ "reason": "party" }));
                }
                News::Formed(found) => held &= self.hold(line, found),
            }
        }
        held
    }

    /// Lets the lobby know who of them waits now.
    fn tell_parties(&self, line: &Line, users: &[UserId]) {
        for person in users.iter().filter_map(|user| line.people.get(user)) {
            self.parties.set_queued(&person.identity, line.matchmaker.has(&person.identity.user));
        }
    }

    /// Seats the people of a match; false if that could not be, and they wait again.
    fn hold(&self, line: &mut Line, found: Match) -> bool {
        let users: Vec<UserId> = found.users().cloned().collect();
        let unheld = match found.room {
            Some(_) => self.fill(line, found),
            None => self.seat(line, found),
        };
        let held = unheld.is_none();
        if let Some((refusal, unheld)) = unheld {
            tracing::debug!(game = unheld.game, %refusal, "a match found no room");
            line.matchmaker.put_back(unheld);
            // Somebody who was blocked meanwhile would keep the others from playing.
            for user in users.iter().filter(|user| self.host.check_blocked(user).is_err()) {
                let _ = line.matchmaker.leave(user, self.now());
            }
            self.moved.notify_one();
        }
        self.tell_parties(line, &users);
        held
    }

    /// Opens a room for a match.
    fn seat(&self, line: &Line, found: Match) -> Option<(Refusal, Match)> {
        let wish = Wish { game: found.game.to_owned(), mode: Some(found.mode.to_string()), ..Wish::default() };
        let (_, _, mode) = line.matchmaker.mode(&wish).ok()?;
        let teams: Vec<_> = found.teams.iter().map(|team| line.identities(team)).collect();
        let people: usize = teams.iter().map(Vec::len).sum();
        let plan = MatchPlan {
            game: found.game,
            mode: found.mode.clone(),
            teams,
            seats: *mode.players().end(),
            // In teams, nobody but who was matched; what the game fills by itself may be more than the mode's seats.
            fill: (found.bots > 0).then_some(people + found.bots).or(mode.sides().map(|_| 0)),
            backfill: mode.is_backfilled(),
            terms: found.terms(),
        };
        match self.host.seat_match(&plan) {
            Ok(admissions) => {
                let seated = plan.teams.iter().flatten().zip(admissions.iter().flatten());
                seated.for_each(|(who, admission)| line.tell_matched(who, admission));
                None
            }
            Err(refusal) => Some((refusal, found)),
        }
    }

    /// Seats each ticket in a running match, or leaves it for the next pass.
    fn fill(&self, line: &Line, found: Match) -> Option<(Refusal, Match)> {
        let room = found.room.clone()?;
        let mut last = None;
        let mut unheld = Match { teams: Vec::new(), ..found.clone() };
        for (team, tickets) in (1..).zip(found.teams) {
            let mut left = Vec::new();
            for ticket in tickets {
                let people = line.identities(std::slice::from_ref(&ticket));
                match self.host.fill_match(&room, team, &people) {
                    Ok(admissions) => {
                        people.iter().zip(&admissions).for_each(|(who, admission)| line.tell_matched(who, admission))
                    }
                    Err(refusal) => {
                        last = Some(refusal);
                        left.push(ticket);
                    }
                }
            }
            unheld.teams.push(left);
        }
        last.map(|refusal| (refusal, unheld))
    }
}

impl Line {
    /// The people of entries. All are here: whoever goes leaves the queue.
    fn identities(&self, entries: &[QueueEntry]) -> Vec<Identity> {
        let users = entries.iter().flat_map(QueueEntry::users);
        users.filter_map(|user| self.people.get(user)).map(|person| person.identity.clone()).collect()
    }

    fn tell<'u>(&self, users: impl IntoIterator<Item = &'u UserId>, event: &str, argument: &impl Serialize) {
        let people = users.into_iter().filter_map(|user| self.people.get(user));
        for (_, socket) in people.flat_map(|person| &person.sockets) {
            let _ = socket.emit(event, argument);
        }
    }

    /// Who does not hear of it does not use the ticket, and the seat is free again.
    fn tell_matched(&self, who: &Identity, admission: &Admission) {
        self.tell([&who.user], "matched", admission);
    }
}
