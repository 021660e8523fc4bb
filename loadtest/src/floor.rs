//! The lower bounds of [`mod@crate::compare`]: servers that do one `write` per client and tick and one `read` per input, so that
//! nearly all of their CPU time is the kernel's. They have one thread, build their frame once, and discard inputs. The floor
//! reads when `epoll` reports an input. The limit asks for no events: it reads each socket right before it writes to it.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use tokio_tungstenite::tungstenite;

const LISTENER: Token = Token(0);

/// The number of parts of a tick in which the limit serves its clients, so that their frames do not all leave at once.
const PHASES: usize = 8;

/// The time limit of a client's handshake. The server serves no other client during a handshake.
const HANDSHAKE: Duration = Duration::from_secs(1);

struct Floor {
    poll: Poll,
    listener: TcpListener,
    /// The client with token `n` is at `n - 1`. The place of a client that has disconnected stays empty.
    clients: Vec<Option<TcpStream>>,
    frame: Vec<u8>,
    discarded: Vec<u8>,
    /// Whether `epoll` reports clients that have sent something. If not, each client is read right before it is written to.
    by_events: bool,
}

/// Serves frames with `payload` bytes on a free port until the process is killed: the floor with events, the limit without.
pub(crate) fn serve(hz: u16, payload: u16, by_events: bool) -> anyhow::Result<()> {
    let mut floor = Floor::bind(payload, by_events)?;
    writeln!(io::stdout(), "Listening on http://{}", floor.listener.local_addr()?)?;
    let phases = if by_events { 1 } else { PHASES };
    let period = Duration::from_secs(1) / u32::from(hz) / phases as u32;
    let mut events = Events::with_capacity(1024);
    let mut next = now() + period;
    let mut turns = (0..phases).cycle();
    loop {
        match floor.poll.poll(&mut events, Some(next.saturating_duration_since(now()))) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => return Err(e.into()),
            _ => {}
        }
        for event in &events {
            floor.hear(event)?;
        }
        if now() >= next {
            floor.serve_clients(turns.next().unwrap_or(0), phases);
            next = (next + period).max(now());
        }
    }
}

impl Floor {
    fn bind(payload: u16, by_events: bool) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self { poll, listener, clients: Vec::new(), frame: frame(payload), discarded: vec![0; 4096], by_events })
    }

    fn hear(&mut self, event: &Event) -> io::Result<()> {
        if event.token() == LISTENER {
            return self.accept();
        }
        let place = &mut self.clients[event.token().0 - 1];
        if place.as_mut().is_some_and(|client| !empty(client, &mut self.discarded)) {
            *place = None;
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(e) => return Err(e),
            };
            let Ok(mut stream) = shake_hands(stream.into()) else { continue };
            let token = Token(self.clients.len() + 1);
            if self.by_events {
                self.poll.registry().register(&mut stream, token, Interest::READABLE)?;
            }
            self.clients.push(Some(stream));
        }
    }

    /// Writes a frame to every client of one phase, and without events reads it first.
    fn serve_clients(&mut self, phase: usize, phases: usize) {
        for place in self.clients.iter_mut().skip(phase).step_by(phases) {
            let Some(client) = place else { continue };
            if !self.by_events && !empty(client, &mut self.discarded) {
                *place = None;
                continue;
            }
            match client.write(&self.frame) {
                Ok(written) if written == self.frame.len() => {}
                // The client's buffer is full, so it misses this frame.
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                // The floor keeps no buffer for the rest of a frame, so it closes the connection.
                _ => *place = None,
            }
        }
    }
}

/// Reads what a client has sent. Says whether the client is still there.
fn empty(client: &mut TcpStream, discarded: &mut [u8]) -> bool {
    loop {
        match client.read(discarded) {
            Ok(0) => return false,
            // A short read has emptied the socket.
            Ok(read) if read < discarded.len() => return true,
            Ok(_) => {}
            Err(e) => return e.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

fn shake_hands(stream: std::net::TcpStream) -> io::Result<TcpStream> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(HANDSHAKE))?;
    let socket = tungstenite::accept(stream).map_err(|e| io::Error::other(e.to_string()))?;
    let stream = socket.into_inner();
    stream.set_nonblocking(true)?;
    Ok(TcpStream::from_std(stream))
}

/// Builds a complete WebSocket frame: final, binary, unmasked.
fn frame(payload: u16) -> Vec<u8> {
    let mut frame = vec![0x82];
    match u8::try_from(payload) {
        Ok(short @ ..=125) => frame.push(short),
        _ => {
            frame.push(126);
            frame.extend_from_slice(&payload.to_be_bytes());
        }
    }
    frame.resize(frame.len() + usize::from(payload), 0);
    frame
}

#[expect(clippy::disallowed_methods, reason = "a server's clock")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::wire_len;

    #[test]
    fn a_frame_has_the_header_for_its_length() {
        assert_eq!(frame(3), [0x82, 3, 0, 0, 0]);
        assert_eq!(frame(300)[..4], [0x82, 126, 1, 44]);
        for payload in [0, 125, 126, 65_535] {
            assert_eq!(frame(payload).len() as u64, wire_len(payload.into()));
        }
    }
}
