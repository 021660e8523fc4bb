//! One client of the soak: it comes as a new guest from an address of its own, asks, plays, and goes in one way or another.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::client::{Pass, Ticket, Welcome};
use crate::connection::{Connection, Fault, GAMEPLAY, LOBBY, MATCHMAKING, MSGPACK_PATH, Target, read_answer};
use crate::lobby_client::Seat;
use crate::tally::Tally;
use crate::wire::{self, BinaryEvent, Kind, Packet};

/// The time between two inputs of a player.
const INPUT: Duration = Duration::from_millis(33);

/// Where a client comes from.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) target: Target,
    tally: Arc<Tally>,
    pub(crate) seed: u64,
}

pub(crate) struct Player {
    connection: Connection,
    origin: Origin,
    token: String,
    seat: Option<Seat>,
    /// The token to come back to the seat with.
    resume: String,
    matched: Option<Pass>,
}

impl Origin {
    /// Returns the origin of the client with this number. Linux takes every address of 127.0.0.0/8 as its own.
    pub(crate) fn new(target: &Target, tally: &Arc<Tally>, number: u64, seed: u64) -> Self {
        let [.., a, b, c] = number.to_be_bytes();
        let address = Ipv4Addr::new(127, 60 + a % 64, b, c);
        Self { target: target.from(IpAddr::V4(address)), tally: Arc::clone(tally), seed: seed.wrapping_add(number) }
    }

    async fn connection(&self) -> Result<Connection, Fault> {
        Connection::open(&self.target, MSGPACK_PATH, Arc::clone(&self.tally)).await
    }
}

impl Player {
    /// Enters the lobby as a new guest.
    pub(crate) async fn come(origin: &Origin) -> Result<Self, Fault> {
        let connection = origin.connection().await?;
        let (token, resume) = (String::new(), String::new());
        let mut player = Self { connection, origin: origin.clone(), token, seat: None, resume, matched: None };
        player.connection.enter(LOBBY, &json!({})).await?;
        player.until(|player| !player.token.is_empty()).await?;
        Ok(player)
    }

    /// Makes a request of the lobby that gives a ticket, and takes the seat or the place to watch.
    pub(crate) async fn sit(&mut self, name: &str, argument: &Value) -> Result<(), Fault> {
        let pass: Pass = self.ask(LOBBY, name, Some(argument)).await?;
        self.take(pass).await
    }

    /// Waits in the queue for as long as this. Returns whether a match was found, and takes the seat in it.
    pub(crate) async fn queue(&mut self, game: &str, wait: Duration) -> Result<bool, Fault> {
        let auth = json!({"token": self.token});
        self.connection.enter(MATCHMAKING, &auth).await?;
        let _: IgnoredAny = self.ask(MATCHMAKING, "enqueue", Some(&json!({"game": game}))).await?;
        self.hear_until(Instant::now() + wait, |player| player.matched.is_some()).await?;
        if self.matched.is_none() {
            match self.ask::<(), IgnoredAny>(MATCHMAKING, "leave", None).await {
                Ok(_) => return Ok(false),
                // It was matched at the same moment.
                Err(Fault::Refused { code, .. }) if code == "not_queued" => {}
                Err(fault) => return Err(fault),
            }
        }
        self.until(|player| player.matched.is_some()).await?;
        let pass = self.matched.take().expect("it has just come");
        self.take(pass).await?;
        Ok(true)
    }

    /// Sends inputs and reads frames for a time, or until the match is over.
    pub(crate) async fn play(&mut self, time: Duration) -> Result<(), Fault> {
        let end = Instant::now() + time;
        let event = BinaryEvent::new(GAMEPLAY, "i");
        let mut ticks = interval(INPUT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while Instant::now() < end && !self.is_over() {
            let message = tokio::select! {
                _ = ticks.tick() => None,
                message = self.connection.incoming() => Some(message?),
            };
            match (message, &mut self.seat) {
                (Some(message), _) => {
                    if let Some(bytes) = self.connection.packet(message).await? {
                        self.hear(&Packet::decode(&bytes)?)?;
                    }
                }
                (None, Some(seat)) => self.connection.send(event.packet(&seat.input())).await?,
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// Reads what comes for a time.
    pub(crate) async fn watch(&mut self, time: Duration) -> Result<(), Fault> {
        self.hear_until(Instant::now() + time, |_| false).await
    }

    /// Drops the connection without closing it, and comes back to the seat.
    pub(crate) async fn come_back(self) -> Result<Self, Fault> {
        let Self { connection, origin, token, resume, .. } = self;
        drop(connection);
        let mut connection = origin.connection().await?;
        connection.enter(GAMEPLAY, &json!({"resume": resume})).await?;
        let mut player = Self { connection, origin, token, seat: None, resume, matched: None };
        player.until(|player| player.seat.is_some()).await?;
        Ok(player)
    }

    /// Leaves the seat.
    pub(crate) async fn leave(&mut self) -> Result<(), Fault> {
        if self.is_over() {
            return Ok(());
        }
        let _: IgnoredAny = self.ask(GAMEPLAY, "leave", None::<&()>).await?;
        self.until(Self::is_over).await
    }

    /// Closes the connection. Dropping a player does not.
    pub(crate) async fn close(self) {
        self.connection.close().await;
    }

    /// Sends a request and waits for its answer. Handles the events that come first.
    pub(crate) async fn ask<A: Serialize, R: DeserializeOwned>(
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

    async fn take(&mut self, pass: Pass) -> Result<(), Fault> {
        self.connection.enter(GAMEPLAY, &Ticket { ticket: pass.ticket }).await?;
        self.until(|player| player.seat.as_ref().is_some_and(|seat| seat.frames > 0)).await
    }

    fn is_over(&self) -> bool {
        self.seat.as_ref().is_some_and(|seat| seat.over)
    }

    async fn until(&mut self, said: impl Fn(&Self) -> bool) -> Result<(), Fault> {
        while !said(self) {
            let bytes = self.connection.next_packet().await?;
            self.hear(&Packet::decode(&bytes)?)?;
        }
        Ok(())
    }

    async fn hear_until(&mut self, end: Instant, said: impl Fn(&Self) -> bool) -> Result<(), Fault> {
        while !said(self) {
            // Only `incoming` is cancel safe.
            let message = tokio::select! {
                () = sleep_until(end) => return Ok(()),
                message = self.connection.incoming() => message?,
            };
            if let Some(bytes) = self.connection.packet(message).await? {
                self.hear(&Packet::decode(&bytes)?)?;
            }
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
        match (packet.nsp, name) {
            (LOBBY, "session") => self.token = wire::parse::<Session>(argument)?.token,
            (MATCHMAKING, "matched") => self.matched = Some(wire::parse(argument)?),
            (GAMEPLAY, "welcome") => {
                self.resume = wire::parse::<Resume>(argument)?.resume;
                self.seat = Some(Seat::new(&wire::parse::<Welcome>(argument)?, self.origin.seed));
            }
            (GAMEPLAY, "over") => self.seat.iter_mut().for_each(|seat| seat.over = true),
            (GAMEPLAY, "s") => {
                let frame = wire::binary(argument)?;
                if let Some(kind) = self.seat.as_mut().and_then(|seat| seat.take(frame)) {
                    return Err(Fault::Refused { code: kind.to_owned(), message: "a frame does not fit".to_owned() });
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Session {
    token: String,
}

#[derive(Deserialize)]
struct Resume {
    resume: String,
}
