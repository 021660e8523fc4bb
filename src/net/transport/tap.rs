//! The tap takes inputs out of a connection's stream before socketioxide sees them.
//!
//! Nearly everything that clients send is inputs. Each would go through a WebSocket library, a packet parser and three look-ups
//! to reach its room. So the stream under a WebSocket follows the client's frames, and once the connection has a seat, it hands
//! event `i` of `/gameplay` straight to that seat. Everything else goes on to the library unchanged, and so does any input that
//! is unusual in its form.

use tokio::io::ReadBuf;

use crate::{
    host::Inlet,
    net::transport::{
        packet::Parser,
        rules::Rules,
        websocket::{ClientHeader, CloseCode, END_OF_HEAD, Opcode},
    },
    observe::{self, DropReason},
};

/// The longest payload that may be an input. Longer frames go to the library, and are not held until they are whole.
pub(super) const CANDIDATE_BYTES: u64 = 512;

/// The space on the stack for a payload. Most inputs with their packet around them are shorter.
const TYPICAL_BYTES: usize = 128;

/// The destination of the inputs of a connection that has, or had, a seat.
pub(crate) struct Drain {
    pub(crate) parser: Parser,
    /// `None` once the seat is given up. Inputs that arrive later are counted and discarded: the library would end the whole
    /// connection for them.
    pub(crate) seat: Option<Inlet>,
}

/// A packet of which some bytes have come, but not all: a frame, a message in fragments, or an event without its attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfinished {
    /// The number of packets that were complete before it. Wraps after 2^32.
    pub(crate) number: u32,
    /// The bytes of its payload that have come.
    pub(crate) received: u64,
}

impl Drain {
    fn push(&self, input: &[u8]) {
        match &self.seat {
            Some(seat) => seat.push(input),
            None => observe::dropped(DropReason::NotSeated),
        }
    }
}

/// The most bytes that the library gets at once. It handles them before it reads again, so they are few.
const GIVE_BYTES: usize = 256;

/// Follows the frames of a client, and keeps the library's part of the stream until the library reads it.
pub(crate) struct Incoming {
    at: At,
    rules: Rules,
    /// The frames that have come since they were last counted.
    frames: u32,
    /// The library's bytes; those before `read` have been read.
    passed: Vec<u8>,
    read: usize,
    /// The start of a frame that may be an input.
    partial: Vec<u8>,
    /// A whole frame that announces an input in the next frame.
    announced: Vec<u8>,
    /// The bytes still to come of a frame that goes to the library.
    pass_left: u64,
    packet: Packet,
}

/// The packet to which the current frames belong.
#[derive(Default)]
struct Packet {
    /// The number of packets that were complete before it. Wraps after 2^32.
    number: u32,
    /// The bytes of payload that its frames have announced so far.
    bytes: u64,
    /// Whether the message has further fragments.
    is_fragmented: bool,
    /// The binary messages that a message has announced and that have not come.
    attachments_left: u8,
}

#[derive(PartialEq, Eq)]
enum At {
    /// HTTP, with the last bytes that were read.
    Http([u8; 4]),
    /// WebSocket, and its frames are followed.
    Frames,
}

impl Incoming {
    pub(crate) fn new(message_bytes: usize) -> Self {
        Self {
            at: At::Http([0; 4]),
            rules: Rules::new(message_bytes),
            frames: 0,
            passed: Vec::new(),
            read: 0,
            partial: Vec::new(),
            announced: Vec::new(),
            pass_left: 0,
            packet: Packet::default(),
        }
    }

    /// Returns whether bytes must come through [`Incoming::run`]. Otherwise they go to the library, and [`Incoming::note`] is
    /// told of them.
    ///
    /// # Errors
    /// The client has sent frames before it read the answer to its handshake, which breaks the protocol.
    pub(crate) fn follows_frames(&mut self, is_websocket: bool) -> Result<bool, CloseCode> {
        if let At::Http(tail) = self.at
            && is_websocket
        {
            self.at = At::Frames;
            if tail != *END_OF_HEAD {
                return Err(CloseCode::Protocol);
            }
        }
        Ok(self.at == At::Frames)
    }

    /// Notes bytes that the library has read.
    pub(crate) fn note(&mut self, bytes: &[u8]) {
        if let At::Http(tail) = &mut self.at {
            for &byte in &bytes[bytes.len().saturating_sub(tail.len())..] {
                tail.rotate_left(1);
                tail[3] = byte;
            }
        }
    }

    /// Takes in bytes from the socket. Inputs go down the drain, and the rest waits for the library. Without a drain, everything
    /// waits for the library.
    ///
    /// # Errors
    /// The client broke a rule. What came before that is taken in.
    pub(crate) fn run(&mut self, bytes: &[u8], drain: Option<&Drain>) -> Result<(), CloseCode> {
        let push = &mut |input: &[u8]| drain.into_iter().for_each(|drain| drain.push(input));
        self.take(bytes, drain.map(|drain| drain.parser), push)
    }

