//! The tap: takes inputs out of a connection's stream before socketioxide sees them.
//!
//! Inputs are nearly all that clients send, and each would go through a WebSocket library, a packet parser and three look-ups
//! to reach its room. So the stream under a WebSocket follows the client's frames, and once the connection has a seat, hands
//! event `i` of `/gameplay` straight to it. Everything else, and whatever is odd in any way, goes on to the library as it came.

use std::ops::Range;

use smallvec::SmallVec;
use tokio::io::ReadBuf;

use crate::net::transport::overdue::Unfinished;
use crate::net::transport::packet::Parser;
use crate::{
    host::Inlet,
    observe::{self, DropReason},
};

/// The most bytes of a frame's payload that may be an input. Longer frames are for the library, and are not held until they are
/// whole.
const CANDIDATE_BYTES: usize = 512;

/// Most inputs, and what is wrapped around them, have fewer bytes.
const TYPICAL_BYTES: usize = 128;

/// Where the inputs of a connection that has, or had, a seat go.
pub(crate) struct Drain {
    pub(crate) parser: Parser,
    /// Gone with the seat. Inputs that were on their way then are counted and thrown away; the library would end the whole
    /// connection for them.
    pub(crate) seat: Option<Inlet>,
}

impl Drain {
    fn push(&self, input: &[u8]) {
        match &self.seat {
            Some(seat) => seat.push(input),
            None => observe::dropped(DropReason::NotSeated),
        }
    }
}

/// Follows what a client sends, and keeps what is for the library until it is read.
#[derive(Default)]
pub(crate) struct Incoming {
    at: At,
    /// For the library, from `read` on.
    passed: Vec<u8>,
    read: usize,
    /// The beginning of a frame that may be an input.
    partial: Vec<u8>,
    /// A whole frame that says that the next one is the input.
    announced: Vec<u8>,
    /// What is left of a frame that is the library's.
    pass_left: u64,
    packet: Packet,
}

/// The packet that the frames make up.
#[derive(Default)]
struct Packet {
    /// How many were whole before it. May wrap.
    number: u32,
    /// Bytes of payload that its frames announced so far.
    bytes: u64,
    /// The message has further fragments.
    is_fragmented: bool,
    /// A message said that a binary one belongs to it.
    lacks_attachment: bool,
}

#[derive(PartialEq, Eq)]
enum At {
    /// HTTP; the last bytes read.
    Http([u8; 4]),
    /// WebSocket, and frames are followed.
    Frames,
    /// WebSocket, but where its frames begin is not known.
    Lost,
}

impl Default for At {
    fn default() -> Self {
        Self::Http([0; 4])
    }
}

/// A client's frame, as its header says.
struct Header {
    is_whole_message: bool,
    is_final: bool,
    opcode: u8,
    mask: Option<[u8; 4]>,
    /// How a text begins, if it has that many bytes.
    beginning: Option<[u8; 2]>,
    /// Where the payload is.
    payload: Range<u64>,
}

impl Incoming {
    /// Whether bytes have to come through [`Incoming::run`]; else they are the library's, and [`Incoming::note`] is told of them.
    pub(crate) fn follows_frames(&mut self, is_websocket: bool) -> bool {
        if let At::Http(tail) = self.at
            && is_websocket
        {
            // A client that sends frames before it has read that it may is left to the library.
            self.at = if tail == *b"\r\n\r\n" { At::Frames } else { At::Lost };
        }
        self.at == At::Frames
    }

    /// Notes what the library has read.
    pub(crate) fn note(&mut self, bytes: &[u8]) {
        if let At::Http(tail) = &mut self.at {
            for &byte in &bytes[bytes.len().saturating_sub(tail.len())..] {
                tail.rotate_left(1);
                tail[3] = byte;
            }
        }
    }

    /// Takes in what came from the socket: inputs go down the drain, the rest waits for the library. Without a drain all of it does.
    pub(crate) fn run(&mut self, bytes: &[u8], drain: Option<&Drain>) {
        let push = &mut |input: &[u8]| drain.into_iter().for_each(|drain| drain.push(input));
        self.take(bytes, drain.map(|drain| drain.parser), push);
    }

    fn take(&mut self, bytes: &[u8], parser: Option<Parser>, push: &mut dyn FnMut(&[u8])) {
        if self.partial.is_empty() {
            return self.sort(bytes, parser, push);
        }
        let mut joined = std::mem::take(&mut self.partial);
        joined.extend_from_slice(bytes);
        self.sort(&joined, parser, push);
    }

