//! Socket.IO v5 packets as `socket.io-msgpack-parser` writes them, one MessagePack map in one WebSocket message:
//!
//! ```text
//! {type: 2, nsp: "/gameplay", data: ["s", <bin>], id?: 7}
//! ```
//!
//! Decoding borrows from the message and does not allocate, which keeps thousands of clients cheap.
//! This module knows packets and events. The clients know what an event means.

use rmp::Marker;
use rmp::decode::{self, RmpRead};
use rmp::encode;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A packet that the parser would not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid Socket.IO packet: {0}")]
pub(crate) struct Malformed(&'static str);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
}

/// One packet. `data` is its encoded MessagePack value, and empty if there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Packet<'a> {
    pub(crate) kind: Kind,
    pub(crate) nsp: &'a str,
    pub(crate) data: &'a [u8],
    pub(crate) id: Option<u64>,
}

impl<'a> Packet<'a> {
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = bytes;
        let entries = decode::read_map_len(&mut rest).map_err(|_| Malformed("not a map"))?;
        let (mut kind, mut nsp, mut data, mut id) = (None, "/", &[][..], None);
        for _ in 0..entries {
            let key = read_str(&mut rest)?;
            let value = read_value(&mut rest)?;
            match key {
                "type" => kind = Some(packet_kind(value)?),
                "nsp" => nsp = read_str(&mut &*value)?,
                "data" => data = value,
                "id" => id = decode::read_int(&mut &*value).ok(),
                _ => {}
            }
        }
        let kind = kind.ok_or(Malformed("no type"))?;
        Ok(Self { kind, nsp, data, id })
    }

    /// Returns the name of an event and its encoded first argument, which is empty if there is none.
    pub(crate) fn event(&self) -> Result<(&'a str, &'a [u8]), Malformed> {
        let mut rest = self.data;
        let len = decode::read_array_len(&mut rest).map_err(|_| Malformed("an event is not an array"))?;
        if len == 0 {
            return Err(Malformed("an event has no name"));
        }
        let name = read_str(&mut rest)?;
        let argument = if len > 1 { read_value(&mut rest)? } else { &[] };
        Ok((name, argument))
    }

    /// Returns the encoded first argument of an acknowledgement.
    pub(crate) fn answer(&self) -> Result<&'a [u8], Malformed> {
        let mut rest = self.data;
        match decode::read_array_len(&mut rest) {
            Ok(1..) => read_value(&mut rest),
            _ => Err(Malformed("an acknowledgement is not an array with a value")),
        }
    }
}

/// Returns the bytes of an encoded binary value.
pub(crate) fn binary(mut value: &[u8]) -> Result<&[u8], Malformed> {
    let len = decode::read_bin_len(&mut value).map_err(|_| Malformed("not binary"))?;
    take(&mut value, len as usize)
}

/// Decodes a value into a Rust type. Frames are far more frequent, and are decoded without `serde`.
pub(crate) fn parse<T: DeserializeOwned>(value: &[u8]) -> Result<T, Malformed> {
    rmp_serde::from_slice(value).map_err(|_| Malformed("a value does not have the type that the protocol says"))
}

/// `{type: 0, nsp, data: auth}`
pub(crate) fn connect<T: Serialize>(nsp: &str, auth: &T) -> Vec<u8> {
    let mut packet = head(3, 0, nsp);
    append_value(&mut packet, auth);
    packet
}

/// `{type: 1, nsp}`
pub(crate) fn disconnect(nsp: &str) -> Vec<u8> {
    let mut packet = head(2, 1, nsp);
    packet.truncate(packet.len() - DATA_KEY);
    packet
}

/// `{type: 2, nsp, data: [name, argument]}`. The server acknowledges an event with an `id`.
pub(crate) fn event<T: Serialize>(nsp: &str, name: &str, argument: Option<&T>, id: Option<u64>) -> Vec<u8> {
    let mut packet = head(if id.is_some() { 4 } else { 3 }, 2, nsp);
    infallible(encode::write_array_len(&mut packet, if argument.is_some() { 2 } else { 1 }));
    infallible(encode::write_str(&mut packet, name));
    if let Some(argument) = argument {
        append_value(&mut packet, argument);
    }
    if let Some(id) = id {
        infallible(encode::write_str(&mut packet, "id"));
        infallible(encode::write_uint(&mut packet, id));
    }
    packet
}

/// Writes events with one binary argument. The bytes before the argument are built once.
pub(crate) struct BinaryEvent {
    prefix: Vec<u8>,
}

impl BinaryEvent {
    pub(crate) fn new(nsp: &str, name: &str) -> Self {
        let mut prefix = head(3, 2, nsp);
        infallible(encode::write_array_len(&mut prefix, 2));
        infallible(encode::write_str(&mut prefix, name));
        Self { prefix }
    }

