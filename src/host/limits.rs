//! How much a host takes on, and how long it waits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much a host takes on, and how long it waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// The most rooms that run at a time. Default 1,000.
    pub max_rooms: usize,
    /// The threads that step rooms. Default 0: one for each core.
    pub room_threads: usize,
    /// Steps rooms on the runtime that starts the host instead. For tests on a paused clock: a room that does not return from a step
    /// stops a worker. Default `false`.
    pub rooms_on_runtime: bool,
    /// A step that takes longer is late: the other rooms of its thread move to another thread. Default 10 ms.
    pub late_after: Duration,
    /// A room whose step takes longer is given up: its players are told, and its thread is replaced. Default 10 s.
    pub stuck_after: Duration,
    /// How long a ticket reserves its seat. Default 30 s.
    pub ticket_life: Duration,
    /// How long a room without people is kept. Default 10 s.
    pub empty_linger: Duration,
    /// How long a finished room is kept, so that everybody can read the result. Default 5 s.
    pub over_linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_rooms: 1000,
            room_threads: 0,
            rooms_on_runtime: false,
            late_after: Duration::from_millis(10),
            stuck_after: Duration::from_secs(10),
            ticket_life: Duration::from_secs(30),
            empty_linger: Duration::from_secs(10),
            over_linger: Duration::from_secs(5),
        }
    }
}
