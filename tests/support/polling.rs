//! A session of Engine.IO that polls, over connections that stay open, and WebSockets that probe it.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::server::PATIENCE;

/// The separator between packets.
pub const SEPARATOR: &str = "\u{1e}";

/// The id of the session that a handshake's answer opens.
pub fn session_of(opened: &str) -> String {
    opened.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// An answer of HTTP.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// The headers in lower case.
    pub head: String,
    pub body: String,
}

/// One HTTP connection that stays open.
pub struct Http {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
    /// Whether the server has said that it closes.
    is_closing: bool,
}

impl Http {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { address, stream: BufReader::new(TcpStream::connect(address).await.unwrap()), is_closing: false }
    }

    /// Sends a request, on a new connection if the server closes this one.
    pub async fn ask(&mut self, method: &str, target: &str, body: &str) {
        if self.is_closing {
            *self = Self::connect(self.address).await;
        }
        let (address, length) = (self.address, body.len());
        let request = format!("{method} {target} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n{body}");
        self.stream.write_all(request.as_bytes()).await.unwrap();
    }

    /// Reads the next answer.
    pub async fn answer(&mut self) -> Answer {
        timeout(PATIENCE, self.read()).await.expect("the server answers")
    }

    async fn read(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.stream.read_line(&mut head).await.unwrap() > 0, "the server closed after {head:?}");
        }
        let head = head.to_ascii_lowercase();
        self.is_closing = head.contains("\r\nconnection: close\r\n");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: String::from_utf8(body).unwrap() }
    }

    /// Waits until the server has closed the connection.
    pub async fn closed(&mut self) {
        let read = timeout(PATIENCE, self.stream.read(&mut [0])).await.expect("the server closes");
        assert_eq!(read.unwrap_or(0), 0, "nothing comes before the end");
    }
}

/// A session that polls.
pub struct Polling {
    address: SocketAddr,
    pub target: String,
    /// The data of the handshake.
    pub opened: String,
    /// Whether a ping has come.
    is_pinged: bool,
    /// Takes packets.
    pub get: Http,
    /// Sends packets.
    pub post: Http,
}

impl Polling {
    /// Opens a session on an endpoint like `socket.io`.
    pub async fn open(address: SocketAddr, endpoint: &str) -> Self {
        let (mut get, post) = (Http::connect(address).await, Http::connect(address).await);
        let target = format!("/{endpoint}/?EIO=4&transport=polling");
        get.ask("GET", &target, "").await;
        let Answer { status, body: opened, .. } = get.answer().await;
        assert_eq!(status, 200, "{opened}");
        let target = format!("{target}&sid={}", session_of(&opened));
        Self { address, target, opened, is_pinged: false, get, post }
    }

    /// Asks for packets.
    pub async fn ask(&mut self) {
        self.get.ask("GET", &self.target, "").await;
    }

    /// The next packets but for pings, which are answered, and packets that say nothing.
    pub async fn poll(&mut self) -> String {
        loop {
            self.ask().await;
            let Answer { status, body, .. } = self.get.answer().await;
            assert_eq!(status, 200, "{body}");
            let packets = body.split(SEPARATOR).filter(|packet| *packet != "6");
            let (pings, packets): (Vec<&str>, Vec<&str>) = packets.partition(|packet| *packet == "2");
            for _ in pings {
                self.is_pinged = true;
                self.send("3").await;
            }
            if !packets.is_empty() {
                return packets.join(SEPARATOR);
            }
        }
    }

    /// Connects to a namespace, and waits for the ping that begins every session: there is nothing more to come.
    pub async fn enter(&mut self, namespace: &str) {
        self.send(&format!("40{namespace}")).await;
        let answer = self.poll().await;
        assert!(answer.starts_with(&format!("40{namespace}{{\"sid\"")), "{answer}");
        if !self.is_pinged {
            self.ask().await;
            assert_eq!(self.get.answer().await.body, "2");
            self.send("3").await;
        }
    }

    /// Sends packets.
    pub async fn send(&mut self, packets: &str) {
        let Answer { status, body, .. } = self.try_send(packets).await;
        assert_eq!((status, body.as_str()), (200, "ok"));
    }

    pub async fn try_send(&mut self, packets: &str) -> Answer {
        self.post.ask("POST", &self.target, packets).await;
        self.post.answer().await
    }

    /// Begins a WebSocket for the session, once the server has noticed the end of the one before.
    pub async fn probe_again(&self) -> WebSocketStream<TcpStream> {
        let probing = async {
            loop {
                if let Ok(websocket) = self.probe().await {
                    return websocket;
                }
            }
        };
        timeout(PATIENCE, probing).await.expect("the next probe may begin")
    }

    /// Begins a WebSocket for the session.
    ///
    /// # Errors
    /// The server's refusal.
    pub async fn probe(&self) -> Result<WebSocketStream<TcpStream>, tokio_tungstenite::tungstenite::Error> {
        let target = self.target.replace("transport=polling", "transport=websocket");
        let stream = TcpStream::connect(self.address).await.unwrap();
        Ok(client_async(format!("ws://{}{target}", self.address), stream).await?.0)
    }
}