    pub(crate) fn packet(&self, argument: &[u8]) -> Vec<u8> {
        let mut packet = Vec::with_capacity(self.prefix.len() + 5 + argument.len());
        packet.extend_from_slice(&self.prefix);
        infallible(encode::write_bin(&mut packet, argument));
        packet
    }
}

/// Appends one integer in its shortest form.
pub(crate) fn append_int(buffer: &mut Vec<u8>, value: i64) {
    infallible(encode::write_sint(buffer, value));
}

/// Appends a text.
pub(crate) fn append_text(buffer: &mut Vec<u8>, text: &str) {
    infallible(encode::write_str(buffer, text));
}

/// Appends bytes.
pub(crate) fn append_bin(buffer: &mut Vec<u8>, bytes: &[u8]) {
    infallible(encode::write_bin(buffer, bytes));
}

/// Appends the head of an array.
pub(crate) fn append_array(buffer: &mut Vec<u8>, len: u32) {
    infallible(encode::write_array_len(buffer, len));
}

/// The length of the encoded key `data`, which [`head`] writes last.
const DATA_KEY: usize = 5;

fn head(entries: u32, kind: u64, nsp: &str) -> Vec<u8> {
    let mut packet = Vec::with_capacity(64);
    infallible(encode::write_map_len(&mut packet, entries));
    infallible(encode::write_str(&mut packet, "type"));
    infallible(encode::write_uint(&mut packet, kind));
    infallible(encode::write_str(&mut packet, "nsp"));
    infallible(encode::write_str(&mut packet, nsp));
    infallible(encode::write_str(&mut packet, "data"));
    packet
}

fn append_value<T: Serialize>(packet: &mut Vec<u8>, value: &T) {
    let mut serializer = rmp_serde::Serializer::new(packet).with_struct_map();
    value.serialize(&mut serializer).expect("the requests are plain data, and a Vec takes every byte");
}

fn infallible<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.expect("a Vec takes every byte")
}

fn packet_kind(mut value: &[u8]) -> Result<Kind, Malformed> {
    match decode::read_int::<u8, _>(&mut value) {
        Ok(0) => Ok(Kind::Connect),
        Ok(1) => Ok(Kind::Disconnect),
        // Some parsers have types of their own for packets with binary arguments. They mean the same.
        Ok(2 | 5) => Ok(Kind::Event),
        Ok(3 | 6) => Ok(Kind::Ack),
        Ok(4) => Ok(Kind::ConnectError),
        _ => Err(Malformed("unknown packet type")),
    }
}

fn read_str<'a>(rest: &mut &'a [u8]) -> Result<&'a str, Malformed> {
    let len = decode::read_str_len(rest).map_err(|_| Malformed("not a string"))?;
    std::str::from_utf8(take(rest, len as usize)?).map_err(|_| Malformed("not UTF-8"))
}

/// Splits off one complete value of any depth, without recursion.
fn read_value<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let start = *rest;
    let mut missing: u64 = 1;
    while missing > 0 {
        missing = missing - 1 + read_scalar_or_head(rest)?;
    }
    Ok(&start[..start.len() - rest.len()])
}

/// Skips one scalar, or the head of an array or a map. Returns how many values the head announces.
fn read_scalar_or_head(rest: &mut &[u8]) -> Result<u64, Malformed> {
    let marker = decode::read_marker(rest).map_err(|_| Malformed("truncated"))?;
    let (skip, announced) = match marker {
        Marker::Null | Marker::True | Marker::False | Marker::FixPos(_) | Marker::FixNeg(_) => (0, 0),
        Marker::U8 | Marker::I8 => (1, 0),
        Marker::U16 | Marker::I16 => (2, 0),
        Marker::U32 | Marker::I32 | Marker::F32 => (4, 0),
        Marker::U64 | Marker::I64 | Marker::F64 => (8, 0),
        Marker::FixStr(len) => (len.into(), 0),
        Marker::Str8 | Marker::Bin8 => (read_length(rest, 1)?, 0),
        Marker::Str16 | Marker::Bin16 => (read_length(rest, 2)?, 0),
        Marker::Str32 | Marker::Bin32 => (read_length(rest, 4)?, 0),
        Marker::FixExt1 => (2, 0),
        Marker::FixExt2 => (3, 0),
        Marker::FixExt4 => (5, 0),
        Marker::FixExt8 => (9, 0),
        Marker::FixExt16 => (17, 0),
        Marker::Ext8 => (read_length(rest, 1)? + 1, 0),
        Marker::Ext16 => (read_length(rest, 2)? + 1, 0),
        Marker::Ext32 => (read_length(rest, 4)? + 1, 0),
        Marker::FixArray(len) => (0, len.into()),
        Marker::Array16 => (0, read_length(rest, 2)?),
        Marker::Array32 => (0, read_length(rest, 4)?),
        Marker::FixMap(len) => (0, 2 * u64::from(len)),
        Marker::Map16 => (0, 2 * read_length(rest, 2)?),
        Marker::Map32 => (0, 2 * read_length(rest, 4)?),
        Marker::Reserved => return Err(Malformed("reserved MessagePack marker")),
    };
    take(rest, usize::try_from(skip).unwrap_or(usize::MAX))?;
    Ok(announced)
}