    /// What has begun to come and is not whole.
    pub(crate) fn unfinished(&self) -> Option<Unfinished> {
        let Packet { number, bytes, .. } = self.packet;
        let is_whole = self.packet.is_whole() && self.pass_left == 0 && self.partial.is_empty();
        (!is_whole).then(|| Unfinished { number, received: bytes.saturating_sub(self.pass_left) })
    }

    /// Whether nothing waits for the library.
    pub(crate) fn is_drained(&self) -> bool {
        self.passed.is_empty()
    }

    /// Gives the library what is there for it; false if nothing is.
    pub(crate) fn give(&mut self, to: &mut ReadBuf<'_>) -> bool {
        let left = &self.passed[self.read..];
        let some = !left.is_empty();
        let count = left.len().min(to.remaining());
        to.put_slice(&left[..count]);
        self.read += count;
        if self.read == self.passed.len() {
            self.passed.clear();
            self.read = 0;
        }
        some
    }

    fn sort(&mut self, mut bytes: &[u8], parser: Option<Parser>, push: &mut dyn FnMut(&[u8])) {
        while !bytes.is_empty() {
            if self.pass_left > 0 {
                let count = bytes.len().min(usize::try_from(self.pass_left).unwrap_or(usize::MAX));
                self.passed.extend_from_slice(&bytes[..count]);
                self.pass_left -= count as u64;
                if self.pass_left == 0 {
                    self.packet.end_frame();
                }
                bytes = &bytes[count..];
                continue;
            }
            let Some(header) = Header::read(bytes) else { break };
            let Some(parser) = parser.filter(|_| header.may_be_input()) else {
                // A ping between an announcement and its input changes nothing.
                if !header.is_control() {
                    self.passed.append(&mut self.announced);
                }
                self.packet.add(&header);
                self.pass_left = header.payload.end;
                continue;
            };
            let Some(frame) = bytes.get(..header.payload.end as usize) else { break };
            self.packet.add(&header);
            self.packet.end_frame();
            let payload = header.unmask(frame);
            let is_input = match parser {
                Parser::MsgPack => self.tap_msgpack(header.opcode, &payload, push),
                Parser::Default => self.tap_default(header.opcode, &payload, frame, push),
            };
            if !is_input {
                self.passed.append(&mut self.announced);
                self.passed.extend_from_slice(frame);
            }
            bytes = &bytes[frame.len()..];
        }
        self.partial.extend_from_slice(bytes);
    }

    /// Takes one whole frame out if it is an input.
    fn tap_msgpack(&self, opcode: u8, payload: &[u8], push: &mut dyn FnMut(&[u8])) -> bool {
        let input = Parser::input_of_msgpack(payload).filter(|_| opcode == Header::BINARY);
        input.map(push).is_some()
    }

    /// Takes one whole frame out if it is an input or announces one.
    fn tap_default(&mut self, opcode: u8, payload: &[u8], frame: &[u8], push: &mut dyn FnMut(&[u8])) -> bool {
        match (opcode, self.announced.is_empty()) {
            (Header::BINARY, false) => {
                self.announced.clear();
                push(payload);
                true
            }
            (Header::TEXT, true) if payload == Parser::ANNOUNCED_INPUT => {
                self.announced.extend_from_slice(frame);
                true
            }
            _ => false,
        }
    }
}

impl Packet {
    /// The next frame belongs to it, unless it is a control frame, which may come in between.
    fn add(&mut self, header: &Header) {
        if header.is_control() {
            return;
        }
        self.is_fragmented = !header.is_final;
        self.bytes = self.bytes.saturating_add(header.payload.end - header.payload.start);
        match (header.opcode, header.beginning) {
            (Header::TEXT, Some([b'4', kind])) => self.lacks_attachment = matches!(kind, b'5' | b'6'),
            // Nobody cuts a packet so short, unless to hide what it is.
            (Header::TEXT, None) if self.is_fragmented => self.lacks_attachment = true,
            (Header::BINARY, _) => self.lacks_attachment = false,
            _ => {}
        }
    }

    /// The frame is all there.
    fn end_frame(&mut self) {
        if self.is_whole() {
            self.number = self.number.wrapping_add(1);
            self.bytes = 0;
        }
    }

    fn is_whole(&self) -> bool {
        !self.is_fragmented && !self.lacks_attachment
    }
}

impl Header {
    const TEXT: u8 = 1;
    const BINARY: u8 = 2;

