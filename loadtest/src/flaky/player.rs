//! One client of the scenario. It behaves as the SDK does: it reconnects with growing pauses, enters its namespaces again, asks again
//! for what it wanted, and comes back to its seat. It takes a refusal as a person does: it goes back to the queue.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::account::{Shared, name};
use super::messages::{Answer, Auth, Check, ConnectError, Enqueue, Grant, Over, Refusal, ResumeAuth, Session, Unready, Welcome};
use super::orders::Cue;
use super::proxy::Line;
use super::schedule::{Death, Moment, Schedule, Step};
use super::seat::{Misfit, Seat};
use super::server::{GAME, GRACE, PING};
use super::stage::{Here, Stage};
use crate::client::Ticket;
use crate::connection::{Connection, Fault, GAMEPLAY, LOBBY, MATCHMAKING, MSGPACK_PATH};
use crate::wire::{self, Kind, Packet};

/// The time between two inputs, and between two looks at the clock.
const TICK: Duration = Duration::from_millis(100);

/// The pauses before a reconnection, as the SDK has them.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));

/// The pause before a namespace is entered again, or a request is made again that was refused for the moment.
const RETRY: Duration = Duration::from_secs(1);

/// How long a request may take. Longer ones would show a line whose death nobody noticed.
const ANSWER: Duration = Duration::from_secs(10);

/// How long the server may send no frame to a seat.
const SILENCE: Duration = Duration::from_secs(4);

/// How long a client waits until it has left.
const LEAVE: Duration = Duration::from_secs(2);

pub(crate) struct Player {
    shared: Arc<Shared>,
    number: usize,
    line: Arc<Line>,
    schedule: Schedule,
    rng: ChaCha8Rng,
    token: Option<String>,
    user: Option<String>,
    stage: Stage,
    here: Here,
    /// Whether a connection was lost before. Only then may the server have taken the client for gone.
    was_lost: bool,
    queued: Option<Instant>,
    /// The death that comes while the client plays, once it has a seat.
    play_death: Option<Death>,
    has_played: bool,
}

impl Player {
    pub(crate) fn new(shared: Arc<Shared>, number: usize, line: Arc<Line>) -> Self {
        Self {
            line,
            schedule: Schedule::draw(shared.seed, number, shared.play),
            rng: ChaCha8Rng::seed_from_u64(shared.seed.wrapping_add(number as u64)),
            shared,
            number,
            token: None,
            user: None,
            stage: Stage::Waiting,
            here: Here::default(),
            was_lost: false,
            queued: None,
            play_death: None,
            has_played: false,
        }
    }

    /// Lives until it has left its match.
    pub(crate) async fn live(mut self) {
        let mut attempts = 0;
        loop {
            let deaths = self.line.deaths().len();
            let (opened, ended) = match self.open().await {
                Ok(connection) => (true, self.go(connection).await),
                Err(fault) => (false, Err(fault)),
            };
            let Err(fault) = ended else { return };
            if self.here.leave.is_some() {
                return;
            }
            if let Fault::Packet(_) = fault {
                self.shared.error(self.number, fault.kind(), &fault.to_string());
            }
            let is_planned = self.line.deaths().len() > deaths;
            self.shared.count(|counts| {
                counts.reconnections += 1;
                counts.unplanned += u64::from(!is_planned);
            });
            self.shared.note(self.number, |account| (account.is_settled, account.last) = (false, fault.to_string()));
            self.was_lost = true;
            attempts = if opened { 0 } else { attempts + 1 };
            sleep(self.pause(attempts)).await;
        }
    }

    fn pause(&mut self, attempts: u32) -> Duration {
        let (first, longest) = BACK_OFF;
        (first * 2_u32.pow(attempts.min(8))).min(longest).mul_f64(self.rng.random_range(0.5..1.5))
    }

