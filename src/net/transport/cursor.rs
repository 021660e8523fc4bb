//! Follows the frames that socketioxide writes to a WebSocket, to know when the server may write frames of its own.

use crate::net::transport::websocket::{END_OF_HEAD, MAX_SERVER_HEADER, server_payload_length};

/// The most bytes of a frame's payload that are compared with a marker.
pub(crate) const PEEK_BYTES: usize = 64;

/// The start of a message that the cursor looks for.
pub(crate) struct Marker {
    bytes: Vec<u8>,
    /// The start of the payload that is being written.
    seen: Vec<u8>,
}

/// The place in the stream of a server's WebSocket frames.
#[derive(Default)]
pub(crate) struct FrameCursor {
    at: At,
    header: [u8; MAX_SERVER_HEADER],
    /// The bytes of the header that have been written.
    have: u8,
    payload_left: u64,
}

#[derive(Default, PartialEq, Eq)]
enum At {
    /// HTTP: no frames yet.
    #[default]
    Http,
    /// In the head of the answer that begins the WebSocket. The number says how much of its end has been written.
    Head(u8),
    Frames,
}

impl FrameCursor {
    pub(crate) fn after_head() -> Self {
        Self { at: At::Head(0), ..Self::default() }
    }

    /// Returns whether the connection speaks HTTP: no frames are written yet.
    pub(crate) fn is_http(&self) -> bool {
        self.at == At::Http
    }

    pub(crate) fn is_between_frames(&self) -> bool {
        self.at == At::Frames && self.have == 0 && self.payload_left == 0
    }

    /// Moves over bytes that were written. Returns whether a frame ended whose payload starts with `marker`.
    pub(crate) fn advance(&mut self, mut bytes: &[u8], mut marker: Option<&mut Marker>) -> bool {
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
                    if let Some(length) = server_payload_length(&self.header, self.have) {
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
}

impl Marker {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        debug_assert!(bytes.len() <= PEEK_BYTES, "a marker is no longer than what is compared with it");
        Self { bytes: bytes.to_vec(), seen: Vec::new() }
    }

    /// Returns whether the payload of the frame that ends here starts with the marker.
    fn end_of_frame(&mut self) -> bool {
        let found = self.seen.starts_with(&self.bytes);
        self.seen.clear();
        found
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::net::transport::websocket::tests::server_frame;

    /// The answer behind which frames begin.
    pub(crate) const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n";

    proptest! {
        #[test]
        fn the_cursor_finds_frames_however_they_are_cut(
            payloads in vec(vec(any::<u8>(), 0..300), 1..12), cuts in vec(1..40usize, 1..60),
        ) {
            let mut bytes = HEAD.to_vec();
            payloads.iter().for_each(|payload| bytes.extend(server_frame(payload)));
            bytes.extend(server_frame(b"marker"));
            let (mut cursor, mut rest, mut found) = (FrameCursor::after_head(), &bytes[..], 0);
            let mut marker = Marker::new(b"marker");
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
