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
            ticket_life: Duration::from_secs(30),
            empty_linger: Duration::from_secs(10),
            over_linger: Duration::from_secs(5),
        }
    }
}