    async fn open(&mut self) -> Result<Connection, Fault> {
        self.here = Here::default();
        if let Some(death) = self.schedule.take(Step::Handshake, Moment::Before) {
            self.line.order(death, Cue::Now);
        }
        self.die_after_next(Step::Handshake);
        let transport = self.shared.transport.draw(&mut self.rng);
        let target = self.shared.target.through(self.line.address()).over(transport);
        let opening = Connection::open(&target, MSGPACK_PATH, Arc::clone(&self.shared.tally));
        let patience = PING.0 + PING.1;
        timeout(patience, opening).await.unwrap_or(Err(Fault::Silent(patience)))
    }

    /// Goes on over one connection. Returns once the client has left its match.
    async fn go(&mut self, mut connection: Connection) -> Result<(), Fault> {
        self.enter(&mut connection).await?;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let message = tokio::select! {
                biased;
                now = ticks.tick() => {
                    self.tick(now, &mut connection).await?;
                    None
                }
                message = connection.incoming() => Some(message?),
            };
            if let Some(message) = message
                && let Some(bytes) = connection.packet(message).await?
            {
                self.hear(&Packet::decode(&bytes)?, &mut connection).await?;
            }
            if self.here.has_left || self.here.leave.is_some_and(|(_, asked)| asked.elapsed() >= LEAVE) {
                connection.close().await;
                return Ok(());
            }
        }
    }

    /// Enters the namespaces that the client is in, all at once. A new guest waits for its token first.
    async fn enter(&mut self, connection: &mut Connection) -> Result<(), Fault> {
        if self.token.is_none() {
            self.die_before(Step::Lobby).await;
            self.die_after_next(Step::Lobby);
        }
        self.enter_as_guest(LOBBY, connection).await?;
        if self.token.is_some() {
            self.enter_as_guest(MATCHMAKING, connection).await?;
            self.enter_gameplay(connection).await?;
        }
        Ok(())
    }

    async fn enter_as_guest(&self, nsp: &str, connection: &mut Connection) -> Result<(), Fault> {
        connection.send(wire::connect(nsp, &Auth { name: &name(self.number), token: self.token.as_deref() })).await
    }

    /// Shows its ticket or its resume token, if it has one.
    async fn enter_gameplay(&mut self, connection: &mut Connection) -> Result<(), Fault> {
        let step = match &self.stage {
            Stage::Waiting => return Ok(()),
            Stage::Granted(..) => Step::Join,
            Stage::Seated(_) => Step::Resume,
        };
        self.die_before(step).await;
        self.die_after_next(step);
        let (shown, packet) = match &self.stage {
            Stage::Waiting => return Ok(()),
            Stage::Granted(Grant { ticket, .. }, _) => {
                (ticket.clone(), wire::connect(GAMEPLAY, &Ticket { ticket: ticket.clone() }))
            }
            Stage::Seated(seat) => {
                let auth = ResumeAuth { resume: &seat.resume, tick: seat.held() };
                (seat.resume.clone(), wire::connect(GAMEPLAY, &auth))
            }
        };
        (self.here.shown, self.here.is_in, self.here.enter_at) = (Some(shown), false, None);
        connection.send(packet).await
    }

    async fn enqueue(&mut self, connection: &mut Connection) -> Result<(), Fault> {
        self.here.queue_at = None;
        if !matches!(self.stage, Stage::Waiting) || !self.here.matchmaking {
            return Ok(());
        }
        self.die_before(Step::Queue).await;
        self.die_after_next(Step::Queue);
        self.queued.get_or_insert_with(Instant::now);
        self.here.enqueue = Some(self.ask(MATCHMAKING, "enqueue", Some(&Enqueue { game: GAME }), connection).await?);
        Ok(())
    }

    async fn ask<A: Serialize>(
        &self, nsp: &str, event: &str, argument: Option<&A>, connection: &mut Connection,
    ) -> Result<(u64, Instant), Fault> {
        Ok((connection.ask(nsp, event, argument).await?, Instant::now()))
    }

    async fn hear(&mut self, packet: &Packet<'_>, connection: &mut Connection) -> Result<(), Fault> {
        match (packet.kind, packet.nsp) {
            (Kind::Event, GAMEPLAY) => self.hear_gameplay(packet.event()?, connection).await,
            (Kind::Event, nsp) => self.hear_event(nsp, packet.event()?, connection).await,
            (Kind::Connect, MATCHMAKING) => {
                self.here.matchmaking = true;
                self.enqueue(connection).await
            }
            (Kind::ConnectError, nsp) => {
                let error: ConnectError = wire::parse(packet.data)?;
                self.refused_entry(nsp, Refusal::of_connect(&error.message), connection).await
            }
            (Kind::Disconnect, GAMEPLAY) => {
                // The server ends a seat after `over`, and without it if the client is to come back.
                (self.here.is_in, self.here.enter_at) = (false, Some(Instant::now() + RETRY));
                Ok(())
            }
            (Kind::Disconnect, nsp) => Err(Fault::Lost(format!("the server ended {nsp}"))),
            (Kind::Ack, _) => self.hear_answer(packet.id, wire::parse(packet.answer()?)?, connection).await,
            (Kind::Connect, _) => Ok(()),
        }
    }

    async fn hear_event(
        &mut self, nsp: &str, (event, argument): (&str, &[u8]), connection: &mut Connection,
    ) -> Result<(), Fault> {
        match event {
            "session" => {
                let had_token = self.token.is_some();
                self.hear_session(wire::parse(argument)?);
                if nsp == LOBBY && !had_token {
                    self.enter_as_guest(MATCHMAKING, connection).await?;
                }
            }
            "ready_check" => {
                let check: Check = wire::parse(argument)?;
                self.die_after(Step::Ready).await;
                self.die_before(Step::Accept).await;
                self.die_after_next(Step::Accept);
                self.here.accept = Some(self.ask(MATCHMAKING, "accept", Some(&check), connection).await?);
            }
            "unready" if !wire::parse::<Unready>(argument)?.requeued => {
                self.refused("unready", self.was_lost, "the client did not accept a ready check");
                self.enqueue(connection).await?;
            }
            "matched" => self.hear_match(wire::parse(argument)?, connection).await?,
            "left" | "ended" => self.shared.error(self.number, event, "this client has no party and no other connection"),
            _ => {}
        }
        Ok(())
    }

    fn hear_session(&mut self, Session { user, token }: Session) {
        if let Some(known) = self.user.as_ref().filter(|known| **known != user) {
            self.shared.error(self.number, "identity", &format!("{known} is {user} now"));
        }
        self.shared.note(self.number, |account| {
            account.user.clone_from(&user);
            if account.stage == "connecting" {
                account.stage = "waiting";
            }
        });
        (self.user, self.token) = (Some(user), token);
    }

    /// Takes the match once no request is on its way: the server would take one that arrives after the seat was taken as a wish for
    /// another match.
    async fn hear_match(&mut self, grant: Grant, connection: &mut Connection) -> Result<(), Fault> {
        let room = match &mut self.stage {
            Stage::Waiting => {
                self.stage = Stage::Granted(grant, Instant::now());
                self.shared.note(self.number, |account| account.stage = "matched");
                self.die_after(Step::Matched).await;
                return if self.here.enqueue.is_none() { self.enter_gameplay(connection).await } else { Ok(()) };
            }
            Stage::Granted(held, _) if held.room == grant.room => {
                held.ticket = grant.ticket;
                return Ok(());
            }
            Stage::Granted(held, _) => &held.room,
            Stage::Seated(seat) => &seat.room,
        };
        if *room != grant.room {
            self.shared.error(self.number, "two_matches", &format!("matched to {} with a seat in {room}", grant.room));
        }
        Ok(())
    }

    async fn hear_answer(
        &mut self, id: Option<u64>, Answer { ok, error }: Answer, connection: &mut Connection,
    ) -> Result<(), Fault> {
        let is_answer = |asked: Option<(u64, Instant)>| asked.is_some_and(|(asked, _)| Some(asked) == id);
        let refusal = error.filter(|_| !ok);
        if is_answer(self.here.enqueue) {
            self.here.enqueue = None;
            if matches!(self.stage, Stage::Granted(..)) {
                return self.enter_gameplay(connection).await;
            }
            match refusal {
                Some(refusal) => self.refused_queue(refusal),
                None => self.expect(Step::Ready, b"ready_check"),
            }
        } else if is_answer(self.here.accept) {
            self.here.accept = None;
            match refusal {
                // The check is over, and `unready` has come or will come.
                Some(refusal) if refusal.code == "unknown_check" => {}
                Some(refusal) => self.refused(&refusal.code, refusal.is_temporary(), &refusal.message),
                None => self.expect(Step::Matched, b"matched"),
            }
        } else if is_answer(self.here.leave) {
            self.here.has_left = true;
        }
        Ok(())
    }

    async fn hear_gameplay(&mut self, (event, argument): (&str, &[u8]), connection: &mut Connection) -> Result<(), Fault> {
        match event {
            "welcome" => self.hear_welcome(wire::parse(argument)?).await,
            "s" => {
                let frame = wire::binary(argument)?;
                let Stage::Seated(seat) = &mut self.stage else { return Ok(()) };
                if let Some(Misfit { kind, resync }) = seat.take(frame, Instant::now()) {
                    self.shared.error(self.number, kind, "a frame did not fit");
                    connection.send(wire::event(GAMEPLAY, "resync", Some(&resync), None)).await?;
                }
            }
            "seats" => {
                let seats = wire::parse(argument)?;
                self.shared.note(self.number, |account| account.seats = seats);
            }
            "over" if self.here.leave.is_some() => self.here.has_left = true,
            "over" => {
                let Over { reason } = wire::parse(argument)?;
                self.shared.error(self.number, "over", &format!("the match ended with {reason}"));
                self.back_to_queue();
            }
            "refused" => self.shared.error(self.number, "refused", "inputs were refused"),
            _ => {}
        }
        Ok(())
    }

    async fn hear_welcome(&mut self, welcome: Welcome) {
        self.here.is_in = true;
        let (now, room, seats) = (Instant::now(), welcome.room.clone(), welcome.seats.clone());
        match &mut self.stage {
            Stage::Seated(seat) if seat.room == room => seat.go_on(welcome.resume, now),
            Stage::Granted(grant, _) if grant.room == room => {
                let seed = self.shared.seed.wrapping_add(self.number as u64);
                self.stage = Stage::Seated(Box::new(Seat::new(welcome, seed, now)));
                self.line.spare();
                if let Some(queued) = self.queued.filter(|_| !std::mem::replace(&mut self.has_played, true)) {
                    self.shared.count(|counts| counts.waits.push(queued.elapsed()));
                }
                self.play_death = self.schedule.take(Step::Play, Moment::After);
                self.die_before(Step::Play).await;
            }
            _ => self.shared.error(self.number, "unasked", &format!("welcome to {room}")),
        }
        self.shared.note(self.number, |account| (account.stage, account.room, account.seats) = ("seated", Some(room), seats));
    }

    async fn refused_entry(&mut self, nsp: &str, refusal: Refusal, connection: &mut Connection) -> Result<(), Fault> {
        let Refusal { code, message, .. } = &refusal;
        if nsp != GAMEPLAY {
            self.refused(code, refusal.is_temporary(), message);
            return Err(Fault::Refused { code: code.clone(), message: message.clone() });
        }
        if refusal.is_temporary() {
            self.refused(code, true, message);
            self.here.enter_at = Some(Instant::now() + RETRY);
            return Ok(());
        }
        let is_due = match &self.stage {
            Stage::Waiting => false,
            // A fresh ticket has come meanwhile.
            Stage::Granted(grant, _) if self.here.shown.as_ref() != Some(&grant.ticket) => {
                return self.enter_gameplay(connection).await;
            }
            Stage::Granted(_, since) => code == "ticket_expired" && since.elapsed() >= GRACE,
            Stage::Seated(seat) => code == "resume_expired" && seat.last_heard.elapsed() >= GRACE,
        };
        self.refused(code, is_due, message);
        self.back_to_queue();
        Ok(())
    }

    fn refused_queue(&mut self, refusal: Refusal) {
        let is_due = refusal.is_temporary() || (refusal.code == "queue_paused" && self.was_lost);
        self.refused(&refusal.code, is_due, &refusal.message);
        let pause = refusal.retry_after.map_or(RETRY, Duration::from_secs_f64);
        self.here.queue_at = Some(Instant::now() + pause);
    }

    /// Counts a refusal, and an error if it should not have come.
    fn refused(&self, code: &str, is_due: bool, message: &str) {
        self.shared.count(|counts| *counts.refusals.entry(code.to_owned()).or_default() += 1);
        self.shared.note(self.number, |account| account.last = format!("{code}: {message}"));
        if !is_due {
            self.shared.error(self.number, code, message);
        }
    }

    fn back_to_queue(&mut self) {
        self.stage = Stage::Waiting;
        (self.here.shown, self.here.is_in) = (None, false);
        self.here.queue_at = Some(Instant::now());
        self.shared.note(self.number, |account| {
            (account.stage, account.room, account.is_settled) = ("waiting", None, false);
            account.seats.clear();
        });
    }

    async fn tick(&mut self, now: Instant, connection: &mut Connection) -> Result<(), Fault> {
        connection.check_heartbeat(now)?;
        let asked = [self.here.enqueue, self.here.accept];
        if asked.iter().flatten().any(|(_, asked)| now.duration_since(*asked) > ANSWER) {
            self.shared.error(self.number, "timeout", "a request got no answer");
            return Err(Fault::Timeout);
        }
        if self.here.queue_at.is_some_and(|at| at <= now) {
            self.enqueue(connection).await?;
        }
        if self.here.enter_at.is_some_and(|at| at <= now) {
            self.enter_gameplay(connection).await?;
        }
        match self.here.is_in {
            true => self.play(now, connection).await,
            false => Ok(()),
        }
    }

    async fn play(&mut self, now: Instant, connection: &mut Connection) -> Result<(), Fault> {
        let Stage::Seated(seat) = &mut self.stage else { return Ok(()) };
        if now.duration_since(seat.last_heard) > SILENCE {
            return Err(Fault::Silent(SILENCE));
        }
        let played = now.duration_since(seat.taken);
        if let Some(death) = self.play_death.take_if(|death| death.delay <= played) {
            self.line.kill(Death { delay: Duration::ZERO, ..death }).await;
        }
        let is_settled = seat.is_confirmed && self.play_death.is_none() && played >= self.shared.play;
        self.shared.note(self.number, |account| account.is_settled = is_settled);
        if self.here.leave.is_none() && *self.shared.leaving.borrow() {
            self.die_before(Step::Leave).await;
            self.die_after_next(Step::Leave);
            self.here.leave = Some(self.ask(GAMEPLAY, "leave", None::<&()>, connection).await?);
            return Ok(());
        }
        connection.send(seat.input()).await
    }

    /// Lets the line die before the client makes a request.
    async fn die_before(&mut self, step: Step) {
        if let Some(death) = self.schedule.take(step, Moment::Before) {
            self.line.kill(death).await;
        }
    }

    /// Lets the line die once the next bytes have reached the server.
    fn die_after_next(&mut self, step: Step) {
        if let Some(death) = self.schedule.take(step, Moment::After) {
            self.line.order(death, Cue::Sent);
        }
    }

    /// Lets the line die after an event has come.
    async fn die_after(&mut self, step: Step) {
        if let Some(death) = self.schedule.take(step, Moment::After) {
            self.line.kill(death).await;
        }
    }

    /// Lets the line die when an event is on its way that the client waits for now.
    fn expect(&mut self, step: Step, event: &'static [u8]) {
        if let Some(death) = self.schedule.take(step, Moment::Before) {
            self.line.order(death, Cue::Told(event));
        }
    }
}
