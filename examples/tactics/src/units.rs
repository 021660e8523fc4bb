//! The kinds of units with their numbers, and the army with which each side begins.

use tickcast::prelude::*;

use crate::hex::Hex;

/// A kind of unit.
#[derive(Choice, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// A side whose captain falls has lost.
    #[default]
    Captain,
    /// Strong from one hex to the next.
    Guard,
    /// Shoots over two or three hexes, and cannot strike a neighbour.
    Archer,
    /// Goes and sees far.
    Scout,
}

/// The numbers of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// The health at the beginning.
    pub hp: u8,
    /// The points of movement of a turn. Terrain says how many it takes to enter a hex.
    pub moves: u8,
    /// How many hexes far it sees on flat ground.
    pub sight: u32,
    /// The least and the greatest distance over which it strikes.
    pub range: [u32; 2],
    /// The least and the greatest damage of a hit. Every number between is as likely.
    pub damage: [u8; 2],
}

impl Kind {
    /// Returns the numbers of the kind.
    pub fn stats(self) -> Stats {
        match self {
            Self::Captain => Stats { hp: 14, moves: 3, sight: 3, range: [1, 1], damage: [2, 4] },
            Self::Guard => Stats { hp: 12, moves: 3, sight: 2, range: [1, 1], damage: [3, 5] },
            Self::Archer => Stats { hp: 7, moves: 3, sight: 3, range: [2, 3], damage: [2, 5] },
            Self::Scout => Stats { hp: 6, moves: 5, sight: 4, range: [1, 1], damage: [1, 3] },
        }
    }
}

/// The units of a side, by their numbers from 1, and where those of seat 1 begin. Those of seat 2 begin opposite.
pub const ARMY: [(Kind, Hex); 6] = [
    (Kind::Captain, Hex::at(-2, 5)),
    (Kind::Guard, Hex::at(-3, 4)),
    (Kind::Guard, Hex::at(-1, 4)),
    (Kind::Archer, Hex::at(-4, 5)),
    (Kind::Archer, Hex::at(-1, 5)),
    (Kind::Scout, Hex::at(-2, 4)),
];

/// Returns where a unit of a seat begins.
pub fn home(seat: Seat, hex: Hex) -> Hex {
    if seat == Seat(1) { hex } else { hex.opposite() }
}

/// Returns the other player's seat.
pub(crate) fn other(seat: Seat) -> Seat {
    Seat(3 - seat.0)
}

/// Returns the place of a seat in an array with something for each.
pub(crate) fn index(seat: Seat) -> usize {
    usize::from(seat.0 - 1)
}
