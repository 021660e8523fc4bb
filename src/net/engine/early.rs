//! The first packet of a client, which may come with the handshake of a WebSocket. It saves a round trip.
//!
//! A browser can send nothing of its own with that handshake but the names of subprotocols. Other than a query, they are in no log.

use axum::http::{HeaderMap, HeaderValue, header::SEC_WEBSOCKET_PROTOCOL};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::net::transport::websocket::{Opcode, write_client};

/// How the name of the subprotocol begins. The packet follows, in base64 for addresses.
const PREFIX: &str = "tickcast.first.";

/// The longest packet.
const MAX_BYTES: usize = 1024;

/// How a packet begins that enters a namespace, with the default parser.
const CONNECT: &[u8] = b"40";

/// The first packet of a client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Early {
    /// The packet as the frame of a client.
    pub(crate) frame: Vec<u8>,
    /// The name of the subprotocol, which the answer repeats.
    pub(crate) protocol: HeaderValue,
}

/// The packet is too long or none at all.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Early {
    /// Takes the packet out of the headers of a handshake, if there is one. `is_text` says that packets are text, and not binary.
    ///
    /// # Errors
    /// A client that names such a subprotocol without a packet would wait for an answer.
    pub(crate) fn take(headers: &mut HeaderMap, is_text: bool) -> Result<Option<Self>, Malformed> {
        let names = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
        let name = names.flat_map(|names| names.split(',')).map(str::trim).find(|name| name.starts_with(PREFIX));
        let Some(name) = name.map(str::to_owned) else { return Ok(None) };
        // A session keeps its headers, and this one has a token in it.
        headers.remove(SEC_WEBSOCKET_PROTOCOL);
        let packet = URL_SAFE_NO_PAD.decode(&name[PREFIX.len()..]).map_err(|_| Malformed)?;
        let is_connect = !is_text || (packet.starts_with(CONNECT) && std::str::from_utf8(&packet).is_ok());
        if packet.is_empty() || packet.len() > MAX_BYTES || !is_connect {
            return Err(Malformed);
        }
        let mut frame = Vec::with_capacity(packet.len() + 8);
        write_client(&mut frame, if is_text { Opcode::Text } else { Opcode::Binary }, &packet);
        Ok(Some(Self { frame, protocol: HeaderValue::try_from(name).map_err(|_| Malformed)? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let values = values.iter().map(|value| (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(value).unwrap()));
        values.collect()
    }

    fn name(packet: &[u8]) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(packet))
    }

    #[test]
    fn the_packet_is_taken_out_of_the_subprotocols() {
        let name = name(b"40/lobby,{}");
        for values in [vec![&*name], vec!["chat", &*name], vec![&*format!("chat , {name}, {name}")]] {
            let mut headers = headers(&values);
            let early = Early::take(&mut headers, true).unwrap().unwrap();
            assert_eq!(early.frame, [&[0x81, 0x80 | 11, 0, 0, 0, 0][..], b"40/lobby,{}"].concat());
            assert_eq!(early.protocol, &*name);
            assert!(headers.is_empty(), "a session keeps its headers");
        }
        assert_eq!(Early::take(&mut headers(&[&name]), false).unwrap().unwrap().frame[0], 0x82);
    }

    #[test]
    fn other_subprotocols_are_left_alone() {
        for values in [vec![], vec!["chat"], vec!["tickcast.first", "x"]] {
            let mut headers = headers(&values);
            assert_eq!(Early::take(&mut headers, true), Ok(None));
            assert_eq!(headers.len(), values.len());
        }
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for wrong in [PREFIX.to_owned(), format!("{PREFIX}a+b"), name(b"42[\"chat\"]"), name(b"40\xff"), name(&[b'4'; 1025])] {
            assert_eq!(Early::take(&mut headers(&[&wrong]), true), Err(Malformed), "{wrong}");
        }
        assert!(Early::take(&mut headers(&[&name(&[1; 1025])]), false).is_err());
    }
}
