//! The stream of a WebSocket as the library gets it.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use crate::{
    net::{
        engine::{frames::Frames, inside::PAUSE},
        transport::stream::Stream,
    },
    observe::{self, DropReason},
};

/// A stream that is handed to the library. When the library drops it before its client has ended it, that is counted.
pub(crate) struct Handed {
    stream: Stream,
    /// Bytes that the library reads before those of the stream.
    before: Vec<u8>,
    /// How many bytes that the library writes first are out already.
    written: usize,
    frames: Box<Frames>,
    /// The time until frames that wait are looked at again.
    pause: Option<Pin<Box<Sleep>>>,
    /// Whether the stream has ended, or failed.
    has_ended: bool,
}

impl Handed {
    /// Hands a stream over with the bytes that were read from it, after which the library's first `written` bytes do not go out.
    pub(crate) fn new(stream: Stream, read: &[u8], written: usize, mut frames: Frames) -> Self {
        let before = frames.take(read).unwrap_or_else(|| read.to_vec());
        Self { stream, before, written, frames: Box::new(frames), pause: None, has_ended: false }
    }

    fn give(&mut self, to: &mut ReadBuf<'_>) {
        let count = self.before.len().min(to.remaining());
        to.put_slice(&self.before[..count]);
        self.before.drain(..count);
        if self.before.is_empty() {
            self.before = Vec::new();
        }
    }

    /// Takes bytes that are out already. Returns how many there are at the start of `bytes`.
    fn skip(&mut self, bytes: usize) -> usize {
        let count = self.written.min(bytes);
        self.written -= count;
        count
    }

    /// Looks whether frames that wait may go on. The first time at once: the library has handled all that it got before it reads on.
    fn look_again(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
            }
            self.before = self.frames.take(&[]).unwrap_or_default();
            if !self.frames.waits() || self.frames.has_failed() || !self.before.is_empty() {
                self.pause = None;
                return Poll::Ready(());
            }
            self.pause = Some(Box::pin(sleep(PAUSE)));
        }
    }

    /// Learns the session's id from the library's first packet, `0{"sid":"...`.
    fn learn_name(&self, bytes: &[u8]) {
        const BEFORE: &[u8] = b"\"sid\":\"";
        if self.frames.inside().is_nameless()
            && let Some(at) = bytes.windows(BEFORE.len()).position(|part| part == BEFORE)
        {
            let rest = &bytes[at + BEFORE.len()..];
            let name = rest.split(|byte| *byte == b'"').next().and_then(|name| std::str::from_utf8(name).ok());
            self.frames.inside().name(name.unwrap_or_default());
        }
    }

    fn note_failure(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.has_ended |= matches!(written, Poll::Ready(Err(_)));
        written
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        if !self.has_ended && !self.frames.has_left() {
            observe::dropped(DropReason::Session);
        }
    }
}

impl AsyncRead for Handed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let start = to.filled().len();
        loop {
            if !self.before.is_empty() {
                self.give(to);
                return Poll::Ready(Ok(()));
            }
            if self.frames.waits() {
                ready!(self.look_again(cx));
                if self.frames.has_failed() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                continue;
            }
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, to));
            if read.is_err() || to.filled().len() == start {
                self.has_ended = true;
                return Poll::Ready(read);
            }
            let Some(changed) = self.frames.take(&to.filled()[start..]) else { return Poll::Ready(Ok(())) };
            to.set_filled(start);
            self.before = changed;
        }
    }
}

impl AsyncWrite for Handed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.skip(bytes.len()) {
            0 => {
                self.learn_name(bytes);
                let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
                self.note_failure(written)
            }
            count => Poll::Ready(Ok(count)),
        }
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self.skip(slices.iter().map(|slice| slice.len()).sum()) {
            0 => {
                slices.iter().for_each(|slice| self.learn_name(slice));
                let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
                self.note_failure(written)
            }
            count => Poll::Ready(Ok(count)),
        }
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
