//! The namespace `/matchmaking`: the requests to the queue, and its events to each connection.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::{
    host::{EventSink, Host, MatchQueue, QueueConnectionId, QueueEvent, Refusal},
    lobby::{Identity, UserId},
    matchmaking::{CheckId, QueueRequest},
    net::namespaces::{
        namespace::{Call, Caller, Event, Namespace},
        request::{Answer, Argument, answer, done},
        session::UserSession,
        socket::{SocketArc, emit},
    },
};

#[derive(Clone)]
pub(crate) struct Matchmaking {
    pub(crate) host: Host,
    pub(crate) queue: MatchQueue,
}

/// One connection to the queue.
pub(crate) struct MatchmakingSession {
    user: UserSession,
    /// The queue's number for the connection, once the queue knows it.
    connection: OnceLock<QueueConnectionId>,
}

impl MatchmakingSession {
    fn user(&self) -> &UserId {
        &self.user.identity.user
    }
}

/// Sends the queue's events to one connection. One whose buffer is full misses some.
struct QueueSocket(SocketArc);

impl EventSink<QueueEvent> for QueueSocket {
    fn send(&self, event: &QueueEvent) {
        let _ = emit(&self.0, event.name(), event);
    }
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

/// A mode of a game; without a name, the default one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModeOf {
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
        ("accept", Event::Request(|call, argument| answer_check(call, argument, MatchQueue::accept))),
        ("decline", Event::Request(|call, argument| answer_check(call, argument, MatchQueue::decline))),
        ("rating", Event::Request(rating)),
        ("leaders", Event::Request(leaders)),
    ];
    type Session = MatchmakingSession;

    async fn admit(&self, auth: Argument, caller: Caller<'_>) -> Result<MatchmakingSession, Refusal> {
        let user = UserSession::begin(&self.host, auth, caller).await?;
        self.queue.load_ratings(&user.identity.user);
        Ok(MatchmakingSession { user, connection: OnceLock::new() })
    }

    fn identity(session: &MatchmakingSession) -> Option<&Identity> {
        Some(&session.user.identity)
    }

    fn check(&self, session: &MatchmakingSession) -> Result<(), Refusal> {
        self.host.check_blocked(session.user())
    }

    fn connected(&self, session: &MatchmakingSession, socket: &SocketArc) {
        session.user.connected(&self.host, socket);
        self.connect(session, socket);
    }

    fn disconnected(&self, session: &MatchmakingSession) {
        session.user.disconnected(&self.host);
        if let Some(connection) = session.connection.get() {
            self.queue.disconnect(session.user(), *connection);
        }
    }
}

impl Matchmaking {
    /// Makes the connection known to the queue, once. A request may overtake [`connected`](Namespace::connected) on a connection
    /// that polls.
    fn connect(&self, session: &MatchmakingSession, socket: &SocketArc) {
        let connect = || self.queue.connect(&session.user.identity, Arc::new(QueueSocket(socket.clone())));
        session.connection.get_or_init(connect);
    }
}

fn enqueue(call: &Call<'_, Matchmaking>, argument: Argument) -> Answer {
    let Enqueue { game, mode, properties, regions } = argument.read()?;
    call.namespace.connect(call.session, call.socket);
    let request = QueueRequest { game, mode, properties, regions };
    let position = call.namespace.queue.enqueue(call.session.user(), &request)?;
    answer(&json!({ "position": position }))
}

fn leave(call: &Call<'_, Matchmaking>, argument: Argument) -> Answer {
    argument.none()?;
    call.namespace.queue.leave(call.session.user())?;
    done()
}

type AnswerCheck = fn(&MatchQueue, &UserId, CheckId) -> Result<(), Refusal>;

fn answer_check(call: &Call<'_, Matchmaking>, argument: Argument, say: AnswerCheck) -> Answer {
    let Answering { check } = argument.read()?;
    say(&call.namespace.queue, call.session.user(), check)?;
    done()
}

fn rating(call: &Call<'_, Matchmaking>, argument: Argument) -> Answer {
    let ModeOf { game, mode } = argument.read()?;
    let (mode, rating) = call.namespace.queue.rating(call.session.user(), game, mode)?;
    answer(&json!({ "mode": &*mode, "rating": rating.rating, "deviation": rating.deviation }))
}

fn leaders(call: &Call<'_, Matchmaking>, argument: Argument) -> Answer {
    let ModeOf { game, mode } = argument.read()?;
    let (mode, leaders) = call.namespace.queue.leaders(game, mode)?;
    answer(&json!({ "mode": &*mode, "leaders": leaders }))
}
