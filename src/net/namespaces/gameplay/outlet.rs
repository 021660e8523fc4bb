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
    protocol::{Blocks, ErrorCode, Frame},
    room::{Message, Over, Refused},
};

static STATE_EVENT: LazyLock<BinaryEvent> = LazyLock::new(|| BinaryEvent::named("s"));
static GAME_EVENTS: LazyLock<BinaryEvent> = LazyLock::new(|| BinaryEvent::named("e"));

thread_local! {
    /// The buffer in which frames are put together. A driver writes many of them one after the other.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
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
        let request = socket.req_parts();
        let (stream, parser) = (request.extensions.get().cloned(), Parser::of_path(request.uri.path()));
        Self { inlet, socket: socket.clone(), stream, parser, connection: OnceLock::new(), heard, runtime: Handle::current() }
    }

    /// Returns the connection under the socket, if it is a WebSocket by now.
    fn websocket(&self) -> Option<Arc<Connection>> {
        let is_websocket = self.socket.transport_type() == TransportType::Websocket;
        self.stream.as_ref().filter(|_| is_websocket).map(|stream| stream.connection(self.socket.id.as_str()))
    }

    /// Hands the library a message whose frame's payload starts with `marker`. Later messages go straight to the WebSocket, if
    /// there is one.
    fn emit_and_leave_library(&self, marker: &[u8], emit: impl FnOnce() -> Result<(), Full>) -> Result<(), Full> {
        let Some(connection) = self.websocket() else { return emit() };
        connection.expect(&marker[..marker.len().min(PEEK_BYTES)]);
        connection.open_tap(self.parser, self.inlet.clone());
        let emitted = emit();
        match emitted {
            Ok(()) => {
                self.inlet.open_line(&connection);
                let _ = self.connection.set(connection);
            }
            Err(Full) => connection.close(),
        }
        emitted
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
    fn touch(&self) -> bool {
        Connection::touch(self)
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
    fn welcome(&self, welcome: &Welcome<'_>) -> Result<(), Full> {
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
