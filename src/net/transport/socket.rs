//! A connection's TCP socket, and its registration with Tokio's driver. A room that reads a socket at every step may take it out of
//! the driver: then its bytes cost no event.

use std::{
    io::{self, Write},
    net::Shutdown,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use socket2::SockRef;
use tokio::{io::Interest, net::TcpStream, runtime::Handle};

use crate::observe;

/// A socket that counts the bytes it takes, from every writer.
pub(crate) struct Socket {
    state: Mutex<State>,
    pub(crate) runtime: Handle,
}

struct State {
    tcp: Tcp,
    /// Whether a task waits until the socket takes more.
    writer_waits: bool,
}

enum Tcp {
    Registered(TcpStream),
    Unregistered(std::net::TcpStream),
    /// The socket is closed, or the system refused to register it or to take it out.
    Lost,
}

impl Socket {
    /// Takes over an accepted connection. To be called within a runtime.
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self { state: Mutex::new(State { tcp: Tcp::Registered(tcp), writer_waits: false }), runtime: Handle::current() }
    }

    /// Reads the bytes that are there. A read that does not fill the buffer marks the socket as empty, as Tokio's own reader does:
    /// the next read waits for an event instead of asking the kernel in vain.
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

    /// Writes without asking Tokio first whether the socket would take the bytes. It nearly always does.
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

    /// Returns ready if the socket may have something to read. Otherwise registers the context's waker for that.
    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.state().tcp.register(&self.runtime)?.poll_read_ready(cx)
    }

    /// Returns ready if the socket may take bytes. Otherwise registers the context's waker for that.
    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        state.writer_waits = true;
        ready!(state.tcp.register(&self.runtime)?.poll_write_ready(cx))?;
        state.writer_waits = false;
        Poll::Ready(Ok(()))
    }

    /// Takes the socket out of the driver until a task waits for it again. A task that waits to read is not woken any more. Does
    /// nothing and returns false while a task waits to write.
    pub(crate) fn deregister(&self) -> bool {
        let mut state = self.state();
        if !state.writer_waits {
            state.tcp.deregister();
        }
        !state.writer_waits
    }

    /// Ends one or both directions.
    ///
    /// # Errors
    /// The connection has ended already.
    pub(crate) fn shut_down(&self, how: Shutdown) -> io::Result<()> {
        self.state().tcp.with(|tcp| tcp.shutdown(how))
    }

    /// Gives the descriptor back. The socket is of no more use.
    pub(crate) fn close(&self) {
        self.state().tcp = Tcp::Lost;
    }

    /// Returns whether there are bytes to read, or the end of the stream.
    #[cfg(test)]
    pub(crate) fn is_readable(&self) -> bool {
        self.state().tcp.with(|tcp| tcp.peek(&mut [std::mem::MaybeUninit::uninit()])).is_ok()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tcp {
    fn with<R>(&self, io: impl FnOnce(&SockRef<'_>) -> io::Result<R>) -> io::Result<R> {
        match self {
            Self::Registered(tcp) => io(&SockRef::from(tcp)),
            Self::Unregistered(tcp) => io(&SockRef::from(tcp)),
            Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Does the same, and keeps Tokio's view of the socket's readiness if it is registered.
    fn try_io<R>(&self, interest: Interest, io: impl FnOnce(&SockRef<'_>) -> io::Result<R>) -> io::Result<R> {
        match self {
            Self::Registered(tcp) => tcp.try_io(interest, || self.with(io)),
            _ => self.with(io),
        }
    }

    fn register(&mut self, runtime: &Handle) -> io::Result<&TcpStream> {
        if let Self::Unregistered(_) = self
            && let Self::Unregistered(tcp) = std::mem::replace(self, Self::Lost)
        {
            let _within = runtime.enter();
            *self = Self::Registered(TcpStream::from_std(tcp)?);
        }
        match self {
            Self::Registered(tcp) => Ok(tcp),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn deregister(&mut self) {
        *self = match std::mem::replace(self, Self::Lost) {
            Self::Registered(tcp) => tcp.into_std().map_or(Self::Lost, Self::Unregistered),
            other => other,
        };
    }
}

/// Reads in one system call into initialised memory, which socket2 does not offer.
#[cfg(unix)]
fn receive(tcp: &SockRef<'_>, into: &mut [u8]) -> io::Result<usize> {
    rustix::net::recv(&**tcp, into, rustix::net::RecvFlags::empty()).map(|(_, count)| count).map_err(io::Error::from)
}

#[cfg(not(unix))]
fn receive(tcp: &SockRef<'_>, into: &mut [u8]) -> io::Result<usize> {
    io::Read::read(&mut &**tcp, into)
}

/// A write to a connection that has ended is an error, and no signal: Rust's runtime ignores `SIGPIPE`, but a host that embeds the
/// server may have set it back.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn send(tcp: &SockRef<'_>, bytes: &[u8]) -> io::Result<usize> {
    let written = rustix::net::send(&**tcp, bytes, rustix::net::SendFlags::NOSIGNAL).map_err(io::Error::from);
    written.inspect(|count| observe::bytes_written(*count))
}

/// The same for systems whose `send` has no such flag.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn send(tcp: &SockRef<'_>, bytes: &[u8]) -> io::Result<usize> {
    tcp.send(bytes).inspect(|count| observe::bytes_written(*count))
}
