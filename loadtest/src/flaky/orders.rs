//! The orders to a proxy: when a client's line is to die, and which connections are the line. All connections of a session die together:
//! a WebSocket is one, and a client that polls has several.

use std::sync::Mutex;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use tokio::sync::{Notify, watch};

use super::schedule::Death;
use crate::tally::locked;

/// When the line is to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cue {
    Now,
    /// Once the next bytes from the client have reached the server. A poll does not count, unless it opens the session.
    Sent,
    /// Right before bytes of the server with these in them reach the client.
    Told(&'static [u8]),
}

/// The orders to one proxy, and what has become of them.
pub(super) struct Orders {
    pending: Mutex<Pending>,
    changed: Notify,
    pub(super) died: watch::Sender<Vec<Death>>,
}

#[derive(Default)]
struct Pending {
    order: Option<(Death, Cue)>,
    /// The number of the newest session. Only this one takes orders.
    newest: u64,
    /// How the newest session has died.
    dead: Option<Death>,
    /// Its connections over which the server can be cut off from the client: WebSockets, and polls on their way.
    waiting: usize,
}

impl Orders {
    pub(super) fn new() -> Self {
        Self { pending: Mutex::default(), changed: Notify::new(), died: watch::Sender::new(Vec::new()) }
    }

    pub(super) fn give(&self, order: Option<(Death, Cue)>) {
        locked(&self.pending).order = order;
        self.changed.notify_waiters();
    }

    /// Returns the number of the session to which a connection with these first bytes belongs.
    fn session(&self, first: &[u8]) -> u64 {
        let mut pending = locked(&self.pending);
        if !contains(request_line(first), b"sid=") {
            let newest = pending.newest + 1;
            *pending = Pending { order: pending.order, newest, ..Pending::default() };
        }
        pending.newest
    }

    pub(super) fn take(&self, session: u64, is_cue: impl Fn(Cue) -> bool) -> Option<Death> {
        let mut pending = locked(&self.pending);
        if pending.newest != session {
            return None;
        }
        pending.order.take_if(|(_, cue)| is_cue(*cue)).map(|(death, _)| death)
    }

    /// Waits until the session has died, or its line is to die now.
    pub(super) async fn due(&self, session: u64) -> Death {
        loop {
            let changed = self.changed.notified();
            {
                let mut pending = locked(&self.pending);
                if pending.newest == session
                    && let Some(death) = pending.dead
                {
                    return Death { delay: Duration::ZERO, ..death };
                }
                let is_waiting = pending.newest == session && pending.waiting > 0;
                if is_waiting && let Some((death, _)) = pending.order.take_if(|(_, cue)| *cue == Cue::Now) {
                    return death;
                }
            }
            changed.await;
        }
    }

    /// Lets all connections of a session die. A session that polls is not cut between two polls, where it would not notice, but
    /// during the next one. Returns whether the session has died.
    pub(super) fn strike(&self, session: u64, death: Death) -> bool {
        let mut pending = locked(&self.pending);
        if pending.newest != session || pending.dead.is_some() {
            return true;
        }
        if pending.waiting == 0 {
            pending.order = Some((Death { delay: Duration::ZERO, ..death }, Cue::Now));
            return false;
        }
        pending.dead = Some(death);
        drop(pending);
        self.died.send_modify(|died| died.push(death));
        self.changed.notify_waiters();
        true
    }
}

/// One connection of a session, and whether the server could be cut off from the client over it.
pub(super) struct Part<'a> {
    orders: &'a Orders,
    pub(super) session: u64,
    is_waiting: bool,
}

impl<'a> Part<'a> {
    pub(super) fn begin(orders: &'a Orders, first: &[u8]) -> Self {
        let mut part = Self { orders, session: orders.session(first), is_waiting: false };
        part.wait(!first.starts_with(b"POST "));
        part
    }

    /// Notes the requests of a client that polls.
    pub(super) fn asks(&mut self, bytes: &[u8]) {
        if bytes.starts_with(b"POST ") {
            self.wait(false);
        } else if bytes.starts_with(b"GET ") {
            self.wait(true);
        }
    }

    /// Notes that a poll is answered.
    pub(super) fn answers(&mut self, bytes: &[u8]) {
        if bytes.starts_with(b"HTTP/1.1 ") && !bytes.starts_with(b"HTTP/1.1 101") {
            self.wait(false);
        }
    }

    fn wait(&mut self, is_waiting: bool) {
        if std::mem::replace(&mut self.is_waiting, is_waiting) == is_waiting {
            return;
        }
        let mut pending = locked(&self.orders.pending);
        if pending.newest == self.session {
            pending.waiting = if is_waiting { pending.waiting + 1 } else { pending.waiting - 1 };
        }
        drop(pending);
        if is_waiting {
            self.orders.changed.notify_waiters();
        }
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        self.wait(false);
    }
}

/// Returns whether a request asks for the next packets of a session.
pub(super) fn is_repeated_poll(bytes: &[u8]) -> bool {
    bytes.starts_with(b"GET ") && contains(request_line(bytes), b"transport=polling") && contains(request_line(bytes), b"sid=")
}

fn request_line(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == b'\r').next().unwrap_or_default()
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|part| part == text)
}

/// Returns whether bytes have this text in them, or in the base64 that carries binary packets to clients that poll.
pub(super) fn tells(bytes: &[u8], text: &[u8]) -> bool {
    contains(bytes, text) || (0..3).any(|offset| contains(bytes, &encoded(text, offset)))
}

/// The characters of base64 that depend on `text` alone, where it begins `offset` bytes behind a multiple of three.
fn encoded(text: &[u8], offset: usize) -> Vec<u8> {
    let all = STANDARD_NO_PAD.encode([&vec![0; offset], text].concat()).into_bytes();
    // A character has six bits.
    let (first, end) = ((offset * 8).div_ceil(6), (offset + text.len()) * 8 / 6);
    all[first..end].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_found_in_base64() {
        for before in 0..7 {
            let packet = STANDARD_NO_PAD.encode([&vec![0xa7; before], &b"matched\x81"[..]].concat());
            assert!(tells(packet.as_bytes(), b"matched"), "{before} bytes before it: {packet}");
            assert!(!tells(packet.as_bytes(), b"patched"), "{packet}");
        }
    }
}
