//! Tests of a connection, with real sockets.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::*;
use crate::net::transport::{cursor::tests::HEAD, reader::tests::TURN_BYTES, websocket::tests::server_frame};

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

/// Both ends of a connection: the server's and the client's.
async fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    client.set_nodelay(true).unwrap();
    (listener.accept().await.unwrap().0, client)
}

impl Stage {
    async fn new() -> Self {
        Self::limited(NetLimits::default()).await
    }

    async fn limited(limits: NetLimits) -> Self {
        let (server, client) = connected().await;
        let connection = Connection::new(server, &Arc::new(limits));
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
        assert_eq!(self.read_when_woken(woken).await, PONG);
    }

    /// Reads for the library whenever it is woken, until it gets something.
    async fn read_when_woken(&self, mut before: usize) -> Vec<u8> {
        loop {
            self.until_woken(before).await;
            before = self.woken();
            if let Poll::Ready(bytes) = self.read() {
                return bytes;
            }
        }
    }

    /// Reads for the library until the end of the stream. Returns all bytes, and the most that came without a pause.
    async fn read_to_end(&self) -> (usize, usize) {
        let (mut all, mut turn, mut longest) = (0, 0, 0);
        loop {
            let woken = self.woken();
            match self.read() {
                Poll::Ready(bytes) if bytes.is_empty() => return (all, longest),
                Poll::Ready(bytes) => {
                    turn += bytes.len();
                    longest = longest.max(turn);
                    all += bytes.len();
                }
                Poll::Pending => {
                    turn = 0;
                    self.until_woken(woken).await;
                }
            }
        }
    }

