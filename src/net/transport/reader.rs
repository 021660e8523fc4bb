//! Reads from a connection.
//!
//! While a connection's tap is open, Tokio's driver reads the socket itself as soon as it has bytes: an input is on its way to
//! its room without a task being scheduled. A client that sends inputs at nearly every step of its room, and nothing else, is not
//! even registered with Tokio: the room reads its socket right before it steps. The library's task is woken only for its own
//! bytes.
//!
//! Whatever a client sends, it keeps a worker only for a [`Turn`](crate::net::transport::turn::Turn), and what is above its share
//! cuts it.

use std::{
    cell::RefCell,
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use tokio::{io::ReadBuf, time::Instant};

use crate::{
    host::Inlet,
    net::{
        limits::{NetLimits, share::SendShare},
        transport::{
            habit::Habit,
            packet::Parser,
            socket::Socket,
            tap::{Drain, Incoming, Unfinished},
            turn::{Turn, wake_after_pause},
            websocket::CloseCode,
        },
    },
    observe::{self, DropReason},
};

/// The most bytes that one read takes from a WebSocket.
const READ_BYTES: usize = 16 * 1024;

/// The most bytes that one read takes from a connection that speaks HTTP. They hold some dozens of small requests.
const HTTP_READ_BYTES: usize = 1024;

/// The most reads of one socket before it is another's turn. Together they bring some thousands of inputs, which take less time than
/// the turn of a connection whose bytes go to the library.
const MAX_READS: usize = 2;

thread_local! {
    /// The buffer in which bytes from WebSockets are sorted.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// The reading half of a connection.
pub(crate) struct Reader(Mutex<State>);

/// The connection that a reader belongs to.
pub(crate) trait Owner {
    /// Returns the socket to read.
    fn socket(&self) -> &Socket;

    /// Returns whether the connection is a WebSocket by now.
    fn is_websocket(&self) -> bool;

    /// Returns a waker that calls [`Reader::on_readable`].
    fn waker(&self) -> Waker;

    /// Starts to check that what has begun to come also ends, by [`Reader::unfinished`], until that returns `None`.
    fn supervise(&self);

    /// Returns whether the connection was cut.
    fn is_cut(&self) -> bool;

    /// Cuts the connection, and counts why.
    fn cut_for(&self, why: DropReason);

    /// Tells the client a close code, and gives it a moment to read that. Then the connection is cut, and [`Reader::wake_library`] is
    /// called.
    fn close(&self, code: CloseCode);
}

struct State {
    incoming: Incoming,
    share: SendShare,
    /// The library's turn to handle what it reads.
    turn: Turn,
    /// Whether the client has broken a rule. What it sends since then is not read any more.
    is_closing: bool,
    /// The destination of inputs; `None` until the connection has a seat.
    drain: Option<Drain>,
    /// Wakes the library, which waits for bytes of its own.
    library: Option<Waker>,
    /// The end or failure of the stream, which the library has not seen yet.
    ended: Option<io::Result<()>>,
    habit: Habit,
    is_supervised: bool,
}

impl Reader {
    pub(crate) fn new(limits: &NetLimits) -> Self {
        Self(Mutex::new(State {
            incoming: Incoming::new(limits.message_bytes),
            share: SendShare::new(limits, Instant::now()),
            turn: Turn::default(),
            is_closing: false,
            drain: None,
            library: None,
            ended: None,
            habit: Habit::default(),
            is_supervised: false,
        }))
    }

    /// Sends the inputs of event `i` to a seat from now on.
    pub(crate) fn open_tap(&self, parser: Parser, seat: Inlet) {
        self.state().drain = Some(Drain { parser, seat: Some(seat) });
    }

    /// Discards further inputs for a seat that is given up. Does nothing if the connection has another seat by now.
    pub(crate) fn unseat(&self, gone: &Inlet) {
        if let Some(drain) = &mut self.state().drain {
            drain.seat.take_if(|seat| seat == gone);
        }
    }

    /// Reads the socket for a room that is about to step, `hz` times a second, if that is how the socket is read.
    pub(crate) fn pull(&self, owner: &impl Owner, hz: u16) {
        let mut state = self.state();
        let was_pulled = state.habit.is_pulled();
        let is_pulled = state.habit.step(hz);
        if is_pulled && !was_pulled && !(state.incoming.is_drained() && owner.socket().deregister()) {
            state.habit.reset();
        } else if is_pulled || was_pulled {
            take(state, owner);
        }
    }

    /// Registers the socket with Tokio again, if it was not: no room pulls any more.
    pub(crate) fn release(&self, owner: &impl Owner) {
        let mut state = self.state();
        if state.habit.is_pulled() {
            state.habit.reset();
            take(state, owner);
        }
    }

    /// Returns the packet that has begun to come and is not whole. With `None` the supervision ends.
    pub(crate) fn unfinished(&self) -> Option<Unfinished> {
        let mut state = self.state();
        let unfinished = state.incoming.unfinished();
        state.is_supervised = unfinished.is_some();
        unfinished
    }

    /// Reads for the library.
    pub(crate) fn poll_read(&self, owner: &impl Owner, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if owner.is_cut() {
            return Poll::Ready(Ok(()));
        }
        let follows_frames = state.incoming.follows_frames(owner.is_websocket()).unwrap_or_else(|code| {
            state.close(owner, code);
            true
        });
        let goes_on = state.turn.step();
        let polled = match follows_frames {
            true if goes_on => state.poll_frames(owner, cx, to),
            false if goes_on => state.poll_through(owner.socket(), cx, to),
            // The time of a turn may have gone by while the library waited for something else.
            false if owner.socket().poll_read_ready(cx).is_pending() => Poll::Pending,
            _ => {
                wake_after_pause(&owner.socket().runtime, cx.waker().clone());
                Poll::Pending
            }
        };
        if polled.is_pending() {
            state.turn.end();
        }
        polled
    }

    /// Notes that the connection's next request is handled. Returns false if that must wait for the next turn.
    pub(crate) fn begin_request(&self) -> bool {
        self.state().turn.step()
    }

    /// Reads because the socket has something.
    pub(crate) fn on_readable(&self, owner: &impl Owner) {
        take(self.state(), owner);
    }

    /// Wakes the library, so that it sees the end of a connection that was cut.
    pub(crate) fn wake_library(&self) {
        let library = self.state().library.take();
        if let Some(library) = library {
            library.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads, and wakes the library if there is something for it.
fn take(mut state: MutexGuard<'_, State>, owner: &impl Owner) {
    if !state.incoming.is_drained() || state.fill(owner, || owner.waker()) {
        let library = state.library.take();
        drop(state);
        if let Some(library) = library {
            library.wake();
        }
    }
}

impl State {
    /// Gives the library its next bytes.
    fn poll_frames(&mut self, owner: &impl Owner, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.incoming.give(to) {
                return Poll::Ready(Ok(()));
            }
            if let Some(ended) = self.ended.take() {
                return Poll::Ready(ended);
            }
            let is_tapped = self.drain.is_some();
            if (is_tapped || self.is_closing) && !self.library.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                self.library = Some(cx.waker().clone());
            }
            let is_filled = if is_tapped { self.fill(owner, || owner.waker()) } else { self.fill(owner, || cx.waker().clone()) };
            if !is_filled {
                return Poll::Pending;
            }
        }
    }

    /// Reads until there is something for the library, and returns true; or until nothing more can be done now, and returns
    /// false. In that case the waker will be woken, unless the room reads or the connection closes.
    fn fill(&mut self, owner: &impl Owner, waker: impl Fn() -> Waker) -> bool {
        if self.is_closing {
            return false;
        }
        for _ in 0..MAX_READS {
            match SCRATCH.with_borrow_mut(|scratch| self.read(owner, scratch)) {
                Ok(0) => self.ended = Some(Ok(())),
                Ok(_) if self.is_closing => {}
                Ok(count) => {
                    if self.incoming.is_drained() {
                        self.habit.note_inputs();
                        if self.habit.is_pulled() && count < READ_BYTES {
                            return false;
                        }
                        continue;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.habit.is_pulled() => return false,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match owner.socket().poll_read_ready(&mut Context::from_waker(&waker())) {
                        Poll::Pending => return false,
                        Poll::Ready(Ok(())) => continue,
                        Poll::Ready(Err(error)) => self.ended = Some(Err(error)),
                    }
                }
                Err(error) => self.ended = Some(Err(error)),
            }
            self.habit.reset();
            return true;
        }
        // A client that sends without end gives the thread back to others.
        self.habit.reset();
        wake_after_pause(&owner.socket().runtime, waker());
        false
    }

    /// Reads once, and takes in what came.
    fn read(&mut self, owner: &impl Owner, scratch: &mut [u8]) -> io::Result<usize> {
        let count = owner.socket().try_read(scratch)?;
        observe::bytes_read(count);
        let taken = self.incoming.run(&scratch[..count], self.drain.as_ref());
        // Each read has its price, also one of a single byte.
        let has_share = self.share.take(self.incoming.take_frames().max(1), count);
        match taken {
            _ if !has_share => {
                self.is_closing = true;
                self.ended = Some(Ok(()));
                owner.cut_for(DropReason::ConnectionShare);
            }
            Err(code) => self.close(owner, code),
            Ok(()) if !self.is_supervised && self.incoming.unfinished().is_some() => {
                self.is_supervised = true;
                owner.supervise();
            }
            Ok(()) => {}
        }
        Ok(count)
    }

    fn close(&mut self, owner: &impl Owner, code: CloseCode) {
        self.is_closing = true;
        owner.close(code);
    }

    /// Reads straight into the library's buffer.
    fn poll_through(&mut self, socket: &Socket, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let unfilled = to.initialize_unfilled_to(to.remaining().min(HTTP_READ_BYTES));
            match socket.try_read(unfilled) {
                Ok(count) => {
                    self.incoming.note(&unfilled[..count]);
                    to.advance(count);
                    observe::bytes_read(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::task::ready!(socket.poll_read_ready(cx))?,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The most bytes that a reader takes in one turn.
    pub(crate) const TURN_BYTES: usize = MAX_READS * READ_BYTES;

    impl Reader {
        /// Puts the reader behind the head of a WebSocket's request, with an open tap that has no seat.
        pub(crate) fn begin(&self) {
            let mut state = self.state();
            state.incoming.note(b"\r\n\r\n");
            state.drain = Some(Drain { parser: Parser::MsgPack, seat: None });
        }

        pub(crate) fn is_pulled(&self) -> bool {
            self.state().habit.is_pulled()
        }
    }
}
