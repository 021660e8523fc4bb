//! The lane: a second way onto a WebSocket connection, past socketioxide's queue and writer task.
//!
//! A room's driver writes whole WebSocket frames straight to the socket: one `write` a client and tick. socketioxide keeps
//! the handshake, pings, acknowledgements and everything else. Both write under one lock, and never into each other's
//! frames:
//!
//! ```text
//! closed ---- expect(marker) ----> waiting ---- the library wrote the marker ----> open
//! ```
//!
//! - The *marker* is the last message that takes the library's way, `welcome`. Until the library has written it, what follows
//!   waits, so that no order changes.
//! - While the library is half-way through a frame, the lane writes nothing.
//! - What the kernel does not take is kept, the rest of one frame and a bounded backlog of reliable messages, and goes out
//!   before anything else of either side.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::net::TcpStream;

use crate::host::Full;
use crate::net::transport::cursor::FrameCursor;
use crate::net::transport::cursor::Marker;
use crate::net::transport::cursor::PEEK_BYTES;
use crate::net::transport::reader::Reader;
use crate::net::transport::socket::Socket;

/// The most bytes of reliable messages that wait for a slow client.
const BACKLOG_BYTES: usize = 48 * 1024;

/// The most reliable messages that wait for a slow client.
const BACKLOG_MESSAGES: usize = 64;

/// A TCP connection that two write to.
pub(crate) struct Lane {
    pub(crate) socket: Socket,
    is_websocket: AtomicBool,
    state: Mutex<State>,
    pub(crate) reader: Reader,
}

/// Small, for it is fetched from memory at every tick of every client; what is seldom there is behind a pointer.
#[derive(Default)]
struct State {
    phase: Phase,
    library: FrameCursor,
    /// The rest of a frame of the lane's own that the kernel has not taken yet.
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
    /// Everything takes the library's way.
    #[default]
    Closed,
    /// Until the library has written a frame whose payload starts like this.
    Waiting(Box<Marker>),
    /// Frames may go straight out.
    Open,
}

impl Lane {
    /// Takes over an accepted connection. Within a runtime.
    pub(crate) fn new(stream: TcpStream) -> Arc<Self> {
        Arc::new(Self {
            socket: Socket::new(stream),
            is_websocket: AtomicBool::new(false),
            state: Mutex::default(),
            reader: Reader::default(),
        })
    }

    /// An HTTP answer goes out that makes this a WebSocket connection: frames begin behind its head.
    pub(crate) fn switch_protocols(&self) {
        self.state().library = FrameCursor::after_head();
        self.is_websocket.store(true, Ordering::Release);
    }

    pub(crate) fn is_websocket(&self) -> bool {
        self.is_websocket.load(Ordering::Acquire)
    }

    /// Opens once the library has written a frame whose payload starts with `marker`. Say so before handing that message to
    /// the library.
    pub(crate) fn expect(&self, marker: &[u8]) {
        debug_assert!(marker.len() <= PEEK_BYTES, "the marker fits what is looked at");
        self.state().phase = Phase::Waiting(Box::new(Marker { bytes: marker.to_vec(), seen: Vec::new() }));
    }

    /// Takes no more frames; what waits still goes out before what the library writes next.
    pub(crate) fn close(&self) {
        self.state().phase = Phase::Closed;
    }

    /// Writes a frame at once or not at all. What the kernel leaves of it once it has begun is kept.
    pub(crate) fn send_now(&self, frame: &[u8]) -> Result<(), Full> {
        let mut state = self.state();
        if !state.phase.is_open() || !state.library.is_between_frames() || !state.flush(&self.socket) {
            return Err(Full);
        }
        match self.socket.write_once(frame) {
            Ok(written) => {
                state.rest.extend_from_slice(&frame[written..]);
                Ok(())
            }
            Err(_) => Err(Full),
        }
    }

    /// Writes a frame behind all reliable ones before it, now or later.
    pub(crate) fn send_surely(&self, frame: Vec<u8>) -> Result<(), Full> {
        let mut state = self.state();
        if matches!(state.phase, Phase::Closed) {
            return Err(Full);
        }
        state.backlog.get_or_insert_default().push(frame)?;
        state.go_on(&self.socket);
        Ok(())
    }

