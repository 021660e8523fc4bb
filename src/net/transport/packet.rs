//! Writes Socket.IO events of `/gameplay` as whole WebSocket frames, for both parsers:
//!
//! ```text
//! default   text    42/gameplay,["seats",[...]]
//!           text    451-/gameplay,["s",{"_placeholder":true,"num":0}]   followed by   binary   the attachment
//! msgpack   binary  {type: 2, nsp: "/gameplay", data: ["s", binary]}
//! ```

use bytes::Bytes;
use rmp::{decode, encode};
use serde::Serialize;

use crate::{
    net::transport::websocket::{MAX_SERVER_HEADER, Opcode, write_server_header},
    protocol::{Blocks, Frame},
};

const NAMESPACE: &str = "/gameplay";

/// The Socket.IO parser that a client uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parser {
    Default,
    MsgPack,
}

impl Parser {
    /// Returns the parser of the endpoint with this path.
    pub(crate) fn of_path(path: &str) -> Self {
        if path.starts_with("/socket.io-msgpack") { Self::MsgPack } else { Self::Default }
    }

    /// Returns the start of the payload of an event's frame.
    pub(crate) fn event_prefix(self, event: &str) -> Vec<u8> {
        match self {
            Self::Default => format!("42{NAMESPACE},[\"{event}\"").into_bytes(),
            Self::MsgPack => {
                let mut prefix = Vec::new();
                open_msgpack(&mut prefix, event);
                prefix
            }
        }
    }

    /// Returns the start of the payload of the frame that tells a client that it has entered `/gameplay`.
    pub(crate) fn connect_prefix(self) -> Vec<u8> {
        match self {
            Self::Default => format!("40{NAMESPACE},").into_bytes(),
            Self::MsgPack => {
                let mut prefix = Vec::new();
                open_packet(&mut prefix, CONNECT).expect(FITS);
                prefix
            }
        }
    }

    /// The text that announces an input with the default parser. The input itself is the binary message behind it.
    pub(crate) const ANNOUNCED_INPUT: &'static [u8] = br#"451-/gameplay,["i",{"_placeholder":true,"num":0}]"#;

    /// Returns the input in a packet of the msgpack parser: event `i` of `/gameplay` with one binary argument and without an
    /// acknowledgement.
    pub(crate) fn input_of_msgpack(packet: &[u8]) -> Option<&[u8]> {
        USUAL_INPUTS.iter().find_map(|around| around.inside(packet)).or_else(|| Self::input_of_any_msgpack(packet))
    }

    /// Does the same for any order of the packet's fields.
    fn input_of_any_msgpack(mut packet: &[u8]) -> Option<&[u8]> {
        let (mut is_event, mut is_gameplay, mut input) = (false, false, None);
        for _ in 0..decode::read_map_len(&mut packet).ok()? {
            match read_str(&mut packet)? {
                b"type" => is_event = decode::read_pfix(&mut packet).ok()? == EVENT,
                b"nsp" => is_gameplay = read_str(&mut packet)? == NAMESPACE.as_bytes(),
                b"data" if decode::read_array_len(&mut packet).ok()? == 2 && read_str(&mut packet)? == b"i" => {
                    let length = decode::read_bin_len(&mut packet).ok()?;
                    input = Some(split_off(&mut packet, length)?);
                }
                b"id" => decode::read_nil(&mut packet).ok()?,
                // The JavaScript client adds whether the transport may compress.
                b"options" => {
                    for _ in 0..decode::read_map_len(&mut packet).ok()? {
                        read_str(&mut packet)?;
                        decode::read_bool(&mut packet).ok()?;
                    }
                }
                _ => return None,
            }
        }
        input.filter(|_| is_event && is_gameplay && packet.is_empty())
    }

    /// Returns the frame of an event with one argument that serde can write.
    pub(crate) fn event(self, event: &str, argument: &(impl Serialize + ?Sized)) -> Vec<u8> {
        const PLAIN: &str = "an event's argument is plain data, and memory takes all of it";
        let (opcode, payload) = match self {
            Self::Default => {
                let argument = serde_json::to_string(argument).expect(PLAIN);
                (Opcode::Text, format!("42{NAMESPACE},[\"{event}\",{argument}]").into_bytes())
            }
            Self::MsgPack => {
                let mut payload = Vec::new();
                open_msgpack(&mut payload, event);
                rmp_serde::encode::write_named(&mut payload, argument).expect(PLAIN);
                (Opcode::Binary, payload)
            }
        };
        let mut frame = Vec::with_capacity(payload.len() + MAX_SERVER_HEADER);
        write_server_header(&mut frame, opcode, payload.len());
        frame.extend_from_slice(&payload);
        frame
    }

    /// Returns the payload of the last WebSocket frame of an event with one binary argument.
    pub(crate) fn binary_payload(self, event: &str, argument: &Bytes) -> Vec<u8> {
        let mut payload = Vec::new();
        if self == Self::MsgPack {
            open_msgpack(&mut payload, event);
            encode::write_bin_len(&mut payload, argument.len() as u32).expect("memory takes all bytes");
        }
        payload.extend_from_slice(argument);
        payload
    }
}