    /// Returns how many frames have come since this was last asked.
    pub(crate) fn take_frames(&mut self) -> u32 {
        std::mem::take(&mut self.frames)
    }

    pub(super) fn take(&mut self, bytes: &[u8], parser: Option<Parser>, push: &mut dyn FnMut(&[u8])) -> Result<(), CloseCode> {
        if self.partial.is_empty() {
            return self.sort(bytes, parser, push);
        }
        let mut joined = std::mem::take(&mut self.partial);
        joined.extend_from_slice(bytes);
        self.sort(&joined, parser, push)
    }

    /// Returns the packet that has begun and is not whole, if there is one.
    pub(crate) fn unfinished(&self) -> Option<Unfinished> {
        let Packet { number, bytes, .. } = self.packet;
        let is_whole = self.packet.is_whole() && self.pass_left == 0 && self.partial.is_empty();
        (!is_whole).then(|| Unfinished { number, received: bytes.saturating_sub(self.pass_left) })
    }

    /// Returns whether nothing waits for the library.
    pub(crate) fn is_drained(&self) -> bool {
        self.passed.is_empty()
    }

    /// Gives the library the next of its bytes. Returns false if there are none.
    pub(crate) fn give(&mut self, to: &mut ReadBuf<'_>) -> bool {
        let left = &self.passed[self.read..];
        let some = !left.is_empty();
        let count = left.len().min(to.remaining()).min(GIVE_BYTES);
        to.put_slice(&left[..count]);
        self.read += count;
        if self.read == self.passed.len() {
            // A client that is silent from now on need not cost memory.
            (self.read, self.passed) = (0, Vec::new());
        }
        some
    }

    fn sort(&mut self, mut bytes: &[u8], parser: Option<Parser>, push: &mut dyn FnMut(&[u8])) -> Result<(), CloseCode> {
        while !bytes.is_empty() {
            if self.pass_left > 0 {
                let count = bytes.len().min(usize::try_from(self.pass_left).unwrap_or(usize::MAX));
                let payload = bytes.split_off(..count).unwrap_or_default();
                self.rules.take_payload(payload)?;
                self.passed.extend_from_slice(payload);
                self.pass_left -= count as u64;
                if self.pass_left == 0 {
                    self.end_frame()?;
                }
                continue;
            }
            let Some(header) = ClientHeader::read(bytes) else { break };
            let opcode = header.opcode().filter(|_| header.is_plain() && header.payload_length() <= CANDIDATE_BYTES);
            let Some((parser, opcode)) = parser.zip(opcode) else {
                self.begin_frame(&header)?;
                // A ping between an announcement and its input changes nothing.
                if !header.is_control() {
                    self.passed.append(&mut self.announced);
                }
                self.passed.extend(bytes.split_off(..header.payload.start as usize).unwrap_or_default());
                self.pass_left = header.payload_length();
                if self.pass_left == 0 {
                    self.end_frame()?;
                }
                continue;
            };
            let Some(frame) = bytes.get(..header.payload.end as usize) else { break };
            self.begin_frame(&header)?;
            let payload = header.unmask::<TYPICAL_BYTES>(frame);
            let is_input = match parser {
                Parser::MsgPack => self.tap_msgpack(opcode, &payload, push),
                Parser::Default => self.tap_default(opcode, &payload, frame, push),
            };
            if !is_input {
                self.rules.take_plain(&payload)?;
                self.passed.append(&mut self.announced);
                self.passed.extend_from_slice(frame);
            }
            self.end_frame()?;
            bytes = &bytes[frame.len()..];
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }

    fn begin_frame(&mut self, header: &ClientHeader) -> Result<(), CloseCode> {
        self.frames += 1;
        self.rules.begin_frame(header)?;
        self.packet.add(header);
        Ok(())
    }

    fn end_frame(&mut self) -> Result<(), CloseCode> {
        self.packet.end_frame();
        self.rules.end_frame()
    }

    /// Takes one whole frame out if it is an input.
    fn tap_msgpack(&self, opcode: Opcode, payload: &[u8], push: &mut dyn FnMut(&[u8])) -> bool {
        let input = Parser::input_of_msgpack(payload).filter(|_| opcode == Opcode::Binary);
        input.map(push).is_some()
    }

    /// Takes one whole frame out if it is an input or announces one.
    fn tap_default(&mut self, opcode: Opcode, payload: &[u8], frame: &[u8], push: &mut dyn FnMut(&[u8])) -> bool {
        match (opcode, self.announced.is_empty()) {
            (Opcode::Binary, false) => {
                self.announced.clear();
                push(payload);
                true
            }
            (Opcode::Text, true) if payload == Parser::ANNOUNCED_INPUT => {
                self.announced.extend_from_slice(frame);
                true
            }
            _ => false,
        }
    }
}

impl Packet {
    /// Adds the next frame. Control frames may come in between, and do not belong to the packet.
    fn add(&mut self, header: &ClientHeader) {
        if header.is_control() {
            return;
        }
        self.is_fragmented = !header.is_final();
        self.bytes = self.bytes.saturating_add(header.payload_length());
        match (header.opcode(), header.text_start) {
            (Some(Opcode::Text), Some([b'4', _])) => self.attachments_left = header.attachments,
            // A first fragment of one byte hides the kind of its packet. No honest client sends one.
            (Some(Opcode::Text), None) if self.is_fragmented => self.attachments_left = 1,
            (Some(Opcode::Binary), _) => self.attachments_left = self.attachments_left.saturating_sub(1),
            _ => {}
        }
    }

