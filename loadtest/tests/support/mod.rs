//! A scripted server that speaks the part of the protocol that loadtest uses. It has no rooms and no rules.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Interval, interval};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

pub(crate) const HZ: u64 = 50;
/// The tick of the welcome. The snapshot is of the next one.
pub(crate) const FIRST_TICK: i64 = 65_500;

/// A fault of the scripted server, at a frame of a seat, counted from 1.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Script {
    pub(crate) refuse_tickets: bool,
    pub(crate) skip_frame: Option<i64>,
    pub(crate) wrong_checksum: Option<i64>,
    pub(crate) over_at: Option<i64>,
    pub(crate) drop_at: Option<i64>,
    /// Refuses all chat messages.
    pub(crate) mute: bool,
    /// Sends a ready check before each match.
    pub(crate) ready_check: bool,
}

/// The number of the one ready check.
pub(crate) const CHECK: u64 = 5;

/// The requests that the server saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The inputs of each seat in order of arrival.
    pub(crate) inputs: Vec<Vec<Vec<i64>>>,
    pub(crate) requests: Vec<(String, Value)>,
    pub(crate) pings: usize,
    pub(crate) pongs: usize,
}

pub(crate) struct FakeServer {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

impl FakeServer {
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = Arc::clone(&shared);
                tokio::spawn(async move { Connection::open(stream, script, seen).await?.serve().await });
            }
        });
        Self { address, seen }
    }
}

/// `None` ends the connection.
type Step = Option<()>;

struct Connection {
    socket: WebSocketStream<TcpStream>,
    script: Script,
    seen: Arc<Mutex<Seen>>,
    seat: Option<Seat>,
}

struct Seat {
    number: usize,
    frames: i64,
    snapshot_due: bool,
}

impl Connection {
    async fn open(stream: TcpStream, script: Script, seen: Arc<Mutex<Seen>>) -> Option<Self> {
        let mut socket = tokio_tungstenite::accept_async(stream).await.ok()?;
        let open = json!({"sid": "x", "upgrades": [], "pingInterval": 300, "pingTimeout": 200, "maxPayload": 16384});
        socket.send(Message::text(format!("0{open}"))).await.ok()?;
        Some(Self { socket, script, seen, seat: None })
    }

