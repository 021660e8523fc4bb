//! The meters. They count through the `metrics` facade, into whichever recorder the process has.

use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::protocol::ErrorCode;

pub(super) const TICK_SECONDS: &str = "tickcast_tick_seconds";
pub(super) const TICK_LATENESS: &str = "tickcast_tick_lateness_seconds";

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why something was thrown away, or a connection was cut.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum DropReason { $($(#[$doc])* $name,)* }

        impl DropReason {
            /// All reasons.
            const ALL: &[Self] = &[$(Self::$name,)*];

            /// The label `reason`.
            fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

// Each has a row in the table of this folder's `mod.rs`.
reasons! {
    /// An input above its seat's share.
    InputShare = "input_share",
    /// An input from a connection that holds no seat.
    NotSeated = "not_seated",
    /// An input whose number is not above those that came before.
    DuplicateInput = "duplicate_input",
    /// A state frame that found the outgoing queue full.
    Frame = "frame",
    /// An event of the lobby that found the outgoing queue full.
    Event = "event",
    /// A connection that did not take a reliable message.
    Stalled = "stalled",
    /// A record that found too many others waiting for the database, or that the database refused for good.
    Record = "record",
    /// A result that was not rated: too many waited for ratings to be loaded, or the server stopped before they were.
    Unrated = "unrated",
    /// A result that the webhook's receiver did not take.
    Webhook = "webhook",
    /// A result that was given up and could not be kept on disk.
    GivenUp = "given_up",
    /// A TCP connection, or a handshake, beyond what its address may have.
    Address = "address",
    /// A TCP connection beyond what the server takes in all.
    Connections = "connections",
    /// A handshake beyond what the server takes in all.
    Sessions = "sessions",
    /// A connection that asked for too many namespaces that do not exist.
    Nowhere = "nowhere",
    /// A connection whose requests came too fast for too long.
    Flood = "flood",
    /// A connection that began to send something and did not end it.
    Unfinished = "unfinished",
    /// A WebSocket that a polling client probed and did not upgrade to.
    Probe = "probe",
    /// A connection, or a session that polls, that sent more than its share of frames or bytes.
    ConnectionShare = "connection_share",
    /// A connection for which too many bytes waited.
    QueuedBytes = "queued_bytes",
    /// A connection that broke a rule of WebSocket, or sent a message that is too large.
    Protocol = "protocol",
    /// A WebSocket whose session ended it: for a packet that is none, unanswered pings, or no namespace in time.
    Session = "session",
    /// An HTTP request that no correct client sends, or for a session that is not there.
    Malformed = "malformed",
    /// A request from a page of an origin that is not allowed.
    Origin = "origin",
    /// A connection whose first byte, header or body did not come in time.
    SlowRequest = "slow_request",
    /// A room that took more time, entities or bytes than it may.
    RoomOverBudget = "room_over_budget",
    /// A room that did not return from a step.
    RoomStuck = "room_stuck",
    /// Something to do in a room that found too much waiting for its step to end.
    Errand = "errand",
    /// A connection to a seat that has sent nothing since it entered.
    Silent = "silent",
    /// An acknowledgement that the server has not asked for.
    Unasked = "unasked",
    /// A connection to the lobby or the matchmaker beyond those that its user may have.
    Visitor = "visitor",
}

const DROPS: &str = "tickcast_drops_total";
const REFUSED: &str = "tickcast_refused_total";
const CONNECTIONS: &str = "tickcast_connections";
const STREAMS: &str = "tickcast_streams";
const SESSIONS: &str = "tickcast_sessions";
const BYTES: &str = "tickcast_bytes_total";
const ROOM_THREADS: &str = "tickcast_room_threads";
const UNPOSTED: &str = "tickcast_unposted_results";
const UNWRITTEN: &str = "tickcast_unwritten_records";

/// The kind of a metric.
#[derive(Debug, Clone, Copy)]
enum MetricKind {
    Counter,
    Gauge,
    Histogram,
}

/// Every metric with its kind, unit and help text.
const METRICS: &[(&str, MetricKind, Unit, &str)] = &[
    (CONNECTIONS, MetricKind::Gauge, Unit::Count, "Socket.IO connections to a namespace."),
    (STREAMS, MetricKind::Gauge, Unit::Count, "TCP connections."),
    (SESSIONS, MetricKind::Gauge, Unit::Count, "Engine.IO sessions, by WebSocket or polling."),
    (BYTES, MetricKind::Counter, Unit::Bytes, "Bytes read from and written to TCP connections."),
    (DROPS, MetricKind::Counter, Unit::Count, "Things thrown away and connections cut, by reason."),
    (REFUSED, MetricKind::Counter, Unit::Count, "Refused requests, connections and inputs, by error code."),
    (UNWRITTEN, MetricKind::Gauge, Unit::Count, "Records that wait for the database, in memory and on disk."),
    (UNPOSTED, MetricKind::Gauge, Unit::Count, "Results that wait for the webhook's receiver."),
    ("tickcast_rooms", MetricKind::Gauge, Unit::Count, "Running rooms."),
    (ROOM_THREADS, MetricKind::Gauge, Unit::Count, "Threads that step rooms, or hang in a step of a room that was given up."),
    ("tickcast_seats", MetricKind::Gauge, Unit::Count, "Taken seats."),
    (TICK_SECONDS, MetricKind::Histogram, Unit::Seconds, "Duration of one step of a room, until its frames are handed over."),
    (TICK_LATENESS, MetricKind::Histogram, Unit::Seconds, "Time between the moment a step was due and its start."),
    ("tickcast_ticks_dropped_total", MetricKind::Counter, Unit::Count, "Steps left out because a room was too far behind."),
    ("tickcast_inputs_total", MetricKind::Counter, Unit::Count, "Inputs handed to rooms."),
    ("tickcast_frames_total", MetricKind::Counter, Unit::Count, "State frames queued to clients."),
    ("tickcast_frame_bytes_total", MetricKind::Counter, Unit::Bytes, "Payload of the state frames queued to clients."),
    ("tickcast_rules_panics_total", MetricKind::Counter, Unit::Count, "Rooms ended by a panic in their rules."),
    ("tickcast_resyncs_total", MetricKind::Counter, Unit::Count, "Snapshots that clients asked for."),
    ("tickcast_desyncs_total", MetricKind::Counter, Unit::Count, "Snapshots that clients asked for because a checksum differed."),
];

/// Describes every metric, and begins at 0 those whose labels are known: a rate over a counter that appears with its first event
/// misses that event. `games` are the names of the hosted games.
pub(crate) fn describe(games: impl IntoIterator<Item = &'static str>) {
    for (name, kind, unit, help) in METRICS {
        match kind {
            MetricKind::Counter => describe_counter!(*name, *unit, *help),
            MetricKind::Gauge => describe_gauge!(*name, *unit, *help),
            MetricKind::Histogram => describe_histogram!(*name, *unit, *help),
        }
    }
    DropReason::ALL.iter().for_each(|reason| drops(*reason).increment(0));
    ErrorCode::ALL.iter().for_each(|code| refused(*code, 0));
    games.into_iter().for_each(|game| drop(GameMeters::new(game)));
    streams().increment(0);
    sessions().increment(0);
    unwritten_records().increment(0);
    unposted_results().increment(0);
    room_threads().increment(0);
    publish_bytes();
}

fn drops(reason: DropReason) -> Counter {
    counter!(DROPS, "reason" => reason.as_str())
}

/// Counts something thrown away.
pub(crate) fn dropped(what: DropReason) {
    drops(what).increment(1);
}

/// Counts several things thrown away.
pub(crate) fn dropped_many(what: DropReason, count: u64) {
    drops(what).increment(count);
}

/// Counts refusals.
pub(crate) fn refused(code: ErrorCode, count: u64) {
    counter!(REFUSED, "code" => code.as_str()).increment(count);
}

/// The gauge of connections to a namespace.
pub(crate) fn connected(namespace: &'static str) -> Gauge {
    gauge!(CONNECTIONS, "namespace" => namespace)
}

/// The gauge of Engine.IO sessions.
pub(crate) fn sessions() -> Gauge {
    gauge!(SESSIONS)
}

/// The gauge of TCP connections.
pub(crate) fn streams() -> Gauge {
    gauge!(STREAMS)
}

/// The gauge of records that wait for the database.
pub(crate) fn unwritten_records() -> Gauge {
    gauge!(UNWRITTEN)
}

/// The gauge of results that wait for the webhook's receiver.
pub(crate) fn unposted_results() -> Gauge {
    gauge!(UNPOSTED)
}

/// The gauge of threads that step rooms, those of rooms that were given up included.
pub(crate) fn room_threads() -> Gauge {
    gauge!(ROOM_THREADS)
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
        counter!(BYTES, "direction" => direction).absolute(bytes.load(Ordering::Relaxed));
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
