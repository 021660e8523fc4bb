//! Follows a client's WebSocket frames on their way to the library, writes the names of events out, and lets clients leave namespaces
//! that they enter again.

use std::sync::Arc;

use crate::{
    net::{
        engine::{
            inside::{Inside, Way},
            names::{is_event, without_escapes},
        },
        limits::NetLimits,
        transport::websocket::{ClientHeader, Opcode, write_client},
    },
    observe::{self, DropReason},
};

/// How a text begins that enters a namespace, and one that leaves it.
const CONNECT: [u8; 2] = *b"40";
const DISCONNECT: [u8; 2] = *b"41";

/// How acknowledgements begin.
const ACKS: [[u8; 2]; 2] = [*b"43", *b"46"];

/// The packet of Engine.IO that closes a session.
const CLOSE: u8 = b'1';

/// The space on the stack for a payload.
const TYPICAL_BYTES: usize = 256;

/// Follows the frames of one client. Frames that need no change stay as they are.
#[derive(Default)]
pub(crate) struct Frames {
    /// The parser is the default one, whose packets are text. Otherwise packets are binary.
    is_text: bool,
    inside: Arc<Inside>,
    /// The longest message that may be changed. The library refuses longer ones.
    max_bytes: usize,
    /// The most attachments of an event. The library ends a connection that sends more.
    max_attachments: usize,
    /// The bytes still to come of a frame that stays as it is.
    pass_left: u64,
    /// The start of a frame that is not whole, or all frames from one that waits.
    held: Vec<u8>,
    /// A frame waits until the library has done something.
    waits: bool,
    /// A frame has waited too long.
    has_failed: bool,
    /// The fragments of an event so far.
    fragments: Option<Vec<u8>>,
    /// Whether the client has said that it closes the connection.
    has_left: bool,
}

impl Frames {
    pub(crate) fn new(is_text: bool, inside: Arc<Inside>, limits: &NetLimits) -> Self {
        let (max_bytes, max_attachments) = (limits.message_bytes, limits.attachments);
        Self { is_text, inside, max_bytes, max_attachments, ..Self::default() }
    }

    /// Returns the session's namespaces.
    pub(crate) fn inside(&self) -> &Inside {
        &self.inside
    }

    /// Returns whether the client has said that it closes the connection.
    pub(crate) fn has_left(&self) -> bool {
        self.has_left
    }

    /// Returns whether frames wait that came whole. [`Frames::take`] finds out whether they may go on now, also without new bytes.
    pub(crate) fn waits(&self) -> bool {
        self.waits
    }

