//! The stream that hyper and socketioxide read and write, and the handle by which others reach its connection.

use std::{
    collections::HashMap,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use crate::{
    net::{
        limits::{NetLimits, address::Share, share::SendShare},
        transport::{connection::Connection, turn::pause},
    },
    observe::{self, DropReason},
};

/// The kernel's buffer for one client, in bytes. The kernel doubles it for its own book-keeping.
const SEND_BUFFER_BYTES: usize = 32 * 1024;

/// How long a session stays known from which nothing comes, and one that was cut: longer than socketioxide keeps one, which is a ping's
/// interval and its timeout.
const SESSION_KEPT: Duration = Duration::from_secs(60);

/// The number of known polling sessions from which on silent ones are forgotten.
const SWEEP_FROM: usize = 1024;

/// One connection as hyper and socketioxide see it. The connection ends when this is dropped.
pub(crate) struct Stream {
    handle: StreamHandle,
    /// The connection's place in the count of its address.
    share: Option<Share>,
}

/// A handle to a stream's connection, in the extensions of every request that came over the stream.
#[derive(Clone)]
pub(crate) struct StreamHandle {
    connection: Arc<Connection>,
    streams: Streams,
    /// Whether the request begins a session on a WebSocket. Then the session is on this connection and never on another.
    begins_websocket: bool,
    /// The session that has moved to this stream.
    session: Arc<OnceLock<String>>,
}

/// The Engine.IO sessions that have left the stream of their first request, which is the only one that socketioxide knows.
#[derive(Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<Sessions>>);

#[derive(Default)]
struct Sessions {
    /// The connections of sessions that began with polling and were upgraded.
    upgraded: HashMap<String, Arc<Connection>>,
    /// The polling sessions that were cut, and when. Their requests are not answered any more.
    cut: HashMap<String, Instant>,
    polling: HashMap<String, PollingSession>,
    /// The number of polling sessions that the last sweep left.
    swept: usize,
}

/// The use of a session that polls: the share it has used, and the bytes that wait for it.
struct PollingSession {
    share: SendShare,
    waiting: usize,
    seen: Instant,
}

impl Stream {
    /// Takes over an accepted connection.
    ///
    /// Small messages leave at once. Bytes that the peer does not acknowledge for the time in `limits` end the connection, as far as the
    /// system can be told so; else a client that stops reading would never be noticed.
    ///
    /// # Errors
    /// The system's, when it refuses one of the options.
    pub(crate) fn new(tcp: TcpStream, limits: &Arc<NetLimits>, streams: Streams, share: Share) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        // Bytes that wait in the kernel for a client that stopped reading are stale when it goes on, so there must be few.
        SockRef::from(&tcp).set_send_buffer_size(SEND_BUFFER_BYTES)?;
        limit_unacknowledged(&tcp, limits.unacknowledged_timeout)?;
        observe::streams().increment(1);
        let connection = Connection::new(tcp, limits);
        let handle = StreamHandle { connection, streams, begins_websocket: false, session: Arc::default() };
        Ok(Self { handle, share: Some(share) })
    }

    pub(crate) fn handle(&self) -> StreamHandle {
        self.handle.clone()
    }
}

/// Ends a connection whose peer acknowledges nothing for so long.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn limit_unacknowledged(tcp: &TcpStream, time: Duration) -> io::Result<()> {
    SockRef::from(tcp).set_tcp_user_timeout(Some(time))
}

/// Ends an idle connection whose peer is gone after about so long. These systems have no limit for bytes that were sent: there a
/// peer that does not acknowledge them is given up when the system's own retransmissions end.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn limit_unacknowledged(tcp: &TcpStream, time: Duration) -> io::Result<()> {
    const PROBES: u32 = 3;
    let keepalive =
        socket2::TcpKeepalive::new().with_time(time / 2).with_interval((time / 2 / PROBES).max(Duration::from_secs(1)));
    SockRef::from(tcp).set_tcp_keepalive(&keepalive)
}

impl StreamHandle {
    /// Returns the handle for a request that begins a session, on a WebSocket or by polling.
    pub(crate) fn of_handshake(&self, is_websocket: bool) -> Self {
        Self { begins_websocket: is_websocket, ..self.clone() }
    }

