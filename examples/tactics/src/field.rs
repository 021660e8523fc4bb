//! What units see, reach and strike. Rules and bots ask the same questions: the rules of all units, a bot of those that it knows.

use tickcast::prelude::*;

use crate::{
    Ground, Kind, Terrain,
    hex::{HEXES, Hex, place},
};

/// A unit as far as it matters to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Man {
    /// The seat that commands it.
    pub side: Seat,
    /// Its number in its army.
    pub number: u8,
    /// Its kind.
    pub kind: Kind,
    /// Its health.
    pub hp: u8,
    /// Where it is.
    pub hex: Hex,
    /// Whether the enemy sees it wherever it is.
    pub exposed: bool,
}

/// The ground and some units on it.
#[derive(Debug, Clone)]
pub struct Field {
    /// The ground.
    pub ground: Ground,
    /// The units.
    pub men: Vec<Man>,
    /// Whether units can be hidden.
    pub fog: bool,
}

impl Field {
    /// Returns a unit of a side.
    pub fn man(&self, side: Seat, number: u8) -> Option<&Man> {
        self.men.iter().find(|man| man.side == side && man.number == number)
    }

    /// Returns whether a side sees a unit. It sees its own.
    pub fn sees(&self, side: Seat, man: &Man) -> bool {
        if !self.fog || man.side == side || man.exposed {
            return true;
        }
        let hides = self.ground.get(man.hex) == Some(Terrain::Forest);
        self.men.iter().filter(|watcher| watcher.side == side).any(|watcher| {
            let is_near = watcher.hex.distance(man.hex) <= 1;
            is_near || !hides && self.looks(watcher.kind, watcher.hex, man.hex)
        })
    }

    /// Returns the field as a side knows it: without the enemies that it does not see.
    pub fn known_to(&self, side: Seat) -> Self {
        let men = self.men.iter().filter(|man| self.sees(side, man)).copied().collect();
        Self { men, ..self.clone() }
    }

    /// Returns whether a unit of a kind looks at a hex from another one. A unit that hides there may still be overlooked.
    pub fn looks(&self, kind: Kind, from: Hex, at: Hex) -> bool {
        let height = u32::from(self.ground.get(from) == Some(Terrain::Hill));
        let distance = from.distance(at);
        distance <= 1 || distance <= kind.stats().sight + height && self.ground.is_clear(from, at)
    }

    /// Returns whether a unit could strike another one from a hex.
    pub fn can_strike(&self, kind: Kind, from: Hex, at: Hex) -> bool {
        let [least, most] = kind.stats().range;
        let distance = from.distance(at);
        (least..=most).contains(&distance) && (distance == 1 || self.ground.is_clear(from, at))
    }

    /// Returns the hexes that a unit on a hex reaches with some points of movement. Units are in the way.
    pub fn reach(&self, from: Hex, moves: u8) -> Reach {
        let mut reach = Reach { from, left: [None; HEXES], before: [from; HEXES] };
        let Some(first) = place(from) else { return reach };
        reach.left[first] = Some(moves);
        let taken = |hex: Hex| self.men.iter().any(|man| man.hex == hex);
        // The points that are left only get less, so each hex is settled by the way on which most are left.
        for points in (1..=moves).rev() {
            let mut settled: Vec<Hex> = crate::hex::board().filter(|hex| reach.left(*hex) == Some(points)).collect();
            while let Some(hex) = settled.pop() {
                for next in hex.neighbours() {
                    let cost = self.ground.get(next).and_then(Terrain::cost);
                    let left = cost.and_then(|cost| points.checked_sub(cost)).filter(|_| !taken(next));
                    let (Some(left), Some(at)) = (left, place(next)) else { continue };
                    if reach.left[at].is_none_or(|known| known < left) {
                        (reach.left[at], reach.before[at]) = (Some(left), hex);
                    }
                }
            }
        }
        reach
    }
}

/// Where a unit can go, and on which ways.
#[derive(Debug, Clone)]
pub struct Reach {
    from: Hex,
    left: [Option<u8>; HEXES],
    before: [Hex; HEXES],
}

impl Reach {
    /// Returns the points that are left at a hex; `None` if it is out of reach.
    pub fn left(&self, hex: Hex) -> Option<u8> {
        place(hex).and_then(|place| self.left[place])
    }

    /// Returns the hexes on the way to a hex, without the first and with the last; `None` if there is no way, or it has no step.
    pub fn path(&self, to: Hex) -> Option<Vec<Hex>> {
        self.left(to)?;
        let mut path = Vec::new();
        let mut hex = to;
        while hex != self.from {
            path.push(hex);
            hex = self.before[place(hex)?];
        }
        path.reverse();
        (!path.is_empty()).then_some(path)
    }

    /// Iterates over the hexes in reach, without the unit's own, in the board's order.
    pub fn hexes(&self) -> impl Iterator<Item = Hex> {
        crate::hex::board().filter(|hex| *hex != self.from && self.left(*hex).is_some())
    }
}