    /// Returns whether the connection has to end, because a frame has waited too long.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Takes the next bytes. Returns what the library is to get in their place, or `None` if they stay as they are.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.held.is_empty() {
            return self.follow(bytes);
        }
        let mut joined = std::mem::take(&mut self.held);
        joined.extend_from_slice(bytes);
        Some(self.follow(&joined).unwrap_or(joined))
    }

    fn follow(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        // The frames so far, from the first change on.
        let mut changed: Option<Vec<u8>> = None;
        let mut at = 0;
        self.waits = false;
        while at < bytes.len() {
            let rest = &bytes[at..];
            self.waits |= self.pass_left == 0 && self.inside.is_entering();
            if self.waits {
                changed.get_or_insert_with(|| bytes[..at].to_vec());
                self.held = rest.to_vec();
                break;
            }
            if self.pass_left > 0 {
                let count = rest.len().min(usize::try_from(self.pass_left).unwrap_or(usize::MAX));
                if let Some(changed) = &mut changed {
                    changed.extend_from_slice(&rest[..count]);
                }
                self.pass_left -= count as u64;
                at += count;
                continue;
            }
            let Some(header) = ClientHeader::read(rest) else {
                changed.get_or_insert_with(|| bytes[..at].to_vec());
                self.held = rest.to_vec();
                break;
            };
            if self.is_text && usize::from(header.attachments) > self.max_attachments {
                observe::dropped(DropReason::Protocol);
            }
            self.has_left |= header.is_close() || is_close_packet(&header, rest);
            if !self.may_change(&header) {
                if let Some(fragments) = self.fragments.take_if(|_| !header.is_control()) {
                    // The message is too long or against the rules. The library says so.
                    push_fragments(changed.get_or_insert_with(|| bytes[..at].to_vec()), &fragments);
                }
                self.pass_left = header.payload.end;
                continue;
            }
            let Some(frame) = rest.get(..header.payload.end as usize) else {
                changed.get_or_insert_with(|| bytes[..at].to_vec());
                self.held = rest.to_vec();
                break;
            };
            match self.change(&header, frame) {
                Change::None => {
                    if let Some(changed) = &mut changed {
                        changed.extend_from_slice(frame);
                    }
                }
                Change::To(new) => changed.get_or_insert_with(|| bytes[..at].to_vec()).extend_from_slice(&new),
                Change::Wait(before) => {
                    changed.get_or_insert_with(|| bytes[..at].to_vec()).extend_from_slice(&before);
                    self.waits = true;
                    continue;
                }
            }
            at += frame.len();
        }
        changed
    }

    /// Returns whether a frame must be seen whole, because it is, or belongs to, an event, or may enter or leave a namespace.
    fn may_change(&self, header: &ClientHeader) -> bool {
        let so_far = self.fragments.as_ref().map_or(0, Vec::len) as u64;
        if !header.is_valid() || header.is_control() || header.payload_length() + so_far > self.max_bytes as u64 {
            return false;
        }
        match (&self.fragments, header.opcode()) {
            (None, Some(Opcode::Binary)) => !self.is_text && header.is_final(),
            _ if !self.is_text => false,
            (Some(_), None) => true,
            (None, Some(Opcode::Text)) => header.text_start.map_or(!header.is_final(), |start| {
                // A client's library sends these packets in one frame.
                is_event(start) || ((matches!(start, CONNECT | DISCONNECT) || ACKS.contains(&start)) && header.is_final())
            }),
            _ => false,
        }
    }

    fn change(&mut self, header: &ClientHeader, frame: &[u8]) -> Change {
        let payload = header.unmask::<TYPICAL_BYTES>(frame);
        let message = match (&mut self.fragments, header.is_final()) {
            (None, true) => {
                return match self.way(&payload) {
                    Way::After(left) => Change::Wait(left),
                    Way::Wait => Change::Wait(Vec::new()),
                    Way::Never => {
                        self.has_failed = true;
                        Change::Wait(Vec::new())
                    }
                    Way::Free if !self.is_text => Change::None,
                    Way::Free => written_out(&payload).map_or(Change::None, |text| Change::To(text_frame(text.as_bytes()))),
                };
            }
            (None, false) => {
                self.fragments = Some(payload.to_vec());
                return Change::To(Vec::new());
            }
            (Some(fragments), is_final) => {
                fragments.extend_from_slice(&payload);
                if !is_final {
                    return Change::To(Vec::new());
                }
                self.fragments.take().unwrap_or_default()
            }
        };
        Change::To(written_out(&message).map_or_else(|| text_frame(&message), |text| text_frame(text.as_bytes())))
    }
}

impl Frames {
    /// Returns the way of a packet, with the frame that goes first.
    fn way(&self, packet: &[u8]) -> Way<Vec<u8>> {
        let mut frame = Vec::new();
        if self.is_text {
            self.inside.way_of_text(packet).with(|left| {
                write_client(&mut frame, Opcode::Text, left.as_bytes());
                frame
            })
        } else {
            self.inside.way_of_msgpack(packet).with(|left| {
                write_client(&mut frame, Opcode::Binary, &left);
                frame
            })
        }
    }
}

/// Returns whether a frame is the packet with which a client closes its session.
fn is_close_packet(header: &ClientHeader, frame: &[u8]) -> bool {
    let payload = frame.get(header.payload.start as usize);
    header.opcode() == Some(Opcode::Text)
        && header.payload_length() == 1
        && payload.is_some_and(|byte| byte ^ header.mask()[0] == CLOSE)
}

/// The way that a whole frame takes.
enum Change {
    None,
    /// Goes on as these frames.
    To(Vec<u8>),
    /// Waits, and these frames go first.
    Wait(Vec<u8>),
}

fn written_out(message: &[u8]) -> Option<String> {
    // Text without a backslash has no escapes.
    if !message.contains(&b'\\') {
        return None;
    }
    without_escapes(std::str::from_utf8(message).ok()?)
}

