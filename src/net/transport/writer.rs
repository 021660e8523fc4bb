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
//! - The library never waits for a WebSocket: what the kernel does not take is kept here, up to a bound in bytes. So nothing piles up
//!   in the library's own queues, which are bounded by number alone, and the bound holds for everything that it sends.

use std::{
    collections::VecDeque,
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    host::Full,
    net::transport::{
        byte_queue::ByteQueue,
        cursor::{FrameCursor, Marker},
        socket::Socket,
        websocket::{CloseCode, close_frame},
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
    /// The bytes that the kernel has not taken yet.
    rest: ByteQueue,
    backlog: Option<Box<Backlog>>,
    /// Whether the server has closed the WebSocket. What is written after that is thrown away.
    has_closed: bool,
}

/// The outcome of a write by the library.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// The number of bytes that were taken.
    pub(crate) taken: usize,
    /// The number of bytes that wait until the socket takes more.
    pub(crate) waiting: usize,
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
                state.rest.extend(&frame[written..]);
                Ok(())
            }
            Err(_) => Err(Full),
        }
    }

    /// Writes a frame behind all reliable ones before it, now or later. Returns the number of bytes that wait until the socket takes
    /// more.
    ///
    /// # Errors
    /// The backlog is full, or the writer is closed.
    pub(crate) fn send_reliably(&self, socket: &Socket, frame: Vec<u8>) -> Result<usize, Full> {
        let mut state = self.state();
        if matches!(state.phase, Phase::Closed) || state.has_closed {
            return Err(Full);
        }
        state.backlog.get_or_insert_default().push(frame)?;
        state.go_on(socket);
        Ok(state.rest.len())
    }

    /// Writes bytes of the library. All bytes for a WebSocket are taken. If more than `most` would wait, the new ones are not kept, and
    /// the connection must be cut.
    ///
    /// # Errors
    /// The socket's. While the connection speaks HTTP, also that the socket does not take bytes now.
    pub(crate) fn library_write(&self, socket: &Socket, slices: &[io::IoSlice<'_>], most: usize) -> io::Result<Accepted> {
        let mut state = self.state();
        let total: usize = slices.iter().map(|slice| slice.len()).sum();
        if state.has_closed {
            return Ok(Accepted { taken: total, waiting: 0 });
        }
        if state.library.is_between_frames() {
            state.queue_backlog();
            state.flush(socket);
        }
        let mut written = if state.rest.is_empty() {
            match write(socket, slices) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !state.library.is_http() => 0,
                written => written?,
            }
        } else {
            0
        };
        if state.library.is_http() {
            return Ok(Accepted { taken: written, waiting: 0 });
        }
        let waiting = state.waiting() + total - written;
        if waiting > most {
            return Ok(Accepted { taken: total, waiting });
        }
        for slice in slices {
            let (gone, waits) = slice.split_at(written.min(slice.len()));
            written -= gone.len();
            state.rest.extend(waits);
            state.follow(slice);
        }
        state.go_on(socket);
        Ok(Accepted { taken: total, waiting: state.waiting() })
    }

    /// Writes what waits. Returns whether nothing waits any more. To be called when the socket takes bytes again.
    pub(crate) fn drain(&self, socket: &Socket) -> bool {
        let mut state = self.state();
        if state.library.is_between_frames() && state.phase.is_open() {
            state.queue_backlog();
        }
        state.write_rest(socket)
    }

    /// Returns whether bytes wait until the socket takes more.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.state().rest.is_empty()
    }

    /// Throws away what waits.
    pub(crate) fn clear(&self) {
        let mut state = self.state();
        state.rest.clear();
        state.backlog = None;
        state.has_closed = true;
    }

    /// Closes the WebSocket: the close frame is the last that goes out. Returns false if it cannot be one, because the client does not
    /// read, or the library is in the middle of a frame.
    pub(crate) fn close_websocket(&self, socket: &Socket, code: CloseCode) -> bool {
        let mut state = self.state();
        if state.has_closed || !state.library.is_between_frames() {
            return false;
        }
        state.phase = Phase::Closed;
        state.has_closed = true;
        state.backlog = None;
        state.rest.extend(&close_frame(code));
        state.write_rest(socket)
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
            if !self.write_rest(socket) {
                return false;
            }
            if matches!(self.phase, Phase::Waiting(_)) {
                return true;
            }
            let Some(backlog) = &mut self.backlog else { return true };
            let Some(frame) = backlog.pop() else {
                self.backlog = None;
                return true;
            };
            self.rest.push(frame);
        }
    }

    /// Writes the bytes that the kernel has not taken yet. Returns whether all of them are out.
    fn write_rest(&mut self, socket: &Socket) -> bool {
        while !self.rest.is_empty() {
            match socket.try_write(self.rest.front()) {
                Ok(written) => self.rest.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // The reader notices a connection that has ended.
                Err(_) => self.rest.clear(),
            }
        }
        true
    }

    /// Puts the backlog in front of what the library writes next. While the marker is awaited the backlog stays.
    fn queue_backlog(&mut self) {
        if !matches!(self.phase, Phase::Waiting(_)) {
            let backlog = self.backlog.take();
            backlog.into_iter().flat_map(|backlog| backlog.frames).for_each(|frame| self.rest.push(frame));
        }
    }

    /// Returns the number of bytes that wait for the client.
    fn waiting(&self) -> usize {
        self.rest.len() + self.backlog.as_ref().map_or(0, |backlog| backlog.bytes)
    }
}

