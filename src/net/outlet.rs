//! The way to one client of `/gameplay`: straight onto its WebSocket where it has one, else through socketioxide.

use std::{cell::RefCell, sync::Arc};

use serde::Serialize;
use serde_json::json;
use socketioxide::TransportType;

use super::{lane::Lane, namespace::SocketArc, packet::Parser, stream::StreamHandle};
use crate::{
    host::{Ending, Full, Outlet, Welcome},
    protocol::ErrorCode,
    room::{Message, Over, Refused},
};

thread_local! {
    /// Where frames are put together; a driver writes many of them one after the other.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// One client.
pub(super) struct SocketOutlet {
    socket: SocketArc,
    stream: Option<StreamHandle>,
    parser: Parser,
    /// There if the connection was a WebSocket when it took its seat. A client that still polls stays with the library, and
    /// moves to the lane when it resumes.
    lane: Option<Arc<Lane>>,
}

impl SocketOutlet {
    pub(super) fn new(socket: &SocketArc) -> Self {
        let request = socket.req_parts();
        let stream: Option<StreamHandle> = request.extensions.get().cloned();
        let is_websocket = socket.transport_type() == TransportType::Websocket;
        let lane = stream.as_ref().filter(|_| is_websocket).map(|stream| stream.lane(socket.id.as_str()));
        Self { socket: socket.clone(), stream, parser: Parser::of_path(request.uri.path()), lane }
    }

    /// A reliable message.
    fn tell(&self, event: &str, argument: &(impl Serialize + ?Sized)) -> Result<(), Full> {
        match &self.lane {
            Some(lane) => lane.send_surely(self.parser.event(event, argument)),
            None => self.socket.emit(event, argument).map_err(|_| Full),
        }
    }
}

impl Outlet for SocketOutlet {
    fn welcome(&self, welcome: &Welcome<'_>) -> Result<(), Full> {
        if let Some(lane) = &self.lane {
            lane.expect(&self.parser.event_prefix("welcome"));
        }
        self.socket.emit("welcome", welcome).map_err(|_| Full)
    }

    fn send(&self, message: Message) -> Result<(), Full> {
        match message {
            Message::State(frame) => match &self.lane {
                Some(lane) => SCRATCH.with_borrow_mut(|scratch| {
                    scratch.clear();
                    self.parser.binary_event(scratch, "s", &frame);
                    lane.send_now(scratch)
                }),
                None => self.socket.emit("s", &frame.to_bytes()).map_err(|_| Full),
            },
            Message::Events(events) => match &self.lane {
                Some(lane) => {
                    let mut frame = Vec::new();
                    self.parser.binary_event(&mut frame, "e", &events);
                    lane.send_surely(frame)
                }
                None => self.socket.emit("e", &events).map_err(|_| Full),
            },
            Message::Seats(seats) => self.tell("seats", &*seats),
            Message::Refused(Refused { code, count }) => {
                self.tell("refused", &json!({ "code": code.as_str(), "message": explain(code), "count": count }))
            }
            Message::Over(Over { reason, message, winners }) => {
                self.tell("over", &json!({ "reason": reason.as_str(), "message": message, "winners": winners }))
            }
        }
    }

    fn close(&self, ending: Ending) {
        if let Some(lane) = &self.lane {
            lane.close();
        }
        // Leaving the namespace is a packet of its own, which a full queue does not take either.
        let left = self.socket.clone().disconnect();
        if let (Some(stream), true) = (&self.stream, ending == Ending::Cut || left.is_err()) {
            stream.cut(self.socket.id.as_str());
        }
    }
}

/// What a person makes of a refused input.
fn explain(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::BadInput => "an input is not what the schema describes",
        ErrorCode::InputTooEarly => "an input is for a tick more than a second ahead",
        ErrorCode::BadAck => "an acknowledged tick was never sent",
        ErrorCode::RateLimited => "inputs come faster than twice the tick rate",
        _ => "an input was refused",
    }
}