fn read_length(rest: &mut &[u8], bytes: usize) -> Result<u64, Malformed> {
    let read = match bytes {
        1 => rest.read_data_u8().map(u64::from),
        2 => rest.read_data_u16().map(u64::from),
        _ => rest.read_data_u32().map(u64::from),
    };
    read.map_err(|_| Malformed("truncated"))
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], Malformed> {
    let (taken, left) = rest.split_at_checked(len).ok_or(Malformed("truncated"))?;
    *rest = left;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn bytes(value: &Value) -> Vec<u8> {
        rmp_serde::to_vec_named(value).unwrap()
    }

    fn value(bytes: &[u8]) -> Value {
        rmp_serde::from_slice(bytes).unwrap()
    }

    #[test]
    fn an_event_gives_its_name_and_argument() {
        let sent = bytes(&json!({"type": 2, "nsp": "/gameplay", "data": ["over", {"reason": "finished"}], "id": 70000}));
        let packet = Packet::decode(&sent).unwrap();
        assert_eq!((packet.kind, packet.nsp, packet.id), (Kind::Event, "/gameplay", Some(70000)));
        let (name, argument) = packet.event().unwrap();
        assert_eq!(name, "over");
        assert_eq!(value(argument), json!({"reason": "finished"}));
    }

    #[test]
    fn keys_may_come_in_any_order_and_unknown_ones_are_skipped() {
        let deep = json!([[[{"a": [1.5, null, true, -70000, "text"]}]]]);
        let sent = bytes(&json!({"zzz": deep, "nsp": "/x", "options": {"compress": true}, "type": 3, "id": null, "data": [1]}));
        let packet = Packet::decode(&sent).unwrap();
        assert_eq!((packet.kind, packet.nsp, packet.id), (Kind::Ack, "/x", None));
        assert_eq!(value(packet.answer().unwrap()), json!(1));
    }

    #[test]
    fn an_event_without_argument_has_an_empty_one() {
        let sent = bytes(&json!({"type": 5, "nsp": "/", "data": ["hello"]}));
        assert_eq!(Packet::decode(&sent).unwrap().event(), Ok(("hello", &[][..])));
    }

    #[test]
    fn a_binary_event_round_trips() {
        let blob = vec![7; 300];
        let sent = BinaryEvent::new("/gameplay", "i").packet(&blob);
        let packet = Packet::decode(&sent).unwrap();
        assert_eq!((packet.kind, packet.nsp), (Kind::Event, "/gameplay"));
        let (name, argument) = packet.event().unwrap();
        assert_eq!((name, binary(argument).unwrap()), ("i", &blob[..]));
    }

    #[test]
    fn packets_are_written_as_the_parser_reads_them() {
        let auth = json!({"name": "ada"});
        assert_eq!(value(&connect("/lobby", &auth)), json!({"type": 0, "nsp": "/lobby", "data": {"name": "ada"}}));
        assert_eq!(value(&disconnect("/lobby")), json!({"type": 1, "nsp": "/lobby"}));
        assert_eq!(
            value(&event("/", "info", None::<&()>, Some(300))),
            json!({"type": 2, "nsp": "/", "data": ["info"], "id": 300})
        );
        assert_eq!(value(&event("/", "e", Some(&auth), None)), json!({"type": 2, "nsp": "/", "data": ["e", {"name": "ada"}]}));
    }

    #[test]
    fn lengths_beyond_the_data_are_refused() {
        let array_of_four_billion = [0x81, 0xa4, b'd', b'a', b't', b'a', 0xdd, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(Packet::decode(&array_of_four_billion), Err(Malformed("truncated")));
        let string_of_four_billion = [0x81, 0xdb, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(Packet::decode(&string_of_four_billion), Err(Malformed("truncated")));
        assert_eq!(binary(&[0xc4, 3, 1, 2]), Err(Malformed("truncated")));
    }

    fn touch(bytes: &[u8]) {
        if let Ok(packet) = Packet::decode(bytes) {
            let _ = packet.answer();
            if let Ok((_, argument)) = packet.event() {
                let _ = binary(argument);
            }
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            touch(&bytes);
        }

        #[test]
        fn damaged_packets_never_panic(at in 0_usize..60, byte in any::<u8>(), cut in 0_usize..60) {
            let mut packet = bytes(&json!({"type": 2, "nsp": "/gameplay", "data": ["s", {"a": [1, 2, "x"]}], "id": 4}));
            let (at, cut) = (at % packet.len(), cut % packet.len());
            packet[at] = byte;
            touch(&packet);
            touch(&packet[..cut]);
        }
    }
}
