//! WebSocket frames (RFC 6455): the headers that a server writes and those that a client sends.
//!
//! ```text
//! byte 0       final (1 bit), reserved (3), opcode (4)
//! byte 1       masked (1 bit), length (7): 0 to 125, or 126 or 127
//! 2 or 8 more  the length, big endian, if the 7 bits say 126 or 127
//! 4 more       the mask, if masked: every frame of a client is, no frame of a server
//! ```

use std::ops::Range;

use smallvec::SmallVec;

/// The end of the HTTP head behind which frames begin.
pub(crate) const END_OF_HEAD: &[u8; 4] = b"\r\n\r\n";

/// The longest header of a frame that is not masked.
pub(crate) const MAX_SERVER_HEADER: usize = 10;

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0f;
const CONTROL: u8 = 0x08;
const CONTINUATION: u8 = 0;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const MAX_CONTROL_BYTES: u64 = 125;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;
const LENGTH_IN_TWO_BYTES: u8 = 126;
const LENGTH_IN_EIGHT_BYTES: u8 = 127;

/// The most bytes of a text that say how many attachments follow, like `4510-`.
const ANNOUNCED_BYTES: usize = 5;

/// The opcodes of frames that carry data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    Text = 1,
    Binary = 2,
}

/// Why a server closes a WebSocket: the status codes of RFC 6455, section 7.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseCode {
    /// The client's frames are no WebSocket frames.
    Protocol = 1002,
    /// A text is not valid UTF-8.
    InvalidText = 1007,
    /// The client does what it may not do.
    Policy = 1008,
    /// A message is larger than the limit.
    TooBig = 1009,
}

/// Returns a whole close frame with a code and no reason.
pub(crate) fn close_frame(code: CloseCode) -> [u8; 4] {
    let [high, low] = (code as u16).to_be_bytes();
    [FINAL | CLOSE, 2, high, low]
}

