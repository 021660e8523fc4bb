//! What anyone may do to the network.

pub(crate) mod address;

use std::time::Duration;

/// How long a client may stay without a namespace.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How much the network takes from a client, and for how long it waits.
#[derive(Debug, Clone)]
pub struct NetLimits {
    /// The most bytes of one message, on WebSocket and in one polling request. 16 KiB unless set.
    pub message_bytes: usize,
    /// The most bytes of one event's arguments on `/`, `/lobby` and `/matchmaking`. 4 KiB unless set.
    pub request_bytes: usize,
    /// Requests that a connection may make at once after a pause. 20 unless set.
    pub request_burst: u32,
    /// Requests a second that a connection may make for long, and refusals of those beyond that are forgotten; five hundred that are not
    /// end it. 10 unless set.
    pub requests_per_second: f32,
    /// Messages that wait for one connection; a frame beyond is left out, a reliable message beyond ends it. 128 unless set.
    pub queued_messages: usize,
    /// TCP connections that one address may have at a time, of IPv6 one network of 64 bits, and handshakes of Socket.IO that it may make
    /// in ten seconds; more are refused. 0 for any number; 256 unless set.
    pub connections_per_address: usize,
    /// Whether that goes for loopback and private addresses, too. Not unless set: they are a proxy's as a rule, behind which is
    /// everybody.
    pub counts_local_addresses: bool,
    /// How long a client may take to send a request's header or body. 10 s unless set.
    pub header_timeout: Duration,
    /// How long sent bytes may stay unacknowledged before the connection is given up. 15 s unless set.
    pub unacknowledged_timeout: Duration,
}

impl Default for NetLimits {
    fn default() -> Self {
        Self {
            message_bytes: 16 * 1024,
            request_bytes: 4 * 1024,
            request_burst: 20,
            requests_per_second: 10.0,
            queued_messages: 128,
            connections_per_address: 256,
            counts_local_addresses: false,
            header_timeout: Duration::from_secs(10),
            unacknowledged_timeout: Duration::from_secs(15),
        }
    }
}