    /// Notes that the last byte of a frame has come.
    fn end_frame(&mut self) {
        if self.is_whole() {
            self.number = self.number.wrapping_add(1);
            self.bytes = 0;
        }
    }

    fn is_whole(&self) -> bool {
        !self.is_fragmented && self.attachments_left == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;
    use crate::net::transport::websocket::tests::client_frame as frame;

    const MESSAGE_BYTES: usize = 16 * 1024;

    fn msgpack_input(input: &[u8]) -> Vec<u8> {
        let mut packet = Parser::MsgPack.event_prefix("i");
        packet.extend_from_slice(&[0xc4, input.len() as u8]);
        packet.extend_from_slice(input);
        frame(0x82, &packet)
    }

    fn default_input(input: &[u8]) -> Vec<u8> {
        [frame(0x81, Parser::ANNOUNCED_INPUT), frame(0x82, input)].concat()
    }

    /// Frames that the tap must leave alone.
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

    /// Cuts a stream into pieces of these lengths. Returns the inputs and the library's bytes.
    fn run(parser: Option<Parser>, stream: &[u8], cuts: &[usize]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let (mut incoming, mut inputs, mut passed) = (Incoming::new(MESSAGE_BYTES), Vec::new(), Vec::new());
        let (mut rest, mut cuts) = (stream, cuts.iter().cycle());
        while !rest.is_empty() {
            let now = rest.split_off(..rest.len().min(*cuts.next().unwrap())).unwrap();
            // A broken rule closes the connection: the rest of the stream is not read.
            let broken = incoming.take(now, parser, &mut |input| inputs.push(input.to_vec())).is_err();
            let mut room = [0; 64];
            loop {
                let mut to = ReadBuf::new(&mut room);
                if !incoming.give(&mut to) {
                    break;
                }
                passed.extend_from_slice(to.filled());
            }
            if broken {
                break;
            }
        }
        (inputs, passed)
    }

    #[test]
    fn a_packet_of_the_javascript_client_is_an_input() {
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
            [frame(0x81, b"4510-[]"), frame(0x82, b"").repeat(4), frame(0x81, b"3"), frame(0x82, &[9; 20]).repeat(6)].concat(),
            [frame(0x81, b"461-[]"), frame(0x02, b""), frame(0x80, &[9; 20])].concat(),
            [frame(0x01, b"4"), frame(0x80, b"51-[]"), frame(0x82, b"")].concat(),
            default_input(b"12"),
        ];
        for parser in [None, Some(Parser::Default)] {
            let mut incoming = Incoming::new(MESSAGE_BYTES);
            for packet in &packets {
                let number = incoming.packet.number;
                for (at, byte) in packet.iter().enumerate() {
                    assert_eq!(incoming.unfinished().is_some(), at > 0, "{at} of {packet:?}");
                    assert_eq!(incoming.packet.number, number, "{at} of {packet:?}");
                    incoming.take(&[*byte], parser, &mut |_| {}).unwrap();
                }
                assert_eq!(incoming.unfinished(), None, "{packet:?}");
                assert_eq!(incoming.packet.number, number + 1, "{packet:?}");
            }
        }
    }

    #[test]
    fn the_received_part_of_a_long_packet_is_known() {
        let mut incoming = Incoming::new(MESSAGE_BYTES);
        let received = |incoming: &Incoming| incoming.unfinished().unwrap().received;
        let whole = frame(0x82, &[9; 10_000]);
        incoming.take(&whole[..4_008], None, &mut |_| {}).unwrap();
        assert_eq!(received(&incoming), 4_000);
        let fragments = [&whole[4_008..], &frame(0x01, &[b'a'; 700]), &frame(0, b"").repeat(100)].concat();
        incoming.take(&fragments, None, &mut |_| {}).unwrap();
        assert_eq!(received(&incoming), 700, "empty frames add nothing");
        incoming.take(&frame(0x89, &[0; 100]).repeat(100), None, &mut |_| {}).unwrap();
        assert_eq!(received(&incoming), 700, "pings add nothing");
    }

    #[test]
    fn an_announcement_without_an_input_goes_to_the_library() {
        let announcement = frame(0x81, Parser::ANNOUNCED_INPUT);
        for next in [frame(0x81, b"3"), frame(0x82, &[0; 1000]), announcement.clone()] {
            let stream = [announcement.clone(), next].concat();
            assert_eq!(run(Some(Parser::Default), &stream, &[7]), (vec![], stream));
        }
    }

    proptest! {
        #[test]
        fn inputs_are_taken_out_and_the_rest_is_unchanged(
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
