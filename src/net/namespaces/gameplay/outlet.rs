//! Sends to one client of `/gameplay`: straight to its WebSocket if it has one, else through socketioxide.

use std::{
    cell::RefCell,
    sync::{Arc, LazyLock, OnceLock},
};

use serde::Serialize;
use serde_json::json;
use socketioxide::TransportType;
use tokio::runtime::Handle;

use crate::{
    host::{Ending, Full, Inlet, Line, Outlet, Welcome},
    net::{
        namespaces::{
            gameplay::farewell::{Farewell, Heard},
            socket::{SocketArc, emit, emit_binary},
        },
        transport::{
            connection::Connection,
            cursor::PEEK_BYTES,
            packet::{BinaryEvent, Parser},
            stream::StreamHandle,
        },
    },
    prefetch::prefetch,
    protocol::{Blocks, ErrorCode, Frame},
    room::{Message, Over, Refused},
};

static STATE_EVENT: LazyLock<BinaryEvent> = LazyLock::new(|| BinaryEvent::named("s"));
static GAME_EVENTS: LazyLock<BinaryEvent> = LazyLock::new(|| BinaryEvent::named("e"));

thread_local! {
    /// The buffer in which frames are put together. A driver writes many of them one after the other.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The longest `welcome` that goes straight to a WebSocket. The library's queue has room for longer ones.
const WELCOME_BYTES: usize = 16 * 1024;

/// Has messages for a client of `/gameplay` go straight to its WebSocket, if it has one, from the library's answer to its CONNECT on.
/// To be called before the library answers.
pub(super) fn expect_connect(socket: &SocketArc) {
    if let Some(connection) = websocket(socket) {
        connection.expect(&parser(socket).connect_prefix());
    }
}

/// Returns the parser that the client of a socket uses.
fn parser(socket: &SocketArc) -> Parser {
    Parser::of_path(socket.req_parts().uri.path())
}

/// Returns the connection under a socket, if it is a WebSocket by now.
fn websocket(socket: &SocketArc) -> Option<Arc<Connection>> {
    let is_websocket = socket.transport_type() == TransportType::Websocket;
    let stream = socket.req_parts().extensions.get::<StreamHandle>().filter(|_| is_websocket);
    stream.map(|stream| stream.connection(socket.id.as_str()))
}

/// One client.
pub(crate) struct SocketOutlet {
    inlet: Inlet,
    socket: SocketArc,
    stream: Option<StreamHandle>,
    parser: Parser,
    /// The WebSocket's connection. Until it is set, every message goes through the library.
    connection: OnceLock<Arc<Connection>>,
    heard: Heard,
    /// Spawns the end of the connection, which a host may ask for from any thread.
    runtime: Handle,
}

impl SocketOutlet {
    /// `heard` notes what the client sends. To be called within a runtime.
    pub(crate) fn new(inlet: Inlet, socket: &SocketArc, heard: Heard) -> Self {
        let (stream, parser) = (socket.req_parts().extensions.get().cloned(), parser(socket));
        Self { inlet, socket: socket.clone(), stream, parser, connection: OnceLock::new(), heard, runtime: Handle::current() }
    }

    /// Hands the library a message whose frame's payload starts with `marker`. Later messages go straight to the WebSocket, if
    /// there is one.
    fn emit_and_leave_library(&self, marker: &[u8], emit: impl FnOnce() -> Result<(), Full>) -> Result<(), Full> {
        let Some(connection) = websocket(&self.socket) else { return emit() };
        connection.expect(&marker[..marker.len().min(PEEK_BYTES)]);
        self.leave_library(connection, |_| emit())
    }

    /// Sends a message. Later ones go straight to the WebSocket.
    fn leave_library(
        &self, connection: Arc<Connection>, send: impl FnOnce(&Arc<Connection>) -> Result<(), Full>,
    ) -> Result<(), Full> {
        connection.open_tap(self.parser, self.inlet.clone());
        let sent = send(&connection);
        match sent {
            Ok(()) => {
                self.inlet.open_line(&connection);
                let _ = self.connection.set(connection);
            }
            Err(Full) => connection.close(),
        }
        sent
    }

    /// Sends a reliable message.
    fn tell(&self, event: &str, argument: &(impl Serialize + ?Sized)) -> Result<(), Full> {
        match self.connection.get() {
            Some(connection) => connection.send_reliably(self.parser.event(event, argument)),
            None => emit(&self.socket, event, argument),
        }
    }
}

impl Drop for SocketOutlet {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.get() {
            connection.unseat(&self.inlet);
        }
    }
}

