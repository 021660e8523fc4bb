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
    /// The most records (results, ratings, blocks, names) that may wait for the database, in memory and on disk. Later ones are dropped.
    /// Default 100,000.
    pub unwritten_records: usize,
    /// The most bytes of the records that wait on disk, in `unwritten.jsonl` of the folder for data. Default 64 MiB.
    pub unwritten_bytes: usize,
    /// The most bytes of the records that wait in memory, because there is no folder for data or its disk is full. Later ones are
    /// dropped. Default 16 MiB.
    pub unwritten_memory_bytes: usize,
    /// The most players in results that wait to be rated, because the database has not told a player's rating. Later results are not
    /// rated. Each player takes at most 300 bytes. Default 50,000.
    pub unrated_players: usize,
    /// The most results that wait for the webhook's receiver. Later ones are dropped. Default 4096.
    pub unposted_results: usize,
    /// The most bytes of the results that wait for the webhook's receiver. Default 16 MiB.
    pub unposted_bytes: usize,
    /// The most results that are being posted to the webhook's receiver at a time. Default 8.
    pub webhook_attempts: usize,
    /// The most bytes of `given-up.jsonl` in the folder for data, where results are kept that the webhook's receiver did not take. Later
    /// ones are not kept. Default 16 MiB.
    pub given_up_bytes: usize,
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
            unwritten_records: 100_000,
            unwritten_bytes: 64 * 1024 * 1024,
            unwritten_memory_bytes: 16 * 1024 * 1024,
            unrated_players: 50_000,
            unposted_results: 4096,
            unposted_bytes: 16 * 1024 * 1024,
            webhook_attempts: 8,
            given_up_bytes: 16 * 1024 * 1024,
        }
    }
}
