//! Clients that enter a namespace that they are in.
//!
//! A client that leaves a namespace before its entry was answered sends nothing, because it was not inside. If it enters again later,
//! the reference server ends the connection, and the client comes back on a new one. The library ignores a CONNECT for a namespace
//! in which it holds a socket, and the client would wait for ever. So the library is told first that the client has left, and gets
//! the CONNECT once it holds the old socket no more: a host's own asynchronous handler for disconnects may take its time.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use socketioxide::{SocketIo, extract::SocketRef, socket::Sid};
use tokio::time::Instant;

use crate::observe::{self, DropReason};

/// The types of Socket.IO packets.
const CONNECT: u8 = 0;
const DISCONNECT: u8 = 1;
const ACK: u8 = 3;
const BINARY_ACK: u8 = 6;

/// The separator of packets in a polling payload.
const SEPARATOR: u8 = 0x1e;

/// How long packets wait until the library has let a socket go. Then the connection ends, as on the reference server.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long packets wait until a client is inside again that was put out. One that is refused has nothing to say there.
const ENTRY: Duration = Duration::from_millis(250);

/// How often packets that wait look whether they may go on. Nothing tells when a host's handler is done.
pub(crate) const PAUSE: Duration = Duration::from_millis(5);

/// A session, and the namespaces in which the library holds sockets of it.
#[derive(Default)]
pub(crate) struct Inside {
    io: Option<SocketIo>,
    /// The namespaces in which the server asks for no acknowledgement.
    unasking: &'static [&'static str],
    session: OnceLock<Sid>,
    entry: Mutex<Option<Entry>>,
}

/// An entry that is on its way into a namespace that the client has been in.
struct Entry {
    namespace: String,
    since: Instant,
    /// The client did not say that it leaves, and so may know of no second entry.
    was_put_out: bool,
    /// The library has its CONNECT.
    is_sent: bool,
}

/// The fate of a packet that is on its way to the library.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Way<P> {
    /// It goes on.
    Free,
    /// It waits, and this packet goes first.
    After(P),
    /// It waits.
    Wait,
    /// It has waited too long, so the connection ends.
    Never,
}

/// Marks a socket whose client has left, or was said to have left. The library may handle that only later.
#[derive(Clone)]
struct Left;

/// A packet of the MessagePack parser, as far as it matters here.
#[derive(Deserialize)]
struct Packed {
    r#type: u8,
    nsp: String,
}

#[derive(Serialize)]
struct Leave<'a> {
    r#type: u8,
    nsp: &'a str,
}

