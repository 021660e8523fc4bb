//! The meters, and the page that shows them.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::process;
use crate::protocol::ErrorCode;

const TICK_SECONDS: &str = "tickcast_tick_seconds";
const TICK_LATENESS: &str = "tickcast_tick_lateness_seconds";

/// From 20 microseconds, a small room, to a quarter of a second, a room in trouble.
const BUCKETS: &[f64] = &[0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25];

static EXPOSITION: OnceLock<Exposition> = OnceLock::new();

/// Renders every metric of the process as Prometheus text.
#[derive(Clone)]
pub(crate) struct Exposition(PrometheusHandle);

/// Starts to record metrics, once a process, and returns the page of them. Meters made before this record nothing.
///
/// # Errors
///
/// Only if the buckets of the histograms were malformed.
pub(crate) fn exposition() -> Result<Exposition, BuildError> {
    if let Some(exposition) = EXPOSITION.get() {
        return Ok(exposition.clone());
    }
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(TICK_SECONDS.to_owned()), BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(TICK_LATENESS.to_owned()), BUCKETS)?
        .build_recorder();
    let exposition = EXPOSITION.get_or_init(|| {
        let exposition = Exposition(recorder.handle());
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another recorder of metrics is installed: /metrics shows the process alone");
        }
        exposition
    });
    Ok(exposition.clone())
}

impl Exposition {
    /// Prometheus text, version 0.0.4.
    pub(crate) fn render(&self) -> String {
        count_bytes();
        let mut page = self.0.render();
        // By hand, because a counter of the facade holds whole numbers only.
        for (name, kind, value) in [
            ("process_cpu_seconds_total", "counter", process::cpu_seconds()),
            ("process_resident_memory_bytes", "gauge", process::resident_bytes()),
        ] {
            if let Some(value) = value {
                page.push_str(&format!("# TYPE {name} {kind}\n{name} {value}\n\n"));
            }
        }
        page
    }

    /// Folds what the histograms have gathered, so that it does not grow where nobody asks for the page.
    pub(crate) fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

/// Why something was thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReason {
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
    Record,
    /// A result that the webhook's receiver did not take.
    Webhook,
    /// A TCP connection, or a handshake, beyond what its address may have.
    Address,
    /// A connection that asked for too many namespaces that do not exist.
    Nowhere,
    /// A connection whose requests came too fast for too long.
    Flood,
    /// A connection that began to send something and did not end it.
    Unfinished,
}

/// Counts something thrown away.
pub fn dropped(what: DropReason) {
    let reason = match what {
        DropReason::InputShare => "input_share",
        DropReason::NotSeated => "not_seated",
        DropReason::Frame => "frame",
        DropReason::Event => "event",
        DropReason::Stalled => "stalled",
        DropReason::Record => "record",
        DropReason::Webhook => "webhook",
        DropReason::Address => "address",
        DropReason::Nowhere => "nowhere",
        DropReason::Flood => "flood",
        DropReason::Unfinished => "unfinished",
    };
    counter!("tickcast_drops_total", "reason" => reason).increment(1);
}

/// Counts refusals.
pub fn refused(code: ErrorCode, count: u64) {
    counter!("tickcast_refused_total", "code" => code.as_str()).increment(count);
}

/// The gauge of connections to a namespace.
pub fn connected(namespace: &'static str) -> Gauge {
    gauge!("tickcast_connections", "namespace" => namespace)
}

/// The gauge of TCP connections.
pub fn streams() -> Gauge {
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
fn count_bytes() {
    for (direction, bytes) in [("in", &BYTES_READ), ("out", &BYTES_WRITTEN)] {
        counter!("tickcast_bytes_total", "direction" => direction).absolute(bytes.load(Ordering::Relaxed));
    }
}

/// The meters of one game, looked up once.
#[derive(Clone)]
#[expect(missing_docs, reason = "the table of the room's page says what each is")]
pub struct GameMeters {
    pub rooms: Gauge,
    pub players: Gauge,
    pub bots: Gauge,
    pub tick_seconds: Histogram,
    pub tick_lateness: Histogram,
    pub ticks_dropped: Counter,
    pub inputs: Counter,
    pub frames: Counter,
    pub frame_bytes: Counter,
    pub rules_panics: Counter,
    pub resyncs: Counter,
    pub desyncs: Counter,
}

impl GameMeters {
    /// The meters of the game with that name.
    pub fn new(game: &'static str) -> Self {
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
