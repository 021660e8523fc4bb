//! A server with a small game on a free port, and a raw client, which shows packets that the official clients would hide.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tickcast::{
    prelude::*,
    server::{Config, RunningServer, ServerBuilder},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};

pub use crate::duel::{Duel, GRACE, Wishes, in_check, release};

/// Ends a test that hangs. No result depends on it, because a busy machine may be slow.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a server with the game on a free port.
pub async fn start() -> RunningServer {
    start_with(|builder| builder).await
}

/// Starts a server whose limits a test chose.
pub async fn start_limited(change: impl FnOnce(&mut Config)) -> RunningServer {
    start_with(|builder| builder.config(change)).await
}

pub async fn start_with(change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> RunningServer {
    // A busy machine may take long to open a database.
    let builder = tickcast::server().game::<Duel>().config(|config| config.host.database_wait = PATIENCE);
    change(builder).start("127.0.0.1:0").await.expect("a free port")
}

/// Sends bytes over a connection of its own and reads until the server closes.
pub async fn exchange(server: &RunningServer, bytes: &[u8]) -> String {
    let mut tcp = TcpStream::connect(server.address()).await.unwrap();
    tcp.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset closes the connection, too.
    let _ = timeout(PATIENCE, tcp.read_to_end(&mut answer)).await.expect("the server closes");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends an HTTP request. Returns the status, and the whole answer. Each of the `headers` ends with a line break.
pub async fn http(server: &RunningServer, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let address = server.address();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    let answer = exchange(server, request.as_bytes()).await;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer)
}

pub async fn get(server: &RunningServer, path: &str) -> (u16, String) {
    http(server, "GET", path, "", "").await
}

/// A TCP connection that is kept open over several requests.
pub struct Connection {
    tcp: TcpStream,
    address: SocketAddr,
    /// Bytes that came behind the last answer.
    rest: Vec<u8>,
}

impl Connection {
    pub async fn open(server: &RunningServer) -> Self {
        let address = server.address();
        Self { tcp: TcpStream::connect(address).await.unwrap(), address, rest: Vec::new() }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.tcp.write_all(bytes).await.unwrap();
    }

    /// Makes a request; the status and the whole answer.
    pub async fn get(&mut self, path: &str) -> (u16, String) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        self.send(request.as_bytes()).await;
        self.answer().await
    }

    /// Reads one answer, as long as its header says.
    pub async fn answer(&mut self) -> (u16, String) {
        loop {
            let text = String::from_utf8_lossy(&self.rest);
            if let Some(head) = text.find("\r\n\r\n") {
                let length = text[..head].lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                let end = head + 4 + length.unwrap_or(0);
                if text.len() >= end {
                    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
                    let answer = (status, text[..end].to_owned());
                    self.rest.drain(..end);
                    return answer;
                }
            }
            let read = timeout(PATIENCE, self.tcp.read_buf(&mut self.rest)).await.expect("the server answers");
            assert!(read.unwrap() > 0, "the server has closed");
        }
    }

    /// Reads until the server has closed.
    pub async fn closed(&mut self) {
        // A reset is a way to close, too.
        let _ = timeout(PATIENCE, self.tcp.read_to_end(&mut self.rest)).await.expect("the server closes");
    }
}

/// Returns a metric of the process, or 0 if it was not counted yet.
pub async fn metric(server: &RunningServer, name: &str) -> f64 {
    let page = get(server, "/metrics").await.1;
    page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or(0.0)
}

/// Returns how much the process has dropped for a reason.
pub async fn dropped(server: &RunningServer, reason: &str) -> u64 {
    metric(server, &format!("tickcast_drops_total{{reason=\"{reason}\"}}")).await as u64
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parser {
    Json,
    Msgpack,
}

pub const PARSERS: [Parser; 2] = [Parser::Json, Parser::Msgpack];

/// A received Socket.IO packet.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    pub kind: u8,
    pub namespace: String,
    pub id: Option<i64>,
    pub data: Json,
    pub binary: Option<Bytes>,
}

