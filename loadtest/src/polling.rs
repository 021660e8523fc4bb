//! Engine.IO v4 over HTTP long-polling. One GET at a time takes packets, and one POST at a time sends them:
//!
//! ```text
//! packet ␞ packet ␞ b<base64 of a binary packet>
//! ```
//!
//! Packets are passed on as the messages of a WebSocket that would carry them. A session may move to a WebSocket, as those of stock
//! clients do.

use std::fmt::Display;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// The separator of packets in a body.
const SEPARATOR: char = '\u{1e}';

/// Packets that wait for the client. Without room for more, the next poll waits.
const WAITING: usize = 64;

/// How long the packet that closes the session may take.
const CLOSES_WITHIN: Duration = Duration::from_secs(1);

/// A session that polls.
pub(crate) struct Polling {
    incoming: mpsc::Receiver<Result<Message, String>>,
    outgoing: mpsc::UnboundedSender<Message>,
    /// The task that makes the requests. It ends with the session.
    tasks: JoinSet<()>,
}

impl Polling {
    /// Opens a session at `path`. Its first message is the handshake.
    pub(crate) async fn open(requests: Requests) -> Result<Self, String> {
        let (to_client, incoming) = mpsc::channel(WAITING);
        let (outgoing, from_client) = mpsc::unbounded_channel();
        let mut requests = requests;
        let first = split(&requests.poll().await?)?;
        let handshake = first.first().and_then(|message| message.to_text().ok()?.strip_prefix('0'));
        let Handshake { sid } =
            handshake.and_then(|json| serde_json::from_str(json).ok()).ok_or_else(|| "no Engine.IO handshake".to_owned())?;
        requests.target = format!("{}&sid={sid}", requests.target);
        let mut tasks = JoinSet::new();
        tasks.spawn(live(requests, first, from_client, to_client));
        Ok(Self { incoming, outgoing, tasks })
    }

    /// Waits for the next message. Cancel safe.
    pub(crate) async fn incoming(&mut self) -> Result<Message, String> {
        self.incoming.recv().await.unwrap_or_else(|| Err("closed".to_owned()))
    }

    /// Sends a message, after those that wait.
    pub(crate) fn send(&self, message: Message) -> Result<(), String> {
        self.outgoing.send(message).map_err(|_| "closed".to_owned())
    }

    /// Closes the session. The server may not hear it.
    pub(crate) async fn close(self) {
        let Self { outgoing, mut tasks, incoming } = self;
        let _ = outgoing.send(Message::text("1"));
        drop((outgoing, incoming));
        let _ = timeout(CLOSES_WITHIN, async { while tasks.join_next().await.is_some() {} }).await;
    }
}

/// Where a session goes.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    /// The address of this machine from which to connect. `None`: the system chooses.
    pub(crate) from: Option<IpAddr>,
    /// The header `Host`.
    pub(crate) host: String,
    pub(crate) path: String,
    /// Whether the session is to move to a WebSocket.
    pub(crate) upgrades: bool,
}

/// The requests of a session.
#[derive(Clone)]
pub(crate) struct Requests {
    client: Client<HttpConnector, Full<Bytes>>,
    endpoint: Endpoint,
    /// `http://address/path?query`
    target: String,
}

impl Requests {
    /// Makes requests from connections of the session's own.
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_local_address(endpoint.from);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let target = format!("http://{}{}?EIO=4&transport=polling", endpoint.address, endpoint.path);
        Self { client, endpoint, target }
    }

    /// Begins a WebSocket for the session, and waits for the answer to its probe.
    async fn probe(&self) -> Result<WebSocketStream<TcpStream>, String> {
        let Endpoint { address, from, host, .. } = &self.endpoint;
        let stream = dial(*address, *from).await.map_err(told)?;
        stream.set_nodelay(true).map_err(told)?;
        let target = self.target.replace("transport=polling", "transport=websocket");
        let target = target.replacen(&format!("http://{address}"), &format!("ws://{host}"), 1);
        let (mut socket, _) = client_async(target, stream).await.map_err(told)?;
        socket.send(Message::text("2probe")).await.map_err(told)?;
        match socket.next().await {
            Some(Ok(Message::Text(answer))) if answer.as_str() == "3probe" => Ok(socket),
            other => Err(format!("a probe was answered {other:?}")),
        }
    }

    async fn poll(&self) -> Result<String, String> {
        self.ask(Method::GET, Bytes::new()).await.map_err(|why| format!("a poll failed: {why}"))
    }

    async fn post(&self, packets: String) -> Result<(), String> {
        match self.ask(Method::POST, packets.into()).await.map_err(|why| format!("a post failed: {why}"))?.as_str() {
            "ok" => Ok(()),
            other => Err(format!("a post was answered {other:?}")),
        }
    }

    async fn ask(&self, method: Method, body: Bytes) -> Result<String, String> {
        let request = Request::builder()
            .method(method)
            .uri(&self.target)
            .header(HOST, &self.endpoint.host)
            .header(CONTENT_TYPE, "text/plain;charset=UTF-8")
            .body(Full::new(body))
            .map_err(told)?;
        let (head, body) = self.client.request(request).await.map_err(|e| format!("{e:?}"))?.into_parts();
        let body = body.collect().await.map_err(told)?.to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        if head.status.is_success() { Ok(body) } else { Err(format!("{}: {body}", head.status)) }
    }
}

