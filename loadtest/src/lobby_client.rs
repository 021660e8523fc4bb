//! One client of the scenario `lobby`: its connection, its requests, and the server's latest events.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::client::{Pass, Refused, Ticket, Welcome};
use crate::connection::{Connection, Fault, GAMEPLAY, LOBBY, MATCHMAKING, MSGPACK_PATH, read_answer};
use crate::inputs::InputGenerator;
use crate::lobby_run::LobbyRun;
use crate::replica::{FrameResult, Head, Replica};
use crate::steps::Step;
use crate::wire::{self, BinaryEvent, Kind, Packet};

/// How often a waiting client checks whether more clients can still arrive.
const LOOK: Duration = Duration::from_millis(500);

/// How long the last clients in the queue wait after its last change. A server that can make a match has made it by then.
const LAST_WAIT: Duration = Duration::from_secs(3);

/// One client and its connection.
pub(crate) struct LobbyClient {
    run: Arc<LobbyRun>,
    number: usize,
    connection: Connection,
    news: ServerState,
}

/// The latest events from the server.
#[derive(Default)]
struct ServerState {
    session: Option<Session>,
    /// The number of this client's newest chat message.
    own_message: u64,
    queue: Option<Status>,
    queue_moved: Option<Instant>,
    check: Option<Check>,
    /// Whether a match was found and its ready check is open.
    checking: bool,
    dropped: bool,
    matched: Option<Pass>,
    seat: Option<Seat>,
}

/// A taken seat.
pub(crate) struct Seat {
    replica: Replica,
    inputs: InputGenerator,
    hz: u16,
    pub(crate) frames: u64,
    seq: u32,
    /// When the first input was sent, and the time from then to the frame that acknowledged it.
    sent: Option<Instant>,
    acknowledged: Option<Duration>,
    pub(crate) over: bool,
}

impl LobbyClient {
    pub(crate) async fn begin(run: &Arc<LobbyRun>, number: usize) -> Result<Self, Fault> {
        let connection = Connection::open(&run.target, MSGPACK_PATH, Arc::clone(&run.tally)).await?;
        let mut client = Self { run: Arc::clone(run), number, connection, news: ServerState::default() };
        client.connection.enter(LOBBY, &Auth { name: Some(format!("load {number}")), token: None }).await?;
        client.until(|news| news.session.is_some()).await?;
        Ok(client)
    }

    pub(crate) async fn chat(&mut self) -> Result<(), Fault> {
        self.request::<_, IgnoredAny>(LOBBY, "listen", Some(&Listen { channel: "lobby" })).await?;
        let chat = Chat { channel: "lobby", text: format!("Who plays? I am number {}.", self.number) };
        let Said { seq } = self.request(LOBBY, "chat", Some(&chat)).await?;
        self.until(|news| news.own_message >= seq).await
    }

    /// Enters the queue as the same guest.
    pub(crate) async fn queue(&mut self) -> Result<(), Fault> {
        let session = self.news.session.take();
        let token = session.and_then(|session| session.token);
        self.connection.enter(MATCHMAKING, &Auth { name: None, token }).await?;
        self.until(|news| news.session.is_some()).await?;
        let run = Arc::clone(&self.run);
        let enqueue = Enqueue { game: &run.game, mode: run.mode.as_deref() };
        self.request::<_, IgnoredAny>(MATCHMAKING, "enqueue", Some(&enqueue)).await?;
        self.news.queue_moved = Some(Instant::now());
        Ok(())
    }

    /// Waits for a match, and accepts its ready check. Returns `None` if too few clients are left for a match.
    pub(crate) async fn wait_for_match(&mut self) -> Result<Option<Pass>, Fault> {
        loop {
            if let Some(pass) = self.news.matched.take() {
                return Ok(Some(pass));
            }
            if let Some(check) = self.news.check.take() {
                let run = Arc::clone(&self.run);
                // A failure is counted, but the match may still come.
                run.step(Step::Accept, self.request::<_, IgnoredAny>(MATCHMAKING, "accept", Some(&check))).await;
                continue;
            }
            if self.news.dropped {
                return Err(Fault::Unready);
            }
            if self.is_left_over() {
                match self.request::<(), IgnoredAny>(MATCHMAKING, "leave", None).await {
                    Ok(_) => return Ok(None),
                    // It was matched at the same moment.
                    Err(Fault::Refused { code, .. }) if code == "not_queued" => {}
                    Err(fault) => return Err(fault),
                }
            }
            self.hear_for(LOOK).await?;
        }
    }

