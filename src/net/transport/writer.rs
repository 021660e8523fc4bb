//! Writes to a connection, beside socketioxide's own queue and writer task.
//!
//! A room's driver writes whole WebSocket frames straight to the socket: one `write` a client and tick. socketioxide (*the
//! library*) keeps the handshake, pings, acknowledgements and everything else. Both write under one lock, and never into each
//! other's frames:
//!
//! ```text
//! closed ---- expect(marker) ----> waiting ---- the library wrote the marker ----> open
//! ```
//!
//! - The *marker* is the last message that goes through the library, `welcome`. Later messages wait until the library has
//!   written it, so that messages keep their order.
//! - While the library is in the middle of a frame, the room's frames do not go out.
//! - Bytes that the kernel does not take are kept: the rest of one frame, and a bounded backlog of reliable messages. They go
//!   out before anything else of either side.

use std::{
    collections::VecDeque,
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    host::Full,
    net::transport::{
        cursor::{FrameCursor, Marker},
        socket::Socket,
    },
};

/// The most bytes of reliable messages that wait for a slow client.
const BACKLOG_BYTES: usize = 48 * 1024;

/// The most reliable messages that wait for a slow client.
const BACKLOG_MESSAGES: usize = 64;

/// The writing half of a connection.
#[derive(Default)]
pub(crate) struct Writer(Mutex<State>);

/// Kept small, because it is fetched from memory at every tick of every client. Rarely used parts are behind a pointer.
#[derive(Default)]
struct State {
    phase: Phase,
    library: FrameCursor,
    /// The rest of a frame of the room's that the kernel has not taken yet.
    rest: Vec<u8>,
    backlog: Option<Box<Backlog>>,
}

#[derive(Default)]
struct Backlog {
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
}

#[derive(Default)]
enum Phase {
    /// Everything goes through the library.
    #[default]
    Closed,
    /// Waits for the library to write a frame whose payload starts with the marker.
    Waiting(Box<Marker>),
    /// The room's frames may go straight out.
    Open,
}

impl Writer {
    /// Notes that an HTTP answer goes out that makes this a WebSocket: frames begin behind its head.
    pub(crate) fn switch_protocols(&self) {
        self.state().library = FrameCursor::after_head();
    }

    /// Opens once the library has written a frame whose payload starts with `marker`. To be called before that message is
    /// handed to the library.
    pub(crate) fn expect(&self, marker: &[u8]) {
        self.state().phase = Phase::Waiting(Box::new(Marker::new(marker)));
    }

    /// Takes no more frames. What waits still goes out before the library's next bytes.
    pub(crate) fn close(&self) {
        self.state().phase = Phase::Closed;
    }

    /// Writes a frame at once or not at all. If the kernel takes only a part of it, the rest is kept.
    ///
    /// # Errors
    /// The frame cannot go out now.
    pub(crate) fn send_now(&self, socket: &Socket, frame: &[u8]) -> Result<(), Full> {
        let mut state = self.state();
        if !state.phase.is_open() || !state.library.is_between_frames() || !state.flush(socket) {
            return Err(Full);
        }
        match socket.write_once(frame) {
            Ok(written) => {
                state.rest.extend_from_slice(&frame[written..]);
                Ok(())
            }
            Err(_) => Err(Full),
        }
    }

    /// Writes a frame behind all reliable ones before it, now or later.
    ///
    /// # Errors
    /// The backlog is full, or the writer is closed.
    pub(crate) fn send_reliably(&self, socket: &Socket, frame: Vec<u8>) -> Result<(), Full> {
        let mut state = self.state();
        if matches!(state.phase, Phase::Closed) {
            return Err(Full);
        }
        state.backlog.get_or_insert_default().push(frame)?;
        state.go_on(socket);
        Ok(())
    }

