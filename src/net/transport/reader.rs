//! Reads from a connection.
//!
//! While a connection's tap is open, Tokio's driver reads the socket itself as soon as it has bytes: an input is on its way to
//! its room without a task being scheduled. A client that sends inputs at nearly every step of its room, and nothing else, is not
//! even registered with Tokio: the room reads its socket right before it steps. The library's task is woken only for its own
//! bytes.

use std::{
    cell::RefCell,
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use tokio::io::ReadBuf;

use crate::{
    host::Inlet,
    net::transport::{
        habit::Habit,
        packet::Parser,
        socket::Socket,
        tap::{Drain, Incoming, Unfinished},
    },
    observe,
};

/// The most bytes that one read takes from a WebSocket.
const READ_BYTES: usize = 16 * 1024;

/// The most reads of one socket before it is another's turn.
const MAX_READS: usize = 8;

thread_local! {
    /// The buffer in which bytes from WebSockets are sorted.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// The reading half of a connection.
#[derive(Default)]
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
}

#[derive(Default)]
struct State {
    incoming: Incoming,
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
        if !state.incoming.follows_frames(owner.is_websocket()) {
            return state.poll_through(owner.socket(), cx, to);
        }
        loop {
            if state.incoming.give(to) {
                return Poll::Ready(Ok(()));
            }
            if let Some(ended) = state.ended.take() {
                return Poll::Ready(ended);
            }
            let is_tapped = state.drain.is_some();
            if is_tapped && !state.library.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                state.library = Some(cx.waker().clone());
            }
            let is_filled =
                if is_tapped { state.fill(owner, || owner.waker()) } else { state.fill(owner, || cx.waker().clone()) };
            if !is_filled {
                return Poll::Pending;
            }
        }
    }

    /// Reads because the socket has something.
    pub(crate) fn on_readable(&self, owner: &impl Owner) {
        take(self.state(), owner);
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
    /// Reads until there is something for the library, and returns true; or until nothing more can be done now, and returns
    /// false. In that case the waker will be woken, unless the room reads.
    fn fill(&mut self, owner: &impl Owner, waker: impl Fn() -> Waker) -> bool {
        for _ in 0..MAX_READS {
            let read = SCRATCH.with_borrow_mut(|scratch| {
                let count = owner.socket().try_read(scratch)?;
                self.incoming.run(&scratch[..count], self.drain.as_ref());
                io::Result::Ok(count)
            });
            if !self.is_supervised && self.incoming.unfinished().is_some() {
                self.is_supervised = true;
                owner.supervise();
            }
            match read {
                Ok(0) => self.ended = Some(Ok(())),
                Ok(count) => {
                    observe::bytes_read(count);
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
        let waker = waker();
        drop(owner.socket().runtime.spawn(async move { waker.wake() }));
        false
    }

    /// Reads straight into the library's buffer.
    fn poll_through(&mut self, socket: &Socket, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let unfilled = to.initialize_unfilled();
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