    /// Returns whether no more clients can arrive and too few wait for a match.
    fn is_left_over(&self) -> bool {
        let too_few = self.news.queue.is_some_and(|Status { waiting, needed }| waiting < needed);
        let still = self.news.queue_moved.is_some_and(|moved| moved.elapsed() >= LAST_WAIT);
        too_few && still && !self.news.checking && self.run.arriving.load(Ordering::Relaxed) == 0
    }

    pub(crate) async fn take_seat(&mut self, pass: Pass) -> Result<(), Fault> {
        if !pass.url.is_empty() && pass.url.trim_end_matches('/') != self.run.target.url {
            return Err(Fault::OtherServer(pass.url));
        }
        self.connection.enter(GAMEPLAY, &Ticket { ticket: pass.ticket }).await?;
        self.until(|news| news.seat.as_ref().is_some_and(|seat| seat.frames > 0)).await
    }

    /// Plays until the time is over. Returns the time from the first input to its acknowledgement.
    pub(crate) async fn play(&mut self) -> Result<Duration, Fault> {
        let end = Instant::now() + self.run.hold;
        let hz = self.run.input_hz.or(self.news.seat.as_ref().map(|seat| seat.hz)).unwrap_or(1).max(1);
        let event = BinaryEvent::new(GAMEPLAY, "i");
        let mut ticker = interval(Duration::from_secs_f64(1.0 / f64::from(hz)));
        ticker.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let message = tokio::select! {
                biased;
                now = ticker.tick() => {
                    self.connection.check_heartbeat(now)?;
                    None
                }
                message = self.connection.incoming() => Some(message?),
            };
            if let Some(message) = message {
                if let Some(bytes) = self.connection.packet(message).await? {
                    self.hear(&Packet::decode(&bytes)?)?;
                }
                continue;
            }
            let Some(seat) = &mut self.news.seat else { return Err(Fault::Lost("no seat".to_owned())) };
            match seat.acknowledged {
                Some(took) if seat.over || Instant::now() >= end => return Ok(took),
                None if seat.over => return Err(Fault::Lost("over before an input was acknowledged".to_owned())),
                _ => self.connection.send(event.packet(&seat.input())).await?,
            }
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.news.seat.as_ref().is_some_and(|seat| seat.over)
    }

    pub(crate) async fn leave(&mut self) -> Result<(), Fault> {
        self.request::<(), IgnoredAny>(GAMEPLAY, "leave", None).await?;
        self.until(|news| news.seat.as_ref().is_some_and(|seat| seat.over)).await
    }

    pub(crate) async fn close(self) {
        self.connection.close().await;
    }

    /// Sends a request and waits for its answer. Handles the events that come first.
    async fn request<A: Serialize, R: DeserializeOwned>(
        &mut self, nsp: &str, name: &str, argument: Option<&A>,
    ) -> Result<R, Fault> {
        let id = self.connection.ask(nsp, name, argument).await?;
        loop {
            let bytes = self.connection.next_packet().await?;
            let packet = Packet::decode(&bytes)?;
            if (packet.kind, packet.nsp, packet.id) == (Kind::Ack, nsp, Some(id)) {
                return read_answer(packet.answer()?);
            }
            self.hear(&packet)?;
        }
    }

    async fn until(&mut self, said: impl Fn(&ServerState) -> bool) -> Result<(), Fault> {
        while !said(&self.news) {
            let bytes = self.connection.next_packet().await?;
            self.hear(&Packet::decode(&bytes)?)?;
        }
        Ok(())
    }

    async fn hear_for(&mut self, wait: Duration) -> Result<(), Fault> {
        // Only `incoming` is cancel safe.
        if let Ok(message) = timeout(wait, self.connection.incoming()).await
            && let Some(bytes) = self.connection.packet(message?).await?
        {
            self.hear(&Packet::decode(&bytes)?)?;
        }
        Ok(())
    }

