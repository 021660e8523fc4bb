//! Ends HTTP connections that wait too long for their next request, or whose header does not come.
//!
//! Hyper has one limit for both, which counts from the end of the last answer. A proxy keeps its connections for a minute, and would
//! send a request on one that is being closed. So an idle connection has a limit of its own, and the one for a header counts from the
//! header's first byte.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use crate::net::{
    limits::NetLimits,
    transport::stream::{Stream, StreamHandle},
};

/// The time that one connection has for what it does now.
pub(crate) struct KeepAlive {
    header: Duration,
    idle: Duration,
    /// Whether the connection waits for the first byte of a request.
    is_waiting: AtomicBool,
    /// Whether a request was answered.
    has_answered: AtomicBool,
    /// When the connection ends. `None` while a request is answered, and on a WebSocket.
    deadline: Mutex<Option<Instant>>,
}

impl KeepAlive {
    /// The first request of a connection has as much time as a header: only clients that have sent one may be idle for longer.
    pub(crate) fn new(limits: &NetLimits) -> Arc<Self> {
        Arc::new(Self {
            header: limits.header_timeout,
            idle: limits.idle_timeout,
            is_waiting: AtomicBool::new(true),
            has_answered: AtomicBool::new(false),
            deadline: Mutex::new(Some(Instant::now() + limits.header_timeout)),
        })
    }

    /// Notes that a request is here. What is returned goes with its answer's body: when that is dropped, the connection is idle.
    pub(crate) fn answering(self: &Arc<Self>) -> Answering {
        self.is_waiting.store(false, Ordering::Relaxed);
        *self.deadline() = None;
        Answering(Some(self.clone()))
    }

    /// Returns whether the connection waits for another request, which may never come.
    pub(crate) fn is_idle(&self) -> bool {
        self.is_waiting.load(Ordering::Relaxed) && self.has_answered.load(Ordering::Relaxed)
    }

    fn wait(&self) {
        self.has_answered.store(true, Ordering::Relaxed);
        self.is_waiting.store(true, Ordering::Relaxed);
        *self.deadline() = Some(Instant::now() + self.idle);
    }

    fn note_read(&self) {
        if self.is_waiting.load(Ordering::Relaxed) {
            self.is_waiting.store(false, Ordering::Relaxed);
            *self.deadline() = Some(Instant::now() + self.header);
        }
    }

    /// The last bytes of an answer go out when its body is gone already.
    fn note_written(&self) {
        if self.is_waiting.load(Ordering::Relaxed) {
            self.wait();
        }
    }

    fn deadline(&self) -> MutexGuard<'_, Option<Instant>> {
        self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a future that runs a connection to its end, or returns `None` when its time is over. The deadline changes only while the
    /// connection is polled.
    pub(crate) async fn run<F: Future>(&self, mut connection: Pin<&mut F>) -> Option<F::Output> {
        let mut sleep: Option<Pin<Box<Sleep>>> = None;
        std::future::poll_fn(|cx| {
            if let Poll::Ready(output) = connection.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            let Some(deadline) = *self.deadline() else { return Poll::Pending };
            let sleep = sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            if sleep.deadline() != deadline {
                sleep.as_mut().reset(deadline);
            }
            sleep.as_mut().poll(cx).map(|()| None)
        })
        .await
    }
}

/// A request that is being answered.
pub(crate) struct Answering(Option<Arc<KeepAlive>>);

impl Answering {
    /// The connection is no HTTP connection any more.
    pub(crate) fn switch_protocols(mut self) {
        self.0 = None;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(keep_alive) = &self.0 {
            keep_alive.wait();
        }
    }
}

/// The body of an answer, with what lasts until all of it is handed to hyper.
pub(crate) struct Held<T> {
    body: Body,
    _until_the_end: T,
}

impl<T> Held<T> {
    pub(crate) fn new(body: Body, until_the_end: T) -> Self {
        Self { body, _until_the_end: until_the_end }
    }
}

impl<T: Unpin> hyper::body::Body for Held<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that tells when it was read and written.
pub(crate) struct Watched {
    stream: Stream,
    keep_alive: Arc<KeepAlive>,
}

impl Watched {
    pub(crate) fn new(stream: Stream, keep_alive: Arc<KeepAlive>) -> Self {
        Self { stream, keep_alive }
    }

    pub(crate) fn handle(&self) -> StreamHandle {
        self.stream.handle()
    }

    /// Returns the stream, which carries no more requests.
    pub(crate) fn into_stream(self) -> Stream {
        self.stream
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, to));
        if to.filled().len() > before {
            self.keep_alive.note_read();
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        self.keep_alive.note_written();
        Poll::Ready(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices));
        self.keep_alive.note_written();
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
