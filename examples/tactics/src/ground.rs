//! The ground of a match: what lies on each hex, and how it is made from the match's random numbers.

use std::collections::VecDeque;

use tickcast::prelude::*;

use crate::hex::{HEXES, Hex, board, place};

/// What lies on a hex.
#[derive(Choice, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Terrain {
    /// Open ground.
    #[default]
    Plain,
    /// Takes two points to enter, covers, hides its unit from all but neighbours, and blocks lines of sight.
    Forest,
    /// Takes two points to enter, covers, blocks lines of sight, and lets its unit see one hex farther and over forests.
    Hill,
    /// No unit enters it. Lines of sight go across.
    Water,
}

const ALL: [Terrain; 4] = [Terrain::Plain, Terrain::Forest, Terrain::Hill, Terrain::Water];

impl Terrain {
    /// Returns the points that it takes to enter; `None` if no unit can.
    pub fn cost(self) -> Option<u8> {
        match self {
            Self::Plain => Some(1),
            Self::Forest | Self::Hill => Some(2),
            Self::Water => None,
        }
    }

    /// Returns by how much it reduces the damage of each hit on its unit.
    pub fn cover(self) -> u8 {
        u8::from(matches!(self, Self::Forest | Self::Hill))
    }
}

/// The ground of a match. It is known to everyone, and looks the same from both sides.
///
/// Two bits a hex, sixteen hexes a number, in the order of [`board`]. A match has one such entity instead of one a hex.
#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[replicate(id = 1)]
pub struct Ground(pub [u32; WORDS]);

/// The numbers of a ground.
const WORDS: usize = HEXES.div_ceil(16);

impl Ground {
    /// Makes a ground of the match's random numbers. Every hex but water can be reached from every other.
    pub fn random(rng: &mut MatchRng) -> Self {
        loop {
            let mut ground = Self::default();
            // Everything is set down twice, so that both sides have the same.
            for (patches, size, terrain) in [(3, 3, Terrain::Forest), (2, 2, Terrain::Hill), (1, 3, Terrain::Water)] {
                for _ in 0..patches {
                    ground.grow(rng, size, terrain);
                }
            }
            if ground.is_connected() {
                return ground;
            }
        }
    }

    /// Returns what lies on a hex; `None` outside of the board.
    pub fn get(&self, hex: Hex) -> Option<Terrain> {
        let place = place(hex)?;
        Some(ALL[(self.0[place / 16] >> (2 * (place % 16)) & 3) as usize])
    }

    /// Puts a terrain on a hex, if it is on the board.
    pub fn set(&mut self, hex: Hex, terrain: Terrain) {
        let Some(place) = place(hex) else { return };
        let (word, shift) = (&mut self.0[place / 16], 2 * (place % 16));
        *word = *word & !(3 << shift) | (terrain as u32) << shift;
    }

    /// Returns whether a unit on one hex could see the other if the distance did not matter.
    pub fn is_clear(&self, from: Hex, to: Hex) -> bool {
        let is_high = self.get(from) == Some(Terrain::Hill);
        let blocks = |hex: Hex| match self.get(hex) {
            Some(Terrain::Hill) => true,
            Some(Terrain::Forest) => !is_high,
            _ => false,
        };
        // A line along an edge is blocked if both sides are.
        !from.between(to).any(|pair| pair.into_iter().all(blocks))
    }

    /// Sets down a patch of a terrain between the two armies, and the same patch opposite.
    fn grow(&mut self, rng: &mut MatchRng, size: usize, terrain: Terrain) {
        let free: Vec<Hex> = board().filter(|hex| hex.r.abs() <= 2 && self.get(*hex) == Some(Terrain::Plain)).collect();
        let Some(mut hex) = free.choose(rng).copied() else { return };
        for _ in 0..size {
            self.set(hex, terrain);
            self.set(hex.opposite(), terrain);
            let next: Vec<Hex> = hex.neighbours().filter(|hex| hex.r.abs() <= 3 && self.get(*hex).is_some()).collect();
            hex = *next.choose(rng).expect("a hex has neighbours");
        }
    }

    fn is_connected(&self) -> bool {
        let enters = |hex: Hex| self.get(hex).and_then(Terrain::cost).is_some();
        let Some(first) = board().find(|hex| enters(*hex)) else { return false };
        let mut seen = [false; HEXES];
        let mut queue = VecDeque::from([first]);
        while let Some(hex) = queue.pop_front() {
            let Some(place) = place(hex).filter(|place| enters(hex) && !seen[*place]) else { continue };
            seen[place] = true;
            queue.extend(hex.neighbours());
        }
        board().zip(seen).all(|(hex, seen)| seen || !enters(hex))
    }
}