    async fn serve(mut self) -> Step {
        let mut ticks = interval(Duration::from_millis(1000 / HZ));
        let mut pings = interval(Duration::from_millis(300));
        loop {
            tokio::select! {
                message = self.socket.next() => self.hear(message?.ok()?).await?,
                _ = ticks.tick(), if self.seat.is_some() => self.tick(&mut ticks).await?,
                _ = pings.tick() => {
                    self.seen.lock().unwrap().pings += 1;
                    self.socket.send(Message::text("2")).await.ok()?;
                }
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Step {
        let packet: Received = match message {
            Message::Binary(bytes) => rmp_serde::from_slice(&bytes).expect("the client writes packets"),
            Message::Text(text) => {
                assert_eq!(text.as_str(), "3");
                self.seen.lock().unwrap().pongs += 1;
                return Some(());
            }
            _ => return Some(()),
        };
        match (packet.kind, packet.data) {
            (0, Some(Data::Auth(auth))) => self.connect(packet.nsp, auth).await,
            (1, None) => {
                self.seat = None;
                Some(())
            }
            (2, Some(Data::Binary((name, blob)))) => {
                assert_eq!((name.as_str(), packet.nsp.as_str()), ("i", "/gameplay"));
                self.hear_input(&blob.0);
                Some(())
            }
            (2, Some(Data::Event((name, argument)))) => self.hear_event(packet.nsp, name, argument, packet.id).await,
            (2, Some(Data::Name((name,)))) => self.hear_event(packet.nsp, name, Value::Null, packet.id).await,
            (kind, data) => panic!("unexpected packet {kind} {data:?}"),
        }
    }

    async fn connect(&mut self, nsp: String, auth: Value) -> Step {
        let gameplay = nsp == "/gameplay";
        let expected = match nsp.as_str() {
            "/gameplay" => "ticket",
            "/matchmaking" => "token",
            _ => "name",
        };
        assert!(auth[expected].is_string(), "{nsp} with {auth}");
        if gameplay && self.script.refuse_tickets {
            return self.send(4, "/gameplay", json!({"message": "ticket_expired: it is older than 30 s"}), None).await;
        }
        self.send(0, &nsp, json!({"sid": "y"}), None).await?;
        if gameplay {
            let number = {
                let mut seen = self.seen.lock().unwrap();
                seen.inputs.push(Vec::new());
                seen.inputs.len() - 1
            };
            self.seat = Some(Seat { number, frames: 0, snapshot_due: true });
            self.send(2, "/gameplay", json!(["welcome", welcome()]), None).await?;
        } else {
            let session = json!({"user": "guest-1", "name": "load", "guest": true, "token": "g"});
            self.send(2, &nsp, json!(["session", session]), None).await?;
        }
        Some(())
    }

    async fn hear_event(&mut self, nsp: String, name: String, argument: Value, id: Option<u64>) -> Step {
        let pass = json!({"ok": true, "ticket": "t", "url": "", "room": "r"});
        let answer = match name.as_str() {
            "games" => {
                let toy =
                    json!({"name": "toy", "hz": HZ, "seats": [1, 8], "rooms": 0, "players": 0, "strengths": ["easy", "hard"]});
                let plain = json!({"name": "plain", "hz": HZ, "seats": [1, 8], "rooms": 0, "players": 0});
                json!({"ok": true, "games": [toy, plain]})
            }
            "join" if argument != json!({"room": "r"}) => refusal("unknown_room"),
            "create" if argument["config"]["speed"] == json!("wrong") => refusal("bad_config"),
            "create" | "join" | "quick" => pass,
            "resync" => {
                self.seat.as_mut().expect("only a seat asks for it").snapshot_due = true;
                json!({})
            }
            "chat" if self.script.mute => refusal("rate_limited"),
            "chat" => json!({"ok": true, "seq": 7}),
            "listen" | "enqueue" | "accept" | "leave" => json!({"ok": true}),
            _ => panic!("unexpected event {name}"),
        };
        self.seen.lock().unwrap().requests.push((name.clone(), argument));
        let Some(id) = id else { return Some(()) };
        self.send(3, &nsp, json!([answer]), Some(id)).await?;
        self.follow_up(&nsp, &name).await
    }

    /// Sends the event that follows an answer.
    async fn follow_up(&mut self, nsp: &str, name: &str) -> Step {
        let found = json!(["matched", {"ticket": "t", "url": "", "room": "r"}]);
        let said = match (nsp, name) {
            ("/lobby", "chat") => {
                json!(["chat", {"channel": "lobby", "id": "h", "seq": 7, "at": 0, "user": "guest-1", "name": "load", "text": ""}])
            }
            ("/matchmaking", "enqueue") if self.script.ready_check => {
                json!(["ready_check", {"check": CHECK, "game": "toy", "mode": "duel", "players": 1, "seconds": 10}])
            }
            ("/matchmaking", "enqueue" | "accept") => found,
            ("/gameplay", "leave") => {
                self.seat = None;
                json!(["over", {"reason": "left", "message": "", "winners": []}])
            }
            _ => return Some(()),
        };
        self.send(2, nsp, said, None).await
    }

    fn hear_input(&mut self, mut blob: &[u8]) {
        let len = rmp::decode::read_array_len(&mut blob).unwrap();
        let input = (0..len).map(|_| rmp::decode::read_int(&mut blob).unwrap()).collect();
        assert!(blob.is_empty());
        // An input may arrive after the room has ended.
        if let Some(seat) = &self.seat {
            self.seen.lock().unwrap().inputs[seat.number].push(input);
        }
    }

    async fn tick(&mut self, ticks: &mut Interval) -> Step {
        let seat = self.seat.as_mut().expect("checked before");
        seat.frames += 1;
        let (number, snapshot) = (seat.frames, std::mem::take(&mut seat.snapshot_due));
        if self.script.skip_frame == Some(number) {
            return Some(());
        }
        if self.script.drop_at == Some(number) {
            return None;
        }
        let tick = FIRST_TICK + number;
        let ack = self.newest_input();
        let mut frame = if snapshot { json!([0, tick, 0, ack, 1]) } else { json!([1, tick, 1, ack, 1]) };
        if self.script.wrong_checksum == Some(number) {
            frame.as_array_mut().unwrap().push(json!([-4, 0, 12_345]));
        }
        let blob = Blob(rmp_serde::to_vec(&frame).unwrap());
        self.send(2, "/gameplay", ("s", blob), None).await?;
        if self.script.over_at == Some(number) {
            self.seat = None;
            self.send(2, "/gameplay", json!(["over", {"reason": "finished", "message": "", "winners": [1]}]), None).await?;
            self.send(1, "/gameplay", Value::Null, None).await?;
        }
        ticks.reset();
        Some(())
    }

    /// Returns the sequence number of the newest input, or 0 if there is none.
    fn newest_input(&self) -> i64 {
        let seen = self.seen.lock().unwrap();
        let inputs = self.seat.as_ref().map(|seat| &seen.inputs[seat.number]);
        inputs.and_then(|inputs| inputs.last()?.get(1).copied()).unwrap_or(0)
    }

    async fn send<T: Serialize>(&mut self, kind: u8, nsp: &str, data: T, id: Option<u64>) -> Step {
        let packet = rmp_serde::to_vec_named(&Sent { kind, nsp, data, id }).unwrap();
        self.socket.send(Message::binary(packet)).await.ok()
    }
}

fn refusal(code: &str) -> Value {
    json!({"ok": false, "error": {"code": code, "message": "the field speed is wrong"}})
}

fn welcome() -> Value {
    let seat = json!({"id": 0, "name": "Seat", "to": "everyone", "shape": "value",
        "fields": [{"name": "0", "type": "int", "min": 0, "max": 255}]});
    let input = json!({"name": "Pad", "shape": "struct", "fields": [
        {"name": "dir", "type": "choice", "values": ["N", "E", "S", "W"]},
        {"name": "fire", "type": "bool", "oneShot": true},
        {"name": "push", "type": "int", "min": -300, "max": -200},
    ]});
    json!({"seat": 1, "room": "r", "game": "toy", "protocol": 1, "tick": FIRST_TICK, "hz": HZ, "resume": "x",
        "schema": {"game": "toy", "protocol": 1, "hz": HZ, "components": [seat], "events": [], "input": input},
        "state": "snapshot", "grace": 20.0, "config": {}, "seats": [{"seat": 1, "name": "load", "status": "playing"}]})
}

#[derive(Serialize)]
struct Sent<'a, T> {
    #[serde(rename = "type")]
    kind: u8,
    nsp: &'a str,
    data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Received {
    #[serde(rename = "type")]
    kind: u8,
    nsp: String,
    #[serde(default)]
    data: Option<Data>,
    #[serde(default)]
    id: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Data {
    Binary((String, Blob)),
    Event((String, Value)),
    Name((String,)),
    Auth(Value),
}

#[derive(Debug)]
struct Blob(Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Blob;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("binary")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}