    fn hear(&mut self, packet: &Packet<'_>) -> Result<(), Fault> {
        match (packet.kind, packet.nsp) {
            (Kind::Event, _) => {}
            // The server ends a seat after `over`.
            (Kind::Disconnect, nsp) if nsp != GAMEPLAY || !self.is_over() => {
                return Err(Fault::Lost(format!("the server ended {nsp}")));
            }
            _ => return Ok(()),
        }
        let (name, argument) = packet.event()?;
        let news = &mut self.news;
        match (packet.nsp, name) {
            (LOBBY | MATCHMAKING, "session") => news.session = Some(wire::parse(argument)?),
            // In a full lobby nearly all events are chat messages of others, so they are decoded only while one is awaited.
            (LOBBY, "chat") if news.queue_moved.is_none() => {
                let ChatMessage { user, seq } = wire::parse(argument)?;
                if news.session.as_ref().is_some_and(|session| session.user == user) {
                    news.own_message = seq;
                }
            }
            (MATCHMAKING, "status") => {
                (news.queue, news.queue_moved) = (Some(wire::parse(argument)?), Some(Instant::now()));
            }
            (MATCHMAKING, "ready_check") => (news.check, news.checking) = (Some(wire::parse(argument)?), true),
            (MATCHMAKING, "unready") => {
                let Unready { requeued } = wire::parse(argument)?;
                (news.checking, news.dropped) = (false, !requeued);
            }
            (MATCHMAKING, "matched") => news.matched = Some(wire::parse(argument)?),
            (GAMEPLAY, "welcome") => {
                let seed = self.run.seed.wrapping_add(self.number as u64);
                news.seat = Some(Seat::new(&wire::parse(argument)?, seed));
            }
            (GAMEPLAY, "refused") => {
                let Refused { code, count } = wire::parse(argument)?;
                self.run.steps.error(Step::Play, &code, count);
            }
            (GAMEPLAY, "over") => news.seat.iter_mut().for_each(|seat| seat.over = true),
            (GAMEPLAY, "s") => {
                let frame = wire::binary(argument)?;
                if let Some(kind) = news.seat.as_mut().and_then(|seat| seat.take(frame)) {
                    self.run.steps.error(Step::Play, kind, 1);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Seat {
    pub(crate) fn new(welcome: &Welcome, seed: u64) -> Self {
        Self {
            replica: Replica::new(welcome.tick, None),
            inputs: InputGenerator::new(&welcome.schema.input.fields, seed),
            hz: welcome.hz,
            frames: 0,
            seq: 0,
            sent: None,
            acknowledged: None,
            over: false,
        }
    }

    /// Returns the next input.
    pub(crate) fn input(&mut self) -> Vec<u8> {
        self.sent.get_or_insert_with(Instant::now);
        self.seq += 1;
        self.inputs.next([self.replica.ack().into(), self.seq.into(), 0])
    }

    /// Applies a frame. Returns the kind of error if there is one.
    pub(crate) fn take(&mut self, frame: &[u8]) -> Option<&'static str> {
        let now = Instant::now();
        self.frames += 1;
        if let (None, Some(sent), Some(head)) = (self.acknowledged, self.sent, Head::read(frame))
            && head.ack > 0
        {
            self.acknowledged = Some(now.duration_since(sent));
        }
        match self.replica.take(frame, now) {
            FrameResult::Held | FrameResult::Mended(_) | FrameResult::Ignored => None,
            FrameResult::WrongBase(_) | FrameResult::AskAgain(_) => Some("wrong_base"),
            FrameResult::BadFrame(_) => Some("bad_frame"),
            FrameResult::Desync(_) => Some("desync"),
        }
    }
}

/// `auth` of `/lobby` and `/matchmaking`.
#[derive(Serialize)]
struct Auth {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

#[derive(Deserialize)]
struct Session {
    user: String,
    token: Option<String>,
}

#[derive(Serialize)]
struct Listen {
    channel: &'static str,
}

#[derive(Serialize)]
struct Chat {
    channel: &'static str,
    text: String,
}

/// The answer to `chat`.
#[derive(Deserialize)]
struct Said {
    seq: u64,
}

/// The fields of a chat message that this client reads.
#[derive(Deserialize)]
struct ChatMessage {
    user: String,
    seq: u64,
}

#[derive(Serialize)]
struct Enqueue<'a> {
    game: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'a str>,
}

#[derive(Clone, Copy, Deserialize)]
struct Status {
    waiting: u64,
    needed: u64,
}

/// A ready check, and the request that accepts it.
#[derive(Serialize, Deserialize)]
struct Check {
    check: u64,
}

#[derive(Deserialize)]
struct Unready {
    requeued: bool,
}
