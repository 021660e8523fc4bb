//! Where the messages for a client go.

use serde::Serialize;

use crate::{
    lobby::RoomId,
    protocol::{Blocks, Frame, PROTOCOL_VERSION, Schema, Seat, Tick},
    room::{Message, Over, SeatInfo},
};

/// Sends messages to one client. No method may wait, or call back into the host.
pub trait Outlet: Send + Sync + 'static {
    /// Queues the first message.
    ///
    /// # Errors
    /// The connection takes no more messages.
    fn welcome(&self, welcome: &Welcome<'_>) -> Result<(), Full>;

    /// Sends a frame of state now, after the messages before it, or not at all.
    ///
    /// # Errors
    /// The connection does not take the frame now. The room makes up for it with a later frame.
    fn show(&self, frame: Frame<&Blocks>) -> Result<(), Full>;

    /// Queues the last frame of a match after the messages before it.
    ///
    /// # Errors
    /// The connection takes no more messages.
    fn show_last(&self, frame: Frame<&Blocks>) -> Result<(), Full>;

    /// Queues a message after those before it.
    ///
    /// # Errors
    /// The connection takes no more messages.
    fn send(&self, message: Message) -> Result<(), Full>;

    /// Ends the connection.
    fn close(&self, ending: Ending);
}

impl dyn Outlet {
    /// Tells the client that it is over, and ends the connection.
    pub(super) fn finish(&self, over: Over) {
        let ending = if self.send(Message::Over(over)).is_ok() { Ending::AfterQueued } else { Ending::Cut };
        self.close(ending);
    }
}

/// The connection did not take a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// After the queued messages have been sent.
    AfterQueued,
    /// At once, because the client does not read.
    Cut,
}

/// The first message to a client that has entered.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Welcome<'a> {
    /// The seat.
    pub seat: Seat,
    /// The room.
    pub room: &'a RoomId,
    /// The game's name.
    pub game: &'static str,
    /// The version of the protocol.
    pub protocol: u8,
    /// The newest tick.
    pub tick: Tick,
    /// Ticks a second.
    pub hz: u16,
    /// The format of the game's frames, events and inputs.
    pub schema: &'a Schema,
    /// The token to resume the seat with. It replaces earlier ones.
    pub resume: String,
    /// The kind of the next frame: a snapshot, or a diff from the tick that the client named.
    pub state: &'static str,
    /// How long the seat is kept after a lost connection, in seconds.
    pub grace: f32,
    /// The room's configuration.
    pub config: &'a serde_json::Value,
    /// The number of teams to which the seats are dealt; 0 if everybody plays for themselves.
    pub teams: u8,
    /// Every taken seat.
    pub seats: &'a [SeatInfo],
    /// The number of the newest command that was taken from the seat, if the game has commands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commands: Option<u32>,
    /// The hash of the module by which clients predict, if the game has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<&'a str>,
}

impl Welcome<'_> {
    pub(super) const PROTOCOL: u8 = PROTOCOL_VERSION;
}
