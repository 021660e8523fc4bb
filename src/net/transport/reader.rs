//! Reading from a connection. While its tap is open, whatever the socket has is taken out where the news of it arrives, in
//! Tokio's driver: an input is on its way to its room without a task being scheduled. Who sends inputs at nearly every step of
//! their room and nothing else is not even watched: the room reads right before it steps. The library's task is woken for what is its
//! own.

use std::{
    cell::RefCell,
    io,
    net::Shutdown,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use tokio::io::ReadBuf;

use crate::net::transport::habit::Habit;
use crate::net::transport::lane::Lane;
use crate::net::transport::overdue;
use crate::net::transport::overdue::Unfinished;
use crate::net::transport::packet::Parser;
use crate::net::transport::socket::Socket;
use crate::net::transport::tap::Drain;
use crate::net::transport::tap::Incoming;
use crate::{host::Inlet, observe};

/// The most that is read at once from a WebSocket.
const READ_BYTES: usize = 16 * 1024;

/// How often one socket is read before it is another's turn.
const MOST_READS: usize = 8;

thread_local! {
    /// Where what comes from WebSockets is sorted.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// The reading half of a [`Lane`].
#[derive(Default)]
pub(crate) struct Reader(Mutex<State>);

#[derive(Default)]
struct State {
    incoming: Incoming,
    /// Where inputs go; nowhere until the connection has a seat.
    drain: Option<Drain>,
    /// Waits for something of its own.
    library: Option<Waker>,
    /// The stream has ended or failed since the library last looked.
    ended: Option<io::Result<()>>,
    habit: Habit,
    /// Somebody looks whether what has begun to come ends.
    is_looked_at: bool,
}

/// Woken by the socket in the library's place. While it waits, the socket holds its own lane: the end of the stream, which
/// dropping the library's half brings about, is the last that it is woken for.
impl Wake for Lane {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.guarded(|| self.reader.on_readable(self));
    }
}

impl Lane {
    /// The room is about to take its inputs, so many times a second: hands over what the socket has, if that is how it is read.
    pub(crate) fn pull(self: &Arc<Self>, hz: u16) {
        self.guarded(|| self.reader.pull(self, hz));
    }

    /// A panic in here would end Tokio's driver, and every connection with it, or the room.
    fn guarded(&self, read: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(read)).is_err() {
            tracing::error!("a reader panicked; its connection ends");
            let _ = self.socket.shut_down(Shutdown::Both);
        }
    }
}

impl Reader {
    /// Inputs of event `i` go to a seat from now on.
    pub(crate) fn open_tap(&self, parser: Parser, seat: Inlet) {
        self.state().drain = Some(Drain { parser, seat: Some(seat) });
    }

    /// A seat is gone. Does nothing if the connection has another by now.
    pub(crate) fn unseat(&self, gone: &Inlet) {
        if let Some(drain) = &mut self.state().drain {
            drain.seat.take_if(|seat| seat == gone);
        }
    }

    fn pull(&self, lane: &Arc<Lane>, hz: u16) {
        let mut state = self.state();
        let was_pulled = state.habit.is_pulled();
        let is_pulled = state.habit.step(hz);
        if is_pulled && !was_pulled && !(state.incoming.is_drained() && lane.socket.put_watch_off()) {
            state.habit.reset();
        } else if is_pulled || was_pulled {
            self.take(state, lane);
        }
    }

    /// No room asks any more: the socket is watched again, if it was not.
    pub(crate) fn release(&self, lane: &Arc<Lane>) {
        let mut state = self.state();
        if state.habit.is_pulled() {
            state.habit.reset();
            self.take(state, lane);
        }
    }

    /// What has begun to come and is not whole, for who looks on. Nothing: the look was the last.
    pub(crate) fn unfinished(&self) -> Option<Unfinished> {
        let mut state = self.state();
        let unfinished = state.incoming.unfinished();
        state.is_looked_at = unfinished.is_some();
        unfinished
    }

