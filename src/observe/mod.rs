//! Observability: metrics, and the set-up of logs.
//!
//! | metric | kind | labels | meaning |
//! | --- | --- | --- | --- |
//! | `tickcast_connections` | gauge | `namespace` | Socket.IO connections to a namespace |
//! | `tickcast_streams` | gauge | | TCP connections |
//! | `tickcast_bytes_total` | counter | `direction` (`in`, `out`) | bytes read from and written to TCP connections |
//! | `tickcast_rooms` | gauge | `game` | running rooms |
//! | `tickcast_seats` | gauge | `game`, `by` (`player`, `bot`) | taken seats |
//! | `tickcast_tick_seconds` | histogram | `game` | how long one step of a room took, frames handed over |
//! | `tickcast_tick_lateness_seconds` | histogram | `game` | how long after its time a step began |
//! | `tickcast_ticks_dropped_total` | counter | `game` | steps left out because a room was too far behind |
//! | `tickcast_inputs_total` | counter | `game` | inputs handed to rooms |
//! | `tickcast_frames_total`, `tickcast_frame_bytes_total` | counter | `game` | state frames queued to clients, and their payload |
//! | `tickcast_drops_total` | counter | `reason` | `input_share`: above a seat's share of inputs; `not_seated`: an input without a seat; `frame`: a state frame found the outgoing queue full; `event`: one of the lobby's did; `stalled`: a connection cut because a reliable message did; `record`: something that the database did not take in time; `webhook`: a result that its receiver did not; `address`: a TCP connection or a handshake beyond what its address may have; `nowhere`: a connection cut because it asked for too many namespaces that do not exist; `flood`: one cut because its requests came too fast for too long; `unfinished`: one cut because it began to send something and did not end it |
//! | `tickcast_refused_total` | counter | `code` | refused requests, connections and inputs |
//! | `tickcast_rules_panics_total` | counter | `game` | rooms ended by a panic in their rules |
//! | `tickcast_resyncs_total` | counter | `game` | snapshots that clients asked for |
//! | `tickcast_desyncs_total` | counter | `game` | of these, with a checksum that differed |
//! | `process_cpu_seconds_total` | counter | | user and system time of the process |
//! | `process_resident_memory_bytes` | gauge | | resident memory of the process |
//!
//! This room knows names of metrics and the process it runs in. It refuses to know games and rooms: they hand their numbers in.

#[cfg(feature = "metrics")]
mod process;
mod meters;
#[cfg(feature = "metrics")]
mod exposition;
#[cfg(feature = "cli")]
mod logs;

#[cfg(feature = "metrics")]
pub(crate) use exposition::{Exposition, exposition};
#[cfg(feature = "cli")]
pub(crate) use logs::start_logs;
pub(crate) use meters::{DropReason, GameMeters, bytes_read, bytes_written, connected, dropped, publish_bytes, refused, streams};
