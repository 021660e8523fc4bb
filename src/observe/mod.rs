//! Observability: metrics, and the set-up of logs.
//!
//! | metric | kind | labels | meaning |
//! | --- | --- | --- | --- |
//! | `tickcast_connections` | gauge | `namespace` | Socket.IO connections to a namespace |
//! | `tickcast_streams` | gauge | | TCP connections |
//! | `tickcast_sessions` | gauge | | Engine.IO sessions of clients |
//! | `tickcast_bytes_total` | counter | `direction` (`in`, `out`) | bytes read from and written to TCP connections |
//! | `tickcast_rooms` | gauge | `game` | running rooms |
//! | `tickcast_room_threads` | gauge | | threads that step rooms, with those of rooms that were given up and have not returned |
//! | `tickcast_seats` | gauge | `game`, `by` (`player`, `bot`) | taken seats |
//! | `tickcast_tick_seconds` | histogram | `game` | how long one step of a room took, frames handed over |
//! | `tickcast_tick_lateness_seconds` | histogram | `game` | how long after its time a step began |
//! | `tickcast_ticks_dropped_total` | counter | `game` | steps left out because a room was too far behind |
//! | `tickcast_inputs_total` | counter | `game` | inputs handed to rooms |
//! | `tickcast_frames_total`, `tickcast_frame_bytes_total` | counter | `game` | state frames queued to clients, and their payload |
//! | `tickcast_drops_total` | counter | `reason` | things thrown away and connections cut; the reasons are below |
//! | `tickcast_refused_total` | counter | `code` | refused requests, connections and inputs |
//! | `tickcast_tasks` | gauge | | tasks of the runtime that serves the network, which have not ended |
//! | `tickcast_unwritten_records` | gauge | | records that wait for the database, in memory and on disk |
//! | `tickcast_unposted_results` | gauge | | results that wait for the webhook's receiver |
//! | `tickcast_rules_panics_total` | counter | `game` | rooms ended by a panic in their rules |
//! | `tickcast_resyncs_total` | counter | `game` | snapshots that clients asked for |
//! | `tickcast_desyncs_total` | counter | `game` | of these, with a checksum that differed |
//! | `process_cpu_seconds_total` | counter | | user and system time of the process |
//! | `process_resident_memory_bytes` | gauge | | resident memory of the process |
//! | `process_open_fds` | gauge | | open file descriptors of the process |
//!
//! The reasons of `tickcast_drops_total`:
//!
//! | reason | what was thrown away, or which connection was cut |
//! | --- | --- |
//! | `input_share` | an input above its seat's share |
//! | `not_seated` | an input from a connection without a seat |
//! | `duplicate_input` | an input whose number is not above those that came before |
//! | `frame` | a state frame that found the outgoing queue full |
//! | `event` | an event of the lobby that found the outgoing queue full |
//! | `stalled` | a connection that did not take a reliable message |
//! | `record` | a record beyond those that may wait for the database, or that it refused for good |
//! | `unrated` | a result that was not rated, because too many waited for ratings to be loaded |
//! | `webhook` | a result that the webhook's receiver did not take |
//! | `given_up` | one of these that could not be kept on disk |
//! | `address` | a TCP connection or a handshake beyond what its address may have |
//! | `connections` | a TCP connection beyond what the server takes in all |
//! | `sessions` | a handshake beyond what the server takes in all |
//! | `nowhere` | a connection that asked for too many namespaces that do not exist |
//! | `flood` | a connection whose requests came too fast for too long |
//! | `unfinished` | a connection that began to send something and did not end it |
//! | `probe` | a WebSocket that a client probed, which then went on polling |
//! | `connection_share` | a connection, or a session that polls, that sent more than its share of frames or bytes |
//! | `queued_bytes` | a connection for which too many bytes waited |
//! | `protocol` | a connection that broke a rule of WebSocket, or sent a message that is too large |
//! | `session` | a WebSocket whose session ended it: for a packet that is none, unanswered pings, or no namespace in time |
//! | `malformed` | an HTTP request that no correct client sends, or for a session that is not there |
//! | `origin` | a request from a page of an origin that is not allowed |
//! | `slow_request` | a connection whose first byte, header or body did not come in time |
//! | `room_over_budget` | a room that took more time, entities or bytes than it may |
//! | `room_stuck` | a room that did not return from a step |
//! | `errand` | something to do in a room that found too much waiting for its step to end |
//! | `silent` | a connection to a seat that has sent nothing since it entered |
//! | `unasked` | an acknowledgement that the server has not asked for, in a namespace of its own |
//! | `visitor` | a connection to the lobby or the matchmaker beyond those that its user may have |
//!
//! Every metric has a help text, and every label that can be known is there from the start, at 0.
//!
//! This room knows names of metrics and the process it runs in. It refuses to know games and rooms: they hand their numbers in.

#[cfg(feature = "metrics")]
mod process;
mod meters;
mod pace;
#[cfg(feature = "metrics")]
mod exposition;
#[cfg(feature = "cli")]
mod logs;

#[cfg(feature = "metrics")]
pub(crate) use exposition::{Exposition, exposition};
#[cfg(feature = "cli")]
pub(crate) use logs::start_logs;
#[cfg(feature = "webhook")]
pub(crate) use meters::unposted_results;
#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
pub(crate) use meters::unwritten_records;
pub(crate) use meters::{
    DropReason, GameMeters, bytes_read, bytes_written, connected, describe, dropped, dropped_many, publish_bytes, refused,
    room_threads, sessions, streams,
};
pub(crate) use pace::Pace;