    /// Notes that a session that began with polling has moved to this stream. Returns false if the session was cut before.
    pub(crate) fn upgrade(&self, session: &str) -> bool {
        let mut sessions = self.streams.lock();
        if sessions.cut.contains_key(session) {
            return false;
        }
        if self.session.set(session.to_owned()).is_ok() {
            sessions.upgraded.insert(session.to_owned(), self.connection.clone());
            sessions.polling.remove(session);
        }
        true
    }

    /// Ends a session's connection at once, whatever is queued on it. The further requests of a session that polls are not
    /// answered, on whichever stream they come. May be called again. Returns false if that had all been done before.
    pub(crate) fn cut(&self, session: &str) -> bool {
        if self.begins_websocket {
            return self.connection.cut();
        }
        // The connection of the first request is left alone: it may be a proxy's, which also serves others.
        let (is_first, upgraded) = self.streams.note_cut(session, Instant::now());
        upgraded.is_some_and(|connection| connection.cut()) || is_first
    }

    /// Cuts a session because of what its client does, and counts why.
    pub(crate) fn cut_for(&self, session: &str, why: DropReason) {
        if self.cut(session) {
            observe::dropped(why);
            tracing::debug!(?why, "session cut");
        }
    }

    /// Counts packets that a session that polls has sent. Returns false if they are more than it may send.
    pub(crate) fn take_packets(&self, session: &str, packets: u32, bytes: usize, limits: &NetLimits) -> bool {
        let now = Instant::now();
        let mut sessions = self.streams.lock();
        sessions.polling(session, limits, now).share.take(packets, bytes)
    }

    /// Counts bytes that are about to wait for a session that polls. Returns false if they are too many; then the session is cut.
    pub(crate) fn queue(&self, session: &str, bytes: usize) -> bool {
        let limits = self.connection.limits();
        let mut sessions = self.streams.lock();
        let polling = sessions.polling(session, limits, Instant::now());
        polling.waiting = polling.waiting.saturating_add(bytes);
        let fits = polling.waiting <= limits.queued_bytes;
        drop(sessions);
        if !fits {
            self.cut_for(session, DropReason::QueuedBytes);
        }
        fits
    }

    /// Notes that a session that polls has taken bytes.
    pub(crate) fn note_given(&self, session: &str, bytes: u64) {
        if let Some(polling) = self.streams.lock().polling.get_mut(session) {
            polling.waiting = polling.waiting.saturating_sub(usize::try_from(bytes).unwrap_or(usize::MAX));
            polling.seen = Instant::now();
        }
    }

    /// Notes that nothing waits for a session that polls.
    pub(crate) fn nothing_waits(&self, session: &str) {
        if let Some(polling) = self.streams.lock().polling.get_mut(session) {
            polling.waiting = 0;
        }
    }

    /// Forgets what was counted for a session that polls.
    pub(crate) fn forget_polling(&self, session: &str) {
        self.streams.lock().polling.remove(session);
    }

    /// Returns the connection on which a session is now: that of its first request, or the one that it moved to.
    pub(crate) fn connection(&self, session: &str) -> Arc<Connection> {
        let moved = || self.streams.lock().upgraded.get(session).cloned();
        let upgraded = if self.begins_websocket { None } else { moved() };
        upgraded.unwrap_or_else(|| self.connection.clone())
    }

    /// Returns whether a session that polls was cut.
    pub(crate) fn is_cut(&self, session: &str) -> bool {
        self.streams.lock().cut.contains_key(session)
    }

    /// Notes that an HTTP answer makes this a WebSocket.
    pub(crate) fn switch_protocols(&self) {
        self.connection.switch_protocols();
    }

    /// Waits until it is the connection's turn to have a request handled. A client that sends requests without pause, and waits for no
    /// answer, leaves the worker to others between them.
    pub(crate) async fn next_turn(&self) {
        if !self.connection.begin_request() {
            pause().await;
        }
    }
}

