//! A TCP stream that can be made to read slowly. Unread bytes wait in the kernel, as they do on a narrow connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// Reads per second of a throttled stream.
const PIECES_A_SECOND: u32 = 20;

pub(crate) struct ThrottledStream {
    tcp: TcpStream,
    slow: Option<Throttle>,
}

struct Throttle {
    bytes_a_second: u32,
    /// Nothing is read before this.
    pause: Pin<Box<Sleep>>,
}

impl ThrottledStream {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self { tcp, slow: None }
    }

    pub(crate) fn crawl(&mut self, bytes_a_second: u32) {
        self.slow = Some(Throttle { bytes_a_second, pause: Box::pin(sleep_until(Instant::now())) });
    }
}

impl AsyncRead for ThrottledStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { tcp, slow } = &mut *self;
        let Some(Throttle { bytes_a_second, pause }) = slow else { return Pin::new(tcp).poll_read(cx, buf) };
        ready!(pause.as_mut().poll(cx));
        let mut piece = vec![0; buf.remaining().min((*bytes_a_second / PIECES_A_SECOND).max(1) as usize)];
        let mut read = ReadBuf::new(&mut piece);
        ready!(Pin::new(tcp).poll_read(cx, &mut read))?;
        buf.put_slice(read.filled());
        let takes = Duration::from_secs_f64(read.filled().len() as f64 / f64::from(*bytes_a_second));
        pause.as_mut().reset(Instant::now() + takes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ThrottledStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_crawling_stream_reads_slowly_and_loses_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut stream = ThrottledStream::new(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        let (mut other, _) = listener.accept().await.unwrap();
        let sent: Vec<u8> = (0..=255).cycle().take(1000).collect();
        other.write_all(&sent).await.unwrap();
        stream.crawl(2000);
        let (began, mut read) = (Instant::now(), vec![0; sent.len()]);
        stream.read_exact(&mut read).await.unwrap();
        let took = began.elapsed();
        assert_eq!(read, sent);
        assert!(took.as_secs_f64() >= 0.4, "{took:?} for half a second's bytes");
    }
}
