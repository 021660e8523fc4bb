//! An attacker: addresses of its own, and ways to reach the server from them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

pub(crate) use super::raw::PATIENCE;
use super::raw::RawSocket;
use crate::connection::{Connection, Fault, GAMEPLAY, MSGPACK_PATH, Target};
use crate::tally::Tally;
use crate::wire::BinaryEvent;

/// The numbers of an attack and of one try of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Try {
    pub(crate) attack: u8,
    pub(crate) number: u8,
}

/// The places of one try.
const PLACES: u16 = 0x4000;

/// One attacker of one attack.
#[derive(Clone)]
pub(crate) struct Attacker {
    /// The server, reached from the attacker's address.
    pub(crate) target: Target,
    /// Each try of each attack has addresses of its own, so that none pays for another.
    number: Try,
    /// How long an attack that never ends by itself goes on.
    pub(crate) length: Duration,
    pub(crate) ends: Instant,
    /// Whether this is the short form.
    pub(crate) quick: bool,
}

impl Attacker {
    pub(crate) fn new(target: &Target, number: Try, length: Duration, quick: bool) -> Self {
        let ends = Instant::now() + length;
        Self { target: target.clone(), number, length, ends, quick }.at(0)
    }

    /// Returns the same attacker at another of its addresses. Linux takes every address of 127.0.0.0/8 as its own.
    pub(crate) fn at(&self, place: u16) -> Self {
        let [high, low] = (place % PLACES + PLACES * u16::from(self.number.number)).to_be_bytes();
        let address = Ipv4Addr::new(127, 100 + self.number.attack, high, low.max(1));
        Self { target: self.target.from(IpAddr::V4(address)), ..self.clone() }
    }

    /// Returns the same attacker, who goes on for at least this long: shares are used up only after a while.
    pub(crate) fn at_least(self, seconds: u64) -> Self {
        let length = self.length.max(Duration::from_secs(seconds));
        Self { ends: self.ends + (length - self.length), length, ..self }
    }

