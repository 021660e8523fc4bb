//! The stream under each connection: a TCP socket that others hold too, to cut it, and that counts its bytes.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::observe::{self, StreamMeters};

/// What hyper and socketioxide read and write.
pub(super) struct Stream {
    tcp: Arc<TcpStream>,
    meters: StreamMeters,
}

/// Another hold on a stream, put into the extensions of every request that came over it.
#[derive(Debug, Clone)]
pub(super) struct StreamHandle(Arc<TcpStream>);

impl Stream {
    /// Takes over an accepted connection. Small messages leave at once; bytes that the peer does not acknowledge for
    /// `unacknowledged` end the connection, or a client that stops reading would never be noticed.
    pub(super) fn new(tcp: TcpStream, unacknowledged: Duration, meters: StreamMeters) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        #[cfg(target_os = "linux")]
        SockRef::from(&tcp).set_tcp_user_timeout(Some(unacknowledged))?;
        #[cfg(not(target_os = "linux"))]
        let _ = unacknowledged;
        observe::streams().increment(1);
        Ok(Self { tcp: Arc::new(tcp), meters })
    }

    pub(super) fn handle(&self) -> StreamHandle {
        StreamHandle(self.tcp.clone())
    }
}

impl StreamHandle {
    /// Ends the connection at once, whatever is queued on it.
    pub(super) fn cut(&self) {
        // Fails only if the connection has ended already.
        let _ = SockRef::from(&*self.0).shutdown(std::net::Shutdown::Both);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // A handle may outlive the stream; the connection must not.
        let _ = SockRef::from(&*self.tcp).shutdown(std::net::Shutdown::Both);
        observe::streams().decrement(1);
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.tcp.try_read(buf.initialize_unfilled()) {
                Ok(count) => {
                    buf.advance(count);
                    self.meters.read.increment(count as u64);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.tcp.poll_read_ready(cx))?,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl Stream {
    fn poll_write_with(&self, cx: &mut Context<'_>, write: impl Fn(&TcpStream) -> io::Result<usize>) -> Poll<io::Result<usize>> {
        loop {
            match write(&self.tcp) {
                Ok(count) => {
                    self.meters.written.increment(count as u64);
                    return Poll::Ready(Ok(count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.tcp.poll_write_ready(cx))?,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |tcp| tcp.try_write(bytes))
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |tcp| tcp.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match SockRef::from(&*self.tcp).shutdown(std::net::Shutdown::Write) {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(())),
        }
    }
}