impl Line for Connection {
    fn prefetch(&self) {
        prefetch(self);
    }

    fn pull(self: Arc<Self>, hz: u16) {
        Self::pull(&self, hz);
    }

    fn release(self: Arc<Self>) {
        Self::release(&self);
    }

    fn show(&self, frame: Frame<&Blocks>) -> Result<(), Full> {
        let Some(parser) = self.parser() else { return Err(Full) };
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            STATE_EVENT.write(scratch, parser, &frame);
            self.send_now(scratch)
        })
    }
}

impl Outlet for SocketOutlet {
    /// A `welcome` has the schema, and the library would keep a buffer of its size for each connection. So it goes straight to the
    /// WebSocket, unless that has come only now.
    fn welcome(&self, welcome: &Welcome<'_>) -> Result<(), Full> {
        if let Some(connection) = websocket(&self.socket).filter(|connection| connection.is_expecting()) {
            let frame = self.parser.event("welcome", welcome);
            if frame.len() <= WELCOME_BYTES {
                return self.leave_library(connection, |connection| connection.send_reliably(frame));
            }
        }
        let emit = || emit(&self.socket, "welcome", welcome);
        self.emit_and_leave_library(&self.parser.event_prefix("welcome"), emit)
    }

    fn show(&self, frame: Frame<&Blocks>) -> Result<(), Full> {
        let Some(connection) = self.connection.get() else {
            let bytes = frame.to_bytes();
            let marker = self.parser.binary_payload("s", &bytes);
            return self.emit_and_leave_library(&marker, || emit_binary(&self.socket, "s", &bytes));
        };
        Line::show(&**connection, frame)
    }

    fn show_last(&self, frame: Frame<&Blocks>) -> Result<(), Full> {
        let Some(connection) = self.connection.get() else { return self.show(frame) };
        let mut bytes = Vec::new();
        STATE_EVENT.write(&mut bytes, self.parser, &frame);
        connection.send_reliably(bytes)
    }

    fn send(&self, message: Message) -> Result<(), Full> {
        match message {
            Message::Events(events) => match self.connection.get() {
                Some(connection) => {
                    let mut frame = Vec::new();
                    GAME_EVENTS.write(&mut frame, self.parser, &events);
                    connection.send_reliably(frame)
                }
                None => emit_binary(&self.socket, "e", &events),
            },
            Message::Seats(seats) => self.tell("seats", &*seats),
            Message::Refused(Refused { code, count }) => {
                self.tell("refused", &json!({ "code": code.as_str(), "message": explain(code), "count": count }))
            }
            Message::Vote(vote) => self.tell("vote", &vote),
            Message::Over(Over { reason, message, winners }) => {
                self.tell("over", &json!({ "reason": reason.as_str(), "message": message, "winners": winners }))
            }
        }
    }

    fn close(&self, ending: Ending) {
        if let Some(connection) = self.connection.get() {
            connection.close();
        }
        let farewell = Farewell { socket: self.socket.clone(), stream: self.stream.clone(), heard: self.heard.clone() };
        match ending {
            Ending::AfterQueued => drop(self.runtime.spawn(farewell.when_quiet())),
            Ending::Cut => farewell.cut(),
        }
    }
}

/// Explains to a person why inputs were refused.
fn explain(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::BadInput => "an input is not what the schema describes",
        ErrorCode::InputTooEarly => "an input is for a tick more than a second ahead",
        ErrorCode::BadAck => "an acknowledged tick was never sent, or is older than one acknowledged before",
        ErrorCode::RateLimited => "inputs come faster than twice the tick rate",
        _ => "an input was refused",
    }
}