impl Streams {
    /// Notes that a session was cut. Returns whether this is the first time, and the connection that the session has moved to.
    fn note_cut(&self, session: &str, now: Instant) -> (bool, Option<Arc<Connection>>) {
        let sessions = &mut *self.lock();
        let is_first = !sessions.cut.contains_key(session);
        if is_first {
            sessions.cut.retain(|_, at| now.saturating_duration_since(*at) < SESSION_KEPT);
            sessions.cut.insert(session.to_owned(), now);
        }
        (is_first, sessions.upgraded.get(session).cloned())
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions {
    fn polling(&mut self, session: &str, limits: &NetLimits, now: Instant) -> &mut PollingSession {
        if self.polling.len() >= SWEEP_FROM.max(2 * self.swept) {
            self.polling.retain(|_, polling| now.saturating_duration_since(polling.seen) < SESSION_KEPT);
            self.swept = self.polling.len();
        }
        let new = || PollingSession { share: SendShare::new(limits, now), waiting: 0, seen: now };
        let polling = self.polling.entry(session.to_owned()).or_insert_with(new);
        polling.seen = now;
        polling
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let StreamHandle { connection, streams, session, .. } = &self.handle;
        if let Some(session) = session.get() {
            streams.lock().upgraded.remove(session);
        }
        // A handle may outlive the stream; the connection must not.
        connection.finish(self.share.take());
        observe::streams().decrement(1);
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.handle.connection.poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.handle.connection.poll_write(cx, &[io::IoSlice::new(bytes)])
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.handle.connection.poll_write(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.handle.connection.shut_down_writing())
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt, net::TcpListener};

    use super::*;
    use crate::net::limits::{address::Addresses, proxies::TrustedProxies};

    async fn pair(streams: &Streams) -> (Stream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        let limits = Arc::new(NetLimits::default());
        let share = Addresses::new(&limits, TrustedProxies::default()).accept(listener.local_addr().unwrap().ip()).unwrap();
        (Stream::new(tcp, &limits, streams.clone(), share).unwrap(), client)
    }

    #[tokio::test]
    async fn a_cut_ends_the_stream_that_the_session_moved_to() {
        let streams = Streams::default();
        let ((polling, _first), (mut websocket, mut second)) = (pair(&streams).await, pair(&streams).await);
        let session = polling.handle().of_handshake(false);
        assert!(websocket.handle().upgrade("session"));
        assert!(session.cut("session"));
        assert_eq!(second.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(websocket.read(&mut [0]).await.unwrap(), 0, "the server's side ends, too");
        assert!(!session.cut("session"), "it was cut before");
        assert!(session.is_cut("session"));
        drop(websocket);
        assert!(streams.lock().upgraded.is_empty());
    }

    #[tokio::test]
    async fn a_session_that_was_cut_does_not_move() {
        let streams = Streams::default();
        let ((polling, _first), (websocket, _second)) = (pair(&streams).await, pair(&streams).await);
        polling.handle().of_handshake(false).cut("session");
        assert!(!websocket.handle().upgrade("session"));
    }

    #[tokio::test]
    async fn a_session_that_began_on_a_websocket_is_cut_there_whatever_requests_say() {
        let streams = Streams::default();
        let ((websocket, mut client), (other, _other)) = (pair(&streams).await, pair(&streams).await);
        let session = websocket.handle().of_handshake(true);
        other.handle().upgrade("session");
        assert!(Arc::ptr_eq(&session.connection("session"), &websocket.handle().connection));
        session.cut("session");
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_session_that_polls_is_cut_when_too_much_waits_for_it() {
        let (stream, _client) = pair(&Streams::default()).await;
        let session = stream.handle().of_handshake(false);
        let most = NetLimits::default().queued_bytes;
        assert!(session.queue("session", most));
        session.note_given("session", 1_000);
        assert!(session.queue("session", 1_000));
        session.nothing_waits("session");
        assert!(session.queue("session", most));
        assert!(session.queue("other", most), "each has its own");
        assert!(!session.is_cut("session"));
        assert!(!session.queue("session", 1));
        assert!(session.is_cut("session"));
    }

    #[tokio::test(start_paused = true)]
    async fn polling_sessions_from_which_nothing_comes_are_forgotten() {
        let (stream, _client) = pair(&Streams::default()).await;
        let (handle, limits) = (stream.handle(), NetLimits::default());
        for n in 0..10 * SWEEP_FROM {
            assert!(handle.take_packets(&format!("session-{n}"), 1, 1, &limits));
            tokio::time::advance(Duration::from_millis(100)).await;
            assert!(handle.streams.lock().polling.len() <= 2 * SWEEP_FROM);
        }
    }

    #[tokio::test]
    async fn a_stream_that_ends_takes_its_connection_along() {
        let (stream, mut client) = pair(&Streams::default()).await;
        let handle = stream.handle();
        drop(stream);
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        handle.cut("nobody");
    }
}
