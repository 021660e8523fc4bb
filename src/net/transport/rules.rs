//! The rules of WebSocket for what a client sends (RFC 6455), and the limit of a message. Who breaks one is told the close code.

use crate::net::transport::websocket::{ClientHeader, CloseCode, Opcode};

/// The bytes that are unmasked at once.
const CHUNK_BYTES: usize = 256;

/// The most bytes of a character that can be there without its last one.
const MAX_PARTIAL: usize = 3;

/// Checks the frames of a client, in their order.
#[derive(Debug)]
pub(crate) struct Rules {
    /// The most bytes of a message.
    message_bytes: u64,
    /// The kind of the message in fragments that has begun.
    fragmented: Option<Opcode>,
    /// The bytes of the message so far.
    size: u64,
    /// How the message's text ends, if it is a text.
    text: TextEnd,
    frame: Frame,
}

/// The frame whose payload comes.
#[derive(Debug, Default)]
struct Frame {
    mask: [u8; 4],
    /// The bytes of the payload before the next one.
    at: u64,
    is_text: bool,
    /// Whether a text ends with this frame.
    ends_text: bool,
    is_close: bool,
    /// How the reason of a close frame ends.
    reason: TextEnd,
}

/// The bytes of a character at the end of a text, whose last byte is still to come.
#[derive(Debug, Default, Clone, Copy)]
struct TextEnd {
    bytes: [u8; MAX_PARTIAL],
    count: usize,
}

impl Rules {
    pub(crate) fn new(message_bytes: usize) -> Self {
        Self { message_bytes: message_bytes as u64, fragmented: None, size: 0, text: TextEnd::default(), frame: Frame::default() }
    }

    /// Checks the header of the next frame.
    ///
    /// # Errors
    /// The code to close with.
    pub(crate) fn begin_frame(&mut self, header: &ClientHeader) -> Result<(), CloseCode> {
        if !header.is_valid() {
            return Err(CloseCode::Protocol);
        }
        let kind = if header.is_control() { None } else { Some(self.begin_part(header)?) };
        let is_text = kind == Some(Opcode::Text);
        let ends_text = is_text && header.is_final();
        self.frame = Frame { mask: header.mask(), is_text, ends_text, is_close: header.is_close(), ..Frame::default() };
        Ok(())
    }

    /// Checks the header of a frame with data. Returns the kind of its message.
    fn begin_part(&mut self, header: &ClientHeader) -> Result<Opcode, CloseCode> {
        let kind = match (header.opcode(), self.fragmented) {
            (Some(kind), None) => {
                (self.size, self.text) = (0, TextEnd::default());
                kind
            }
            (None, Some(kind)) => kind,
            _ => return Err(CloseCode::Protocol),
        };
        self.fragmented = (!header.is_final()).then_some(kind);
        self.size = self.size.saturating_add(header.payload_length());
        if self.size > self.message_bytes {
            return Err(CloseCode::TooBig);
        }
        Ok(kind)
    }

    /// Checks the next bytes of the frame's payload, as they came.
    ///
    /// # Errors
    /// The code to close with.
    pub(crate) fn take_payload(&mut self, masked: &[u8]) -> Result<(), CloseCode> {
        if !self.frame.is_text && !self.frame.is_close {
            return Ok(());
        }
        for masked in masked.chunks(CHUNK_BYTES) {
            let mut plain = [0; CHUNK_BYTES];
            let plain = &mut plain[..masked.len()];
            let key = self.frame.mask.iter().cycle().skip((self.frame.at % 4) as usize);
            for ((plain, masked), key) in plain.iter_mut().zip(masked).zip(key) {
                *plain = masked ^ key;
            }
            self.take_plain(plain)?;
        }
        Ok(())
    }

    /// Checks a whole payload without its mask.
    ///
    /// # Errors
    /// The code to close with.
    pub(crate) fn take_plain(&mut self, mut plain: &[u8]) -> Result<(), CloseCode> {
        // The reason of a close frame stands behind its code, and belongs to no message.
        let code_bytes = if self.frame.is_close { 2_u64.saturating_sub(self.frame.at) as usize } else { 0 };
        self.frame.at += plain.len() as u64;
        plain = plain.get(code_bytes..).unwrap_or_default();
        match (self.frame.is_text, self.frame.is_close) {
            (true, _) => self.text.take(plain),
            (_, true) => self.frame.reason.take(plain),
            _ => Ok(()),
        }
    }

    /// Notes that the last byte of the frame's payload has come.
    ///
    /// # Errors
    /// The code to close with.
    pub(crate) fn end_frame(&mut self) -> Result<(), CloseCode> {
        let is_partial = (self.frame.ends_text && self.text.count > 0) || self.frame.reason.count > 0;
        if is_partial { Err(CloseCode::InvalidText) } else { Ok(()) }
    }
}

impl TextEnd {
    /// Checks the next bytes of a text.
    fn take(&mut self, mut plain: &[u8]) -> Result<(), CloseCode> {
        while self.count > 0 {
            let Some((&next, rest)) = plain.split_first() else { return Ok(()) };
            let mut character = [0; MAX_PARTIAL + 1];
            character[..self.count].copy_from_slice(&self.bytes[..self.count]);
            character[self.count] = next;
            let partial = partial_length(&character[..=self.count])?;
            if partial > 0 {
                self.bytes[self.count] = next;
            }
            self.count = partial;
            plain = rest;
        }
        let partial = partial_length(plain)?;
        self.bytes[..partial].copy_from_slice(&plain[plain.len() - partial..]);
        self.count = partial;
        Ok(())
    }
}