    /// Returns `full`, or `quick` in the short form.
    pub(crate) fn amount<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.ends
    }

    pub(crate) async fn tcp(&self) -> anyhow::Result<TcpStream> {
        self.target.tcp().await.context("cannot connect")
    }

    /// Sends bytes and reads until the server closes, or for as long as it may take.
    pub(crate) async fn exchange(&self, bytes: &[u8], within: Duration) -> anyhow::Result<String> {
        let mut tcp = self.tcp().await?;
        // The server may refuse before it has read everything.
        let _ = tcp.write_all(bytes).await;
        let mut answer = Vec::new();
        // A reset closes the connection, too.
        if timeout(within, tcp.read_to_end(&mut answer)).await.is_err() {
            bail!("the server did not close within {} s", within.as_secs());
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Makes an HTTP request. Returns the status, and the whole answer. Each of the `headers` ends with a line break.
    pub(crate) async fn http(&self, method: &str, path: &str, headers: &str, body: &str) -> anyhow::Result<(u16, String)> {
        let (host, length) = (self.host(), body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        let answer = self.exchange(request.as_bytes(), PATIENCE).await?;
        Ok((status(&answer), answer))
    }

    /// The server's `host:port`.
    pub(crate) fn host(&self) -> &str {
        self.target.url.trim_start_matches("http://")
    }

    /// Opens a WebSocket on the endpoint of the default parser, for frames of any form.
    pub(crate) async fn raw(&self) -> anyhow::Result<RawSocket> {
        timeout(PATIENCE, RawSocket::open(self.tcp().await?, self.host())).await.context("no handshake in time")?
    }

    /// Opens a WebSocket that has entered the lobby as a guest.
    pub(crate) async fn raw_guest(&self) -> anyhow::Result<RawSocket> {
        let mut socket = self.raw().await?;
        socket.text("40/lobby,{}").await;
        // The answer to CONNECT comes before the session, and so does a refusal.
        let answer = socket.until("4").await.context("the lobby does not answer")?;
        ensure!(answer.starts_with("40/lobby,"), "the lobby does not let a guest in: {answer}");
        socket.until("42/lobby,[\"session\"").await.context("the lobby sends no session")?;
        Ok(socket)
    }

    /// Opens a WebSocket that has a seat in a new room of the arena.
    pub(crate) async fn raw_seat(&self) -> anyhow::Result<RawSocket> {
        let mut socket = self.raw_guest().await?;
        socket.text("42/lobby,1[\"create\",{\"game\":\"arena\"}]").await;
        let answer = socket.until("43/lobby,1[").await.context("a room is not opened")?;
        let ticket = answer.split("\"ticket\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let ticket = ticket.with_context(|| format!("a room is not opened: {answer}"))?;
        socket.text(&format!("40/gameplay,{{\"ticket\":\"{ticket}\"}}")).await;
        socket.until("42/gameplay,[\"welcome\"").await.context("the ticket gives no seat")?;
        Ok(socket)
    }

    /// Connects with the MessagePack parser.
    pub(crate) async fn connection(&self) -> Result<Connection, Fault> {
        let opens = Connection::open(&self.target, MSGPACK_PATH, Arc::new(Tally::new()));
        timeout(PATIENCE, opens).await.unwrap_or(Err(Fault::Timeout))
    }

    /// Connects and enters a namespace as a new guest. Returns the first event, `session`.
    pub(crate) async fn guest(&self, namespace: &str) -> Result<(Connection, Session), Fault> {
        self.enter(namespace, &serde_json::json!({})).await
    }

    /// Connects and enters a namespace with this `auth`.
    pub(crate) async fn enter<A: Serialize>(&self, namespace: &str, auth: &A) -> Result<(Connection, Session), Fault> {
        let mut connection = self.connection().await?;
        let session = enter(&mut connection, namespace, auth).await?;
        Ok((connection, session))
    }
}

/// Enters a namespace and reads the event `session`.
pub(crate) async fn enter<A: Serialize>(connection: &mut Connection, namespace: &str, auth: &A) -> Result<Session, Fault> {
    let enters = async {
        connection.enter(namespace, auth).await?;
        loop {
            let bytes = connection.next_packet().await?;
            let packet = crate::wire::Packet::decode(&bytes)?;
            if packet.nsp == namespace
                && let Ok(("session", session)) = packet.event()
            {
                return Ok(crate::wire::parse(session)?);
            }
        }
    };
    timeout(PATIENCE, enters).await.unwrap_or(Err(Fault::Timeout))
}

/// Takes a seat, or a place to watch, with a ticket or a resume token. Returns the event `welcome`.
pub(crate) async fn sit_down<A: Serialize, R: DeserializeOwned>(connection: &mut Connection, auth: &A) -> Result<R, Fault> {
    let sits = async {
        connection.enter(GAMEPLAY, auth).await?;
        loop {
            let bytes = connection.next_packet().await?;
            let packet = crate::wire::Packet::decode(&bytes)?;
            if packet.nsp == GAMEPLAY
                && let Ok(("welcome", welcome)) = packet.event()
            {
                return Ok(crate::wire::parse(welcome)?);
            }
        }
    };
    timeout(PATIENCE, sits).await.unwrap_or(Err(Fault::Timeout))
}

/// The smallest message to a seat: an acknowledgement of nothing. It says that somebody is there.
pub(crate) fn sign_of_life() -> Vec<u8> {
    BinaryEvent::new(GAMEPLAY, "i").packet(&[0x91, 0])
}

/// Makes a request, and gives up on a server that does not answer.
pub(crate) async fn ask<A: Serialize, R: DeserializeOwned>(
    connection: &mut Connection, namespace: &str, name: &str, argument: &A,
) -> Result<R, Fault> {
    timeout(PATIENCE, connection.request(namespace, name, Some(argument))).await.unwrap_or(Err(Fault::Timeout))
}

/// The status of an HTTP answer. 0 if the server closed without one.
pub(crate) fn status(answer: &str) -> u16 {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0)
}

/// The event `session`.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Session {
    pub(crate) user: String,
    pub(crate) token: Option<String>,
}

/// The answer to `create`, `join`, `quick` and `spectate`.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Pass {
    pub(crate) ticket: String,
    pub(crate) room: String,
}
