//! Where a seat's messages go.

use serde::Serialize;

use crate::{
    lobby::RoomId,
    protocol::{Blocks, Frame, PROTOCOL_VERSION, Schema, Seat, Tick},
    room::{Message, SeatInfo},
};

/// The way to one connection. Nothing in here may wait or call back into the host.
pub trait Outlet: Send + Sync + 'static {
    /// Queues the first message.
    fn welcome(&self, welcome: &Welcome<'_>) -> Result<(), Full>;

    /// Hands a frame of state over now, behind the messages before it, or not at all.
    fn show(&self, frame: Frame<&Blocks>) -> Result<(), Full>;

    /// Queues a message behind those before it.
    fn send(&self, message: Message) -> Result<(), Full>;

    /// Ends the connection. Nothing is sent afterwards.
    fn close(&self, ending: Ending);
}

/// The connection takes no more messages, now or ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// After everything queued has been sent.
    AfterQueued,
    /// At once: the client does not read.
    Cut,
}

/// The first message on a connection to a seat.
#[derive(Debug, Serialize)]
pub struct Welcome<'a> {
    /// The seat.
    pub seat: Seat,
    /// The room.
    pub room: &'a RoomId,
    /// The game's name.
    pub game: &'static str,
    /// The version of the protocol.
    pub protocol: u8,
    /// The newest tick stepped.
    pub tick: Tick,
    /// Ticks a second.
    pub hz: u16,
    /// What the game's frames, events and inputs look like.
    pub schema: &'a Schema,
    /// The token to come back with; earlier ones are worthless now.
    pub resume: String,
    /// Whether the next frame is a snapshot, or a diff on the mirror that the client named.
    pub state: &'static str,
    /// How many seconds the seat is kept after a lost connection.
    pub grace: f32,
    /// The room's configuration.
    pub config: &'a serde_json::Value,
    /// Every taken seat.
    pub seats: &'a [SeatInfo],
}

impl Welcome<'_> {
    pub(super) const PROTOCOL: u8 = PROTOCOL_VERSION;
}
