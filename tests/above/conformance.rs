//! The rules of Engine.IO v4 and Socket.IO v5 on a host's own namespace, from the handshake to binary acknowledgements.
//!
//! Written from the public pages of both protocols. `upgrade.rs` has the rules of upgrades, `endpoints.rs` those of the server's own
//! namespaces.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tickcast::{
    host::Host,
    net::in_order,
    server::RunningServer,
    socketioxide::{
        SocketIo,
        extract::{AckSender, Data, SocketRef},
        handler::ConnectHandler,
    },
};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::{
    polling::{Http, Polling, session_of},
    server::{PATIENCE, get, http, start_with},
};

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

/// The headers of a WebSocket's handshake, which mean nothing to requests that ask for none.
const UPGRADE: &str =
    "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n";

/// Far longer than an answer takes on a machine that is not busy; a busy one only makes these tests weaker.
const A_MOMENT: Duration = Duration::from_millis(300);

/// A namespace that says back what it hears.
fn open_custom(io: &SocketIo, _: &Host) {
    let admit = async |socket: SocketRef, Data(auth): Data<Json>| {
        if auth["secret"] == "wrong" {
            return Err("not authorized");
        }
        socket.extensions.insert(auth);
        socket.on(
            "plain",
            in_order(|socket: SocketRef, Data(data): Data<(i64, String, Json)>| socket.emit("plain-back", &data).unwrap()),
        );
        socket.on(
            "binary",
            in_order(|socket: SocketRef, Data(data): Data<(Bytes, Bytes)>| socket.emit("binary-back", &data).unwrap()),
        );
        socket.on("ask", in_order(|Data(data): Data<(i64, String, Json)>, ack: AckSender| ack.send(&data).unwrap()));
        socket.on("ask-binary", in_order(|Data(data): Data<(Bytes, Bytes)>, ack: AckSender| ack.send(&data).unwrap()));
        socket.on("be-asked", in_order(|socket: SocketRef| be_asked::<Json>(socket)));
        socket.on("be-asked-binary", in_order(|socket: SocketRef| be_asked::<Bytes>(socket)));
        Ok::<_, &str>(())
    };
    let welcome = async |socket: SocketRef| {
        let auth: Json = socket.extensions.get().unwrap();
        socket.emit("auth", &auth).unwrap();
    };
    io.ns("/custom", welcome.with(admit));
    let silent = async |_: SocketRef| Ok::<_, Infallible>(());
    io.ns("/silent", (async || {}).with(silent));
}

/// Asks the client, and sends its answer back.
fn be_asked<T: serde::de::DeserializeOwned + serde::Serialize + Send + 'static>(socket: SocketRef) {
    tokio::spawn(async move {
        let answer: T = socket.emit_with_ack("question", &5).unwrap().await.unwrap();
        socket.emit("answer", &answer).unwrap();
    });
}

async fn start() -> RunningServer {
    start_with(|builder| builder.namespaces(open_custom)).await
}

/// A WebSocket behind its handshake.
struct Wire(WebSocketStream<TcpStream>);

impl Wire {
    async fn open(server: &RunningServer) -> (Self, String) {
        let stream = TcpStream::connect(server.address()).await.unwrap();
        let url = format!("ws://{}{WEBSOCKET}", server.address());
        let mut wire = Self(client_async(url, stream).await.unwrap().0);
        let opened = wire.text().await;
        (wire, opened)
    }

    /// A connection to `/custom`.
    async fn custom(server: &RunningServer) -> Self {
        let (mut wire, _) = Self::open(server).await;
        wire.say("40/custom,{}").await;
        assert!(wire.text().await.starts_with("40/custom,{\"sid\":\""));
        assert_eq!(wire.text().await, "42/custom,[\"auth\",{}]");
        wire
    }

    async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn say_binary(&mut self, bytes: &'static [u8]) {
        self.0.send(Message::binary(bytes)).await.unwrap();
    }

    /// The next message but for pings.
    async fn message(&mut self) -> Option<Message> {
        loop {
            let message = timeout(PATIENCE, self.0.next()).await.expect("the server says something")?.ok()?;
            if message != Message::text("2") {
                return Some(message);
            }
            self.say("3").await;
        }
    }

    async fn text(&mut self) -> String {
        self.message().await.expect("the connection stands").into_text().unwrap().to_string()
    }

    async fn binary(&mut self) -> Bytes {
        let message = self.message().await.expect("the connection stands");
        assert!(message.is_binary(), "{message:?}");
        message.into_data()
    }

    /// Waits until the server has closed.
    async fn closed(mut self) {
        while self.message().await.is_some_and(|message| !message.is_close()) {}
    }
}