/// The bytes in front of the argument of an event with one binary argument.
pub(crate) struct BinaryEvent {
    /// A whole text frame, for the default parser.
    announcement: Vec<u8>,
    msgpack: Vec<u8>,
}

impl BinaryEvent {
    pub(crate) fn named(event: &str) -> Self {
        let text = format!("451-{NAMESPACE},[\"{event}\",{{\"_placeholder\":true,\"num\":0}}]");
        let mut announcement = Vec::new();
        write_server_header(&mut announcement, Opcode::Text, text.len());
        announcement.extend_from_slice(text.as_bytes());
        Self { announcement, msgpack: Parser::MsgPack.event_prefix(event) }
    }

    /// Appends the event as whole frames.
    pub(crate) fn write(&self, to: &mut Vec<u8>, parser: Parser, argument: &impl Binary) {
        let length = argument.length();
        match parser {
            Parser::Default => {
                to.extend_from_slice(&self.announcement);
                write_server_header(to, Opcode::Binary, length);
            }
            Parser::MsgPack => {
                let mut header = [0; 5];
                let mut left = &mut header[..];
                encode::write_bin_len(&mut left, length as u32).expect("the header of a binary has at most five bytes");
                let unused = left.len();
                let header = &header[..header.len() - unused];
                write_server_header(to, Opcode::Binary, self.msgpack.len() + header.len() + length);
                to.extend_from_slice(&self.msgpack);
                to.extend_from_slice(header);
            }
        }
        argument.append_to(to);
    }
}

/// The bytes around an input of less than 256 bytes in a packet of the msgpack parser.
struct Around {
    before: &'static [u8],
    behind: &'static [u8],
}

/// The packets of the SDK, of this program's own writer, and of the JavaScript client. Comparing a packet with them is much cheaper
/// than reading it.
const USUAL_INPUTS: &[Around] = &[
    Around { before: b"\x83\xa4type\x02\xa4data\x92\xa1i\xc4", behind: b"\xa3nsp\xa9/gameplay" },
    Around { before: b"\x83\xa4type\x02\xa3nsp\xa9/gameplay\xa4data\x92\xa1i\xc4", behind: b"" },
    Around { before: b"\x84\xa4type\x02\xa4data\x92\xa1i\xc4", behind: b"\xa7options\x81\xa8compress\xc3\xa3nsp\xa9/gameplay" },
];

impl Around {
    /// Returns the input, if these are the bytes around it.
    fn inside<'a>(&self, packet: &'a [u8]) -> Option<&'a [u8]> {
        let (&length, rest) = packet.strip_prefix(self.before)?.split_first()?;
        rest.strip_suffix(self.behind).filter(|input| input.len() == usize::from(length))
    }
}

const FITS: &str = "the event names of /gameplay are short";

/// The type of the packet by which a client enters a namespace.
const CONNECT: u8 = 0;

/// The type of a packet that carries an event.
const EVENT: u8 = 2;

fn read_str<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = decode::read_str_len(from).ok()?;
    split_off(from, length)
}

fn split_off<'a>(from: &mut &'a [u8], length: u32) -> Option<&'a [u8]> {
    from.split_off(..usize::try_from(length).ok()?)
}

/// Writes a packet up to the event's argument.
fn open_msgpack<W: rmp::encode::RmpWrite>(to: &mut W, event: &str) {
    let written = (|| {
        open_packet(to, EVENT)?;
        encode::write_str(to, "data")?;
        encode::write_array_len(to, 2)?;
        encode::write_str(to, event)
    })();
    assert!(written.is_ok(), "{FITS}");
}

/// Writes a packet up to its data.
fn open_packet<W: rmp::encode::RmpWrite>(to: &mut W, kind: u8) -> Result<(), encode::ValueWriteError<W::Error>> {
    encode::write_map_len(to, 3)?;
    encode::write_str(to, "type")?;
    encode::write_pfix(to, kind).map_err(encode::ValueWriteError::InvalidMarkerWrite)?;
    encode::write_str(to, "nsp")?;
    encode::write_str(to, NAMESPACE)
}

/// A binary argument that is put together while it is written.
pub(crate) trait Binary {
    /// Returns its length in bytes.
    fn length(&self) -> usize;

    /// Appends its bytes.
    fn append_to(&self, to: &mut Vec<u8>);
}

impl Binary for Frame<&Blocks> {
    fn length(&self) -> usize {
        self.len()
    }

    fn append_to(&self, to: &mut Vec<u8>) {
        self.write_to(to);
    }
}

impl Binary for Bytes {
    fn length(&self) -> usize {
        self.len()
    }

    fn append_to(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_inputs_are_read_as_all_others_are() {
        for around in USUAL_INPUTS {
            for input in [&b""[..], &[7; 3], &[0xc4; 255]] {
                let packet = [around.before, &[input.len() as u8], input, around.behind].concat();
                assert_eq!(around.inside(&packet), Some(input));
                assert_eq!(Parser::input_of_any_msgpack(&packet), Some(input));
                let longer = [&packet[..], b"\0"].concat();
                for broken in [&packet[1..], &packet[..packet.len() - 1], &longer] {
                    assert_eq!(Parser::input_of_msgpack(broken), None);
                }
            }
        }
    }
}
