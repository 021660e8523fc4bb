//! The namespace `/matchmaking`: the adapter of the room `matchmaking`.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;
use tokio::{sync::Notify, time::Instant};

use super::{
    namespace::{Call, Event, Namespace, SocketArc},
    request::{Answer, Argument, answer, done},
    session,
};
use crate::{
    host::{Host, Refusal},
    lobby::Identity,
    matchmaking::{Match, Member, QueueError, Queues},
};

/// Between one pass over the queues and the next; changes in between are taken together.
const PASS_INTERVAL: Duration = Duration::from_millis(250);

/// Until the next try when a match found no room.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct Matchmaking(Arc<Shared>);

struct Shared {
    host: Host,
    line: Mutex<Line>,
    moved: Notify,
    next: AtomicU64,
    epoch: Instant,
}

/// Who waits, and where to reach them.
#[derive(Default)]
struct Line {
    queues: Queues,
    waiting: HashMap<Member, (SocketArc, Identity)>,
}

pub(super) struct Session {
    member: Member,
    session: session::Session,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Enqueue {
    game: String,
}

impl Namespace for Matchmaking {
    const PATH: &'static str = "/matchmaking";
    const EVENTS: &'static [(&'static str, Event<Self>)] =
        &[("enqueue", Event::Request(enqueue)), ("leave", Event::Request(leave))];
    type Session = Session;

    async fn admit(&self, auth: Argument) -> Result<Session, Refusal> {
        let session = session::Session::begin(&self.0.host, auth).await?;
        Ok(Session { member: Member(self.0.next.fetch_add(1, Ordering::Relaxed)), session })
    }

    fn check(&self, session: &Session) -> Result<(), Refusal> {
        self.0.host.check_blocked(&session.session.identity.user)
    }

    fn connected(&self, session: &Session, socket: &SocketArc) {
        session.session.tell(socket);
    }

    fn disconnected(&self, session: &Session) {
        // Most connections end without waiting in a queue.
        let _ = self.leave(session.member);
    }
}

fn enqueue(call: &Call<'_, Matchmaking>, argument: Argument) -> Answer {
    let Enqueue { game } = argument.read()?;
    let shared = &call.namespace.0;
    shared.host.check_open()?;
    let Session { member, session } = call.session;
    let mut line = shared.line();
    let position = line.queues.enqueue(*member, &game, shared.epoch.elapsed()).map_err(refusal)?;
    line.waiting.insert(*member, (call.socket.clone(), session.identity.clone()));
    shared.moved.notify_one();
    answer(&json!({ "position": position }))
}

fn leave(call: &Call<'_, Matchmaking>, _: Argument) -> Answer {
    call.namespace.leave(call.session.member).map_err(refusal)?;
    done()
}

fn refusal(error: QueueError) -> Refusal {
    Refusal::new(error.code(), error.to_string())
}

impl Matchmaking {
    pub(super) fn new(host: Host) -> Self {
        let mut line = Line::default();
        for game in host.games() {
            line.queues.add_game(game.name(), usize::from(*game.seats().start())..=usize::from(*game.seats().end()));
        }
        Self(Arc::new(Shared {
            host,
            line: Mutex::new(line),
            moved: Notify::new(),
            next: AtomicU64::new(1),
            epoch: Instant::now(),
        }))
    }

    /// Makes matches for as long as the server lives.
    pub(super) async fn run(self) {
        loop {
            self.0.moved.notified().await;
            let pause = if self.0.pass() { PASS_INTERVAL } else { RETRY_INTERVAL };
            tokio::time::sleep(pause).await;
        }
    }

    fn leave(&self, member: Member) -> Result<(), QueueError> {
        let mut line = self.0.line();
        line.waiting.remove(&member);
        line.queues.leave(member)?;
        self.0.moved.notify_one();
        Ok(())
    }
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seats everybody who can be matched, and tells the others where they stand. False if a match found no room.
    fn pass(&self) -> bool {
        let mut line = self.line();
        let mut held = true;
        for found in line.queues.pass() {
            if let Err(refusal) = self.hold(&mut line, &found) {
                tracing::debug!(game = found.game, %refusal, "a match found no room");
                line.queues.put_back(found);
                self.moved.notify_one();
                held = false;
            }
        }
        for (member, status) in line.queues.moved() {
            if let Some((socket, _)) = line.waiting.get(&member) {
                // The next status says it all again.
                let _ = socket.emit("status", &status);
            }
        }
        held
    }

    fn hold(&self, line: &mut Line, found: &Match) -> Result<(), Refusal> {
        let people: Vec<_> = found.members.iter().filter_map(|(member, _)| line.waiting.get(member)).collect();
        let identities: Vec<_> = people.iter().map(|(_, identity)| identity.clone()).collect();
        let admissions = self.host.seat_match(found.game, &identities)?;
        for ((socket, _), admission) in people.iter().zip(&admissions) {
            // Who does not hear of it does not use its ticket, and the seat is free again.
            let _ = socket.emit("matched", admission);
        }
        for (member, _) in &found.members {
            line.waiting.remove(member);
        }
        Ok(())
    }
}
