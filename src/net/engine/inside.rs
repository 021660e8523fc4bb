//! The namespaces that a session is in, and clients that enter one of them again.
//!
//! A client that leaves a namespace before its entry was answered sends nothing, because it was not inside. If it enters again later,
//! the reference server takes it in anew. The library ignores the second CONNECT, and the client would wait for ever. So the library
//! is told first that the client has left.

use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The types of Socket.IO packets.
const CONNECT: u8 = 0;
const DISCONNECT: u8 = 1;

/// The separator of packets in a polling payload.
const SEPARATOR: char = '\u{1e}';

/// The namespaces of the server's own that a session is in. It is in the extensions of the request that began the session.
#[derive(Default)]
pub(crate) struct Inside(Mutex<Vec<&'static str>>);

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
    /// Notes that the client is in a namespace. Called once its entry is answered.
    pub(crate) fn enter(&self, namespace: &'static str) {
        let mut inside = self.lock();
        inside.retain(|other| *other != namespace);
        inside.push(namespace);
    }

    /// Notes that the client is not in a namespace any more.
    pub(crate) fn leave(&self, namespace: &str) {
        self.lock().retain(|other| *other != namespace);
    }

    /// Takes an Engine.IO packet with text. If it enters a namespace that the client is in, returns the packet that leaves it, for the
    /// library to get first.
    ///
    /// A packet with which the client leaves by itself is noted at once. The library may handle it only after the next one has come.
    pub(crate) fn left_by_text(&self, packet: &[u8]) -> Option<String> {
        let (enters, rest) = match packet {
            [b'4', b'0', rest @ ..] => (true, rest),
            [b'4', b'1', rest @ ..] => (false, rest),
            _ => return None,
        };
        let namespace = if rest.starts_with(b"/") { rest.split(|byte| *byte == b',').next()? } else { b"/" };
        let namespace = std::str::from_utf8(namespace).ok()?;
        // A query behind the name is not part of it.
        let namespace = namespace.split('?').next().unwrap_or_default();
        (self.take(namespace) && enters).then(|| if namespace == "/" { "41".to_owned() } else { format!("41{namespace},") })
    }

    /// Does the same with a packet of the MessagePack parser.
    pub(crate) fn left_by_msgpack(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let Packed { r#type: kind @ (CONNECT | DISCONNECT), nsp } = rmp_serde::from_slice(packet).ok()? else { return None };
        let leave = || rmp_serde::to_vec_named(&Leave { r#type: DISCONNECT, nsp: &nsp }).ok();
        (self.take(&nsp) && kind == CONNECT).then(leave)?
    }

    /// Does the same for each packet of a polling payload. What is no text is left as it is.
    pub(crate) fn of_payload(&self, payload: Bytes) -> Bytes {
        let Some(text) = std::str::from_utf8(&payload).ok().filter(|_| !self.lock().is_empty()) else { return payload };
        let mut changed = String::new();
        for packet in text.split(SEPARATOR) {
            let left = match packet.strip_prefix('b') {
                Some(packed) => STANDARD.decode(packed).ok().and_then(|packed| self.left_by_msgpack(&packed)),
                None => None,
            };
            let left = left.map(|left| format!("b{}", STANDARD.encode(left))).or_else(|| self.left_by_text(packet.as_bytes()));
            for packet in left.iter().map(String::as_str).chain([packet]) {
                if !changed.is_empty() {
                    changed.push(SEPARATOR);
                }
                changed.push_str(packet);
            }
        }
        changed.into()
    }

    /// Notes that the client leaves. Returns whether it was inside. A further CONNECT finds it on its way in again.
    fn take(&self, namespace: &str) -> bool {
        let mut inside = self.lock();
        let at = inside.iter().position(|other| *other == namespace);
        at.map(|at| inside.swap_remove(at)).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside() -> Inside {
        let inside = Inside::default();
        ["/", "/lobby"].iter().for_each(|namespace| inside.enter(namespace));
        inside
    }

    #[test]
    fn a_client_that_enters_again_has_left() {
        for (packet, left) in [
            ("40/lobby,{\"name\":\"Ada\"}", Some("41/lobby,")),
            ("40/lobby,", Some("41/lobby,")),
            ("40/lobby", Some("41/lobby,")),
            ("40/lobby?a=b,{}", Some("41/lobby,")),
            ("40", Some("41")),
            ("40{\"a\":1}", Some("41")),
            ("40/matchmaking,", None),
            ("40/lobbies,", None),
            ("42/lobby,[\"games\"]", None),
            ("41/lobby,", None),
            ("4", None),
            ("", None),
        ] {
            let inside = inside();
            assert_eq!(inside.left_by_text(packet.as_bytes()).as_deref(), left, "{packet}");
            assert_eq!(inside.left_by_text(packet.as_bytes()), None, "{packet}: it is on its way in now");
        }
        let (inside, enter) = (inside(), |nsp| rmp_serde::to_vec_named(&Leave { r#type: CONNECT, nsp }).unwrap());
        let left = inside.left_by_msgpack(&enter("/lobby")).unwrap();
        assert_eq!(rmp_serde::from_slice::<serde_json::Value>(&left).unwrap(), serde_json::json!({"type": 1, "nsp": "/lobby"}));
        assert_eq!(inside.left_by_msgpack(&enter("/lobby")), None);
        assert_eq!(inside.left_by_msgpack(&enter("/gameplay")), None);
        assert_eq!(inside.left_by_msgpack(b"\xc1nonsense"), None);
    }

    #[test]
    fn a_client_that_has_left_or_was_put_out_enters_as_before() {
        let inside = inside();
        inside.leave("/lobby");
        assert_eq!(inside.left_by_text(b"40/lobby,"), None);
        inside.enter("/lobby");
        inside.enter("/lobby");
        assert!(inside.left_by_text(b"40/lobby,").is_some());
        assert_eq!(inside.left_by_text(b"40/lobby,"), None, "it was noted once");
        // The library may not have seen that the client leaves when the next packet comes.
        inside.enter("/lobby");
        assert_eq!(inside.left_by_text(b"41/lobby,"), None);
        assert_eq!(inside.left_by_text(b"40/lobby,"), None, "it has left by itself");
        inside.enter("/lobby");
        let leave = rmp_serde::to_vec_named(&Leave { r#type: DISCONNECT, nsp: "/lobby" }).unwrap();
        let enter = rmp_serde::to_vec_named(&Leave { r#type: CONNECT, nsp: "/lobby" }).unwrap();
        assert_eq!((inside.left_by_msgpack(&leave), inside.left_by_msgpack(&enter)), (None, None));
    }

    #[test]
    fn packets_of_a_payload_keep_their_order() {
        let payload =
            |inside: &Inside, text: &str| String::from_utf8(inside.of_payload(text.to_owned().into()).to_vec()).unwrap();
        let text = "42/lobby,[\"a\"]\u{1e}40/lobby,{}\u{1e}40/lobby,\u{1e}3";
        assert_eq!(payload(&inside(), text), "42/lobby,[\"a\"]\u{1e}41/lobby,\u{1e}40/lobby,{}\u{1e}40/lobby,\u{1e}3");
        assert_eq!(payload(&Inside::default(), text), text);
        let packed = format!("b{}", STANDARD.encode(rmp_serde::to_vec_named(&Leave { r#type: 0, nsp: "/lobby" }).unwrap()));
        let changed = payload(&inside(), &packed);
        assert!(changed.ends_with(&packed) && changed.split(SEPARATOR).count() == 2, "{changed}");
        assert_eq!(inside().of_payload(Bytes::from_static(b"\xff40")), &b"\xff40"[..]);
    }
}