fn told(error: impl Display) -> String {
    error.to_string()
}

#[derive(Deserialize)]
struct Handshake {
    sid: String,
}

/// Opens a TCP connection.
pub(crate) async fn dial(address: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let Some(from) = from else { return TcpStream::connect(address).await };
    let socket = if from.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(address).await
}

type FromClient = mpsc::UnboundedReceiver<Message>;
type ToClient = mpsc::Sender<Result<Message, String>>;

/// Carries packets until the session ends, or the client is gone.
async fn live(requests: Requests, first: Vec<Message>, mut from_client: FromClient, to_client: ToClient) {
    let (pause, paused) = watch::channel(false);
    let probe = async {
        // A session whose probe fails polls on.
        let socket = if requests.endpoint.upgrades { requests.probe().await.ok() } else { None };
        if socket.is_some() {
            pause.send_replace(true);
        }
        socket
    };
    let poll = poll(&requests, first, paused.clone(), &to_client);
    let post = post(&requests, paused, &mut from_client);
    let carried = tokio::try_join!(async { Ok(probe.await) }, poll, post);
    let ended = match carried {
        Ok((Some(socket), ..)) => carry(socket, &mut from_client, &to_client).await,
        Ok((None, ..)) => Ok(()),
        Err(why) => Err(why),
    };
    if let Err(why) = ended {
        // The client may be gone.
        let _ = to_client.send(Err(why)).await;
    }
}

/// Polls until the client is gone or the session moves. The server ends the last poll of a session that moves.
async fn poll(
    requests: &Requests, first: Vec<Message>, paused: watch::Receiver<bool>, to_client: &ToClient,
) -> Result<(), String> {
    let mut messages = first;
    loop {
        for message in messages {
            if to_client.send(Ok(message)).await.is_err() {
                return Ok(());
            }
        }
        if *paused.borrow() {
            return Ok(());
        }
        messages = split(&requests.poll().await?)?;
    }
}

/// Sends what waits, all of it in one request, until the client is gone or the session moves.
async fn post(requests: &Requests, mut paused: watch::Receiver<bool>, from_client: &mut FromClient) -> Result<(), String> {
    loop {
        let first = tokio::select! {
            biased;
            Ok(_) = paused.wait_for(|paused| *paused) => return Ok(()),
            first = from_client.recv() => first,
        };
        let Some(first) = first else { return Ok(()) };
        let mut packets = written(&first);
        while let Ok(more) = from_client.try_recv() {
            packets.push(SEPARATOR);
            packets.push_str(&written(&more));
        }
        requests.post(packets).await?;
    }
}

/// Goes on over the WebSocket.
async fn carry(mut socket: WebSocketStream<TcpStream>, from_client: &mut FromClient, to_client: &ToClient) -> Result<(), String> {
    socket.send(Message::text("5")).await.map_err(told)?;
    loop {
        tokio::select! {
            message = from_client.recv() => match message {
                Some(message) => socket.send(message).await.map_err(told)?,
                None => return socket.close(None).await.map_err(told),
            },
            message = socket.next() => {
                let message = message.ok_or_else(|| "closed".to_owned())?.map_err(told)?;
                if to_client.send(Ok(message)).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
}

fn written(message: &Message) -> String {
    match message {
        Message::Text(text) => text.to_string(),
        other => format!("b{}", STANDARD.encode(other.clone().into_data())),
    }
}

fn split(body: &str) -> Result<Vec<Message>, String> {
    let read = |packet: &str| match packet.strip_prefix('b') {
        Some(encoded) => STANDARD.decode(encoded).map(Message::binary).map_err(|e| format!("a packet is no base64: {e}")),
        None => Ok(Message::text(packet)),
    };
    body.split(SEPARATOR).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_carries_text_and_binary_packets() {
        let messages = [Message::text("2"), Message::binary(vec![0x93, 1, 0xff]), Message::text("40/lobby,{}")];
        let body = messages.iter().map(written).collect::<Vec<_>>().join("\u{1e}");
        assert_eq!(body, "2\u{1e}bkwH/\u{1e}40/lobby,{}");
        assert_eq!(split(&body).unwrap(), messages);
        assert!(split("b%").unwrap_err().contains("no base64"));
    }
}
