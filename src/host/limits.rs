//! How much a host takes on, and how long it waits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{lobby::SocialLimits, matchmaking::PauseRule};

/// How much a host takes on, and how long it waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// The most rooms that run at a time. Default 1,000.
    pub max_rooms: usize,
    /// The matches whose game's `check` and `build` run at a time. Others wait, for at most 2 s. One that takes longer than `stuck_after`
    /// does not count any more. Default 4.
    pub matches_in_the_making: usize,
    /// The threads that step rooms. Default 0: one for each core.
    pub room_threads: usize,
    /// Steps rooms on the runtime that starts the host instead. For tests on a paused clock: a room that does not return from a step
    /// stops a worker. Default `false`.
    pub rooms_on_runtime: bool,
    /// A step that takes longer is late: the other rooms of its thread move to another thread. Default 10 ms.
    pub late_after: Duration,
    /// A room whose step takes longer is given up: its players are told, and its thread is replaced. Default 10 s.
    pub stuck_after: Duration,
    /// The part of its tick interval that a room's steps may take on average. A room that takes more gets fewer steps. Default 0.5.
    pub step_share: f32,
    /// The bytes of state and events that a room may send per tick on average, to all its clients together. A room that sends more gets fewer steps.
    /// Default 1 MiB.
    pub bytes_per_tick: usize,
    /// The time over which these averages are taken. Default 2 s.
    pub budget_window: Duration,
    /// How long a room may be over these averages before it ends. Default 10 s.
    pub slowed_for: Duration,
    /// The most entities of a match, including one for each resource. A match with more ends. Default 65,536.
    pub max_entities: usize,
    /// The rooms of one game that were given up and have not returned from their step, or from being made. Each may keep a core busy, so
    /// no room of the game is opened while there are as many. Default 4.
    pub max_stuck_rooms: usize,
    /// How long the whole program may take to stop after a signal. Then the process ends, whatever it does. Default 10 s.
    pub stop_deadline: Duration,
    /// How long a ticket reserves its seat. Default 30 s.
    pub ticket_life: Duration,
    /// How long a room without people is kept. Default 10 s.
    pub empty_linger: Duration,
    /// The most private rooms that are remembered by their codes after they have closed, so that friends can play again. Default 1,000.
    pub codes_kept: usize,
    /// How long a finished room is kept, so that everybody can read the result. Default 5 s.
    pub over_linger: Duration,
    /// How long the start, and later each query, waits for a connection to the database. Default 5 s.
    pub database_wait: Duration,
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
    /// How long a connection may hold a seat without sending an input or an acknowledgement. After that the player is away.
    /// Default 15 s.
    pub silent_timeout: Duration,
    /// The rooms that one person may have opened and still need. A room that its opener has left to others does not count.
    /// Default 8.
    pub rooms_per_person: usize,
    /// The same for all guests of one address together. Default 32.
    pub rooms_per_address: usize,
    /// The seats that one person may have, reserved or taken. Default 8.
    pub seats_per_person: usize,
    /// The same for all guests of one address together. Default 64.
    pub seats_per_address: usize,
    /// The seats and places to watch that one person may reserve with unused tickets. Default 4.
    pub tickets_per_person: usize,
    /// The same for all guests of one address together. Default 32.
    pub tickets_per_address: usize,
    /// The places from which one person may watch. Default 4.
    pub places_per_person: usize,
    /// The same for all guests of one address together. Default 32.
    pub places_per_address: usize,
    /// The connections to `/lobby` and `/matchmaking` that one person may have. Default 16.
    pub connections_per_person: usize,
    /// The messages a minute of all guests who come from one address. As many may come at once. Default 300.
    pub messages_per_minute_of_address: u32,
    /// The private messages a minute to one person. As many may come at once. Default 120.
    pub messages_per_minute_to_person: u32,
    /// The invitations a minute by one person. As many may come at once. Default 20.
    pub invitations_per_minute_of_person: u32,
    /// The invitations a minute to one person. As many may come at once. Default 20.
    pub invitations_per_minute_to_person: u32,
    /// The people whom one person may block. Default 200.
    pub blocks_per_person: usize,
    /// The wrong codes that a person, or the guests of an address, may try before they must pause. Default 5.
    pub wrong_codes: u32,
    /// The first pause after too many wrong codes. Each further wrong code doubles it. Default 2 s.
    pub wrong_code_pause: Duration,
    /// The longest pause after wrong codes. Default 10 min.
    pub wrong_code_pause_longest: Duration,
    /// How long it takes until one wrong code is forgiven. Default 1 min.
    pub wrong_code_forgiven_after: Duration,
    /// How long a person who declined or missed a ready check may not queue. Each further one doubles it; 0 is no pause.
    /// Default 10 s.
    pub ready_check_pause: Duration,
    /// The longest pause after ready checks. Default 10 min.
    pub ready_check_pause_longest: Duration,
    /// How long it takes until one declined or missed ready check is forgiven. Default 30 min.
    pub ready_check_forgiven_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_rooms: 1000,
            matches_in_the_making: 4,
            room_threads: 0,
            rooms_on_runtime: false,
            late_after: Duration::from_millis(10),
            stuck_after: Duration::from_secs(10),
            step_share: 0.5,
            bytes_per_tick: 1024 * 1024,
            budget_window: Duration::from_secs(2),
            slowed_for: Duration::from_secs(10),
            max_entities: 65_536,
            max_stuck_rooms: 4,
            stop_deadline: Duration::from_secs(10),
            ticket_life: Duration::from_secs(30),
            empty_linger: Duration::from_secs(10),
            codes_kept: 1000,
            over_linger: Duration::from_secs(5),
            database_wait: Duration::from_secs(5),
            unwritten_records: 100_000,
            unwritten_bytes: 64 * 1024 * 1024,
            unwritten_memory_bytes: 16 * 1024 * 1024,
            unrated_players: 50_000,
            unposted_results: 4096,
            unposted_bytes: 16 * 1024 * 1024,
            webhook_attempts: 8,
            given_up_bytes: 16 * 1024 * 1024,
            silent_timeout: Duration::from_secs(15),
            rooms_per_person: 8,
            rooms_per_address: 32,
            seats_per_person: 8,
            seats_per_address: 64,
            tickets_per_person: 4,
            tickets_per_address: 32,
            places_per_person: 4,
            places_per_address: 32,
            connections_per_person: 16,
            messages_per_minute_of_address: 300,
            messages_per_minute_to_person: 120,
            invitations_per_minute_of_person: 20,
            invitations_per_minute_to_person: 20,
            blocks_per_person: 200,
            wrong_codes: 5,
            wrong_code_pause: Duration::from_secs(2),
            wrong_code_pause_longest: Duration::from_secs(600),
            wrong_code_forgiven_after: Duration::from_secs(60),
            ready_check_pause: Duration::from_secs(10),
            ready_check_pause_longest: Duration::from_secs(600),
            ready_check_forgiven_after: Duration::from_secs(1800),
        }
    }
}

impl Limits {
    pub(super) fn social(&self) -> SocialLimits {
        SocialLimits {
            messages_per_minute_of_address: self.messages_per_minute_of_address,
            messages_per_minute_to_person: self.messages_per_minute_to_person,
            invitations_per_minute_of_person: self.invitations_per_minute_of_person,
            invitations_per_minute_to_person: self.invitations_per_minute_to_person,
            blocks_per_person: self.blocks_per_person,
        }
    }

    pub(super) fn wrong_code_pauses(&self) -> PauseRule {
        PauseRule {
            free: self.wrong_codes,
            first: self.wrong_code_pause,
            longest: self.wrong_code_pause_longest,
            forgiven_after: self.wrong_code_forgiven_after,
        }
    }

    pub(super) fn ready_check_pauses(&self) -> PauseRule {
        PauseRule {
            free: 0,
            first: self.ready_check_pause,
            longest: self.ready_check_pause_longest,
            forgiven_after: self.ready_check_forgiven_after,
        }
    }
}