    /// The library writes. `None`: the lane's own rest must go first, and the socket does not take it now.
    pub(crate) fn library_write(&self, slices: &[io::IoSlice<'_>]) -> Option<io::Result<usize>> {
        let mut state = self.state();
        if state.library.is_between_frames() && !state.flush(&self.socket) {
            return None;
        }
        let written = match slices {
            [slice] => self.socket.try_write(slice),
            slices => self.socket.try_write_vectored(slices),
        };
        if let Ok(written) = written {
            let mut left = written;
            for slice in slices {
                let taken = left.min(slice.len());
                state.watch(&slice[..taken]);
                left -= taken;
            }
            state.go_on(&self.socket);
        }
        Some(written)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// Follows what the library wrote, and opens the lane when the marker is out.
    fn watch(&mut self, bytes: &[u8]) {
        let Self { library, phase, .. } = self;
        let marker = if let Phase::Waiting(marker) = phase { Some(&mut **marker) } else { None };
        if library.advance(bytes, marker) {
            *phase = Phase::Open;
        }
    }

    /// Writes what waits, if nothing forbids it.
    fn go_on(&mut self, socket: &Socket) {
        if self.phase.is_open() && self.library.is_between_frames() {
            self.flush(socket);
        }
    }

    /// Writes what waits; whether all of it is out. The library must be between two frames. While the marker is awaited the
    /// backlog stays, and does not hold the library up.
    fn flush(&mut self, socket: &Socket) -> bool {
        loop {
            while !self.rest.is_empty() {
                match socket.try_write(&self.rest) {
                    Ok(written) => drop(self.rest.drain(..written)),
                    // A connection that has ended is found out by whoever reads from it.
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

/// Appends the header of a server's WebSocket frame.
pub(crate) fn write_frame_header(to: &mut Vec<u8>, opcode: Opcode, length: usize) {
    const FINAL: u8 = 0x80;
    to.push(FINAL | opcode as u8);
    match length {
        0..=125 => to.push(length as u8),
        126..=0xffff => {
            to.push(126);
            to.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            to.push(127);
            to.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// What is in a frame.
#[derive(Clone, Copy)]
pub(crate) enum Opcode {
    Text = 1,
    Binary = 2,
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::AsyncReadExt,
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::net::transport::cursor::tests::{HEAD, frame};

    /// A lane whose WebSocket has begun, and the client's end.
    async fn lane() -> (Arc<Lane>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let lane = Lane::new(listener.accept().await.unwrap().0);
        std::future::poll_fn(|cx| lane.socket.poll_write_ready(cx)).await.unwrap();
        lane.switch_protocols();
        library(&lane, HEAD);
        (lane, client)
    }

    fn library(lane: &Lane, bytes: &[u8]) {
        assert_eq!(lane.library_write(&[io::IoSlice::new(bytes)]).unwrap().unwrap(), bytes.len());
    }

    /// Payloads that the client reads.
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
        let (lane, mut client) = lane().await;
        assert_eq!(lane.send_now(&frame(b"early")), Err(Full));
        lane.expect(b"welcome");
        assert_eq!(lane.send_now(&frame(b"state")), Err(Full));
        lane.send_surely(frame(b"event")).unwrap();
        library(&lane, &frame(b"ping"));
        library(&lane, &frame(b"welcome, Ada"));
        lane.send_now(&frame(b"state")).unwrap();
        let read = read(&mut client, 4).await;
        assert_eq!(read, [&b"ping"[..], b"welcome, Ada", b"event", b"state"]);
    }

    #[tokio::test]
    async fn the_lane_never_cuts_into_a_frame_of_the_librarys() {
        let (lane, mut client) = lane().await;
        lane.expect(b"w");
        library(&lane, &frame(b"w"));
        let ping = frame(b"a long ping");
        for cut in 1..ping.len() {
            library(&lane, &ping[..cut]);
            assert_eq!(lane.send_now(&frame(b"state")), Err(Full), "cut at {cut}");
            lane.send_surely(frame(b"event")).unwrap();
            library(&lane, &ping[cut..]);
            lane.send_now(&frame(b"state")).unwrap();
        }
        let frames = read(&mut client, 1 + 3 * (ping.len() - 1)).await;
        for three in frames[1..].chunks(3) {
            assert_eq!(three, [&b"a long ping"[..], b"event", b"state"]);
        }
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_full_and_what_it_began_to_get_is_whole() {
        let (lane, mut client) = lane().await;
        lane.expect(b"w");
        library(&lane, &frame(b"w"));
        let big = frame(&[7; 100]);
        let mut sent = 0;
        while lane.send_now(&big).is_ok() {
            sent += 1;
            assert!(sent < 1_000_000, "the socket takes everything");
        }
        assert!(lane.state().rest.len() < big.len());
        assert!(lane.library_write(&[io::IoSlice::new(&frame(b"ping"))]).is_none() || lane.state().rest.is_empty());
        lane.send_surely(frame(b"event")).unwrap();
        let reader = tokio::spawn(async move { read(&mut client, 1 + sent + 1).await });
        while lane.state().backlog.is_some() || !lane.state().rest.is_empty() {
            std::future::poll_fn(|cx| lane.socket.poll_write_ready(cx)).await.unwrap();
            lane.state().go_on(&lane.socket);
        }
        let frames = reader.await.unwrap();
        assert!(frames[1..=sent].iter().all(|payload| *payload == [7; 100]));
        assert_eq!(frames[sent + 1], b"event");
    }

    #[tokio::test]
    async fn the_backlog_is_bounded() {
        let (lane, _client) = lane().await;
        assert_eq!(lane.send_surely(frame(b"before")), Err(Full));
        lane.expect(b"never");
        for _ in 0..BACKLOG_MESSAGES {
            lane.send_surely(frame(b"event")).unwrap();
        }
        assert_eq!(lane.send_surely(frame(b"one too many")), Err(Full));
    }
}
