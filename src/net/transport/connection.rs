//! One TCP connection.

use std::{
    io,
    net::Shutdown,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use tokio::{io::ReadBuf, net::TcpStream, time::sleep};

use crate::{
    host::{Full, Inlet},
    net::transport::{
        overdue::{CHECK_INTERVAL, Overdue},
        packet::Parser,
        reader::{Owner, Reader},
        socket::Socket,
        writer::Writer,
    },
    observe::{self, DropReason},
};

/// One TCP connection: its socket, what reads it and what writes to it. It is what the socket wakes, what a room pulls inputs
/// from, and what is cut.
pub(crate) struct Connection {
    socket: Socket,
    is_websocket: AtomicBool,
    writer: Writer,
    reader: Reader,
}

impl Connection {
    /// Takes over an accepted connection. To be called within a runtime.
    pub(crate) fn new(stream: TcpStream) -> Arc<Self> {
        Arc::new(Self {
            socket: Socket::new(stream),
            is_websocket: AtomicBool::new(false),
            writer: Writer::default(),
            reader: Reader::default(),
        })
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

    /// Ends the connection at once, whatever is queued on it.
    pub(crate) fn cut(&self) {
        // Fails only if the connection has ended already.
        let _ = self.socket.shut_down(Shutdown::Both);
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
        self.reader.open_tap(parser, seat);
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
    pub(crate) fn send_reliably(&self, frame: Vec<u8>) -> Result<(), Full> {
        self.writer.send_reliably(&self.socket, frame)
    }

    /// Reads for the library.
    pub(crate) fn poll_read(self: &Arc<Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.reader.poll_read(self, cx, to)
    }

    /// Writes for the library, behind the frames that a room has begun.
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            match self.writer.library_write(&self.socket, slices) {
                Some(Ok(count)) => return Poll::Ready(Ok(count)),
                Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
                None | Some(Err(_)) => std::task::ready!(self.socket.poll_write_ready(cx))?,
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
}

/// Cuts a connection when a packet on it begins and does not end. Goes with the first check that finds everything whole.
async fn supervise(connection: Weak<Connection>) {
    let mut overdue = Overdue::default();
    loop {
        sleep(CHECK_INTERVAL).await;
        let Some(connection) = connection.upgrade() else { return };
        let Some(packet) = connection.reader.unfinished() else { return };
        if overdue.check(packet) {
            observe::dropped(DropReason::Unfinished);
            tracing::debug!(received = packet.received, "connection cut: a packet that began does not end");
            connection.cut();
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use tokio::{
        io::AsyncWriteExt,
        net::{TcpListener, TcpStream},
        time::timeout,
    };

    use super::*;
    use crate::net::transport::reader::tests::TURN_BYTES;

    const HZ: u16 = 20;

    /// A frame for the library, masked with zeros.
    const PONG: &[u8] = b"\x81\x81\0\0\0\x003";

    /// A bound for a test that hangs, and no measure of anything.
    const HANG: Duration = Duration::from_secs(60);

    #[derive(Default)]
    struct Library(AtomicUsize);

    impl Wake for Library {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// A WebSocket with an open tap, for which the library waits, and the client's end of it.
    struct Stage {
        connection: Arc<Connection>,
        client: TcpStream,
        library: Arc<Library>,
    }

    impl Stage {
        async fn new() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            client.set_nodelay(true).unwrap();
            let connection = Connection::new(listener.accept().await.unwrap().0);
            connection.switch_protocols();
            connection.reader.begin();
            let stage = Self { connection, client, library: Arc::default() };
            assert_eq!(stage.read(), Poll::Pending);
            stage
        }

        /// A client that has sent inputs, and nothing else, for a second of steps.
        async fn with_habit() -> Self {
            let mut stage = Self::new().await;
            let pulled = async {
                while !stage.connection.reader.is_pulled() {
                    stage.client.write_all(&input()).await.unwrap();
                    turn_of_the_driver().await;
                    stage.step();
                }
            };
            timeout(HANG, pulled).await.expect("inputs alone are a habit");
            stage.step();
            assert_eq!(stage.woken(), 0, "inputs are not for the library");
            stage
        }

        /// Sends to a connection that its room pulls, and waits until the bytes are in the socket.
        async fn send(&mut self, bytes: &[u8]) {
            self.client.write_all(bytes).await.unwrap();
            self.until_arrived().await;
        }

        /// Waits until the socket has bytes that nobody has read, or the end of the stream.
        async fn until_arrived(&self) {
            let arrived = async {
                while !self.connection.socket.is_readable() {
                    turn_of_the_driver().await;
                }
            };
            timeout(HANG, arrived).await.expect("what was sent arrives");
        }

        fn step(&self) {
            self.connection.pull(HZ);
        }

        /// Returns how often the library was told to read.
        fn woken(&self) -> usize {
            self.library.0.load(Ordering::SeqCst)
        }

        /// Reads for the library.
        fn read(&self) -> Poll<Vec<u8>> {
            let mut bytes = [0; 64];
            let mut to = ReadBuf::new(&mut bytes);
            let waker = Waker::from(self.library.clone());
            let read = self.connection.poll_read(&mut Context::from_waker(&waker), &mut to);
            read.map(|ended| ended.map(|()| to.filled().to_vec()).unwrap())
        }

        /// Waits until the library has been woken more often than `before`.
        async fn until_woken(&self, before: usize) {
            let woken = async {
                while self.woken() == before {
                    turn_of_the_driver().await;
                }
            };
            timeout(HANG, woken).await.expect("the library is woken");
        }

        /// Asserts that the socket is registered: a frame for the library wakes the library, though no room pulls.
        async fn expect_registered(&mut self) {
            while self.read() != Poll::Pending {}
            let woken = self.woken();
            self.client.write_all(PONG).await.unwrap();
            self.until_woken(woken).await;
            assert_eq!(self.read(), Poll::Ready(PONG.to_vec()));
        }
    }

    /// Lets Tokio's driver look at all sockets.
    async fn turn_of_the_driver() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    fn input() -> Vec<u8> {
        let packet = [&Parser::MsgPack.event_prefix("i")[..], &[0xc4, 1, 7]].concat();
        [&[0x82, 0x80 | packet.len() as u8, 0, 0, 0, 0], &packet[..]].concat()
    }

    #[tokio::test]
    async fn a_client_of_inputs_alone_is_read_at_the_steps() {
        let mut stage = Stage::with_habit().await;
        stage.send(PONG).await;
        assert_eq!(stage.woken(), 0, "nobody reads between the steps");
        stage.step();
        assert_eq!(stage.woken(), 1);
        assert_eq!(stage.read(), Poll::Ready(PONG.to_vec()));
        stage.expect_registered().await;
    }

    #[tokio::test]
    async fn the_end_of_the_stream_is_seen_at_the_next_step() {
        let mut stage = Stage::with_habit().await;
        stage.client.shutdown().await.unwrap();
        stage.until_arrived().await;
        stage.step();
        assert_eq!(stage.woken(), 1);
        assert_eq!(stage.read(), Poll::Ready(Vec::new()));
    }

    #[tokio::test]
    async fn a_client_that_falls_silent_is_registered_again() {
        let mut stage = Stage::with_habit().await;
        (0..HZ).for_each(|_| stage.step());
        stage.expect_registered().await;
    }

    #[tokio::test]
    async fn a_room_that_stops_leaves_nothing_unread() {
        let mut stage = Stage::with_habit().await;
        stage.send(&[input(), PONG.to_vec()].concat()).await;
        stage.connection.release();
        assert_eq!(stage.woken(), 1);
        assert_eq!(stage.read(), Poll::Ready(PONG.to_vec()));
        stage.expect_registered().await;
    }

    #[tokio::test]
    async fn a_flood_is_read_in_turns() {
        let flood = input().repeat(TURN_BYTES / input().len() * 2);
        for look_at_once in [true, false] {
            let mut stage = Stage::with_habit().await;
            let writable = stage.client.try_write(&flood).unwrap();
            assert!(writable > TURN_BYTES, "the kernel took {writable} bytes");
            stage.step();
            if look_at_once {
                assert_eq!(stage.connection.socket.try_read(&mut [0]).unwrap(), 1, "there is something left");
            } else {
                stage.client.write_all(&flood[writable..]).await.unwrap();
                stage.expect_registered().await;
            }
        }
    }

    #[tokio::test]
    async fn a_connection_is_dropped_when_its_stream_ends() {
        let Stage { connection, client: _client, .. } = Stage::new().await;
        let weak = Arc::downgrade(&connection);
        connection.cut();
        drop(connection);
        let dropped = async {
            while weak.strong_count() > 0 {
                turn_of_the_driver().await;
            }
        };
        timeout(HANG, dropped).await.expect("the connection is dropped");
    }
}
