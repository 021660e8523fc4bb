//! A WebSocket to the endpoint of the default parser that sends whatever bytes it is given.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

/// How long an attacker waits for an answer. No server needs that long unless it is frozen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct RawSocket {
    tcp: TcpStream,
    /// Bytes that have been read and not used.
    rest: Vec<u8>,
    pub(crate) sid: String,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With a close frame of this code. 0 if it had none.
    Closed(u16),
    /// The TCP connection ended without a close frame.
    Cut,
    /// It has not ended.
    Open,
}

/// A client's frame, masked with zeros. `first` has the bits of the first byte.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// A text message in one frame.
pub(crate) fn text(text: &str) -> Vec<u8> {
    frame(0x81, text.as_bytes())
}

/// The handshake of a WebSocket to a path. Each of the `headers` ends with a line break.
pub(crate) fn handshake(host: &str, path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
}

impl RawSocket {
    pub(crate) async fn open(tcp: TcpStream, host: &str) -> anyhow::Result<Self> {
        let mut socket = Self { tcp, rest: Vec::new(), sid: String::new() };
        socket.tcp.set_nodelay(true)?;
        let request = handshake(host, "/socket.io/?EIO=4&transport=websocket", "");
        socket.tcp.write_all(request.as_bytes()).await?;
        let head = loop {
            if let Some(end) = socket.rest.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break socket.rest.drain(..end + 4).collect::<Vec<_>>();
            }
            if !socket.fill().await {
                bail!("the server closed during the handshake");
            }
        };
        let head = String::from_utf8_lossy(&head);
        if !head.starts_with("HTTP/1.1 101") {
            bail!("the handshake was answered {:?}", head.lines().next().unwrap_or_default());
        }
        let (_, open) = socket.next().await.context("no Engine.IO handshake")?;
        let open = String::from_utf8_lossy(&open);
        let sid = open.split("\"sid\":\"").nth(1).and_then(|rest| rest.split('"').next());
        socket.sid = sid.with_context(|| format!("not an Engine.IO handshake: {open}"))?.to_owned();
        Ok(socket)
    }

    /// Sends bytes. An error shows when the socket is read.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.tcp.write_all(bytes)).await;
    }

    pub(crate) async fn text(&mut self, packet: &str) {
        self.bytes(&text(packet)).await;
    }

    /// Reads more bytes. Returns false at the end.
    async fn fill(&mut self) -> bool {
        matches!(self.tcp.read_buf(&mut self.rest).await, Ok(1..))
    }

    /// The next frame from the server: its first byte and its payload. `None` at the end.
    async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((start, end)) = server_frame(&self.rest) {
                let first = self.rest[0];
                let payload = self.rest[start..end].to_vec();
                self.rest.drain(..end);
                return Some((first, payload));
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    /// Reads until a text that begins so. `None` if the connection ends first, or none comes in time.
    pub(crate) async fn until(&mut self, begins: &str) -> Option<String> {
        let reads = async {
            while let Some((_, payload)) = self.next().await {
                if payload.starts_with(begins.as_bytes()) {
                    return Some(String::from_utf8_lossy(&payload).into_owned());
                }
            }
            None
        };
        timeout(PATIENCE, reads).await.ok().flatten()
    }

    /// Reads until the connection ends, at most until then.
    pub(crate) async fn end(&mut self, until: Instant) -> End {
        let reads = async {
            while let Some((first, payload)) = self.next().await {
                if first & 15 == 8 {
                    return End::Closed(payload.first_chunk().map_or(0, |code| u16::from_be_bytes(*code)));
                }
            }
            End::Cut
        };
        tokio::select! {
            end = reads => end,
            () = sleep_until(until) => End::Open,
        }
    }

    /// Sends the same bytes again and again, and reads what comes, until the connection ends or the time is over. Returns whether
    /// it ended.
    pub(crate) async fn flood(&mut self, bytes: &[u8], until: Instant) -> bool {
        let (mut reader, mut writer) = self.tcp.split();
        let reads = async {
            let mut room = [0; 16 * 1024];
            while matches!(reader.read(&mut room).await, Ok(1..)) {}
        };
        let writes = async { while writer.write_all(bytes).await.is_ok() {} };
        tokio::select! {
            () = reads => true,
            () = writes => true,
            () = sleep_until(until) => false,
        }
    }
}

/// Where the payload of the first frame begins and ends, if the frame is whole.
fn server_frame(bytes: &[u8]) -> Option<(usize, usize)> {
    let (start, length): (usize, usize) = match bytes.get(1)? & 127 {
        126 => (4, usize::from(u16::from_be_bytes(*bytes.get(2..4)?.first_chunk()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(*bytes.get(2..10)?.first_chunk()?)).ok()?),
        length => (2, usize::from(length)),
    };
    let end = start.checked_add(length)?;
    (bytes.len() >= end).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_shortest_length() {
        assert_eq!(frame(0x81, b"3"), [0x81, 0x81, 0, 0, 0, 0, b'3']);
        assert_eq!(frame(0x82, &[7; 300])[..4], [0x82, 0xfe, 1, 44]);
        assert_eq!(frame(0x82, &[7; 70_000])[..10], [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
    }

    #[test]
    fn a_frame_of_the_server_is_found_once_it_is_whole() {
        let whole = [&[0x81, 126, 0, 200][..], &[b'x'; 200]].concat();
        assert_eq!(server_frame(&whole), Some((4, 204)));
        assert!((0..204).all(|cut| server_frame(&whole[..cut]).is_none()));
        assert_eq!(server_frame(&[0x8a, 0, 1]), Some((2, 2)));
    }
}
