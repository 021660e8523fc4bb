//! Where in its frames a WebSocket is, as far as they were written.

/// Bytes of a frame's payload that are looked at to find a marker.
pub(crate) const PEEK_BYTES: usize = 64;

/// The beginning of a message to look out for.
pub(crate) struct Marker {
    pub(crate) bytes: Vec<u8>,
    /// The beginning of the payload that the library is writing.
    pub(crate) seen: Vec<u8>,
}

/// Follows a server's WebSocket frames through the bytes that are written.
#[derive(Default)]
pub(crate) struct FrameCursor {
    at: At,
    header: [u8; 10],
    /// Bytes of the header that have been seen.
    have: u8,
    payload_left: u64,
}

#[derive(Default, PartialEq, Eq)]
enum At {
    /// HTTP: no frames yet.
    #[default]
    Http,
    /// In the head of the answer that begins the WebSocket; so much of its end has been seen.
    Head(u8),
    Frames,
}

impl FrameCursor {
    pub(crate) fn after_head() -> Self {
        Self { at: At::Head(0), ..Self::default() }
    }

    pub(crate) fn is_between_frames(&self) -> bool {
        self.at == At::Frames && self.have == 0 && self.payload_left == 0
    }

    /// Moves over bytes that were written. Whether a frame has been completed whose payload starts with `marker`.
    pub(crate) fn advance(&mut self, mut bytes: &[u8], mut marker: Option<&mut Marker>) -> bool {
        const END_OF_HEAD: &[u8; 4] = b"\r\n\r\n";
        let mut found = false;
        while let Some((&byte, rest)) = bytes.split_first() {
            match &mut self.at {
                At::Http => return false,
                At::Head(seen) => {
                    *seen = if byte == END_OF_HEAD[usize::from(*seen)] { *seen + 1 } else { u8::from(byte == b'\r') };
                    if usize::from(*seen) == END_OF_HEAD.len() {
                        self.at = At::Frames;
                    }
                    bytes = rest;
                }
                At::Frames if self.payload_left > 0 => {
                    let taken = bytes.len().min(usize::try_from(self.payload_left).unwrap_or(usize::MAX));
                    if let Some(marker) = &mut marker {
                        let peek = taken.min(PEEK_BYTES.saturating_sub(marker.seen.len()));
                        marker.seen.extend_from_slice(&bytes[..peek]);
                    }
                    self.payload_left -= taken as u64;
                    bytes = &bytes[taken..];
                    if self.payload_left == 0 {
                        self.have = 0;
                        found |= marker.as_mut().is_some_and(|marker| marker.end_of_frame());
                    }
                }
                At::Frames => {
                    self.header[usize::from(self.have)] = byte;
                    self.have += 1;
                    bytes = rest;
                    if let Some(length) = self.payload_length() {
                        self.payload_left = length;
                        if length == 0 {
                            self.have = 0;
                        }
                    }
                }
            }
        }
        found
    }

    /// The length of the payload, once the header is complete. A server's frames are not masked.
    fn payload_length(&self) -> Option<u64> {
        let header = &self.header;
        match (self.have, header[1] & 0x7f) {
            (2, length @ 0..=125) => Some(u64::from(length)),
            (4, 126) => Some(u64::from(u16::from_be_bytes([header[2], header[3]]))),
            (10, 127) => header[2..].try_into().ok().map(u64::from_be_bytes),
            _ => None,
        }
    }
}

impl Marker {
    /// Whether the frame that ends here starts with it.
    fn end_of_frame(&mut self) -> bool {
        let found = self.seen.starts_with(&self.bytes);
        self.seen.clear();
        found
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::net::transport::lane::{Opcode, write_frame_header};

    /// The answer behind which frames begin.
    pub(in crate::net) const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n";

    /// A whole frame.
    pub(in crate::net) fn frame(payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_frame_header(&mut bytes, Opcode::Binary, payload.len());
        bytes.extend_from_slice(payload);
        bytes
    }

    proptest! {
        #[test]
        fn the_cursor_finds_frames_however_they_are_cut(
            payloads in vec(vec(any::<u8>(), 0..300), 1..12), cuts in vec(1..40usize, 1..60),
        ) {
            let mut bytes = HEAD.to_vec();
            payloads.iter().for_each(|payload| bytes.extend(frame(payload)));
            bytes.extend(frame(b"marker"));
            let (mut cursor, mut rest, mut found) = (FrameCursor::after_head(), &bytes[..], 0);
            let mut marker = Marker { bytes: b"marker".to_vec(), seen: Vec::new() };
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                found += usize::from(cursor.advance(now, Some(&mut marker)));
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert!(cursor.is_between_frames());
            prop_assert_eq!(found, 1);
        }
    }
}
