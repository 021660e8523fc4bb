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
        limits::address::{Handshakes, Share},
        transport::connection::Connection,
    },
    observe,
};

/// The kernel's buffer for one client, in bytes. The kernel doubles it for its own book-keeping.
const SEND_BUFFER_BYTES: usize = 32 * 1024;

/// How long a cut session stays known: longer than socketioxide keeps one from which nothing comes, which is a ping's interval and
/// its timeout.
const CUT_SESSION_KEPT: Duration = Duration::from_secs(60);

/// One connection as hyper and socketioxide see it. The connection ends when this is dropped.
pub(crate) struct Stream {
    handle: StreamHandle,
    /// The connection's place in the count of its address.
    share: Share,
}

/// A handle to a stream's connection, in the extensions of every request that came over the stream.
#[derive(Clone)]
pub(crate) struct StreamHandle {
    connection: Arc<Connection>,
    streams: Streams,
    /// The Engine.IO session that was upgraded to this stream.
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
}

impl Stream {
    /// Takes over an accepted connection.
    ///
    /// Small messages leave at once. Bytes that the peer does not acknowledge for `unacknowledged` end the connection, as far as the
    /// system can be told so; else a client that stops reading would never be noticed.
    ///
    /// # Errors
    /// The system's, when it refuses one of the options.
    pub(crate) fn new(tcp: TcpStream, unacknowledged: Duration, streams: Streams, share: Share) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        // Bytes that wait in the kernel for a client that stopped reading are stale when it goes on, so there must be few.
        SockRef::from(&tcp).set_send_buffer_size(SEND_BUFFER_BYTES)?;
        limit_unacknowledged(&tcp, unacknowledged)?;
        observe::streams().increment(1);
        Ok(Self { handle: StreamHandle { connection: Connection::new(tcp), streams, session: Arc::default() }, share })
    }

    pub(crate) fn handle(&self) -> StreamHandle {
        self.handle.clone()
    }

    /// Returns the count of handshakes of the stream's address.
    pub(crate) fn handshakes(&self) -> Handshakes {
        self.share.handshakes()
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
    /// Notes that a session moves to this stream.
    pub(crate) fn upgrade(&self, session: &str) {
        if self.session.set(session.to_owned()).is_ok() {
            self.streams.lock().upgraded.insert(session.to_owned(), self.connection.clone());
        }
    }

    /// Ends a session's connection at once, whatever is queued on it. The further requests of a session that polls are not
    /// answered, on whichever stream they come.
    pub(crate) fn cut(&self, session: &str) {
        let connection = self.connection(session);
        if !connection.is_websocket() {
            self.streams.note_cut(session, Instant::now());
        }
        connection.cut();
    }

    /// Returns the connection on which a session is now: that of its first request, or the one that it moved to.
    pub(crate) fn connection(&self, session: &str) -> Arc<Connection> {
        let upgraded = self.streams.lock().upgraded.get(session).cloned();
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
}

impl Streams {
    fn note_cut(&self, session: &str, now: Instant) {
        let cut = &mut self.lock().cut;
        cut.retain(|_, at| now.saturating_duration_since(*at) < CUT_SESSION_KEPT);
        cut.insert(session.to_owned(), now);
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let StreamHandle { connection, streams, session } = &self.handle;
        if let Some(session) = session.get() {
            let upgraded = &mut streams.lock().upgraded;
            if upgraded.get(session).is_some_and(|current| Arc::ptr_eq(current, connection)) {
                upgraded.remove(session);
            }
        }
        // A handle may outlive the stream; the connection must not.
        connection.cut();
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
    use crate::net::limits::NetLimits;
    use crate::net::limits::address::Addresses;

    async fn pair(streams: &Streams) -> (Stream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        let share = Addresses::new(&NetLimits::default()).take(listener.local_addr().unwrap().ip()).unwrap();
        (Stream::new(tcp, Duration::from_secs(15), streams.clone(), share).unwrap(), client)
    }

    #[tokio::test]
    async fn a_cut_ends_the_stream_that_the_session_moved_to() {
        let streams = Streams::default();
        let ((polling, mut first), (mut websocket, mut second)) = (pair(&streams).await, pair(&streams).await);
        websocket.handle().upgrade("session");
        polling.handle().cut("session");
        assert_eq!(second.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(websocket.read(&mut [0]).await.unwrap(), 0, "the server's side ends, too");
        drop(websocket);
        assert!(streams.lock().upgraded.is_empty());
        polling.handle().cut("session");
        assert_eq!(first.read(&mut [0]).await.unwrap(), 0);
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