/// Returns the number of bytes at the end of a text that belong to a character which is not whole.
fn partial_length(text: &[u8]) -> Result<usize, CloseCode> {
    match std::str::from_utf8(text) {
        Ok(_) => Ok(0),
        Err(error) if error.error_len().is_some() => Err(CloseCode::InvalidText),
        Err(error) => Ok(text.len() - error.valid_up_to()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::net::transport::websocket::tests::client_frame as frame;

    const MESSAGE_BYTES: usize = 1_000;

    /// Checks frames whose payloads come in pieces of this length. Returns the code with which the client is closed.
    fn check(frames: &[Vec<u8>], piece: usize) -> Result<(), CloseCode> {
        let mut rules = Rules::new(MESSAGE_BYTES);
        frames.iter().try_for_each(|frame| {
            let header = ClientHeader::read(frame).unwrap();
            rules.begin_frame(&header)?;
            frame[header.payload.start as usize..].chunks(piece).try_for_each(|piece| rules.take_payload(piece))?;
            rules.end_frame()
        })
    }

    #[test]
    fn frames_that_no_client_may_send_break_the_protocol() {
        let unmasked = vec![0x81, 1, b'3'];
        let broken: [(&str, &[Vec<u8>]); 11] = [
            ("not masked", &[unmasked]),
            ("RSV1", &[frame(0xc1, b"3")]),
            ("RSV3", &[frame(0x91, b"3")]),
            ("reserved opcode", &[frame(0x83, b"")]),
            ("reserved control opcode", &[frame(0x8b, b"")]),
            ("a ping in fragments", &[frame(0x09, b"")]),
            ("a long ping", &[frame(0x89, &[0; 126])]),
            ("a close code of one byte", &[frame(0x88, &[3])]),
            ("a continuation of nothing", &[frame(0x80, b"")]),
            ("a continuation of a whole message", &[frame(0x81, b"3"), frame(0x80, b"")]),
            ("a message within a message", &[frame(0x01, b"4"), frame(0x81, b"3")]),
        ];
        for (what, frames) in broken {
            assert_eq!(check(frames, 1), Err(CloseCode::Protocol), "{what}");
        }
    }

    #[test]
    fn messages_beyond_the_limit_are_too_big_in_one_frame_and_in_many() {
        let most = [frame(0x02, &[7; MESSAGE_BYTES - 1]), frame(0x89, &[0; 125]), frame(0x80, &[7])];
        assert_eq!(check(&most, 100), Ok(()), "control frames do not count");
        assert_eq!(check(&[frame(0x82, &[7; MESSAGE_BYTES + 1])], 100), Err(CloseCode::TooBig));
        let fragments = [frame(0x02, &[7; MESSAGE_BYTES]), frame(0x00, b""), frame(0x80, &[7])];
        assert_eq!(check(&fragments, 100), Err(CloseCode::TooBig));
        let huge = [vec![0x82, 0xff], u64::MAX.to_be_bytes().to_vec(), vec![0; 4]].concat();
        assert_eq!(Rules::new(MESSAGE_BYTES).begin_frame(&ClientHeader::read(&huge).unwrap()), Err(CloseCode::TooBig));
    }

    #[test]
    fn invalid_text_is_found_also_at_the_end_and_in_a_reason() {
        let texts: [&[Vec<u8>]; 6] = [
            &[frame(0x81, b"\xff")],
            &[frame(0x81, b"42\xc3\x28")],
            &[frame(0x81, b"42\xe2\x82")],
            &[frame(0x01, b"42\xe2\x82"), frame(0x80, b"")],
            &[frame(0x01, b"\xf0\x9f"), frame(0x80, b"ab")],
            &[frame(0x88, b"\x03\xe8\xff")],
        ];
        for frames in texts {
            for piece in [1, 2, 300] {
                assert_eq!(check(frames, piece), Err(CloseCode::InvalidText), "{frames:?}");
            }
        }
        assert_eq!(check(&[frame(0x82, b"\xff"), frame(0x81, b"3"), frame(0x88, b"\x03\xe8bye")], 300), Ok(()));
    }

    proptest! {
        #[test]
        fn texts_are_checked_like_whole_ones_however_they_are_cut(
            text in prop_oneof![".{0,80}".prop_map(String::into_bytes), vec(any::<u8>(), 0..6)],
            cuts in vec(0..80_usize, 0..4), piece in 1..20_usize,
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            let last = cuts.len() - 2;
            let fragments: Vec<Vec<u8>> = cuts.windows(2).enumerate().map(|(n, range)| {
                let first = u8::from(n == 0) | if n == last { 0x80 } else { 0 };
                frame(first, &text[range[0]..range[1]])
            }).collect();
            let expected = std::str::from_utf8(&text).map(drop).map_err(|_| CloseCode::InvalidText);
            prop_assert_eq!(check(&fragments, piece), expected);
        }
    }
}