    /// Writes for the library.
    fn write(&self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.connection.poll_write(&mut Context::from_waker(Waker::noop()), &[io::IoSlice::new(bytes)])
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
async fn the_library_reads_a_flood_in_turns() {
    let mut stage = Stage::new().await;
    let flood = PONG.repeat(4_000);
    stage.client.write_all(&flood).await.unwrap();
    stage.client.shutdown().await.unwrap();
    let (all, longest) = timeout(HANG, stage.read_to_end()).await.expect("each pause ends");
    assert_eq!(all, flood.len());
    // The library's buffer here has 64 bytes, so a turn has at most 256 of them.
    assert!(longest <= 256 * 64 && all > 256 * 64, "{longest} of {all}");
}

#[tokio::test]
async fn a_client_beyond_its_share_is_cut_whatever_it_sends() {
    let fragments = [&[0x01, 0x81, 0, 0, 0, 0, b'a'][..], &b"\x00\x80\0\0\0\0".repeat(10_000)].concat();
    let floods: [(&str, Vec<u8>); 5] = [
        ("pongs of Engine.IO", PONG.repeat(10_000)),
        ("inputs", input().repeat(10_000)),
        ("pings", b"\x89\x80\0\0\0\0".repeat(10_000)),
        ("empty messages", b"\x82\x80\0\0\0\0".repeat(10_000)),
        ("empty fragments", fragments),
    ];
    for (what, flood) in floods {
        let Stage { connection, mut client, library } = Stage::new().await;
        let (mut from_server, mut to_server) = client.split();
        let stage = async {
            let waker = Waker::from(library.clone());
            std::future::poll_fn(|cx| {
                loop {
                    let mut bytes = [0; 4096];
                    let read = connection.poll_read(&mut Context::from_waker(&waker), &mut ReadBuf::new(&mut bytes));
                    if connection.is_cut() {
                        return Poll::Ready(());
                    }
                    if read.is_pending() {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                }
            })
            .await;
        };
        // The server may cut the connection before everything is sent.
        let sends = async { drop(to_server.write_all(&flood).await) };
        let cut = timeout(HANG, async { tokio::join!(stage, sends) }).await;
        assert!(cut.is_ok(), "{what} go on for ever");
        let mut told = Vec::new();
        let _ = from_server.read_to_end(&mut told).await;
        assert!(told.is_empty() || told == [0x88, 2, 0x03, 0xf0], "{what}: {told:?}");
        assert!(matches!(connection.writer.send_reliably(&connection.socket, Vec::new()), Err(Full)), "{what}");
    }
}

#[tokio::test]
async fn bytes_that_come_one_by_one_count_as_frames() {
    let mut stage = Stage::limited(NetLimits { frame_burst: 200, frames_per_second: 1.0, ..NetLimits::default() }).await;
    // A frame of 10,000 bytes, which is allowed, in as many segments.
    stage.client.write_all(&[0x82, 0xfe, 0x27, 0x10, 0, 0, 0, 0]).await.unwrap();
    let trickle = async {
        while !Owner::is_cut(&stage.connection) && stage.client.write_all(&[7]).await.is_ok() {
            turn_of_the_driver().await;
            while let Poll::Ready(bytes) = stage.read() {
                if bytes.is_empty() {
                    return;
                }
            }
        }
    };
    timeout(HANG, trickle).await.expect("a client of single bytes is cut");
    assert!(Owner::is_cut(&stage.connection));
}

#[tokio::test]
async fn a_pulled_client_beyond_its_share_is_cut() {
    let mut stage = Stage::with_habit().await;
    let flood = input().repeat(200);
    let cut = async {
        while !Owner::is_cut(&stage.connection) {
            // The server may have cut the connection.
            let _ = stage.client.write_all(&flood).await;
            stage.step();
            turn_of_the_driver().await;
        }
    };
    timeout(HANG, cut).await.expect("a client that floods is cut");
    assert_eq!(stage.read(), Poll::Ready(Vec::new()), "the library sees the end");
}

#[tokio::test]
async fn a_cut_connection_ends_for_the_library_though_more_has_come() {
    let mut stage = Stage::new().await;
    stage.client.write_all(&PONG.repeat(100)).await.unwrap();
    stage.until_arrived().await;
    assert!(stage.connection.cut());
    assert!(!stage.connection.cut(), "it was cut before");
    assert_eq!(stage.read(), Poll::Ready(Vec::new()));
    assert!(matches!(stage.write(b"more"), Poll::Ready(Err(_))));
}

#[tokio::test]
async fn a_client_for_which_too_much_waits_is_cut() {
    let stage = Stage::new().await;
    let _ = stage.write(HEAD);
    let answer = server_frame(&[7; 10_000]);
    let mut written = 0;
    while let Poll::Ready(Ok(count)) = stage.write(&answer) {
        assert_eq!(count, answer.len(), "the library never waits");
        written += count;
        assert!(written < 64 * 1024 * 1024, "a client that reads nothing is cut");
    }
    assert!(Owner::is_cut(&stage.connection));
    let held = NetLimits::default().queued_bytes;
    assert!(written > held, "{written} bytes, of which the kernel holds some");
}

#[tokio::test]
async fn what_waits_goes_out_when_the_client_reads_again() {
    let Stage { connection, mut client, library: _library } = Stage::new().await;
    let write = |bytes: &[u8]| connection.poll_write(&mut Context::from_waker(Waker::noop()), &[io::IoSlice::new(bytes)]);
    let _ = write(HEAD);
    let answer = server_frame(&[7; 1_000]);
    let mut written = HEAD.len();
    while !connection.writer.is_waiting() {
        let Poll::Ready(Ok(count)) = write(&answer) else { panic!("the library never waits") };
        written += count;
    }
    // The stream ends now, and still nothing is lost.
    connection.finish(());
    let mut read = Vec::new();
    timeout(HANG, client.read_to_end(&mut read)).await.expect("the connection ends").unwrap();
    assert_eq!(read.len(), written);
}

#[tokio::test]
async fn a_client_that_breaks_a_rule_is_told_its_close_code() {
    let big = [&[0x82, 0xfe, 0x7f, 0xff, 0, 0, 0, 0][..], &[0; 100]].concat();
    let cases: [(&[u8], u16); 4] =
        [(b"\x81\x013", 1002), (b"\xc1\x81\0\0\0\x003", 1002), (b"\x81\x81\0\0\0\0\xff", 1007), (&big, 1009)];
    for (frame, code) in cases {
        let mut stage = Stage::new().await;
        let _ = stage.write(HEAD);
        stage.client.write_all(&[PONG, frame, PONG].concat()).await.unwrap();
        let woken = stage.woken();
        let first = match stage.read() {
            Poll::Ready(first) => first,
            Poll::Pending => stage.read_when_woken(woken).await,
        };
        assert_eq!(first, PONG, "what came before is read");
        let mut told = Vec::new();
        timeout(HANG, stage.client.read_to_end(&mut told)).await.expect("the server ends the stream").unwrap();
        let [high, low] = code.to_be_bytes();
        let expected = [HEAD, &[0x88, 2, high, low]].concat();
        assert_eq!(told, expected, "{code}");
        let _ = stage.client.shutdown().await;
        let (more, _) = timeout(HANG, stage.read_to_end()).await.expect("the library sees the end");
        assert_eq!(more, 0, "what came after is not read");
    }
}

#[tokio::test]
async fn a_client_that_does_not_wait_for_the_answer_breaks_the_protocol() {
    let stage = Stage::new().await;
    let connection = Connection::new(connected().await.0, &Arc::default());
    connection.switch_protocols();
    let mut bytes = [0; 64];
    let waker = Waker::from(stage.library.clone());
    let read = connection.poll_read(&mut Context::from_waker(&waker), &mut ReadBuf::new(&mut bytes));
    assert!(read.is_pending(), "the library gets nothing until the connection is cut");
    let cut = async {
        while !Owner::is_cut(&connection) {
            turn_of_the_driver().await;
        }
    };
    timeout(HANG, cut).await.expect("the connection is cut");
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
