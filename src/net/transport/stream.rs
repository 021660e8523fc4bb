//! The stream under each connection: a TCP socket that others hold too, to cut it, and that counts its bytes.

use std::{
    collections::HashMap,
    io,
    net::Shutdown,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use crate::net::limits::address::Handshakes;
use crate::net::limits::address::Share;
use crate::net::transport::lane::Lane;
use crate::net::transport::socket::Socket;
use crate::observe;

/// What the kernel may hold for one client, before it doubles it for its own book-keeping.
const SEND_BUFFER_BYTES: usize = 32 * 1024;

/// How long socketioxide may take to give a session up of which it hears nothing: a ping's interval and its timeout, and some more.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// What hyper and socketioxide read and write.
pub(crate) struct Stream {
    handle: StreamHandle,
    /// Its place in the count of its address.
    share: Share,
}

/// Another hold on a stream, put into the extensions of every request that came over it.
#[derive(Clone)]
pub(crate) struct StreamHandle {
    lane: Arc<Lane>,
    streams: Streams,
    /// The Engine.IO session that was upgraded to this stream.
    session: Arc<OnceLock<String>>,
}

/// What is known of sessions beyond the stream of their first request, which is the one that socketioxide shows.
#[derive(Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<Sessions>>);

#[derive(Default)]
struct Sessions {
    /// The streams of those that began with polling and were upgraded.
    moved: HashMap<String, Arc<Lane>>,
    /// Those that poll, were cut, and are not heard any more, since when.
    expelled: HashMap<String, Instant>,
}

impl Stream {
    /// Takes over an accepted connection. Small messages leave at once; bytes that the peer does not acknowledge for
    /// `unacknowledged` end the connection, or a client that stops reading would never be noticed.
    pub(crate) fn new(tcp: TcpStream, unacknowledged: Duration, streams: Streams, share: Share) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        // What waits in the kernel for a client that stopped reading is stale when it goes on: it must be little.
        SockRef::from(&tcp).set_send_buffer_size(SEND_BUFFER_BYTES)?;
        #[cfg(target_os = "linux")]
        SockRef::from(&tcp).set_tcp_user_timeout(Some(unacknowledged))?;
        #[cfg(not(target_os = "linux"))]
        let _ = unacknowledged;
        observe::streams().increment(1);
        Ok(Self { handle: StreamHandle { lane: Lane::new(tcp), streams, session: Arc::default() }, share })
    }

    pub(crate) fn handle(&self) -> StreamHandle {
        self.handle.clone()
    }

    pub(crate) fn handshakes(&self) -> Handshakes {
        self.share.handshakes()
    }

    fn socket(&self) -> &Socket {
        &self.handle.lane.socket
    }
}

impl StreamHandle {
    /// Notes that a session moves to this stream.
    pub(crate) fn upgrade(&self, session: &str) {
        if self.session.set(session.to_owned()).is_ok() {
            self.streams.lock().moved.insert(session.to_owned(), self.lane.clone());
        }
    }

    /// Ends a session's connection at once, whatever is queued on it: the stream of its first request, or the one that it moved to.
    /// Of a session that polls no other stream is heard, either.
    pub(crate) fn cut(&self, session: &str) {
        let lane = self.lane(session);
        if !lane.is_websocket() {
            self.streams.expel(session, Instant::now());
        }
        shut_down(&lane);
    }

    /// The lane on which a session is now: that of its first request, or the one that it moved to.
    pub(crate) fn lane(&self, session: &str) -> Arc<Lane> {
        let moved = self.streams.lock().moved.get(session).cloned();
        moved.unwrap_or_else(|| self.lane.clone())
    }

    /// Whether a session that polls was cut: nothing more is heard from it.
    pub(crate) fn is_expelled(&self, session: &str) -> bool {
        self.streams.lock().expelled.contains_key(session)
    }

    /// An HTTP answer makes this a WebSocket connection.
    pub(crate) fn switch_protocols(&self) {
        self.lane.switch_protocols();
    }
}

impl Streams {
    fn expel(&self, session: &str, now: Instant) {
        let expelled = &mut self.lock().expelled;
        expelled.retain(|_, since| now.saturating_duration_since(*since) < FORGOTTEN);
        expelled.insert(session.to_owned(), now);
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let StreamHandle { lane, streams, session } = &self.handle;
        if let Some(session) = session.get() {
            let moved = &mut streams.lock().moved;
            if moved.get(session).is_some_and(|stream| Arc::ptr_eq(stream, lane)) {
                moved.remove(session);
            }
        }
        // A handle may outlive the stream; the connection must not.
        shut_down(lane);
        observe::streams().decrement(1);
    }
}

fn shut_down(lane: &Lane) {
    // Fails only if the connection has ended already.
    let _ = lane.socket.shut_down(Shutdown::Both);
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let lane = &self.handle.lane;
        lane.reader.poll_read(lane, cx, buf)
    }
}

impl Stream {
    /// Writes under the lane's lock, behind what the lane has begun.
    fn poll_library_write(&self, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            match self.handle.lane.library_write(slices) {
                Some(Ok(count)) => return Poll::Ready(Ok(count)),
                Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
                None | Some(Err(_)) => ready!(self.socket().poll_write_ready(cx))?,
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_library_write(cx, &[io::IoSlice::new(bytes)])
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.poll_library_write(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.socket().shut_down(Shutdown::Write) {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(())),
        }
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
        assert!(streams.lock().moved.is_empty());
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