/// Waits until a session is unknown.
async fn gone(session: &mut Polling) {
    loop {
        session.ask().await;
        let answer = session.get.answer().await;
        if answer.status == 400 {
            assert_eq!(answer.body, r#"{"code":1,"message":"Session ID unknown"}"#);
            return;
        }
    }
}

fn opened(packet: &str) -> Json {
    serde_json::from_str(packet.strip_prefix('0').expect("an open packet")).unwrap()
}

#[tokio::test]
async fn a_handshake_over_polling_offers_the_upgrade() {
    let server = start().await;
    let session = Polling::open(server.address(), "socket.io").await;
    let open = opened(&session.opened);
    assert!(!open["sid"].as_str().unwrap().is_empty());
    assert_eq!(open["upgrades"], json!(["websocket"]));
    for time in ["pingInterval", "pingTimeout", "maxPayload"] {
        assert!(open[time].as_u64().is_some_and(|value| value > 0), "{time} of {open}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_handshake_over_websocket_offers_no_upgrade() {
    let server = start().await;
    let (_wire, packet) = Wire::open(&server).await;
    assert_eq!(opened(&packet)["upgrades"], json!([]));
    server.shutdown().await;
}

#[tokio::test]
async fn a_request_that_breaks_the_protocol_is_refused_with_a_numbered_code() {
    let server = start().await;
    for (method, path, code, message) in [
        ("GET", "/socket.io/?EIO=4&transport=abc", 0, "Transport unknown"),
        ("GET", "/socket.io/?EIO=4", 0, "Transport unknown"),
        ("GET", "/socket.io/?EIO=4&transport=polling&sid=abc", 1, "Session ID unknown"),
        ("GET", "/socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAHs", 1, "Session ID unknown"),
        ("POST", "/socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAHs", 1, "Session ID unknown"),
        ("POST", POLLING, 2, "Bad handshake method"),
        ("PUT", POLLING, 2, "Bad handshake method"),
        ("GET", "/socket.io/?transport=polling", 5, "Unsupported protocol version"),
        ("GET", "/socket.io/?EIO=abc&transport=polling", 5, "Unsupported protocol version"),
        ("GET", "/socket.io/?EIO=3&transport=polling", 5, "Unsupported protocol version"),
        ("GET", "/socket.io/?EIO=3&transport=websocket", 5, "Unsupported protocol version"),
        ("GET", "/socket.io/?EIO=4&transport=polling=", 0, "Transport unknown"),
        ("GET", "/socket.io/?EIO=4&transport=websocket=x", 0, "Transport unknown"),
        ("GET", "/socket.io/?EIO=4=x&transport=websocket", 5, "Unsupported protocol version"),
        ("GET", "/socket.io-msgpack/?EIO=4&transport=websocket=x", 0, "Transport unknown"),
    ] {
        let (status, answer) = http(&server, method, path, UPGRADE, "").await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!((status, body), (400, &*json!({"code": code, "message": message}).to_string()), "{method} {path}");
        assert!(head.contains("content-type: application/json"), "{head}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_websocket_for_an_unknown_session_is_refused() {
    let server = start().await;
    let path = format!("{WEBSOCKET}&sid=AAAAAAAAAAAAAAHs");
    let (status, answer) = http(&server, "GET", &path, UPGRADE, "").await;
    assert!(status == 400 && answer.ends_with(r#"{"code":1,"message":"Session ID unknown"}"#), "{answer}");
    server.shutdown().await;
}

#[tokio::test]
async fn a_polling_payload_may_have_several_packets() {
    let server = start().await;
    let mut session = Polling::open(server.address(), "socket.io").await;
    session.send("40/custom,\u{1e}40/silent,").await;
    let mut said = String::new();
    while !(said.contains("40/custom,{") && said.contains("40/silent,{") && said.contains("42/custom,[")) {
        said += &session.poll().await;
        said.push('\u{1e}');
    }
    session.send("42/custom,1[\"ask\",1,\"\",{}]\u{1e}42/custom,2[\"ask\",2,\"\",{}]").await;
    let mut answers = Vec::new();
    while answers.len() < 2 {
        answers.extend(session.poll().await.split('\u{1e}').map(str::to_owned));
    }
    assert_eq!(answers, ["43/custom,1[1,\"\",{}]", "43/custom,2[2,\"\",{}]"]);
    server.shutdown().await;
}

#[tokio::test]
async fn binary_data_is_base64_over_polling() {
    let server = start().await;
    let mut session = Polling::open(server.address(), "socket.io").await;
    session.send("40/custom,").await;
    let mut said = String::new();
    while !said.contains("[\"auth\"") {
        said += &session.poll().await;
    }
    let places = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    session.send(&format!("452-/custom,[\"binary\",{places}]\u{1e}bAQID\u{1e}bBAU=")).await;
    assert_eq!(session.poll().await, format!("452-/custom,[\"binary-back\",{places}]\u{1e}bAQID\u{1e}bBAU="));
    server.shutdown().await;
}

#[tokio::test]
async fn a_malformed_polling_payload_ends_the_session() {
    let server = start().await;
    for payload in ["abc", "9", "3\u{1e}abc", "bé"] {
        let mut session = Polling::open(server.address(), "socket.io").await;
        assert_eq!(session.try_send(payload).await.status, 400, "{payload:?}");
        gone(&mut session).await;
    }
    server.shutdown().await;
}

#[tokio::test]
async fn two_polls_at_a_time_end_the_session() {
    let server = start().await;
    let mut session = Polling::open(server.address(), "socket.io").await;
    session.enter("/silent,").await;
    session.ask().await;
    assert!(timeout(A_MOMENT, session.get.answer()).await.is_err(), "a poll waits");
    let (status, _) = get(&server, &session.target).await;
    assert_eq!(status, 400);
    assert_eq!(session.get.answer().await.status, 200, "the first one ends");
    gone(&mut session).await;
    server.shutdown().await;
}

#[tokio::test]
async fn the_server_pings_and_takes_a_pong() {
    let server = start().await;
    let (mut wire, _) = Wire::open(&server).await;
    let message = timeout(PATIENCE, wire.0.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(message, Message::text("2"));
    wire.say("3").await;
    wire.say("40/silent,").await;
    assert!(wire.text().await.starts_with("40/silent,"));
    server.shutdown().await;
}

#[tokio::test]
async fn a_close_packet_ends_the_session() {
    let server = start().await;
    let (mut wire, _) = Wire::open(&server).await;
    wire.say("1").await;
    wire.closed().await;
    let mut session = Polling::open(server.address(), "socket.io").await;
    session.send("1").await;
    gone(&mut session).await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_packet_of_an_unknown_type_ends_a_websocket() {
    let server = start().await;
    for packet in ["abc", "", "9", "4abc", "47", "42", "42/custom"] {
        let mut wire = Wire::custom(&server).await;
        wire.say(packet).await;
        timeout(PATIENCE, wire.closed()).await.unwrap_or_else(|_| panic!("{packet:?} ends it"));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn connecting_to_a_namespace_is_answered_with_an_id() {
    let server = start().await;
    let (mut wire, packet) = Wire::open(&server).await;
    for namespace in ["", "/custom,", "/silent,"] {
        wire.say(&format!("40{namespace}")).await;
        let answer = wire.text().await;
        let answer = answer.strip_prefix(&format!("40{namespace}")).unwrap_or_else(|| panic!("{answer}"));
        assert!(!session_of(answer).is_empty(), "{packet}");
        if namespace == "/custom," {
            assert_eq!(wire.text().await, "42/custom,[\"auth\",{}]");
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn connecting_takes_a_payload() {
    let server = start().await;
    let (mut wire, _) = Wire::open(&server).await;
    wire.say("40/custom,{\"token\":\"123\"}").await;
    assert!(wire.text().await.starts_with("40/custom,{\"sid\":\""));
    assert_eq!(wire.text().await, "42/custom,[\"auth\",{\"token\":\"123\"}]");
    server.shutdown().await;
}

#[tokio::test]
async fn a_refused_connection_is_told_why() {
    let server = start().await;
    let (mut wire, _) = Wire::open(&server).await;
    wire.say("40/random,").await;
    assert_eq!(wire.text().await, "44/random,{\"message\":\"Invalid namespace\"}");
    wire.say("40/custom,{\"secret\":\"wrong\"}").await;
    assert_eq!(wire.text().await, "44/custom,{\"message\":\"not authorized\"}");
    wire.say("40/custom,{}").await;
    assert!(wire.text().await.starts_with("40/custom,{\"sid\":\""), "the next try is a new one");
    server.shutdown().await;
}

#[tokio::test]
async fn an_event_before_connecting_ends_the_session() {
    let server = start().await;
    for packet in ["42[\"plain\"]", "42/custom,[\"plain\"]", "43/custom,1[]"] {
        let (mut wire, _) = Wire::open(&server).await;
        wire.say(packet).await;
        timeout(PATIENCE, wire.closed()).await.unwrap_or_else(|_| panic!("{packet:?} ends it"));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn leaving_a_namespace_keeps_the_others() {
    let server = start().await;
    let mut wire = Wire::custom(&server).await;
    wire.say("40").await;
    assert!(wire.text().await.starts_with("40{\"sid\":\""));
    wire.say("41").await;
    wire.say("42/custom,7[\"ask\",1,\"a\",null]").await;
    assert_eq!(wire.text().await, "43/custom,7[1,\"a\",null]");
    wire.say("41/custom,").await;
    wire.say("40/custom,{\"again\":true}").await;
    assert!(wire.text().await.starts_with("40/custom,{\"sid\":\""));
    assert_eq!(wire.text().await, "42/custom,[\"auth\",{\"again\":true}]");
    server.shutdown().await;
}

#[tokio::test]
async fn an_event_goes_both_ways() {
    let server = start().await;
    let mut wire = Wire::custom(&server).await;
    wire.say("42/custom,[\"plain\",1,\"2\",{\"3\":[true]}]").await;
    assert_eq!(wire.text().await, "42/custom,[\"plain-back\",1,\"2\",{\"3\":[true]}]");
    server.shutdown().await;
}

#[tokio::test]
async fn a_binary_event_goes_both_ways() {
    let server = start().await;
    let mut wire = Wire::custom(&server).await;
    let places = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    wire.say(&format!("452-/custom,[\"binary\",{places}]")).await;
    wire.say_binary(&[1, 2, 3]).await;
    wire.say_binary(&[4, 5]).await;
    assert_eq!(wire.text().await, format!("452-/custom,[\"binary-back\",{places}]"));
    assert_eq!([wire.binary().await, wire.binary().await], [&[1, 2, 3][..], &[4, 5]]);
    server.shutdown().await;
}

#[tokio::test]
async fn a_request_is_acknowledged_under_its_number() {
    let server = start().await;
    let mut wire = Wire::custom(&server).await;
    for id in ["0", "456", "9007199254740991"] {
        wire.say(&format!("42/custom,{id}[\"ask\",1,\"2\",{{\"3\":[false]}}]")).await;
        assert_eq!(wire.text().await, format!("43/custom,{id}[1,\"2\",{{\"3\":[false]}}]"));
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_request_is_acknowledged_with_binary_data() {
    let server = start().await;
    let mut wire = Wire::custom(&server).await;
    let places = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    wire.say(&format!("452-/custom,789[\"ask-binary\",{places}]")).await;
    wire.say_binary(&[1, 2, 3]).await;
    wire.say_binary(&[4, 5]).await;
    assert_eq!(wire.text().await, format!("462-/custom,789[{places}]"));
    assert_eq!([wire.binary().await, wire.binary().await], [&[1, 2, 3][..], &[4, 5]]);
    server.shutdown().await;
}

#[tokio::test]
async fn the_server_can_ask_the_client() {
    let server = start().await;
    let mut wire = Wire::custom(&server).await;
    let asked = async |wire: &mut Wire, event: &str| {
        wire.say(&format!("42/custom,[\"{event}\"]")).await;
        let question = wire.text().await;
        let id = question.strip_prefix("42/custom,").and_then(|rest| rest.strip_suffix("[\"question\",5]"));
        id.filter(|id| id.parse::<u64>().is_ok()).unwrap_or_else(|| panic!("{question}")).to_owned()
    };
    let id = asked(&mut wire, "be-asked").await;
    wire.say(&format!("43/custom,{id}[\"yes\"]")).await;
    assert_eq!(wire.text().await, "42/custom,[\"answer\",\"yes\"]");
    let id = asked(&mut wire, "be-asked-binary").await;
    wire.say(&format!("461-/custom,{id}[{{\"_placeholder\":true,\"num\":0}}]")).await;
    wire.say_binary(&[9, 8]).await;
    assert_eq!(wire.text().await, r#"451-/custom,["answer",{"_placeholder":true,"num":0}]"#);
    assert_eq!(wire.binary().await, &[9, 8][..]);
    server.shutdown().await;
}

#[tokio::test]
async fn text_between_an_event_and_its_attachment_ends_the_session() {
    let server = start().await;
    let mut wire = Wire::custom(&server).await;
    wire.say(r#"451-/custom,["binary",{"_placeholder":true,"num":0}]"#).await;
    wire.say("42/custom,[\"plain\",1,\"\",null]").await;
    wire.closed().await;
    let mut wire = Wire::custom(&server).await;
    wire.say_binary(&[1]).await;
    timeout(PATIENCE, wire.closed()).await.expect("an attachment that was not announced ends it, too");
    server.shutdown().await;
}

#[tokio::test]
async fn a_connection_carries_requests_one_after_the_other() {
    let server = start().await;
    let mut http = Http::connect(server.address()).await;
    for _ in 0..3 {
        http.ask("GET", POLLING, "").await;
        let answer = http.answer().await;
        assert!(answer.status == 200 && answer.head.contains("content-type: text/plain; charset=utf-8\r\n"), "{answer:?}");
    }
    server.shutdown().await;
}