    /// The library reads.
    pub(crate) fn poll_read(&self, lane: &Arc<Lane>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if !state.incoming.follows_frames(lane.is_websocket()) {
            return state.poll_through(&lane.socket, cx, to);
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
        self.take(self.state(), lane);
    }

    fn take(&self, mut state: MutexGuard<'_, State>, lane: &Arc<Lane>) {
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
    /// Reads until there is something for the library to see, or there is nothing more to do now: then false, and `waker` will be
    /// woken unless the room reads.
    fn fill(&mut self, lane: &Arc<Lane>, waker: &Waker) -> bool {
        for _ in 0..MOST_READS {
            let read = SCRATCH.with_borrow_mut(|scratch| {
                let count = lane.socket.try_read(scratch)?;
                self.incoming.run(&scratch[..count], self.drain.as_ref());
                io::Result::Ok(count)
            });
            if !self.is_looked_at && self.incoming.unfinished().is_some() {
                self.is_looked_at = true;
                overdue::watch(lane);
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
                    match lane.socket.poll_read_ready(&mut Context::from_waker(waker)) {
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
        // Who sends without end is not all that this thread has to do.
        self.habit.reset();
        let waker = waker.clone();
        drop(lane.socket.runtime.spawn(async move { waker.wake() }));
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
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use tokio::{
        io::AsyncWriteExt,
        net::{TcpListener, TcpStream},
        time::sleep,
    };

    use super::*;

    const HZ: u16 = 20;

    /// A frame that is the library's, masked with zeros.
    const PONG: &[u8] = b"\x81\x81\0\0\0\x003";

    /// Longer than anything takes on its way.
    const WAY: Duration = Duration::from_millis(20);

    #[derive(Default)]
    struct Library(AtomicUsize);

    impl Wake for Library {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// A WebSocket with an open tap, for which the library waits, and the client's end of it.
    struct Stage {
        lane: Arc<Lane>,
        client: TcpStream,
        library: Arc<Library>,
    }

    impl Stage {
        async fn new() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let lane = Lane::new(listener.accept().await.unwrap().0);
            lane.switch_protocols();
            lane.reader.state().incoming.note(b"\r\n\r\n");
            lane.reader.state().drain = Some(Drain { parser: Parser::MsgPack, seat: None });
            let stage = Self { lane, client, library: Arc::default() };
            assert_eq!(stage.read(), Poll::Pending);
            stage
        }

        /// After a second of inputs.
        async fn with_habit() -> Self {
            let mut stage = Self::new().await;
            for _ in 0..HZ {
                stage.send(&input()).await;
                stage.step();
            }
            assert!(stage.lane.reader.state().habit.is_pulled());
            assert_eq!(stage.woken(), 0, "inputs are not the library's");
            stage
        }

        async fn send(&mut self, bytes: &[u8]) {
            self.client.write_all(bytes).await.unwrap();
            sleep(WAY).await;
        }

        fn step(&self) {
            self.lane.pull(HZ);
        }

        /// How often the library was told to read.
        fn woken(&self) -> usize {
            self.library.0.load(Ordering::SeqCst)
        }

        /// The library reads.
        fn read(&self) -> Poll<Vec<u8>> {
            let mut bytes = [0; 64];
            let mut to = ReadBuf::new(&mut bytes);
            let waker = Waker::from(self.library.clone());
            let read = self.lane.reader.poll_read(&self.lane, &mut Context::from_waker(&waker), &mut to);
            read.map(|ended| ended.map(|()| to.filled().to_vec()).unwrap())
        }

        /// The socket is watched: what is the library's wakes it, though no room asks.
        async fn expect_watched(&mut self) {
            while self.read() != Poll::Pending {}
            let woken = self.woken();
            self.send(PONG).await;
            assert_eq!(self.woken(), woken + 1);
            assert_eq!(self.read(), Poll::Ready(PONG.to_vec()));
        }
    }

    fn input() -> Vec<u8> {
        let packet = [&Parser::MsgPack.event_prefix("i")[..], &[0xc4, 1, 7]].concat();
        [&[0x82, 0x80 | packet.len() as u8, 0, 0, 0, 0], &packet[..]].concat()
    }

    #[tokio::test]
    async fn who_sends_inputs_alone_is_read_at_the_steps_until_anything_else_comes() {
        let mut stage = Stage::with_habit().await;
        stage.send(PONG).await;
        assert_eq!(stage.woken(), 0, "nobody reads between the steps");
        stage.step();
        assert_eq!(stage.woken(), 1);
        assert_eq!(stage.read(), Poll::Ready(PONG.to_vec()));
        stage.expect_watched().await;
    }

    #[tokio::test]
    async fn the_end_is_seen_at_the_next_step() {
        let mut stage = Stage::with_habit().await;
        stage.client.shutdown().await.unwrap();
        sleep(WAY).await;
        stage.step();
        assert_eq!(stage.woken(), 1);
        assert_eq!(stage.read(), Poll::Ready(Vec::new()));
    }

    #[tokio::test]
    async fn who_falls_silent_is_watched() {
        let mut stage = Stage::with_habit().await;
        (0..HZ).for_each(|_| stage.step());
        stage.expect_watched().await;
    }

    #[tokio::test]
    async fn a_room_that_stops_leaves_nothing_unread() {
        let mut stage = Stage::with_habit().await;
        stage.send(&[input(), PONG.to_vec()].concat()).await;
        stage.lane.reader.release(&stage.lane);
        assert_eq!(stage.woken(), 1);
        assert_eq!(stage.read(), Poll::Ready(PONG.to_vec()));
        stage.expect_watched().await;
    }

    #[tokio::test]
    async fn a_flood_is_read_bit_by_bit() {
        let flood = input().repeat(MOST_READS * READ_BYTES / input().len() * 2);
        for look_at_once in [true, false] {
            let mut stage = Stage::with_habit().await;
            let writable = stage.client.try_write(&flood).unwrap();
            assert!(writable > MOST_READS * READ_BYTES, "the kernel took {writable} bytes");
            stage.step();
            if look_at_once {
                assert_eq!(stage.lane.socket.try_read(&mut [0]).unwrap(), 1, "there is something left");
            } else {
                let (rest, _) = (&flood[writable..], sleep(WAY).await);
                stage.client.write_all(rest).await.unwrap();
                stage.expect_watched().await;
            }
        }
    }

    #[tokio::test]
    async fn a_lane_that_its_socket_wakes_goes_when_the_stream_ends() {
        let Stage { lane, client: _client, .. } = Stage::new().await;
        let weak = Arc::downgrade(&lane);
        lane.socket.shut_down(Shutdown::Both).unwrap();
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
