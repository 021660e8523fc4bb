//! Reading from a connection. While its tap is open, whatever the socket has is taken out where the news of it arrives, in
//! Tokio's driver: an input is on its way to its room without a task being scheduled. The library's task is woken for what is
//! its own.

use std::{
    cell::RefCell,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use rustix::net::RecvFlags;
use socket2::SockRef;
use tokio::{
    io::{Interest, ReadBuf},
    net::TcpStream,
};

use super::{
    lane::Lane,
    packet::Parser,
    tap::{Drain, Incoming},
};
use crate::{host::Inlet, observe};

/// The most that is read at once from a WebSocket.
const READ_BYTES: usize = 16 * 1024;

thread_local! {
    /// Where what comes from WebSockets is sorted.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// The reading half of a [`Lane`].
#[derive(Default)]
pub(super) struct Reader(Mutex<State>);

#[derive(Default)]
struct State {
    incoming: Incoming,
    /// Where inputs go; nowhere until the connection has a seat.
    drain: Option<Drain>,
    /// Waits for something of its own.
    library: Option<Waker>,
    /// The stream has ended or failed since the library last looked.
    ended: Option<io::Result<()>>,
}

/// Woken by the socket in the library's place. While it waits, the socket holds its own lane: the end of the stream, which
/// dropping the library's half brings about, is the last that it is woken for.
impl Wake for Lane {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // A panic in here would end Tokio's driver, and every connection with it.
        if catch_unwind(AssertUnwindSafe(|| self.reader.on_readable(self))).is_err() {
            tracing::error!("a reader panicked; its connection ends");
            let _ = SockRef::from(self.tcp()).shutdown(std::net::Shutdown::Both);
        }
    }
}

impl Reader {
    /// Inputs of event `i` go to a seat from now on.
    pub(super) fn open_tap(&self, parser: Parser, seat: Inlet) {
        self.state().drain = Some(Drain { parser, seat: Some(seat) });
    }

    /// A seat is gone. Does nothing if the connection has another by now.
    pub(super) fn unseat(&self, gone: &Inlet) {
        if let Some(drain) = &mut self.state().drain {
            drain.seat.take_if(|seat| seat == gone);
        }
    }

    /// The library reads.
    pub(super) fn poll_read(&self, lane: &Arc<Lane>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if !state.incoming.follows_frames(lane.is_websocket()) {
            return state.poll_through(lane.tcp(), cx, to);
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
            let is_filled = if is_tapped { state.fill(lane, &Waker::from(lane.clone())) } else { state.fill(lane, cx.waker()) };
            if !is_filled {
                return Poll::Pending;
            }
        }
    }

    /// The socket has something.
    fn on_readable(&self, lane: &Arc<Lane>) {
        let mut state = self.state();
        if !state.incoming.is_drained() || state.fill(lane, &Waker::from(lane.clone())) {
            let library = state.library.take();
            drop(state);
            if let Some(library) = library {
                library.wake();
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Reads until there is something for the library to see, or the socket is empty and `waker` will be woken: then false.
    fn fill(&mut self, lane: &Lane, waker: &Waker) -> bool {
        loop {
            let read = SCRATCH.with_borrow_mut(|scratch| {
                let count = read(lane.tcp(), scratch)?;
                self.incoming.run(&scratch[..count], self.drain.as_ref());
                io::Result::Ok(count)
            });
            match read {
                Ok(0) => self.ended = Some(Ok(())),
                Ok(count) => {
                    observe::bytes_read(count);
                    if self.incoming.is_drained() {
                        continue;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match lane.tcp().poll_read_ready(&mut Context::from_waker(waker)) {
                        Poll::Pending => return false,
                        Poll::Ready(Ok(())) => continue,
                        Poll::Ready(Err(error)) => self.ended = Some(Err(error)),
                    }
                }
                Err(error) => self.ended = Some(Err(error)),
            }
            return true;
        }
    }

    /// Reads straight into the library's buffer.
    fn poll_through(&mut self, tcp: &TcpStream, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let unfilled = to.initialize_unfilled();
            match read(tcp, unfilled) {
                Ok(count) => {
                    self.incoming.note(&unfilled[..count]);
                    to.advance(count);
                    observe::bytes_read(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::task::ready!(tcp.poll_read_ready(cx))?,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

/// Reads what is there. When that is less than asked for, the socket is noted to be empty within the same look at its
/// readiness, as Tokio's own reader does: the next read waits for news instead of asking the kernel in vain.
fn read(tcp: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
    let mut short = None;
    let result = tcp.try_io(Interest::READABLE, || {
        match rustix::net::recv(tcp, &mut *into, RecvFlags::empty()).map(|(_, count)| count).map_err(io::Error::from) {
            Ok(count) if count > 0 && count < into.len() => {
                short = Some(count);
                Err(io::ErrorKind::WouldBlock.into())
            }
            read => read,
        }
    });
    short.map_or(result, Ok)
}

#[cfg(test)]
mod tests {
    use std::{net::Shutdown, time::Duration};

    use tokio::{net::TcpListener, time::sleep};

    use super::*;

    #[tokio::test]
    async fn a_lane_that_its_socket_wakes_goes_when_the_stream_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let lane = Lane::new(listener.accept().await.unwrap().0);
        lane.switch_protocols();
        lane.reader.state().incoming.note(b"\r\n\r\n");
        lane.reader.state().drain = Some(Drain { parser: Parser::Default, seat: None });
        let mut cx = Context::from_waker(Waker::noop());
        assert!(lane.reader.poll_read(&lane, &mut cx, &mut ReadBuf::new(&mut [0; 8])).is_pending());
        let weak = Arc::downgrade(&lane);
        SockRef::from(lane.tcp()).shutdown(Shutdown::Both).unwrap();
        drop(lane);
        for _ in 0..500 {
            if weak.strong_count() == 0 {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("the lane is still there");
    }
}
