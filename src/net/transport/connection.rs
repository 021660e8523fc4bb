//! One TCP connection.

use std::{
    io,
    net::Shutdown,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use tokio::{
    io::ReadBuf,
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    host::{Full, Inlet},
    net::{
        limits::NetLimits,
        transport::{
            overdue::{CHECK_INTERVAL, Overdue},
            packet::Parser,
            reader::{Owner, Reader},
            socket::Socket,
            websocket::CloseCode,
            writer::Writer,
        },
    },
    observe::{self, DropReason},
};

/// The time that a client has to read why its WebSocket is closed, and a connection that has ended to take what waits for it.
const FAREWELL: Duration = Duration::from_secs(5);

/// The most bytes that are read and thrown away while a client reads why its WebSocket is closed.
const DISCARDED_BYTES: usize = 64 * 1024;

/// One TCP connection: its socket, what reads it and what writes to it. It is what the socket wakes, what a room pulls inputs
/// from, and what is cut.
pub(crate) struct Connection {
    socket: Socket,
    is_websocket: AtomicBool,
    is_cut: AtomicBool,
    /// Whether a task writes what waits as soon as the socket takes it.
    is_draining: AtomicBool,
    /// Whether the connection ends as soon as nothing waits any more.
    is_ending: AtomicBool,
    /// The client's parser, known since the connection got a seat.
    parser: OnceLock<Parser>,
    limits: Arc<NetLimits>,
    writer: Writer,
    reader: Reader,
}

impl Connection {
    /// Takes over an accepted connection. To be called within a runtime.
    pub(crate) fn new(stream: TcpStream, limits: &Arc<NetLimits>) -> Arc<Self> {
        Arc::new(Self {
            socket: Socket::new(stream),
            is_websocket: AtomicBool::new(false),
            is_cut: AtomicBool::new(false),
            is_draining: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
            parser: OnceLock::new(),
            limits: limits.clone(),
            writer: Writer::default(),
            reader: Reader::new(limits),
        })
    }

    pub(crate) fn limits(&self) -> &NetLimits {
        &self.limits
    }

    /// Notes that an HTTP answer goes out that makes this a WebSocket.
    pub(crate) fn switch_protocols(&self) {
        self.writer.switch_protocols();
        self.is_websocket.store(true, Ordering::Release);
    }

    /// Returns whether this is a WebSocket by now.
    pub(crate) fn is_websocket(&self) -> bool {
        self.is_websocket.load(Ordering::Acquire)
    }

    /// Ends the connection at once, whatever is queued on it. The library reads its end from now on, whatever the client sends.
    /// Returns false if the connection was cut before.
    pub(crate) fn cut(&self) -> bool {
        let is_first = !self.is_cut.swap(true, Ordering::AcqRel);
        // Fails only if the connection has ended already.
        let _ = self.socket.shut_down(Shutdown::Both);
        is_first
    }

    /// Cuts the connection because of what its client does, and counts why. A WebSocket's client is told so if it reads.
    pub(crate) fn cut_for(&self, why: DropReason) {
        if !self.is_cut.load(Ordering::Acquire) {
            self.writer.close_websocket(&self.socket, CloseCode::Policy);
        }
        if self.cut() {
            observe::dropped(why);
            tracing::debug!(?why, "connection cut");
        }
    }

    /// Ends the connection when its stream is dropped. What waits for the client still goes out, if the client takes it soon.
    /// `held` is dropped at the end.
    pub(crate) fn finish(self: &Arc<Self>, held: impl Send + 'static) {
        // If a task waits for the socket, it ends the connection, too.
        self.is_ending.store(true, Ordering::Release);
        if self.is_cut.load(Ordering::Acquire) || !self.writer.is_waiting() {
            return self.end();
        }
        self.drain_later(1);
        let connection = self.clone();
        drop(self.socket.runtime.spawn(async move {
            sleep(FAREWELL).await;
            connection.end();
            drop(held);
        }));
    }

    /// Cuts the connection and gives its memory and its descriptor back, though others may still hold it.
    fn end(&self) {
        self.cut();
        self.writer.clear();
        // A task that waits for the socket must see its end first.
        if !self.is_draining.load(Ordering::Acquire) {
            self.socket.close();
        }
    }

    /// Returns whether the next request on the connection may be handled now. Otherwise others have their turn first.
    pub(crate) fn begin_request(&self) -> bool {
        self.reader.begin_request()
    }

    /// Ends the writing side; the peer sees the end of the stream.
    ///
    /// # Errors
    /// The system's error, unless the connection has ended already.
    pub(crate) fn shut_down_writing(&self) -> io::Result<()> {
        match self.socket.shut_down(Shutdown::Write) {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Err(error),
            _ => Ok(()),
        }
    }

    /// Sends the inputs that the client sends as event `i` to a seat from now on.
    pub(crate) fn open_tap(&self, parser: Parser, seat: Inlet) {
        // The same for every seat: it is the endpoint's.
        let _ = self.parser.set(parser);
        self.reader.open_tap(parser, seat);
    }

    /// Returns the client's parser, if the connection has, or had, a seat.
    pub(crate) fn parser(&self) -> Option<Parser> {
        self.parser.get().copied()
    }

    /// Discards further inputs for a seat that is given up. Does nothing if the connection has another seat by now.
    pub(crate) fn unseat(&self, gone: &Inlet) {
        self.reader.unseat(gone);
    }

    /// Reads inputs for a room that is about to step, `hz` times a second, if that is how this connection is read.
    pub(crate) fn pull(self: &Arc<Self>, hz: u16) {
        self.guarded(|| self.reader.pull(self, hz));
    }

    /// Reads by itself again: no room pulls any more.
    pub(crate) fn release(self: &Arc<Self>) {
        self.guarded(|| self.reader.release(self));
    }

    /// Lets frames go straight out once the library has written a frame whose payload starts with `marker`. To be called before
    /// that message is handed to the library.
    pub(crate) fn expect(&self, marker: &[u8]) {
        self.writer.expect(marker);
    }

    /// Returns whether frames go straight out by now, or once the library has written what is expected.
    pub(crate) fn is_expecting(&self) -> bool {
        self.writer.is_expecting()
    }

    /// Takes no more frames. What waits still goes out before the library's next bytes.
    pub(crate) fn close(&self) {
        self.writer.close();
    }

    /// Writes a frame at once or not at all.
    ///
    /// # Errors
    /// The frame cannot go out now.
    pub(crate) fn send_now(&self, frame: &[u8]) -> Result<(), Full> {
        self.writer.send_now(&self.socket, frame)
    }

    /// Writes a frame behind all reliable ones before it, now or later.
    ///
    /// # Errors
    /// The backlog is full, or the writer is closed.
    pub(crate) fn send_reliably(self: &Arc<Self>, frame: Vec<u8>) -> Result<(), Full> {
        let waiting = self.writer.send_reliably(&self.socket, frame)?;
        self.drain_later(waiting);
        Ok(())
    }

    /// Reads for the library.
    pub(crate) fn poll_read(self: &Arc<Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.reader.poll_read(self, cx, to)
    }

    /// Writes for the library, behind the frames that a room has begun. A WebSocket for which too much waits is cut.
    pub(crate) fn poll_write(self: &Arc<Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            if self.is_cut.load(Ordering::Acquire) {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            match self.writer.library_write(&self.socket, slices, self.limits.queued_bytes) {
                Ok(accepted) => {
                    if accepted.waiting > self.limits.queued_bytes {
                        self.cut_for(DropReason::QueuedBytes);
                    } else {
                        self.drain_later(accepted.waiting);
                    }
                    return Poll::Ready(Ok(accepted.taken));
                }
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
                Err(_) => std::task::ready!(self.socket.poll_write_ready(cx))?,
            }
        }
    }

    /// Sees to it that what waits goes out as soon as the socket takes it.
    fn drain_later(self: &Arc<Self>, waiting: usize) {
        if waiting == 0 || self.is_draining.swap(true, Ordering::AcqRel) {
            return;
        }
        let connection = self.clone();
        drop(self.socket.runtime.spawn(async move {
            connection.drain().await;
            connection.is_draining.store(false, Ordering::Release);
            if connection.is_ending.load(Ordering::Acquire) {
                return connection.end();
            }
            // More may have come between the last write and the note that nobody waits any more.
            if !connection.is_cut.load(Ordering::Acquire) {
                connection.drain_later(usize::from(connection.writer.is_waiting()));
            }
        }));
    }

    /// Writes what waits. Ends with the connection, too.
    async fn drain(&self) {
        while !self.is_cut.load(Ordering::Acquire) && !self.writer.drain(&self.socket) {
            if std::future::poll_fn(|cx| self.socket.poll_write_ready(cx)).await.is_err() {
                return;
            }
        }
    }

    /// Throws away what the client sends, until it has ended the connection. Closing a socket with unread bytes would reset the
    /// connection, and the client might not read what was sent to it before.
    async fn discard(&self) {
        let (mut scratch, mut left) = ([0; 1024], DISCARDED_BYTES);
        while left > 0 {
            match self.socket.try_read(&mut scratch) {
                Ok(0) => return,
                Ok(count) => left = left.saturating_sub(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if std::future::poll_fn(|cx| self.socket.poll_read_ready(cx)).await.is_err() {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }

    /// Ends this connection if `read` panics. The panic would end Tokio's driver with every connection, or the room.
    fn guarded(&self, read: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(read)).is_err() {
            tracing::error!("a reader panicked; its connection ends");
            self.cut();
        }
    }
}

/// The socket wakes its own connection in the library's place. While it waits it holds the connection. The end of the stream, which
/// comes when the library drops its half, is the last thing that it is woken for.
impl Wake for Connection {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.guarded(|| self.reader.on_readable(self));
    }
}

impl Owner for Arc<Connection> {
    fn socket(&self) -> &Socket {
        &self.socket
    }

    fn is_websocket(&self) -> bool {
        Connection::is_websocket(self)
    }

    fn waker(&self) -> Waker {
        Waker::from(self.clone())
    }

    fn supervise(&self) {
        drop(self.socket.runtime.spawn(supervise(Arc::downgrade(self))));
    }

    fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    fn cut_for(&self, why: DropReason) {
        Connection::cut_for(self, why);
    }

    fn close(&self, code: CloseCode) {
        observe::dropped(DropReason::Protocol);
        tracing::debug!(?code, "the WebSocket is closed");
        let is_told = self.writer.close_websocket(&self.socket, code);
        let connection = self.clone();
        drop(self.socket.runtime.spawn(async move {
            if is_told {
                // Fails only if the connection has ended already.
                let _ = connection.shut_down_writing();
                let _ = timeout(FAREWELL, connection.discard()).await;
            }
            connection.cut();
            connection.reader.wake_library();
        }));
    }
}

/// Cuts a connection when a packet on it begins and does not end. Goes with the first check that finds everything whole.
async fn supervise(connection: Weak<Connection>) {
    let mut overdue = Overdue::default();
    loop {
        sleep(CHECK_INTERVAL).await;
        let Some(connection) = connection.upgrade() else { return };
        let Some(packet) = connection.reader.unfinished() else { return };
        if overdue.check(packet) {
            connection.cut_for(DropReason::Unfinished);
            return;
        }
    }
}

#[cfg(test)]
mod tests;