    /// Writes bytes of the library. `None`: the rest of a frame of the room's must go first, and the socket does not take it now.
    pub(crate) fn library_write(&self, socket: &Socket, slices: &[io::IoSlice<'_>]) -> Option<io::Result<usize>> {
        let mut state = self.state();
        if state.library.is_between_frames() && !state.flush(socket) {
            return None;
        }
        let written = match slices {
            [slice] => socket.try_write(slice),
            slices => socket.try_write_vectored(slices),
        };
        if let Ok(written) = written {
            let mut left = written;
            for slice in slices {
                let taken = left.min(slice.len());
                state.follow(&slice[..taken]);
                left -= taken;
            }
            state.go_on(socket);
        }
        Some(written)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backlog {
    fn push(&mut self, frame: Vec<u8>) -> Result<(), Full> {
        if self.frames.len() >= BACKLOG_MESSAGES || self.bytes + frame.len() > BACKLOG_BYTES {
            return Err(Full);
        }
        self.bytes += frame.len();
        self.frames.push_back(frame);
        Ok(())
    }

    fn pop(&mut self) -> Option<Vec<u8>> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.len();
        Some(frame)
    }
}

impl Phase {
    fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}

impl State {
    /// Follows what the library wrote, and opens the writer when the marker is out.
    fn follow(&mut self, bytes: &[u8]) {
        let Self { library, phase, .. } = self;
        let marker = if let Phase::Waiting(marker) = phase { Some(&mut **marker) } else { None };
        if library.advance(bytes, marker) {
            *phase = Phase::Open;
        }
    }

    /// Writes what waits, if the library is not in the middle of a frame.
    fn go_on(&mut self, socket: &Socket) {
        if self.phase.is_open() && self.library.is_between_frames() {
            self.flush(socket);
        }
    }

    /// Writes what waits. Returns whether all of it is out. The library must be between two frames. While the marker is awaited
    /// the backlog stays, and does not hold the library up.
    fn flush(&mut self, socket: &Socket) -> bool {
        loop {
            while !self.rest.is_empty() {
                match socket.try_write(&self.rest) {
                    Ok(written) => drop(self.rest.drain(..written)),
                    // The reader notices a connection that has ended.
                    Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
                }
            }
            if matches!(self.phase, Phase::Waiting(_)) {
                return true;
            }
            let Some(backlog) = &mut self.backlog else { return true };
            let Some(frame) = backlog.pop() else {
                self.backlog = None;
                return true;
            };
            self.rest = frame;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::AsyncReadExt,
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::net::transport::{cursor::tests::HEAD, websocket::tests::server_frame as frame};

    /// A WebSocket that has begun, with both of its ends.
    struct Pair {
        writer: Writer,
        socket: Socket,
        client: TcpStream,
    }

    impl Pair {
        async fn new() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let socket = Socket::new(listener.accept().await.unwrap().0);
            let pair = Self { writer: Writer::default(), socket, client };
            pair.writable().await;
            pair.writer.switch_protocols();
            pair.library(HEAD);
            pair
        }

        /// Waits until the socket takes bytes.
        async fn writable(&self) {
            std::future::poll_fn(|cx| self.socket.poll_write_ready(cx)).await.unwrap();
        }

        fn library(&self, bytes: &[u8]) {
            assert_eq!(self.writer.library_write(&self.socket, &[io::IoSlice::new(bytes)]).unwrap().unwrap(), bytes.len());
        }

        fn send_now(&self, frame: &[u8]) -> Result<(), Full> {
            self.writer.send_now(&self.socket, frame)
        }

        fn send_reliably(&self, frame: Vec<u8>) -> Result<(), Full> {
            self.writer.send_reliably(&self.socket, frame)
        }
    }

    /// Reads the payloads of so many frames at the client's end.
    async fn read(client: &mut TcpStream, frames: usize) -> Vec<Vec<u8>> {
        let mut head = vec![0; HEAD.len()];
        client.read_exact(&mut head).await.unwrap();
        let mut payloads = Vec::new();
        for _ in 0..frames {
            let mut header = [0; 2];
            client.read_exact(&mut header).await.unwrap();
            assert_eq!(header[0], 0x82, "a frame begins where one is due");
            let mut payload = vec![0; usize::from(header[1])];
            client.read_exact(&mut payload).await.unwrap();
            payloads.push(payload);
        }
        payloads
    }

    #[tokio::test]
    async fn nothing_overtakes_the_marker() {
        let mut pair = Pair::new().await;
        assert_eq!(pair.send_now(&frame(b"early")), Err(Full));
        pair.writer.expect(b"welcome");
        assert_eq!(pair.send_now(&frame(b"state")), Err(Full));
        pair.send_reliably(frame(b"event")).unwrap();
        pair.library(&frame(b"ping"));
        pair.library(&frame(b"welcome, Ada"));
        pair.send_now(&frame(b"state")).unwrap();
        let read = read(&mut pair.client, 4).await;
        assert_eq!(read, [&b"ping"[..], b"welcome, Ada", b"event", b"state"]);
    }

    #[tokio::test]
    async fn no_frame_goes_into_a_frame_of_the_library() {
        let mut pair = Pair::new().await;
        pair.writer.expect(b"w");
        pair.library(&frame(b"w"));
        let ping = frame(b"a long ping");
        for cut in 1..ping.len() {
            pair.library(&ping[..cut]);
            assert_eq!(pair.send_now(&frame(b"state")), Err(Full), "cut at {cut}");
            pair.send_reliably(frame(b"event")).unwrap();
            pair.library(&ping[cut..]);
            pair.send_now(&frame(b"state")).unwrap();
        }
        let frames = read(&mut pair.client, 1 + 3 * (ping.len() - 1)).await;
        for three in frames[1..].chunks(3) {
            assert_eq!(three, [&b"a long ping"[..], b"event", b"state"]);
        }
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_gets_whole_frames_later() {
        let pair = Pair::new().await;
        pair.writer.expect(b"w");
        pair.library(&frame(b"w"));
        let big = frame(&[7; 100]);
        let mut sent = 0;
        while pair.send_now(&big).is_ok() {
            sent += 1;
            assert!(sent < 1_000_000, "the socket takes everything");
        }
        let Pair { writer, socket, mut client } = pair;
        assert!(writer.state().rest.len() < big.len());
        let written = writer.library_write(&socket, &[io::IoSlice::new(&frame(b"ping"))]);
        assert!(written.is_none() || writer.state().rest.is_empty());
        writer.send_reliably(&socket, frame(b"event")).unwrap();
        let reader = tokio::spawn(async move { read(&mut client, 1 + sent + 1).await });
        while writer.state().backlog.is_some() || !writer.state().rest.is_empty() {
            std::future::poll_fn(|cx| socket.poll_write_ready(cx)).await.unwrap();
            writer.state().go_on(&socket);
        }
        let frames = reader.await.unwrap();
        assert!(frames[1..=sent].iter().all(|payload| *payload == [7; 100]));
        assert_eq!(frames[sent + 1], b"event");
    }

    #[tokio::test]
    async fn the_backlog_is_bounded() {
        let pair = Pair::new().await;
        assert_eq!(pair.send_reliably(frame(b"before")), Err(Full));
        pair.writer.expect(b"never");
        for _ in 0..BACKLOG_MESSAGES {
            pair.send_reliably(frame(b"event")).unwrap();
        }
        assert_eq!(pair.send_reliably(frame(b"one too many")), Err(Full));
    }
}
