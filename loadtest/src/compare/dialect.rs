//! The messages of each server: how a client joins a room, which messages are state, and how an input is written.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Pass, Refused, Ticket};
use crate::compare::scenario::Peer;
use crate::connection::{Connection, Fault, GAMEPLAY, LOBBY, MSGPACK_PATH, Target};
use crate::replica::{FrameResult, Replica};
use crate::tally::Tally;
use crate::wire::{self, BinaryEvent, Kind, Packet};

/// Ticks from the newest frame's tick to the tick that an input to Tickcast is for.
const LEAD: u32 = 2;

/// The first byte of Colyseus' messages is their type.
const JOIN_ROOM: u8 = 10;
const ROOM_DATA: u8 = 13;
const ROOM_STATE_PATCH: u8 = 15;

/// How long Colyseus may take over an HTTP request, in seconds.
const MATCHMAKE_SECONDS: u64 = 40;

/// The room that a client joins.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) target: Target,
    /// The number of the room in the scenario.
    pub(crate) slot: usize,
    /// The room's id, if its first client knows it already.
    pub(crate) room: Option<String>,
}

/// The protocol of a server, as a client with a seat speaks it.
pub(crate) enum Dialect {
    /// The floor has no protocol. It gets the inputs that Tickcast gets, so that they cost the same.
    Floor(TickcastInput),
    Tickcast(TickcastInput, Replica),
    Socketio,
    Colyseus,
}

/// The meaning of a received message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    State,
    /// The server refused some inputs.
    Refused(Refused),
    Other,
}

impl Dialect {
    /// Connects and takes a seat. Returns the room's id, too.
    pub(crate) async fn begin(peer: Peer, place: &Destination, tally: Arc<Tally>) -> Result<(Connection, Self, String), Fault> {
        match peer {
            Peer::Floor | Peer::Limit => {
                let connection = Connection::plain(&place.target, "/", tally).await?;
                Ok((connection, Self::Floor(TickcastInput::new()), String::new()))
            }
            Peer::Tickcast => begin_tickcast(place, tally).await,
            Peer::Socketio => {
                let mut connection = Connection::open(&place.target, "/socket.io/", tally).await?;
                connection.enter("/", &json!({"slot": place.slot})).await?;
                Ok((connection, Self::Socketio, String::new()))
            }
            Peer::Colyseus => begin_colyseus(place, tally).await,
        }
    }

    pub(crate) fn hear(&mut self, message: &[u8]) -> Result<Heard, Fault> {
        let state = match self {
            Self::Floor(_) => true,
            Self::Tickcast(_, replica) => return hear_tickcast(message, replica),
            Self::Socketio => {
                let packet = Packet::decode(message)?;
                packet.kind == Kind::Event && packet.event()?.0 == "s"
            }
            Self::Colyseus => message.first() == Some(&ROOM_STATE_PATCH),
        };
        Ok(if state { Heard::State } else { Heard::Other })
    }

    /// Returns the message that makes the avatar move by this many steps in each tick.
    pub(crate) fn input(&mut self, dx: i8, dy: i8) -> Vec<u8> {
        match self {
            Self::Floor(input) => input.next(0, 0, (dx, dy)),
            Self::Tickcast(input, replica) => input.next(replica.ack(), replica.newest() + LEAD, (dx, dy)),
            Self::Socketio => wire::event("/", "i", Some(&(dx, dy)), None),
            Self::Colyseus => {
                // The 0 is the type of the game's message. Its content follows.
                let mut message = vec![ROOM_DATA, 0];
                wire::append_array(&mut message, 2);
                wire::append_int(&mut message, dx.into());
                wire::append_int(&mut message, dy.into());
                message
            }
        }
    }
}

/// Numbers and writes the inputs of the bench game.
pub(crate) struct TickcastInput {
    seq: u32,
    event: BinaryEvent,
}

impl TickcastInput {
    fn new() -> Self {
        Self { seq: 0, event: BinaryEvent::new(GAMEPLAY, "i") }
    }

    fn next(&mut self, ack: u16, tick: u32, (dx, dy): (i8, i8)) -> Vec<u8> {
        self.seq += 1;
        let mut input = Vec::with_capacity(16);
        wire::append_array(&mut input, 5);
        for value in [ack.into(), self.seq.into(), tick.into(), dx.into(), dy.into()] {
            wire::append_int(&mut input, value);
        }
        self.event.packet(&input)
    }
}

