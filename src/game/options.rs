//! What a game says about its matches besides its rules.

use std::{ops::RangeInclusive, time::Duration};

/// The options of a game's matches, set by the methods of [`MatchBuilder`](super::MatchBuilder).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MatchOptions {
    /// Ticks per second. Default 30.
    pub hz: u16,
    /// The fewest seats that start a match and the most that a room has. Default 1 to 16.
    pub seats: RangeInclusive<u8>,
    /// How long the seat of a player whose connection dropped is kept. Zero frees it at once. Default 20 seconds.
    pub reconnect_grace: Duration,
    /// How long a connected player may send no input before losing the seat. Default `None`: without limit.
    pub idle_after: Option<Duration>,
    /// Whether a bot plays for a player whose connection dropped. Default no.
    pub bots_hold_seats: bool,
    /// How far spectators are behind the match. Default zero.
    pub spectator_delay: Duration,
    /// How many seats bots fill until people take them. Default 0.
    pub fill: u8,
    /// Whether changes are packed into bits. Default no.
    pub packed: bool,
    /// How many bytes of state a seat gets per tick, approximately. Default `None`: without limit.
    pub budget: Option<usize>,
}

impl Default for MatchOptions {
    fn default() -> Self {
        Self {
            hz: 30,
            seats: 1..=16,
            reconnect_grace: Duration::from_secs(20),
            idle_after: None,
            bots_hold_seats: false,
            spectator_delay: Duration::ZERO,
            fill: 0,
            packed: false,
            budget: None,
        }
    }
}
