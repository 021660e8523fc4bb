//! A connection's TCP socket, and Tokio's watch over it. The watch can be put off: a socket that its room asks at every step by
//! itself costs no event then.

use std::{
    io::{self, Write},
    net::Shutdown,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use rustix::net::{RecvFlags, SendFlags};
use socket2::SockRef;
use tokio::{io::Interest, net::TcpStream, runtime::Handle};

use crate::observe;

/// A socket that counts what it takes, whoever writes.
pub(crate) struct Socket {
    state: Mutex<State>,
    pub(crate) runtime: Handle,
}

struct State {
    tcp: Tcp,
    /// Somebody waits until the socket takes more.
    writer_waits: bool,
}

enum Tcp {
    Watched(TcpStream),
    Unwatched(std::net::TcpStream),
    /// The system did not let it be moved from one to the other.
    Lost,
}

impl Socket {
    /// Takes over an accepted connection. Within a runtime.
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self { state: Mutex::new(State { tcp: Tcp::Watched(tcp), writer_waits: false }), runtime: Handle::current() }
    }

    /// Reads what is there. When that is less than asked for, the watch notes that the socket is empty, as Tokio's own reader does:
    /// the next read waits for news instead of asking the kernel in vain.
    pub(crate) fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut read = None;
        let result = self.state().tcp.try_io(Interest::READABLE, |tcp| match receive(tcp, into)? {
            count if count > 0 && count < into.len() => {
                read = Some(count);
                Err(io::ErrorKind::WouldBlock.into())
            }
            count => Ok(count),
        });
        read.map_or(result, Ok)
    }

    /// Writes without asking the watch first whether the socket would take it, which it nearly always does.
    pub(crate) fn write_once(&self, bytes: &[u8]) -> io::Result<usize> {
        self.state().tcp.with(|tcp| send(tcp, bytes))
    }

    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.state().tcp.try_io(Interest::WRITABLE, |tcp| send(tcp, bytes))
    }

    pub(crate) fn try_write_vectored(&self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let write = |tcp: &SockRef<'_>| (&**tcp).write_vectored(slices);
        self.state().tcp.try_io(Interest::WRITABLE, write).inspect(|count| observe::bytes_written(*count))
    }

    /// Whether the socket may have something to read; if not, the context's waker is woken when it has.
    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.state().tcp.watch(&self.runtime)?.poll_read_ready(cx)
    }

    /// The same for writing.
    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        state.writer_waits = true;
        ready!(state.tcp.watch(&self.runtime)?.poll_write_ready(cx))?;
        state.writer_waits = false;
        Poll::Ready(Ok(()))
    }

    /// Puts the watch off until somebody waits again; who waited to read hears no more. False if somebody waits to write.
    pub(crate) fn put_watch_off(&self) -> bool {
        let mut state = self.state();
        if !state.writer_waits {
            state.tcp.unwatch();
        }
        !state.writer_waits
    }

    /// Fails only if the connection has ended already.
    pub(crate) fn shut_down(&self, how: Shutdown) -> io::Result<()> {
        self.state().tcp.with(|tcp| tcp.shutdown(how))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tcp {
    fn with<R>(&self, io: impl FnOnce(&SockRef<'_>) -> io::Result<R>) -> io::Result<R> {
        match self {
            Self::Watched(tcp) => io(&SockRef::from(tcp)),
            Self::Unwatched(tcp) => io(&SockRef::from(tcp)),
            Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The same, in agreement with the watch, if there is one.
    fn try_io<R>(&self, interest: Interest, io: impl FnOnce(&SockRef<'_>) -> io::Result<R>) -> io::Result<R> {
        match self {
            Self::Watched(tcp) => tcp.try_io(interest, || self.with(io)),
            _ => self.with(io),
        }
    }

    fn watch(&mut self, runtime: &Handle) -> io::Result<&TcpStream> {
        if let Self::Unwatched(_) = self
            && let Self::Unwatched(tcp) = std::mem::replace(self, Self::Lost)
        {
            let _within = runtime.enter();
            *self = Self::Watched(TcpStream::from_std(tcp)?);
        }
        match self {
            Self::Watched(tcp) => Ok(tcp),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn unwatch(&mut self) {
        *self = match std::mem::replace(self, Self::Lost) {
            Self::Watched(tcp) => tcp.into_std().map_or(Self::Lost, Self::Unwatched),
            other => other,
        };
    }
}

fn receive(tcp: &SockRef<'_>, into: &mut [u8]) -> io::Result<usize> {
    rustix::net::recv(&**tcp, into, RecvFlags::empty()).map(|(_, count)| count).map_err(io::Error::from)
}

fn send(tcp: &SockRef<'_>, bytes: &[u8]) -> io::Result<usize> {
    let written = rustix::net::send(&**tcp, bytes, SendFlags::NOSIGNAL).map_err(io::Error::from);
    written.inspect(|count| observe::bytes_written(*count))
}
