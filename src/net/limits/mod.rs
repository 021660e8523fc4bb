//! Limits on what anyone may do to the network, in one place.

pub(crate) mod bucket;
pub(crate) mod proxies;
pub(crate) mod address;
pub(crate) mod share;
pub(crate) mod allowance;

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a client may stay without a namespace.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Limits on what the network takes from a client, and on how long it waits.
///
/// More limits may come, so start from the defaults:
///
/// ```
/// use tickcast::net::NetLimits;
///
/// let mut limits = NetLimits::default();
/// limits.connections_per_address = 64;
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct NetLimits {
    /// The most bytes of one message, on a WebSocket or in one polling request. Default 16 KiB.
    pub message_bytes: usize,
    /// The most binary attachments of one event with the default parser. An event with more closes the connection. Their bytes together
    /// are bounded by `message_bytes`. Official clients take up to 10 in one event. Default 10.
    pub attachments: usize,
    /// The most bytes of one event's arguments on `/`, `/lobby` and `/matchmaking`. Default 4 KiB.
    pub request_bytes: usize,
    /// The requests that a connection may make at once after a pause, in each namespace. Default 20.
    pub request_burst: u32,
    /// Sustained requests per second of a connection. 500 refusals that have not been forgiven (at the same rate) close the
    /// connection. Default 10.
    pub requests_per_second: f32,
    /// The WebSocket frames that a connection may send at once after a pause, and the packets of a session that polls. Default 5,000:
    /// what a player's browser keeps while the line is down for some seconds.
    pub frame_burst: u32,
    /// Sustained WebSocket frames per second of a connection, of all kinds, and packets per second of a session that polls. A read that
    /// brings a part of a frame counts as a frame, too. A client that goes on beyond them is cut. Default 1,000.
    pub frames_per_second: f32,
    /// The bytes that a WebSocket, or a session that polls, may send at once after a pause. Default 1 MiB.
    pub byte_burst: u32,
    /// Sustained bytes per second that a WebSocket, or a session that polls, may send. A client that goes on beyond them is cut.
    /// Default 128 KiB.
    pub bytes_per_second: f32,
    /// The requests that one person may make at once after a pause, over all their connections. 0 is no limit. Default 80.
    pub request_burst_of_person: u32,
    /// Sustained requests per second of one person. Default 40.
    pub requests_per_second_of_person: f32,
    /// The requests that all guests of one address may make at once after a pause. 0 is no limit. Default 400.
    pub request_burst_of_address: u32,
    /// Sustained requests per second of all guests of one address. Default 200.
    pub requests_per_second_of_address: f32,
    /// The attempts to enter a namespace that a connection may make at once after a pause, refused ones included. Default 20.
    pub connect_burst: u32,
    /// Sustained attempts per second of a connection to enter a namespace. Default 2.
    pub connects_per_second: f32,
    /// The attempts to enter a namespace that the clients of one address may make at once after a pause. 0 is no limit. Default 400.
    pub connect_burst_of_address: u32,
    /// Sustained attempts per second to enter a namespace by the clients of one address. Default 50.
    pub connects_per_second_of_address: f32,
    /// The new guests that may come from one address at once after a pause. 0 is no limit. Default 64.
    pub new_guests_of_address: u32,
    /// Sustained new guests per minute from one address. Default 30.
    pub new_guests_per_minute_of_address: f32,
    /// The messages that may wait for one connection. Beyond that a frame is left out, and a reliable message closes the connection.
    /// Default 128.
    pub queued_messages: usize,
    /// The bytes that may wait for one connection, whatever they are. A client for which more would wait is cut, so no single message
    /// may be longer. Default 256 KiB.
    pub queued_bytes: usize,
    /// The TCP connections that one address may have at a time, its Socket.IO sessions at a time, and the handshakes that it may make
    /// in ten seconds. More are refused with HTTP 429. IPv6 addresses are counted by network of 64 bits. Behind a trusted proxy a
    /// request that is being answered counts as a connection of its client. 0 is no limit. Default 256.
    pub connections_per_address: usize,
    /// Whether `connections_per_address` counts loopback and private addresses, too. They are always counted once trusted proxies are
    /// named; until then one of them may be a proxy with all clients behind it. Default false.
    pub counts_local_addresses: bool,
    /// The TCP connections of all clients at a time. More are refused with HTTP 503. Each takes a file descriptor. Default 20,000.
    pub max_connections: usize,
    /// The Socket.IO sessions of all clients at a time. More are refused with HTTP 503. Default 20,000.
    pub max_sessions: usize,
    /// The Socket.IO sessions that all clients together may begin by polling in ten seconds. More are refused with HTTP 503. Default
    /// 4,096.
    pub polling_handshakes: usize,
    /// How long a client may take to send the header of a request, from its first byte, or the body. A new connection has as long for
    /// its first byte. Default 10 s.
    pub header_timeout: Duration,
    /// How long an HTTP connection may wait for its next request. A proxy must close its idle connections sooner. Default 75 s.
    pub idle_timeout: Duration,
    /// How long a client that polls may probe a WebSocket before the WebSocket is closed. The client polls on. Default 10 s.
    pub probe_timeout: Duration,
    /// The time between two pings of a Socket.IO connection, at least a millisecond. Default 25 s.
    pub ping_interval: Duration,
    /// How long a client may take to answer a ping before its connection ends. A client takes the server for lost after
    /// `ping_interval` and `ping_timeout` without anything from it. Default 20 s.
    pub ping_timeout: Duration,
    /// How long sent bytes may stay unacknowledged before the connection is closed. Default 15 s. Needs a system with
    /// `TCP_USER_TIMEOUT` (Linux); elsewhere it is the time after which an idle connection is probed to its end.
    pub unacknowledged_timeout: Duration,
}

impl Default for NetLimits {
    fn default() -> Self {
        Self {
            message_bytes: 16 * 1024,
            attachments: 10,
            request_bytes: 4 * 1024,
            request_burst: 20,
            requests_per_second: 10.0,
            frame_burst: 5_000,
            frames_per_second: 1_000.0,
            byte_burst: 1024 * 1024,
            bytes_per_second: 128.0 * 1024.0,
            request_burst_of_person: 80,
            requests_per_second_of_person: 40.0,
            request_burst_of_address: 400,
            requests_per_second_of_address: 200.0,
            connect_burst: 20,
            connects_per_second: 2.0,
            connect_burst_of_address: 400,
            connects_per_second_of_address: 50.0,
            new_guests_of_address: 64,
            new_guests_per_minute_of_address: 30.0,
            queued_messages: 128,
            queued_bytes: 256 * 1024,
            connections_per_address: 256,
            counts_local_addresses: false,
            max_connections: 20_000,
            max_sessions: 20_000,
            polling_handshakes: 4096,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            probe_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            unacknowledged_timeout: Duration::from_secs(15),
        }
    }
}