fn text_frame(message: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(message.len() + 14);
    write_client(&mut frame, Opcode::Text, message);
    frame
}

/// Appends the fragments of a message as its first fragment.
fn push_fragments(to: &mut Vec<u8>, fragments: &[u8]) {
    const FINAL: u8 = 0x80;
    let start = to.len();
    write_client(to, Opcode::Text, fragments);
    to[start] &= !FINAL;
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;
    use crate::net::transport::websocket::tests::client_frame as frame;

    const ESCAPED: &str = r#"42/shop,["gr\u00f6\u00dfe",1]"#;
    const PLAIN: &str = r#"42/shop,["größe",1]"#;

    fn limits() -> NetLimits {
        NetLimits { message_bytes: 1000, ..NetLimits::default() }
    }

    /// Returns the bytes that the library gets when a stream comes in pieces.
    fn run(stream: &[u8], cuts: &[usize]) -> Vec<u8> {
        let (mut frames, mut got, mut rest) = (Frames::new(true, Arc::default(), &limits()), Vec::new(), stream);
        for cut in cuts.iter().cycle() {
            let Some(piece) = rest.split_off(..rest.len().min(*cut)).filter(|piece| !piece.is_empty()) else { return got };
            got.extend(frames.take(piece).unwrap_or_else(|| piece.to_vec()));
        }
        got
    }

    #[test]
    fn an_event_with_an_escaped_name_is_written_out_wherever_the_stream_is_cut() {
        let others = [frame(0x81, b"3"), frame(0x82, &[7; 300]), frame(0x81, br#"42["a","\u0061"]"#)].concat();
        let stream = [&others[..], &frame(0x81, ESCAPED.as_bytes()), &others].concat();
        let expected = [&others[..], &text_frame(PLAIN.as_bytes()), &others].concat();
        for cut in 1..=stream.len() {
            assert_eq!(run(&stream, &[cut]), expected, "pieces of {cut}");
        }
    }

    #[test]
    fn fragments_of_an_event_are_put_together() {
        let (ping, text) = (frame(0x89, b"ping"), ESCAPED.as_bytes());
        for cut in 0..text.len() {
            let stream = [frame(0x01, &text[..cut]), ping.clone(), frame(0x00, b""), frame(0x80, &text[cut..])].concat();
            let got = run(&stream, &[5]);
            assert!(got.starts_with(&ping), "cut at {cut}: a ping does not wait");
            assert_eq!(got[ping.len()..], text_frame(PLAIN.as_bytes()), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_too_long_or_against_the_rules_goes_on_unchanged() {
        let long = frame(0x81, &[b"42[\"\\u0061".as_slice(), &[b'x'; 1000]].concat());
        assert_eq!(run(&long, &[100]), long);
        for stream in
            [frame(0xc1, ESCAPED.as_bytes()), frame(0x81, b"42[\"\\u0061\xff\"]"), frame(0x80, b"42"), frame(0x83, b"42")]
        {
            assert_eq!(run(&stream, &[3]), stream);
        }
        let endless = [frame(0x01, b"42[\"\\u0061"), frame(0x00, &[b'x'; 900]), frame(0x00, &[b'x'; 900])].concat();
        let got = run(&endless, &[50]);
        assert_eq!(got[0], 0x01, "the first fragment of a message");
        assert!(got.ends_with(&frame(0x00, &[b'x'; 900])));
    }

    proptest! {
        #[test]
        fn all_but_escaped_names_is_unchanged(
            frames in vec(select(vec![
                frame(0x81, b"3"), frame(0x81, b""), frame(0x82, &[9; 200]), frame(0x89, b"x"), frame(0x81, b"42[\"a\",\"\\\\\"]"),
                frame(0x81, b"451-[\"i\",{}]"), frame(0x82, b""),
            ]), 1..20),
            cuts in vec(1..100usize, 1..10),
        ) {
            let stream = frames.concat();
            prop_assert_eq!(run(&stream, &cuts), stream);
        }

        #[test]
        fn no_bytes_panic(bytes in vec(any::<u8>(), 0..400), cuts in vec(1..50usize, 1..10)) {
            run(&bytes, &cuts);
        }
    }
}