    /// Reads the header of a frame, and how a text begins; `None` if they are not all there.
    fn read(bytes: &[u8]) -> Option<Self> {
        let (&[first, second], rest) = bytes.split_first_chunk()?;
        let (length, extended) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 2),
            127 => (u64::from_be_bytes(*rest.first_chunk()?), 8),
            length => (u64::from(length), 0),
        };
        let mask = if second & 0x80 != 0 { Some(*rest[extended..].first_chunk()?) } else { None };
        let start = 2 + extended + mask.map_or(0, |mask| mask.len());
        let opcode = first & 0x0f;
        let beginning = if opcode == Self::TEXT && length >= 2 {
            let [a, b, _, _] = mask.unwrap_or_default();
            let [one, two] = *bytes.get(start..)?.first_chunk()?;
            Some([one ^ a, two ^ b])
        } else {
            None
        };
        let start = start as u64;
        // RFC 6455: the final frame, no reserved bits.
        Some(Self {
            is_whole_message: first & 0xf0 == 0x80,
            is_final: first & 0x80 != 0,
            opcode,
            mask,
            beginning,
            payload: start..start.saturating_add(length),
        })
    }

    fn is_control(&self) -> bool {
        self.opcode & 0x8 != 0
    }

    /// Whether the frame may be an input, or announce one.
    fn may_be_input(&self) -> bool {
        self.is_whole_message
            && self.mask.is_some()
            && matches!(self.opcode, Self::TEXT | Self::BINARY)
            && self.payload.end - self.payload.start <= CANDIDATE_BYTES as u64
    }

    fn unmask(&self, frame: &[u8]) -> SmallVec<[u8; TYPICAL_BYTES]> {
        let masked = &frame[self.payload.start as usize..];
        let mask = self.mask.unwrap_or_default();
        let [a, b, c, d] = mask;
        let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
        let mut payload = SmallVec::new();
        let (words, rest) = masked.as_chunks();
        words.iter().for_each(|word| payload.extend_from_slice(&(u64::from_ne_bytes(*word) ^ wide).to_ne_bytes()));
        payload.extend(rest.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        payload
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    /// A client's frame.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..=125 => bytes.push(0x80 | length as u8),
            length => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(length as u16).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&MASK);
        bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    }

    fn msgpack_input(input: &[u8]) -> Vec<u8> {
        let mut packet = Parser::MsgPack.event_prefix("i");
        packet.extend_from_slice(&[0xc4, input.len() as u8]);
        packet.extend_from_slice(input);
        frame(0x82, &packet)
    }

    fn default_input(input: &[u8]) -> Vec<u8> {
        [frame(0x81, Parser::ANNOUNCED_INPUT), frame(0x82, input)].concat()
    }

    /// Frames that are none of the tap's business.
    fn others() -> Vec<Vec<u8>> {
        vec![
            frame(0x81, b"3"),
            frame(0x89, b"ping"),
            frame(0x82, &[9; 100]),
            frame(0x82, &[9; 1000]),
            frame(0x81, br#"42/gameplay,["t"]"#),
            frame(0x81, br#"451-/lobby,["i",{"_placeholder":true,"num":0}]"#),
            // With an acknowledgement, from another namespace, in two fragments.
            frame(0x82, b"\x84\xa4type\x02\xa3nsp\xa9/gameplay\xa4data\x92\xa1i\xc4\x01\x00\xa2id\x01"),
            frame(0x82, b"\x83\xa4type\x02\xa3nsp\xa6/lobby\xa4data\x92\xa1i\xc4\x01\x00"),
            [frame(0x02, b"\x83\xa4type"), frame(0x80, b"\x02")].concat(),
        ]
    }

    /// What is tapped and what the library gets, the stream being cut into these lengths.
    fn run(parser: Option<Parser>, stream: &[u8], cuts: &[usize]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let (mut incoming, mut inputs, mut passed) = (Incoming::default(), Vec::new(), Vec::new());
        let (mut rest, mut cuts) = (stream, cuts.iter().cycle());
        while !rest.is_empty() {
            let now = rest.split_off(..rest.len().min(*cuts.next().unwrap())).unwrap();
            incoming.take(now, parser, &mut |input| inputs.push(input.to_vec()));
            let mut room = [0; 64];
            loop {
                let mut to = ReadBuf::new(&mut room);
                if !incoming.give(&mut to) {
                    break;
                }
                passed.extend_from_slice(to.filled());
            }
        }
        (inputs, passed)
    }

    #[test]
    fn the_javascript_clients_packet_is_an_input() {
        let packet = b"\x84\xa4type\x02\xa4data\x92\xa1i\xc4\x02\x91\x07\xa7options\x81\xa8compress\xc3\xa3nsp\xa9/gameplay";
        assert_eq!(Parser::input_of_msgpack(packet), Some(&[0x91, 7][..]));
        for cut in 0..packet.len() {
            assert_eq!(Parser::input_of_msgpack(&packet[..cut]), None);
        }
    }

    #[test]
    fn a_packet_is_unfinished_until_its_last_byte_has_come() {
        let packets = [
            frame(0x81, b"3"),
            frame(0x89, b"ping"),
            frame(0x82, &[9; 100]),
            frame(0x82, &[9; 1000]),
            frame(0x81, br#"42/lobby,["games"]"#),
            [frame(0x01, b"42/lobby,"), frame(0x89, b""), frame(0x00, b""), frame(0x80, b"[]")].concat(),
            [frame(0x81, b"451-[]"), frame(0x81, b"3"), frame(0x89, b""), frame(0x82, &[9; 600])].concat(),
            [frame(0x81, b"461-[]"), frame(0x02, b""), frame(0x80, &[9; 20])].concat(),
            [frame(0x01, b"4"), frame(0x80, b"51-[]"), frame(0x82, b"")].concat(),
            default_input(b"12"),
        ];
        for parser in [None, Some(Parser::Default)] {
            let mut incoming = Incoming::default();
            for packet in &packets {
                let number = incoming.packet.number;
                for (at, byte) in packet.iter().enumerate() {
                    assert_eq!(incoming.unfinished().is_some(), at > 0, "{at} of {packet:?}");
                    assert_eq!(incoming.packet.number, number, "{at} of {packet:?}");
                    incoming.take(&[*byte], parser, &mut |_| {});
                }
                assert_eq!(incoming.unfinished(), None, "{packet:?}");
                assert_eq!(incoming.packet.number, number + 1, "{packet:?}");
            }
        }
    }

    #[test]
    fn what_came_of_a_long_packet_is_known() {
        let mut incoming = Incoming::default();
        let received = |incoming: &Incoming| incoming.unfinished().unwrap().received;
        let whole = frame(0x82, &[9; 10_000]);
        incoming.take(&whole[..4_008], None, &mut |_| {});
        assert_eq!(received(&incoming), 4_000);
        incoming.take(&[&whole[4_008..], &frame(0x01, &[b'a'; 700]), &frame(0, b"").repeat(100)].concat(), None, &mut |_| {});
        assert_eq!(received(&incoming), 700, "frames without content bring nothing");
        incoming.take(&frame(0x89, &[0; 100]).repeat(100), None, &mut |_| {});
        assert_eq!(received(&incoming), 700, "nor do pings");
    }

    #[test]
    fn an_announcement_without_its_input_goes_to_the_library() {
        let announcement = frame(0x81, Parser::ANNOUNCED_INPUT);
        for next in [frame(0x81, b"3"), frame(0x82, &[0; 1000]), announcement.clone()] {
            let stream = [announcement.clone(), next].concat();
            assert_eq!(run(Some(Parser::Default), &stream, &[7]), (vec![], stream));
        }
    }

    proptest! {
        #[test]
        fn inputs_leave_and_the_rest_stays_as_it_was(
            frames in vec(prop_oneof![select(others()).prop_map(Err), vec(any::<u8>(), 0..40).prop_map(Ok)], 1..20),
            cuts in vec(1..200usize, 1..30),
            msgpack: bool,
        ) {
            let parser = if msgpack { Parser::MsgPack } else { Parser::Default };
            let encode = |input: &Vec<u8>| if msgpack { msgpack_input(input) } else { default_input(input) };
            let stream: Vec<u8> = frames.iter().flat_map(|frame| frame.as_ref().map_or_else(Clone::clone, encode)).collect();
            let inputs: Vec<Vec<u8>> = frames.iter().filter_map(|frame| frame.clone().ok()).collect();
            let others: Vec<u8> = frames.iter().filter_map(|frame| frame.clone().err()).flatten().collect();
            prop_assert_eq!(run(Some(parser), &stream, &cuts), (inputs, others));
            prop_assert_eq!(run(None, &stream, &cuts), (vec![], stream));
        }

        #[test]
        fn no_bytes_are_lost_and_none_panic(bytes in vec(any::<u8>(), 0..400), cuts in vec(1..50usize, 1..10)) {
            let (_, passed) = run(Some(Parser::MsgPack), &bytes, &cuts);
            prop_assert!(passed.len() <= bytes.len());
        }
    }
}
