//! The scenario of a comparison and the servers that take part.

use std::fmt;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::args::{at_least_one, seconds};

/// The load that every server is measured under.
#[derive(Debug, Clone, Copy, Args, Serialize)]
pub(crate) struct Scenario {
    /// Number of clients.
    #[arg(long, default_value_t = 300, value_parser = at_least_one)]
    pub(crate) clients: usize,
    /// Number of rooms.
    #[arg(long, default_value_t = 30, value_parser = at_least_one)]
    pub(crate) rooms: usize,
    /// Ticks per second, and inputs per second of each client.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=128))]
    pub(crate) hz: u16,
    /// Seconds to measure.
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    pub(crate) seconds: f64,
    /// Seconds to wait between the last client's seat and the measurement.
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    pub(crate) warmup: f64,
}

/// A server to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// One `write` per client and tick, and nothing else.
    Floor,
    /// One `read` and one `write` per client and tick, without events.
    Limit,
    Tickcast,
    /// Socket.IO on Node.
    Socketio,
    Colyseus,
}

impl Peer {
    pub(crate) const ALL: [Self; 5] = [Self::Floor, Self::Limit, Self::Tickcast, Self::Socketio, Self::Colyseus];
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Floor => "floor",
            Self::Limit => "limit",
            Self::Tickcast => "tickcast",
            Self::Socketio => "socketio",
            Self::Colyseus => "colyseus",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_numbered_in_order() {
        for (place, peer) in Peer::ALL.into_iter().enumerate() {
            assert_eq!(peer as usize, place);
        }
    }
}