impl Inside {
    /// A session that begins. The server asks for no acknowledgement in the namespaces `unasking`.
    pub(crate) fn new(io: SocketIo, unasking: &'static [&'static str]) -> Arc<Self> {
        Arc::new(Self { io: Some(io), unasking, ..Self::default() })
    }

    /// Notes the session's id.
    pub(crate) fn name(&self, session: &str) {
        if let Ok(session) = session.parse() {
            let _ = self.session.set(session);
        }
    }

    /// Returns whether the session's id is still to come.
    pub(crate) fn is_nameless(&self) -> bool {
        self.session.get().is_none()
    }

    /// Returns whether the next packet, whatever it is, has to wait: it may be for a namespace that the client enters right now.
    pub(crate) fn is_entering(&self) -> bool {
        let mut entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Entry { namespace, since, is_sent: true, .. }) = &*entry else { return false };
        let is_entering = since.elapsed() < ENTRY && self.socket(namespace).is_none_or(|socket| !is_inside(&socket));
        if !is_entering {
            *entry = None;
        }
        is_entering
    }

    /// Takes an Engine.IO packet with text that is about to go to the library.
    pub(crate) fn way_of_text(&self, packet: &[u8]) -> Way<String> {
        let Some((kind, namespace)) = head_of_text(packet) else { return Way::Free };
        match self.way(namespace, kind) {
            Way::After(()) if namespace == "/" => Way::After("41".to_owned()),
            way => way.with(|()| format!("41{namespace},")),
        }
    }

    /// Does the same with a packet of the MessagePack parser.
    pub(crate) fn way_of_msgpack(&self, packet: &[u8]) -> Way<Vec<u8>> {
        let Ok(Packed { r#type: kind, nsp }) = rmp_serde::from_slice(packet) else { return Way::Free };
        let leave = |()| rmp_serde::to_vec_named(&Leave { r#type: DISCONNECT, nsp: &nsp }).unwrap_or_default();
        self.way(&nsp, kind).with(leave)
    }

    /// Does the same with a packet of a polling payload, which may have a separator behind it.
    pub(crate) fn way_of_payload(&self, packet: &[u8]) -> Way<Bytes> {
        if self.is_entering() {
            return Way::Wait;
        }
        let packet = packet.strip_suffix(&[SEPARATOR]).unwrap_or(packet);
        let way = match packet.strip_prefix(b"b") {
            Some(packed) => match STANDARD.decode(packed) {
                Ok(packed) => self.way_of_msgpack(&packed).with(|left| format!("b{}", STANDARD.encode(left))),
                Err(_) => Way::Free,
            },
            None => self.way_of_text(packet),
        };
        way.with(|left| format!("{left}{}", char::from(SEPARATOR)).into())
    }

    /// Decides about a packet of this type.
    fn way(&self, namespace: &str, kind: u8) -> Way<()> {
        match kind {
            CONNECT => return self.way_in(namespace),
            DISCONNECT => {
                if let Some(socket) = self.socket(namespace) {
                    socket.extensions.insert(Left);
                }
            }
            // The library ignores it.
            ACK | BINARY_ACK if self.unasking.contains(&namespace) => observe::dropped(DropReason::Unasked),
            _ => {}
        }
        Way::Free
    }

    /// Decides about a packet that enters a namespace.
    fn way_in(&self, namespace: &str) -> Way<()> {
        let socket = self.socket(namespace);
        let now = Instant::now();
        let mut entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(socket) = socket else {
            *entry = entry.take().filter(|entry| entry.namespace == namespace && entry.was_put_out);
            if let Some(entry) = &mut *entry {
                (entry.since, entry.is_sent) = (now, true);
            }
            return Way::Free;
        };
        if is_inside(&socket) {
            socket.extensions.insert(Left);
            *entry = Some(Entry { namespace: namespace.to_owned(), since: now, was_put_out: true, is_sent: false });
            return Way::After(());
        }
        if entry.as_ref().is_none_or(|entry| entry.namespace != namespace) {
            *entry = Some(Entry { namespace: namespace.to_owned(), since: now, was_put_out: false, is_sent: false });
        }
        if entry.as_ref().is_some_and(|entry| now >= entry.since + PATIENCE) { Way::Never } else { Way::Wait }
    }

    /// Returns the socket that the library holds for the session in a namespace.
    fn socket(&self, namespace: &str) -> Option<SocketRef> {
        self.io.as_ref()?.of(namespace)?.get_socket(*self.session.get()?)
    }
}

impl<P> Way<P> {
    /// Changes the packet that goes first.
    pub(crate) fn with<Q>(self, change: impl FnOnce(P) -> Q) -> Way<Q> {
        match self {
            Self::Free => Way::Free,
            Self::After(packet) => Way::After(change(packet)),
            Self::Wait => Way::Wait,
            Self::Never => Way::Never,
        }
    }
}

/// Returns the type and the namespace of a packet that is no event.
fn head_of_text(packet: &[u8]) -> Option<(u8, &str)> {
    let (kind, rest) = match packet {
        [b'4', kind @ (b'0' | b'1' | b'3'), rest @ ..] => (kind - b'0', rest),
        // The count of attachments comes first.
        [b'4', b'6', rest @ ..] => (BINARY_ACK, rest.split_at(rest.iter().position(|byte| *byte == b'-')? + 1).1),
        _ => return None,
    };
    let namespace = if rest.starts_with(b"/") { rest.split(|byte| *byte == b',').next()? } else { b"/" };
    // The library says what is wrong with other bytes. A query behind the name is not part of it.
    Some((kind, std::str::from_utf8(namespace).unwrap_or_default().split('?').next()?))
}

/// Returns whether a socket is in its namespace: neither on its way in, nor on its way out.
fn is_inside(socket: &SocketRef) -> bool {
    socket.connected() && socket.extensions.get::<Left>().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_that_are_no_events_are_found() {
        for (packet, expected) in [
            ("40/lobby,{\"name\":\"Ada\"}", Some((CONNECT, "/lobby"))),
            ("40/lobby,", Some((CONNECT, "/lobby"))),
            ("40/lobby", Some((CONNECT, "/lobby"))),
            ("40/lobby?a=b,{}", Some((CONNECT, "/lobby"))),
            ("40", Some((CONNECT, "/"))),
            ("40{\"a\":1}", Some((CONNECT, "/"))),
            ("41/lobby,", Some((DISCONNECT, "/lobby"))),
            ("41", Some((DISCONNECT, "/"))),
            ("43/lobby,7[]", Some((ACK, "/lobby"))),
            ("437[]", Some((ACK, "/"))),
            ("461-/lobby,7[{}]", Some((BINARY_ACK, "/lobby"))),
            ("46/lobby,7[{}]", None),
            ("42/lobby,[\"games\"]", None),
            ("4", None),
            ("", None),
        ] {
            assert_eq!(head_of_text(packet.as_bytes()), expected, "{packet}");
        }
        assert_eq!(head_of_text(b"40/\xff,"), Some((CONNECT, "")), "no namespace has that name");
    }

    #[test]
    fn a_session_without_a_socket_is_free_to_enter() {
        let inside = Inside::default();
        for packet in [&b"40/lobby,"[..], b"41/lobby,", b"42[\"a\"]", b"b\xff", b"bgA==", b"\x1e", b""] {
            assert_eq!(inside.way_of_payload(packet), Way::Free);
        }
        assert_eq!(inside.way_of_msgpack(b"\xc1nonsense"), Way::Free);
        assert!(!inside.is_entering());
    }
}
