//! One Engine.IO v4 connection, over WebSocket or HTTP long-polling, and the Socket.IO namespaces on it: opening, pings, requests
//! and their answers. It counts bytes. It refuses to know rooms and frames.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use futures_util::{SinkExt, StreamExt};
use rand::{Rng, RngExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

use crate::polling::{Endpoint, Polling, Requests, dial};
use crate::tally::{Count, Tally};
use crate::throttle::ThrottledStream;
use crate::wire::{self, Kind, Malformed, Packet};

pub(crate) const LOBBY: &str = "/lobby";
pub(crate) const MATCHMAKING: &str = "/matchmaking";
pub(crate) const GAMEPLAY: &str = "/gameplay";

/// Tickcast's endpoint for the MessagePack parser.
pub(crate) const MSGPACK_PATH: &str = "/socket.io-msgpack/";

/// Why a client gave up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("cannot connect: {0}")]
    Connect(String),
    #[error("the connection was lost: {0}")]
    Lost(String),
    #[error("the server was silent for {} s", .0.as_secs())]
    Silent(Duration),
    #[error("{code}: {message}")]
    Refused { code: String, message: String },
    #[error(transparent)]
    Packet(#[from] Malformed),
    #[error("the room was never created")]
    NoRoom,
    #[error("the room is on another server, {0}")]
    OtherServer(String),
    #[error("got no seat in time")]
    SeatTimeout,
    #[error("the step timed out")]
    Timeout,
    #[error("the match was called off, and the server did not requeue this client")]
    Unready,
}

impl Fault {
    /// Returns the protocol's error code, or a kind that this tool defines.
    pub(crate) fn kind(&self) -> &str {
        match self {
            Self::Connect(_) => "connect_failed",
            Self::Lost(_) => "connection_lost",
            Self::Silent(_) => "server_silent",
            Self::Refused { code, .. } => code,
            Self::Packet(_) => "bad_packet",
            Self::NoRoom => "no_room",
            Self::OtherServer(_) => "other_server",
            Self::SeatTimeout => "seat_timeout",
            Self::Timeout => "timeout",
            Self::Unready => "unready",
        }
    }
}

/// The server under test.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// `http://host:port`, without a slash at the end.
    pub(crate) url: String,
    address: SocketAddr,
    /// The address of this machine from which to connect. `None`: the system chooses.
    from: Option<IpAddr>,
    transport: Transport,
}

/// How Engine.IO's packets travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    #[value(name = "websocket")]
    WebSocket,
    /// HTTP long-polling.
    Polling,
    /// Long-polling, and then a WebSocket, as stock clients do by default.
    Upgrade,
    /// Each connection draws one of the three.
    Mixed,
}

impl Transport {
    /// Returns one of the three.
    pub(crate) fn draw(self, rng: &mut impl Rng) -> Self {
        match self {
            Self::Mixed => [Self::WebSocket, Self::Polling, Self::Upgrade][rng.random_range(0..3)],
            one => one,
        }
    }
}

