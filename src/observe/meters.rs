//! The meters. They count through the `metrics` facade, into whichever recorder the process has.

use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::protocol::ErrorCode;

pub(super) const TICK_SECONDS: &str = "tickcast_tick_seconds";
pub(super) const TICK_LATENESS: &str = "tickcast_tick_lateness_seconds";

/// Why something was thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DropReason {
    /// An input above its seat's share.
    InputShare,
    /// An input from a connection that holds no seat.
    NotSeated,
    /// A state frame that found the outgoing queue full.
    Frame,
    /// An event of the lobby that found the outgoing queue full.
    Event,
    /// A connection that did not take a reliable message.
    Stalled,
    /// A record that found the queue to the database full, or that the database did not take.
    #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
    Record,
    /// A result that the webhook's receiver did not take.
    #[cfg(feature = "webhook")]
    Webhook,
    /// A TCP connection, or a handshake, beyond what its address may have.
    Address,
    /// A handshake beyond what the server takes in all.
    Sessions,
    /// A connection that asked for too many namespaces that do not exist.
    Nowhere,
    /// A connection whose requests came too fast for too long.
    Flood,
    /// A connection that began to send something and did not end it.
    Unfinished,
    /// A connection, or a session that polls, that sent more than its share of frames or bytes.
    ConnectionShare,
    /// A connection for which too many bytes waited.
    QueuedBytes,
    /// A connection that broke a rule of WebSocket, or sent a message that is too large.
    Protocol,
    /// A room that did not return from a step.
    RoomStuck,
    /// Something to do in a room that found too much waiting for its step to end.
    Errand,
}

/// Counts something thrown away.
pub(crate) fn dropped(what: DropReason) {
    let reason = match what {
        DropReason::InputShare => "input_share",
        DropReason::NotSeated => "not_seated",
        DropReason::Frame => "frame",
        DropReason::Event => "event",
        DropReason::Stalled => "stalled",
        #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
        DropReason::Record => "record",
        #[cfg(feature = "webhook")]
        DropReason::Webhook => "webhook",
        DropReason::Address => "address",
        DropReason::Sessions => "sessions",
        DropReason::Nowhere => "nowhere",
        DropReason::Flood => "flood",
        DropReason::Unfinished => "unfinished",
        DropReason::ConnectionShare => "connection_share",
        DropReason::QueuedBytes => "queued_bytes",
        DropReason::Protocol => "protocol",
        DropReason::RoomStuck => "room_stuck",
        DropReason::Errand => "errand",
    };
    counter!("tickcast_drops_total", "reason" => reason).increment(1);
}

/// Counts refusals.
pub(crate) fn refused(code: ErrorCode, count: u64) {
    counter!("tickcast_refused_total", "code" => code.as_str()).increment(count);
}

/// The gauge of connections to a namespace.
pub(crate) fn connected(namespace: &'static str) -> Gauge {
    gauge!("tickcast_connections", "namespace" => namespace)
}

/// The gauge of TCP connections.
pub(crate) fn streams() -> Gauge {
    gauge!("tickcast_streams")
}

/// Bytes that all TCP connections of the process have read and written. They change with each message, so they are kept by
/// themselves, and handed to the exposition when it is asked for.
static BYTES_READ: AtomicU64 = AtomicU64::new(0);
static BYTES_WRITTEN: AtomicU64 = AtomicU64::new(0);

pub(crate) fn bytes_read(count: usize) {
    BYTES_READ.fetch_add(count as u64, Ordering::Relaxed);
}

pub(crate) fn bytes_written(count: usize) {
    BYTES_WRITTEN.fetch_add(count as u64, Ordering::Relaxed);
}

/// Brings the counters of bytes up to date.
pub(crate) fn publish_bytes() {
    for (direction, bytes) in [("in", &BYTES_READ), ("out", &BYTES_WRITTEN)] {
        counter!("tickcast_bytes_total", "direction" => direction).absolute(bytes.load(Ordering::Relaxed));
    }
}

/// The meters of one game, looked up once.
#[derive(Clone)]
pub(crate) struct GameMeters {
    pub(crate) rooms: Gauge,
    pub(crate) players: Gauge,
    pub(crate) bots: Gauge,
    pub(crate) tick_seconds: Histogram,
    pub(crate) tick_lateness: Histogram,
    pub(crate) ticks_dropped: Counter,
    pub(crate) inputs: Counter,
    pub(crate) frames: Counter,
    pub(crate) frame_bytes: Counter,
    pub(crate) rules_panics: Counter,
    pub(crate) resyncs: Counter,
    pub(crate) desyncs: Counter,
}

impl GameMeters {
    /// The meters of the game with that name.
    pub(crate) fn new(game: &'static str) -> Self {
        let counter = |name: &'static str| counter!(name, "game" => game);
        Self {
            rooms: gauge!("tickcast_rooms", "game" => game),
            players: gauge!("tickcast_seats", "game" => game, "by" => "player"),
            bots: gauge!("tickcast_seats", "game" => game, "by" => "bot"),
            tick_seconds: histogram!(TICK_SECONDS, "game" => game),
            tick_lateness: histogram!(TICK_LATENESS, "game" => game),
            ticks_dropped: counter("tickcast_ticks_dropped_total"),
            inputs: counter("tickcast_inputs_total"),
            frames: counter("tickcast_frames_total"),
            frame_bytes: counter("tickcast_frame_bytes_total"),
            rules_panics: counter("tickcast_rules_panics_total"),
            resyncs: counter("tickcast_resyncs_total"),
            desyncs: counter("tickcast_desyncs_total"),
        }
    }
}