/// Writes as many bytes as the kernel takes now.
fn write(socket: &Socket, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
    match slices {
        [slice] => socket.try_write(slice),
        slices => socket.try_write_vectored(slices),
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
            assert_eq!(self.accept(bytes).taken, bytes.len());
        }

        fn accept(&self, bytes: &[u8]) -> Accepted {
            self.writer.library_write(&self.socket, &[io::IoSlice::new(bytes)], usize::MAX).unwrap()
        }

        fn send_now(&self, frame: &[u8]) -> Result<(), Full> {
            self.writer.send_now(&self.socket, frame)
        }

        fn send_reliably(&self, frame: Vec<u8>) -> Result<(), Full> {
            self.writer.send_reliably(&self.socket, frame).map(drop)
        }

        /// Lets the library write until the kernel takes no more. Returns the number of its frames.
        fn fill(&self, frame: &[u8]) -> usize {
            (1..1_000_000).find(|_| self.accept(frame).waiting > 0).expect("the socket does not take everything")
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
        assert!(pair.writer.state().rest.len() < big.len());
        pair.library(&frame(b"ping"));
        pair.send_reliably(frame(b"event")).unwrap();
        let frames = read_while_draining(pair, 1 + sent + 2).await;
        assert!(frames[1..=sent].iter().all(|payload| *payload == [7; 100]));
        assert_eq!(frames[sent + 1..], [b"ping".to_vec(), b"event".to_vec()]);
    }

    /// Reads so many frames at the client's end, while what waits goes out.
    async fn read_while_draining(pair: Pair, frames: usize) -> Vec<Vec<u8>> {
        let Pair { writer, socket, mut client } = pair;
        let reader = tokio::spawn(async move { read(&mut client, frames).await });
        while !writer.drain(&socket) {
            std::future::poll_fn(|cx| socket.poll_write_ready(cx)).await.unwrap();
        }
        reader.await.unwrap()
    }

    #[tokio::test]
    async fn the_library_never_waits_and_its_bytes_are_counted() {
        let pair = Pair::new().await;
        let big = frame(&[7; 100]);
        let sent = pair.fill(&big);
        let before = pair.writer.state().waiting();
        for n in 1..=100 {
            assert_eq!(pair.accept(&big), Accepted { taken: big.len(), waiting: before + n * big.len() });
        }
        let frames = read_while_draining(pair, sent + 100).await;
        assert!(frames.iter().all(|payload| *payload == [7; 100]));
    }

    #[tokio::test]
    async fn reliable_messages_keep_their_place_among_those_of_the_library() {
        let pair = Pair::new().await;
        pair.writer.expect(b"w");
        pair.library(&frame(b"w"));
        let sent = pair.fill(&frame(&[7; 100]));
        pair.send_reliably(frame(b"event")).unwrap();
        pair.library(&frame(b"answer"));
        pair.send_reliably(frame(b"over")).unwrap();
        let frames = read_while_draining(pair, 1 + sent + 3).await;
        assert_eq!(frames[sent + 1..], [b"event".to_vec(), b"answer".to_vec(), b"over".to_vec()]);
    }

    #[tokio::test]
    async fn a_close_frame_is_the_last_one() {
        let mut pair = Pair::new().await;
        pair.library(&frame(b"last"));
        assert!(pair.writer.close_websocket(&pair.socket, CloseCode::TooBig));
        assert!(!pair.writer.close_websocket(&pair.socket, CloseCode::Protocol), "once");
        pair.library(&frame(b"too late"));
        assert_eq!(pair.send_reliably(frame(b"too late")), Err(Full));
        pair.socket.shut_down(std::net::Shutdown::Both).unwrap();
        let mut all = Vec::new();
        pair.client.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, [HEAD, &frame(b"last"), &[0x88, 2, 0x03, 0xf1]].concat());
    }

    #[tokio::test]
    async fn an_http_answer_waits_for_its_socket() {
        let pair = Pair { writer: Writer::default(), ..Pair::new().await };
        let write = || pair.writer.library_write(&pair.socket, &[io::IoSlice::new(&[b'a'; 1_000])], 0);
        let error = (0..1_000_000).find_map(|_| write().err()).expect("the socket does not take everything");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(pair.writer.state().waiting(), 0);
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
