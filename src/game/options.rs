//! The options of a game's matches.

use std::{ops::RangeInclusive, time::Duration};

/// The options of a game's matches, set by the methods of [`MatchBuilder`](super::MatchBuilder).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MatchOptions {
    /// Ticks per second, 1 to 128. Default 30.
    pub hz: u16,
    /// The fewest players that the matchmaker starts a match with, and the number of seats in a room. Default `1..=16`.
    pub seats: RangeInclusive<u8>,
    /// How long a seat is kept after its player's connection drops. Zero frees it at once. Default 20 seconds.
    pub reconnect_grace: Duration,
    /// How long a connected player may send no input before losing the seat. Default `None`: no limit.
    pub idle_after: Option<Duration>,
    /// Whether a bot plays for a player whose connection dropped. Default `false`.
    pub bots_hold_seats: bool,
    /// The delay at which spectators see the match. Default zero.
    pub spectator_delay: Duration,
    /// The number of seats that bots fill until people take them. Default 0.
    pub fill: u8,
    /// Whether changes are packed into bits. Default `false`.
    pub packed: bool,
    /// Whether the match takes no step while nothing happens. Default `false`.
    pub on_input: bool,
    /// The approximate number of bytes of state that a seat gets per tick. Default `None`: no limit.
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
            on_input: false,
            budget: None,
        }
    }
}