#[derive(Deserialize)]
struct Packed {
    r#type: u8,
    nsp: String,
    id: Option<i64>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Data {
    Plain(Json),
    Array(Vec<Item>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Plain(Json),
    Binary(Bytes),
}

/// A WebSocket client with the parts of Engine.IO and Socket.IO that the tests need.
pub struct Client {
    ws: WebSocketStream<MaybeTlsStream<TcpStream>>,
    parser: Parser,
    ids: i64,
    waiting: VecDeque<Packet>,
    /// The id of the Engine.IO session.
    pub sid: String,
}

impl Client {
    pub async fn connect(server: &RunningServer, parser: Parser) -> Self {
        Self::connect_to(server.address(), parser).await
    }

    /// Connects to a server or to a proxy.
    pub async fn connect_to(address: SocketAddr, parser: Parser) -> Self {
        let path = if parser == Parser::Json { "socket.io" } else { "socket.io-msgpack" };
        let url = format!("ws://{address}/{path}/?EIO=4&transport=websocket");
        let (ws, _) = tokio_tungstenite::connect_async(url.into_client_request().unwrap()).await.unwrap();
        let mut client = Self { ws, parser, ids: 0, waiting: VecDeque::new(), sid: String::new() };
        let open = client.message().await.unwrap();
        let open: Json = serde_json::from_str(open.to_text().unwrap().strip_prefix('0').unwrap()).unwrap();
        client.sid = open["sid"].as_str().unwrap().to_owned();
        client
    }

    /// Connects a client and enters a namespace. The error is the server's message.
    pub async fn join(server: &RunningServer, namespace: &str, auth: Json) -> Result<Self, String> {
        let mut client = Self::connect(server, Parser::Msgpack).await;
        client.enter(namespace, auth).await.map(|()| client)
    }

    /// Enters a namespace. The error is the server's message.
    pub async fn enter(&mut self, namespace: &str, auth: Json) -> Result<(), String> {
        self.send(0, namespace, None, auth, None).await;
        let answer = self.wait(|packet| packet.namespace == namespace && matches!(packet.kind, 0 | 4)).await;
        if answer.kind == 0 { Ok(()) } else { Err(answer.data["message"].as_str().unwrap().to_owned()) }
    }

    /// Sends a request and waits for its answer.
    pub async fn request(&mut self, namespace: &str, event: &str, argument: Json) -> Json {
        let data = if argument.is_null() { json!([event]) } else { json!([event, argument]) };
        self.request_raw(namespace, data).await
    }

    /// Sends a request with these exact arguments, and waits for its answer.
    pub async fn request_raw(&mut self, namespace: &str, data: Json) -> Json {
        self.ids += 1;
        let id = self.ids;
        self.send(2, namespace, Some(id), data, None).await;
        self.answer(id).await
    }

    /// Sends the same request many times at once, and waits for the answers.
    pub async fn request_many(&mut self, times: i64, namespace: &str, event: &str, argument: Json) -> Vec<Json> {
        let ids = self.ids + 1..=self.ids + times;
        self.ids += times;
        for id in ids.clone() {
            self.send(2, namespace, Some(id), json!([event, argument]), None).await;
        }
        let mut answers = Vec::new();
        for id in ids {
            answers.push(self.answer(id).await);
        }
        answers
    }

    /// Sends an input. Waits for its answer, or returns null.
    pub async fn input(&mut self, bytes: &[u8], wait: bool) -> Json {
        self.ids += 1;
        let id = wait.then_some(self.ids);
        self.send(5, "/gameplay", id, json!(["i"]), Some(Bytes::copy_from_slice(bytes))).await;
        match id {
            Some(id) => self.answer(id).await,
            None => Json::Null,
        }
    }

    /// Sends commands at once, and waits for the answers.
    pub async fn commands(&mut self, all: &[Vec<u8>]) -> Vec<Json> {
        let ids = self.ids + 1..=self.ids + all.len() as i64;
        self.ids += all.len() as i64;
        for (id, bytes) in ids.clone().zip(all) {
            self.send(5, "/gameplay", Some(id), json!(["c"]), Some(Bytes::copy_from_slice(bytes))).await;
        }
        let mut answers = Vec::new();
        for id in ids {
            answers.push(self.answer(id).await);
        }
        answers
    }

    /// Sends a command, and waits for its answer.
    pub async fn command(&mut self, bytes: &[u8]) -> Json {
        self.commands(&[bytes.to_vec()]).await.remove(0)
    }

    async fn answer(&mut self, id: i64) -> Json {
        self.wait(|packet| matches!(packet.kind, 3 | 6) && packet.id == Some(id)).await.data[0].clone()
    }

    /// Waits for the next event of a namespace.
    pub async fn event(&mut self, namespace: &str) -> (String, Packet) {
        let packet = self.wait(|packet| packet.namespace == namespace && matches!(packet.kind, 2 | 5)).await;
        (packet.data[0].as_str().unwrap().to_owned(), packet)
    }

    /// Waits for the next event with a name. Skips other events.
    pub async fn event_named(&mut self, namespace: &str, name: &str) -> Packet {
        let comes = async {
            loop {
                let (found, packet) = self.event(namespace).await;
                if found == name {
                    return packet;
                }
            }
        };
        timeout(PATIENCE, comes).await.unwrap_or_else(|_| panic!("the event {name} does not come"))
    }

    /// Waits until the connection, or this namespace of it, has ended.
    pub async fn ended(&mut self, namespace: &str) -> bool {
        if self.waiting.iter().any(|packet| packet.kind == 1) {
            return true;
        }
        while let Some(packet) = self.packet().await {
            if packet.kind == 1 && packet.namespace == namespace {
                return true;
            }
        }
        true
    }

    async fn wait(&mut self, mut wanted: impl FnMut(&Packet) -> bool) -> Packet {
        if let Some(at) = self.waiting.iter().position(&mut wanted) {
            return self.waiting.remove(at).unwrap();
        }
        let comes = async {
            loop {
                let packet = self.packet().await.expect("the connection is open");
                if wanted(&packet) {
                    return packet;
                }
                self.waiting.push_back(packet);
            }
        };
        timeout(PATIENCE, comes).await.expect("the packet comes")
    }

    pub async fn send(&mut self, kind: u8, namespace: &str, id: Option<i64>, data: Json, binary: Option<Bytes>) {
        match self.parser {
            Parser::Json => {
                let count = binary.as_ref().map_or("", |_| "1-");
                let id = id.map_or(String::new(), |id| id.to_string());
                let mut data = data;
                if binary.is_some() {
                    data.as_array_mut().unwrap().push(json!({"_placeholder": true, "num": 0}));
                }
                let data = if data.is_null() { String::new() } else { data.to_string() };
                self.raw(Message::text(format!("4{kind}{count}{namespace},{id}{data}"))).await;
                if let Some(binary) = binary {
                    self.raw(Message::binary(binary)).await;
                }
            }
            Parser::Msgpack => {
                let mut bytes = Vec::new();
                let kind = if kind == 5 { 2 } else { kind };
                rmp::encode::write_map_len(&mut bytes, 4).unwrap();
                bytes.extend(rmp_serde::to_vec(&("type", kind)).unwrap().split_off(1));
                bytes.extend(rmp_serde::to_vec(&("nsp", namespace)).unwrap().split_off(1));
                bytes.extend(rmp_serde::to_vec(&("id", id)).unwrap().split_off(1));
                bytes.extend(rmp_serde::to_vec("data").unwrap());
                match binary {
                    Some(binary) => bytes.extend(rmp_serde::to_vec(&(data[0].as_str().unwrap(), binary)).unwrap()),
                    None => bytes.extend(rmp_serde::to_vec(&data).unwrap()),
                }
                self.raw(Message::binary(bytes)).await;
            }
        }
    }

    /// Returns the address of the client's end of its connection.
    pub fn local_address(&self) -> SocketAddr {
        let MaybeTlsStream::Plain(tcp) = self.ws.get_ref() else { unreachable!("the tests use no TLS") };
        tcp.local_addr().unwrap()
    }

    /// Sends bytes past the WebSocket library, for frames that it would not write.
    pub async fn bytes(&mut self, bytes: &[u8]) {
        let MaybeTlsStream::Plain(tcp) = self.ws.get_mut() else { unreachable!("the tests use no TLS") };
        // The server may have closed already.
        let _ = tcp.write_all(bytes).await;
    }

    /// Returns whether the server has closed by now. Reads what has come.
    pub async fn is_closed(&mut self) -> bool {
        loop {
            match timeout(Duration::ZERO, self.ws.next()).await {
                Ok(Some(Ok(message))) if !message.is_close() => continue,
                Ok(_) => return true,
                Err(_) => return false,
            }
        }
    }

    /// Reads until the server closes the connection.
    pub async fn closed(&mut self) {
        let closes = async { while self.message().await.is_some_and(|message| !message.is_close()) {} };
        timeout(PATIENCE, closes).await.expect("the server closes");
    }

    pub async fn raw(&mut self, message: Message) {
        // The server may have closed already. The caller notices when it waits for an answer.
        let _ = self.ws.send(message).await;
    }

    /// Waits for the next packet. `None` if the server has closed.
    pub async fn packet(&mut self) -> Option<Packet> {
        loop {
            match self.message().await? {
                Message::Text(text) if text.as_str() == "2" => self.raw(Message::text("3")).await,
                Message::Text(text) if text.as_str() == "1" => return None,
                Message::Text(text) => return Some(self.text_packet(text.strip_prefix('4').unwrap()).await),
                Message::Binary(bytes) => return Some(packed_packet(&bytes)),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    async fn text_packet(&mut self, text: &str) -> Packet {
        let kind = text.as_bytes()[0] - b'0';
        let mut rest = &text[1..];
        let binary = matches!(kind, 5 | 6);
        if binary {
            rest = rest.split_once('-').unwrap().1;
        }
        let mut namespace = "/".to_owned();
        if rest.starts_with('/') {
            let (name, after) = rest.split_once(',').unwrap_or((rest, ""));
            (namespace, rest) = (name.to_owned(), after);
        }
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let id = rest[..digits].parse().ok();
        let data = if rest[digits..].is_empty() { Json::Null } else { serde_json::from_str(&rest[digits..]).unwrap() };
        let binary = if binary { Some(self.message().await.unwrap().into_data()) } else { None };
        Packet { kind, namespace, id, data, binary }
    }

    /// Waits for the next WebSocket message. `None` if the connection has ended.
    pub async fn message(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.ws.next()).await.expect("the server sends a message")?.ok()
    }
}

fn packed_packet(bytes: &[u8]) -> Packet {
    let packed: Packed = rmp_serde::from_slice(bytes).unwrap();
    let mut binary = None;
    let data = match packed.data {
        None => Json::Null,
        Some(Data::Plain(data)) => data,
        Some(Data::Array(items)) => items
            .into_iter()
            .filter_map(|item| match item {
                Item::Plain(item) => Some(item),
                Item::Binary(bytes) => {
                    binary = Some(bytes);
                    None
                }
            })
            .collect(),
    };
    Packet { kind: packed.r#type, namespace: packed.nsp, id: packed.id, data, binary }
}

/// Takes a seat. Returns the client and the `welcome`.
pub async fn seated(server: &RunningServer, ticket: &str) -> (Client, Json) {
    let mut client = Client::join(server, "/gameplay", json!({ "ticket": ticket })).await.unwrap();
    let (name, packet) = client.event("/gameplay").await;
    assert_eq!(name, "welcome", "the first event after connecting");
    (client, packet.data[1].clone())
}

/// Creates a room through the lobby. Returns the answer.
pub async fn create(server: &RunningServer, config: Json) -> Json {
    create_game(server, "duel", config).await
}

/// Creates a room of any game through the lobby. Returns the answer.
pub async fn create_game(server: &RunningServer, game: &str, config: Json) -> Json {
    let mut lobby = Client::join(server, "/lobby", json!({ "name": "Ada" })).await.unwrap();
    let answer = lobby.request("/lobby", "create", json!({ "game": game, "config": config })).await;
    assert_eq!(answer["ok"], true, "{answer}");
    answer
}

/// Joins a room through the lobby. Returns the ticket.
pub async fn ticket_for(server: &RunningServer, room: &Json) -> String {
    let mut lobby = Client::join(server, "/lobby", json!({})).await.unwrap();
    let answer = lobby.request("/lobby", "join", json!({ "room": room })).await;
    answer["ticket"].as_str().unwrap_or_else(|| panic!("no ticket: {answer}")).to_owned()
}