/// Appends the header of a whole message from the server.
pub(crate) fn write_server_header(to: &mut Vec<u8>, opcode: Opcode, length: usize) {
    to.push(FINAL | opcode as u8);
    match length {
        0..=125 => to.push(length as u8),
        126..=0xffff => {
            to.push(LENGTH_IN_TWO_BYTES);
            to.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            to.push(LENGTH_IN_EIGHT_BYTES);
            to.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// Returns the server's pong for a ping of at most 125 bytes.
pub(crate) fn pong(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![FINAL | PONG, payload.len() as u8];
    frame.extend_from_slice(payload);
    frame
}

/// Appends a client's whole frame. Its mask is zero, so that its payload stays as it is.
pub(crate) fn write_client(to: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    let start = to.len();
    write_server_header(to, opcode, payload.len());
    to[start + 1] |= MASKED;
    to.extend_from_slice(&[0; 4]);
    to.extend_from_slice(payload);
}

/// Returns the payload's length once the first `have` bytes are the whole header of a frame that is not masked.
pub(crate) fn server_payload_length(header: &[u8; MAX_SERVER_HEADER], have: u8) -> Option<u64> {
    match (have, header[1] & LENGTH) {
        (2, length @ 0..=125) => Some(u64::from(length)),
        (4, LENGTH_IN_TWO_BYTES) => Some(u64::from(u16::from_be_bytes([header[2], header[3]]))),
        (10, LENGTH_IN_EIGHT_BYTES) => header[2..].try_into().ok().map(u64::from_be_bytes),
        _ => None,
    }
}

/// Returns the number of binary attachments that a packet of Socket.IO's default parser announces, like `451-`. More than 99 are as
/// many as 99.
pub(crate) fn announced(packet: &[u8]) -> u8 {
    let [b'4', b'5' | b'6', digits @ ..] = packet else { return 0 };
    let count = digits.iter().take(ANNOUNCED_BYTES - 2).take_while(|byte| byte.is_ascii_digit());
    count.fold(0_u8, |count, digit| count.saturating_mul(10).saturating_add(digit - b'0')).min(99)
}

/// The header of a client's frame.
pub(crate) struct ClientHeader {
    /// The first two bytes of a text, if it has that many.
    pub(crate) text_start: Option<[u8; 2]>,
    /// The number of binary attachments that a text announces, if it is a packet of Socket.IO's default parser.
    pub(crate) attachments: u8,
    /// The place of the payload, counted from the start of the frame.
    pub(crate) payload: Range<u64>,
    first: u8,
    mask: Option<[u8; 4]>,
}

impl ClientHeader {
    /// Reads a header, and how a text starts. `None` if they are not all there.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (&[first, second], rest) = bytes.split_first_chunk()?;
        let (length, extended) = match second & LENGTH {
            LENGTH_IN_TWO_BYTES => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 2),
            LENGTH_IN_EIGHT_BYTES => (u64::from_be_bytes(*rest.first_chunk()?), 8),
            length => (u64::from(length), 0),
        };
        let mask = if second & MASKED != 0 { Some(*rest[extended..].first_chunk()?) } else { None };
        let start = 2 + extended + mask.map_or(0, |mask| mask.len());
        let (text_start, attachments) = if first & OPCODE == Opcode::Text as u8 && length >= 2 {
            let masked = bytes.get(start..start + length.min(ANNOUNCED_BYTES as u64) as usize)?;
            let mut text = [0; ANNOUNCED_BYTES];
            let key = mask.unwrap_or_default().into_iter().cycle();
            text.iter_mut().zip(masked).zip(key).for_each(|((plain, masked), key)| *plain = masked ^ key);
            (Some([text[0], text[1]]), announced(&text))
        } else {
            (None, 0)
        };
        let start = start as u64;
        Some(Self { text_start, attachments, payload: start..start.saturating_add(length), first, mask })
    }

    /// Returns the opcode of a frame with data; `None` for continuations, control frames and reserved opcodes.
    pub(crate) fn opcode(&self) -> Option<Opcode> {
        match self.first & OPCODE {
            1 => Some(Opcode::Text),
            2 => Some(Opcode::Binary),
            _ => None,
        }
    }

    /// Whether this is a ping, which wants a pong with the same payload.
    pub(crate) fn is_ping(&self) -> bool {
        self.first & OPCODE == PING
    }

    /// Whether this frame closes the WebSocket.
    pub(crate) fn is_close(&self) -> bool {
        self.first & OPCODE == CLOSE
    }

    /// Whether the frame is one that a client may send, whatever came before it: masked, no reserved bit or opcode, and a control
    /// frame is whole and short.
    pub(crate) fn is_valid(&self) -> bool {
        let opcode = self.first & OPCODE;
        let is_known = matches!(opcode, CONTINUATION | 1 | 2 | CLOSE..=PONG);
        let is_whole = self.is_final() && self.payload_length() <= MAX_CONTROL_BYTES;
        let is_close_code = !self.is_close() || self.payload_length() != 1;
        is_known && self.first & RESERVED == 0 && self.mask.is_some() && (!self.is_control() || is_whole) && is_close_code
    }

    /// Returns the mask; zeros if there is none.
    pub(crate) fn mask(&self) -> [u8; 4] {
        self.mask.unwrap_or_default()
    }

    /// Whether this frame ends its message.
    pub(crate) fn is_final(&self) -> bool {
        self.first & FINAL != 0
    }

    /// Whether this is a ping, a pong or a close. They may come between the fragments of a message.
    pub(crate) fn is_control(&self) -> bool {
        self.first & CONTROL != 0
    }

    /// Whether the frame follows the rules for a client's whole message: final, no reserved bits, masked.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_final() && self.first & RESERVED == 0 && self.mask.is_some()
    }

    /// Returns the length of the payload in bytes.
    pub(crate) fn payload_length(&self) -> u64 {
        self.payload.end - self.payload.start
    }

    /// Returns the payload of a whole frame without its mask.
    pub(crate) fn unmask<const N: usize>(&self, frame: &[u8]) -> SmallVec<[u8; N]> {
        let masked = &frame[self.payload.start as usize..];
        let mask = self.mask();
        let [a, b, c, d] = mask;
        let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
        let mut payload = SmallVec::from_slice(masked);
        let (words, rest) = payload.as_chunks_mut();
        words.iter_mut().for_each(|word| *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes());
        rest.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        payload
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A server's whole binary frame.
    pub(crate) fn server_frame(payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_server_header(&mut bytes, Opcode::Binary, payload.len());
        bytes.extend_from_slice(payload);
        bytes
    }

    /// A client's frame that begins with the byte `first`.
    pub(crate) fn client_frame(first: u8, payload: &[u8]) -> Vec<u8> {
        const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..=125 => bytes.push(MASKED | length as u8),
            length => {
                bytes.push(MASKED | LENGTH_IN_TWO_BYTES);
                bytes.extend_from_slice(&(length as u16).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&MASK);
        bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    }

    #[test]
    fn a_payload_is_unmasked_whatever_its_length() {
        for length in [0, 1, 7, 8, 9, 125, 126, 300] {
            let payload: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let frame = client_frame(0x82, &payload);
            let header = ClientHeader::read(&frame).unwrap();
            assert!(header.is_plain());
            assert_eq!(header.payload_length(), length);
            assert_eq!(header.unmask::<16>(&frame)[..], payload[..]);
        }
    }

    #[test]
    fn a_text_says_how_many_attachments_follow() {
        for (text, count) in [
            ("451-[]", 1),
            ("462-/shop,1[]", 2),
            ("4510-[]", 10),
            ("450-[]", 0),
            ("45123-", 99),
            ("45", 0),
            ("451", 1),
            ("42[\"a\"]", 0),
            ("", 0),
        ] {
            assert_eq!(ClientHeader::read(&client_frame(0x81, text.as_bytes())).unwrap().attachments, count, "{text}");
        }
        assert_eq!(ClientHeader::read(&client_frame(0x82, b"451-")).unwrap().attachments, 0, "a binary is no packet of it");
    }

    #[test]
    fn a_header_is_read_only_when_it_is_complete() {
        for payload in [&b""[..], b"42", &[7; 200]] {
            let frame = client_frame(0x81, payload);
            // With a text, its start belongs to what must be there.
            let whole = frame.len() - payload.len() + payload.len().min(ANNOUNCED_BYTES);
            for cut in 0..whole {
                assert!(ClientHeader::read(&frame[..cut]).is_none(), "{cut} of {whole}");
            }
            assert!(ClientHeader::read(&frame[..whole]).is_some());
        }
    }
}