impl Target {
    /// Resolves `http://host:port` to its first address that accepts a connection.
    pub(crate) async fn reach(url: &str) -> anyhow::Result<Self> {
        use anyhow::{Context, bail};
        let Some(rest) = url.strip_prefix("http://") else {
            bail!("{url} is not an http:// URL (TLS is not supported)");
        };
        let authority = rest.trim_end_matches('/');
        if authority.is_empty() || authority.contains(['/', '?', '#', '@']) {
            bail!("{url} is not of the form http://host:port");
        }
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let host = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        let addresses = tokio::net::lookup_host(&host).await.with_context(|| format!("cannot resolve {host}"))?;
        let mut refused = None;
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(_) => {
                    let url = format!("http://{authority}");
                    return Ok(Self { url, address, from: None, transport: Transport::WebSocket });
                }
                Err(e) => refused = Some(e),
            }
        }
        let why = refused.map_or_else(|| "the name has no address".to_owned(), |e| e.to_string());
        bail!("cannot reach a server at {url}: {why}");
    }

    /// Returns the same server, reached from another address of this machine.
    pub(crate) fn from(&self, address: IpAddr) -> Self {
        Self { from: Some(address), ..self.clone() }
    }

    /// Returns the same server, reached through a proxy at this address.
    pub(crate) fn through(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    /// Returns the same server, spoken to over this transport.
    pub(crate) fn over(&self, transport: Transport) -> Self {
        Self { transport, ..self.clone() }
    }

    /// The server's address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a TCP connection to the server.
    pub(crate) async fn tcp(&self) -> io::Result<TcpStream> {
        dial(self.address, self.from).await
    }

    fn authority(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Opens a session that polls.
    async fn poll(&self, path: &str, upgrades: bool) -> Result<Polling, String> {
        let (host, path) = (self.authority().to_owned(), path.to_owned());
        Polling::open(Requests::new(Endpoint { address: self.address, from: self.from, host, path, upgrades })).await
    }
}

enum Socket {
    WebSocket(Box<WebSocketStream<ThrottledStream>>),
    Polling(Polling),
}

pub(crate) struct Connection {
    socket: Socket,
    tally: Arc<Tally>,
    next_id: u64,
    in_gameplay: bool,
    patience: Duration,
    last_heard: Instant,
}

impl Connection {
    /// Connects to the Engine.IO endpoint at `path` and reads its handshake.
    pub(crate) async fn open(target: &Target, path: &str, tally: Arc<Tally>) -> Result<Self, Fault> {
        let transport = target.transport.draw(&mut rand::rng());
        let mut connection = match transport {
            Transport::Polling | Transport::Upgrade => {
                let polling = target.poll(path, transport == Transport::Upgrade).await.map_err(Fault::Connect)?;
                Self::new(Socket::Polling(polling), tally)
            }
            _ => Self::plain(target, &format!("{path}?EIO=4&transport=websocket"), tally).await?,
        };
        connection.shake_hands().await?;
        Ok(connection)
    }

    /// Connects by WebSocket alone, for servers without Engine.IO.
    pub(crate) async fn plain(target: &Target, path: &str, tally: Arc<Tally>) -> Result<Self, Fault> {
        let stream = target.tcp().await.map_err(|e| Fault::Connect(e.to_string()))?;
        stream.set_nodelay(true).map_err(|e| Fault::Connect(e.to_string()))?;
        // Small buffers: thousands of clients live in this process, and each packet is flushed at once.
        let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
        let url = format!("ws://{}{path}", target.authority());
        let (socket, _) = tokio_tungstenite::client_async_with_config(url, ThrottledStream::new(stream), Some(config))
            .await
            .map_err(|e| Fault::Connect(e.to_string()))?;
        Ok(Self::new(Socket::WebSocket(Box::new(socket)), tally))
    }

    fn new(socket: Socket, tally: Arc<Tally>) -> Self {
        let patience = Duration::from_secs(60);
        Self { socket, tally, next_id: 0, in_gameplay: false, patience, last_heard: Instant::now() }
    }

    /// Limits reading to this many bytes per second. A connection that polls is not limited.
    pub(crate) fn crawl(&mut self, bytes_a_second: u32) {
        if let Socket::WebSocket(socket) = &mut self.socket {
            socket.get_mut().crawl(bytes_a_second);
        }
    }

    /// Counts into another tally from now on.
    pub(crate) fn count_in(&mut self, tally: &Arc<Tally>) {
        self.tally = Arc::clone(tally);
    }

    async fn shake_hands(&mut self) -> Result<(), Fault> {
        let Message::Text(text) = self.incoming().await? else {
            return Err(Fault::Connect("no Engine.IO handshake".to_owned()));
        };
        let handshake: Handshake = text
            .strip_prefix('0')
            .and_then(|json| serde_json::from_str(json).ok())
            .ok_or_else(|| Fault::Connect("not an Engine.IO handshake".to_owned()))?;
        self.patience = Duration::from_millis(handshake.ping_interval.saturating_add(handshake.ping_timeout));
        Ok(())
    }

    /// Waits for the next message. Cancel safe.
    pub(crate) async fn incoming(&mut self) -> Result<Message, Fault> {
        let message = match &mut self.socket {
            Socket::WebSocket(socket) => match socket.next().await {
                Some(Ok(message)) => message,
                Some(Err(e)) => return Err(Fault::Lost(e.to_string())),
                None => return Err(Fault::Lost("closed".to_owned())),
            },
            Socket::Polling(polling) => polling.incoming().await.map_err(Fault::Lost)?,
        };
        self.last_heard = Instant::now();
        self.tally.add(Count::ReceivedBytes, wire_len(message.len()));
        Ok(message)
    }

    /// Answers pings. Returns the Socket.IO packet of a message, if it has one.
    pub(crate) async fn packet(&mut self, message: Message) -> Result<Option<Bytes>, Fault> {
        match message {
            Message::Binary(packet) => Ok(Some(packet)),
            Message::Text(text) if text.as_str() == "2" => {
                self.write(Message::Text(Utf8Bytes::from_static("3"))).await?;
                Ok(None)
            }
            Message::Text(text) if text.as_str() == "1" => Err(Fault::Lost("closed by the server".to_owned())),
            Message::Close(_) => Err(Fault::Lost("closed by the server".to_owned())),
            _ => Ok(None),
        }
    }

    /// Fails if the server has been silent for longer than Engine.IO allows.
    pub(crate) fn check_heartbeat(&self, now: Instant) -> Result<(), Fault> {
        if now.duration_since(self.last_heard) > self.patience {
            return Err(Fault::Silent(self.patience));
        }
        Ok(())
    }

    pub(crate) async fn send(&mut self, packet: Vec<u8>) -> Result<(), Fault> {
        self.write(Message::Binary(packet.into())).await
    }

    /// Enters a namespace.
    pub(crate) async fn enter<A: Serialize>(&mut self, nsp: &str, auth: &A) -> Result<(), Fault> {
        self.send(wire::connect(nsp, auth)).await?;
        loop {
            let bytes = self.next_packet().await?;
            let packet = Packet::decode(&bytes)?;
            match packet.kind {
                Kind::Connect if packet.nsp == nsp => {
                    self.in_gameplay |= nsp == GAMEPLAY;
                    return Ok(());
                }
                Kind::ConnectError if packet.nsp == nsp => {
                    let ConnectError { message } = wire::parse(packet.data)?;
                    return Err(refusal(&message));
                }
                _ => {}
            }
        }
    }

    /// Leaves `/gameplay`, if the server has not ended it before.
    pub(crate) async fn leave_gameplay(&mut self) -> Result<(), Fault> {
        // A packet for a namespace that has ended would make the server close the whole connection.
        if self.in_gameplay {
            self.in_gameplay = false;
            self.send(wire::disconnect(GAMEPLAY)).await?;
        }
        Ok(())
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn request<A, R>(&mut self, nsp: &str, name: &str, argument: Option<&A>) -> Result<R, Fault>
    where
        A: Serialize,
        R: DeserializeOwned,
    {
        let id = self.ask(nsp, name, argument).await?;
        loop {
            let bytes = self.next_packet().await?;
            let packet = Packet::decode(&bytes)?;
            if (packet.kind, packet.nsp, packet.id) == (Kind::Ack, nsp, Some(id)) {
                return read_answer(packet.answer()?);
            }
        }
    }

    /// Sends a request. Returns the id that its acknowledgement will have.
    pub(crate) async fn ask<A: Serialize>(&mut self, nsp: &str, name: &str, argument: Option<&A>) -> Result<u64, Fault> {
        let id = self.next_id;
        self.next_id += 1;
        self.send(wire::event(nsp, name, argument, Some(id))).await?;
        Ok(id)
    }

    /// Waits for the next Socket.IO packet, and notes whether the server ends `/gameplay`.
    pub(crate) async fn next_packet(&mut self) -> Result<Bytes, Fault> {
        loop {
            let message = self.incoming().await?;
            if let Some(bytes) = self.packet(message).await? {
                let packet = Packet::decode(&bytes)?;
                if (packet.kind, packet.nsp) == (Kind::Disconnect, GAMEPLAY) {
                    self.in_gameplay = false;
                }
                return Ok(bytes);
            }
        }
    }

    /// Closes the connection. An error has no consequence, because the client is done.
    pub(crate) async fn close(self) {
        match self.socket {
            Socket::WebSocket(mut socket) => drop(socket.as_mut().close(None).await),
            Socket::Polling(polling) => polling.close().await,
        }
    }

    async fn write(&mut self, message: Message) -> Result<(), Fault> {
        self.tally.add(Count::SentBytes, message.len() as u64);
        match &mut self.socket {
            Socket::WebSocket(socket) => socket.send(message).await.map_err(|e| Fault::Lost(e.to_string())),
            Socket::Polling(polling) => polling.send(message).map_err(Fault::Lost),
        }
    }
}

/// The length of a message from a server with its WebSocket header.
pub(crate) fn wire_len(payload: usize) -> u64 {
    let header = match payload {
        0..=125 => 2,
        126..=65535 => 4,
        _ => 10,
    };
    payload as u64 + header
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handshake {
    ping_interval: u64,
    ping_timeout: u64,
}

#[derive(Deserialize)]
struct ConnectError {
    message: String,
}

#[derive(Deserialize)]
struct Status {
    ok: bool,
    #[serde(default)]
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
    message: String,
}

/// Reads an acknowledgement: the answer, or the reason why the request was refused.
pub(crate) fn read_answer<R: DeserializeOwned>(answer: &[u8]) -> Result<R, Fault> {
    let status: Status = wire::parse(answer)?;
    match status.error {
        Some(Refusal { code, message }) => Err(Fault::Refused { code, message }),
        None if status.ok => Ok(wire::parse(answer)?),
        None => {
            Err(Fault::Refused { code: "internal".to_owned(), message: "the answer has neither `ok` nor an error".to_owned() })
        }
    }
}

/// Splits `<code>: <text>`.
fn refusal(message: &str) -> Fault {
    let (code, message) = message.split_once(": ").unwrap_or(("connect_error", message));
    Fault::Refused { code: code.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_a_value_or_a_refusal() {
        #[derive(Deserialize)]
        struct Room {
            room: String,
        }
        let good = rmp_serde::to_vec_named(&json!({"ok": true, "room": "r1", "more": 1})).unwrap();
        assert_eq!(read_answer::<Room>(&good).unwrap().room, "r1");
        let bad = rmp_serde::to_vec_named(&json!({"ok": false, "error": {"code": "room_full", "message": "full"}})).unwrap();
        let fault = read_answer::<Room>(&bad).err().unwrap();
        assert_eq!((fault.kind(), fault.to_string().as_str()), ("room_full", "room_full: full"));
    }

    #[test]
    fn a_refused_namespace_names_its_code() {
        assert_eq!(refusal("bad_ticket: it is forged").kind(), "bad_ticket");
        assert_eq!(refusal("Invalid namespace").kind(), "connect_error");
    }

    #[tokio::test]
    async fn only_plain_http_urls_are_taken() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = Target::reach(&format!("http://{address}/")).await.unwrap();
        assert_eq!(target.url, format!("http://{address}"));
        let named = Target::reach(&format!("http://localhost:{}", address.port())).await.unwrap();
        assert_eq!(named.address, address);
        for bad in ["https://127.0.0.1:3000", "127.0.0.1:3000", "http://127.0.0.1:3000/path", "http://"] {
            let error = Target::reach(bad).await.err().unwrap().to_string();
            assert!(error.starts_with(bad), "{error}");
        }
    }
}
