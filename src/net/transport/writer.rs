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
//! - The *marker* is the last message of `/gameplay` that goes through the library: its answer to the client's CONNECT, or the first
//!   message for a client that had no WebSocket until then. Later messages wait until the library has written it, so that messages
//!   keep their order.
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
        let mut state = self.state();
        // Messages for the seat before, which belong in front of the marker.
        if state.library.is_between_frames() {
            state.queue_backlog();
        }
        state.phase = Phase::Waiting(Box::new(Marker::new(marker)));
    }

    /// Returns whether it is open, or opens once the library has written the marker.
    pub(crate) fn is_expecting(&self) -> bool {
        !matches!(self.state().phase, Phase::Closed)
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
mod tests;