async fn begin_tickcast(place: &Destination, tally: Arc<Tally>) -> Result<(Connection, Dialect, String), Fault> {
    #[derive(Deserialize)]
    struct Welcome {
        tick: u32,
    }
    let mut connection = Connection::open(&place.target, MSGPACK_PATH, tally).await?;
    connection.enter(LOBBY, &json!({})).await?;
    let pass: Pass = match &place.room {
        None => connection.request(LOBBY, "create", Some(&json!({"game": "drift"}))).await?,
        Some(room) => connection.request(LOBBY, "join", Some(&json!({"room": room}))).await?,
    };
    connection.enter(GAMEPLAY, &Ticket { ticket: pass.ticket }).await?;
    loop {
        let bytes = connection.next_packet().await?;
        let packet = Packet::decode(&bytes)?;
        if (packet.kind, packet.nsp) == (Kind::Event, GAMEPLAY)
            && let ("welcome", welcome) = packet.event()?
        {
            let Welcome { tick } = wire::parse(welcome)?;
            return Ok((connection, Dialect::Tickcast(TickcastInput::new(), Replica::new(tick, None)), pass.room));
        }
    }
}

/// A frame that does not fit the tick held ends the client. No client is slow here, so the server must not skip frames.
fn hear_tickcast(message: &[u8], replica: &mut Replica) -> Result<Heard, Fault> {
    let packet = Packet::decode(message)?;
    if (packet.kind, packet.nsp) != (Kind::Event, GAMEPLAY) {
        return Ok(Heard::Other);
    }
    match packet.event()? {
        ("s", frame) => match replica.take(wire::binary(frame)?, Instant::now()) {
            FrameResult::Held => Ok(Heard::State),
            _ => Err(Fault::Lost("a frame does not fit the tick held".to_owned())),
        },
        ("refused", refused) => Ok(Heard::Refused(wire::parse(refused)?)),
        ("over", _) => Err(Fault::Lost("the room ended".to_owned())),
        _ => Ok(Heard::Other),
    }
}

/// Colyseus' answer to a request for a seat.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reservation {
    session_id: String,
    room_id: String,
    process_id: String,
}

async fn begin_colyseus(place: &Destination, tally: Arc<Tally>) -> Result<(Connection, Dialect, String), Fault> {
    let request = minreq::post(format!("{}/matchmake/joinOrCreate/arena", place.target.url))
        .with_header("content-type", "application/json")
        .with_body(json!({"slot": place.slot}).to_string())
        .with_timeout(MATCHMAKE_SECONDS);
    let answer = tokio::task::spawn_blocking(move || request.send()).await.map_err(|e| Fault::Connect(e.to_string()))?;
    let answer = answer.map_err(|e| Fault::Connect(e.to_string()))?;
    let Ok(Reservation { session_id, room_id, process_id }) = serde_json::from_slice(answer.as_bytes()) else {
        return Err(Fault::Connect(String::from_utf8_lossy(answer.as_bytes()).into_owned()));
    };
    let mut connection =
        Connection::plain(&place.target, &format!("/{process_id}/{room_id}?sessionId={session_id}"), tally).await?;
    while !matches!(connection.incoming().await?, Message::Binary(bytes) if bytes.first() == Some(&JOIN_ROOM)) {}
    connection.send(vec![JOIN_ROOM]).await?;
    Ok((connection, Dialect::Colyseus, room_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_what_the_servers_read() {
        assert_eq!(Dialect::Colyseus.input(1, -2), [13, 0, 0x92, 1, 0xfe]);
        let socketio = Dialect::Socketio.input(1, -2);
        let (name, moved) = Packet::decode(&socketio).unwrap().event().unwrap();
        assert_eq!((name, wire::parse::<(i8, i8)>(moved).unwrap()), ("i", (1, -2)));
        let mut tickcast = Dialect::Tickcast(TickcastInput::new(), Replica::new(7, None));
        let mut inputs = Vec::new();
        for _ in 0..2 {
            let packet = tickcast.input(1, -2);
            let (_, blob) = Packet::decode(&packet).unwrap().event().unwrap();
            inputs.push(wire::binary(blob).unwrap().to_vec());
        }
        assert_eq!(inputs, [[0x95, 0, 1, 9, 1, 0xfe], [0x95, 0, 2, 9, 1, 0xfe]]);
    }

    #[test]
    fn state_messages_are_recognised() {
        assert_eq!(Dialect::Colyseus.hear(&[15, 1]).unwrap(), Heard::State);
        assert_eq!(Dialect::Colyseus.hear(&[14, 1]).unwrap(), Heard::Other);
        let event = |name| wire::event("/", name, Some(&1), None);
        assert_eq!(Dialect::Socketio.hear(&event("s")).unwrap(), Heard::State);
        assert_eq!(Dialect::Socketio.hear(&event("x")).unwrap(), Heard::Other);
        assert!(Dialect::Socketio.hear(&[1, 2]).is_err());
    }
}
