//! The geometry of a hex board: axial coordinates, distances, neighbours, and the hexes between two others.
//!
//! All of it is pure and in integers. `q` grows to the east and `r` to the south-east, so a row of hexes has one `r`.
//! The third cube coordinate is `s = -q - r`. Source of the formulas: Red Blob Games, "Hexagonal Grids".

use tickcast::prelude::*;

/// A hex of the board, or outside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Hex {
    /// The axial coordinate that grows to the east.
    pub q: i8,
    /// The axial coordinate that grows to the south-east: the row.
    pub r: i8,
}

/// The steps to the six neighbours, clockwise from the east.
pub const STEPS: [Hex; 6] = [Hex::at(1, 0), Hex::at(0, 1), Hex::at(-1, 1), Hex::at(-1, 0), Hex::at(0, -1), Hex::at(1, -1)];

impl Hex {
    /// Returns the hex at axial coordinates.
    pub const fn at(q: i8, r: i8) -> Self {
        Self { q, r }
    }

    /// Returns the number of steps to another hex.
    pub fn distance(self, other: Self) -> u32 {
        let [q, r, s] = self.way(other);
        (q.unsigned_abs() + r.unsigned_abs() + s.unsigned_abs()) / 2
    }

    /// Returns the neighbours, clockwise from the east. Some may be outside of the board.
    pub fn neighbours(self) -> impl Iterator<Item = Self> {
        STEPS.into_iter().map(move |step| Self { q: self.q.saturating_add(step.q), r: self.r.saturating_add(step.r) })
    }

    /// Returns the hex at the other end of the board's centre.
    pub fn opposite(self) -> Self {
        Self { q: -self.q, r: -self.r }
    }

    /// Returns the hexes that the straight line to another hex crosses, without the two ends, in order.
    ///
    /// Where the line runs along the edge of two hexes, both are given. Otherwise the two of a pair are the same hex. The line back
    /// crosses the same hexes.
    pub fn between(self, other: Self) -> impl Iterator<Item = [Self; 2]> {
        let (way, steps) = (self.way(other), self.distance(other) as i32);
        // One cube coordinate changes by one in each step, and so is exact. The second is rounded down and up where it is halfway.
        let [first, second] = if way[0].abs() == steps {
            [0, 1]
        } else if way[1].abs() == steps {
            [1, 0]
        } else {
            [2, 0]
        };
        let from = self.cube();
        (1..steps).map(move |step| {
            let exact = from[first] + way[first].signum() * step;
            let doubled = 2 * way[second] * step;
            [doubled + steps - 1, doubled + steps].map(|numerator| {
                let mut cube = [0; 3];
                cube[first] = exact;
                cube[second] = from[second] + numerator.div_euclid(2 * steps);
                cube[3 - first - second] = -exact - cube[second];
                Self { q: cube[0] as i8, r: cube[1] as i8 }
            })
        })
    }

    fn cube(self) -> [i32; 3] {
        let (q, r) = (i32::from(self.q), i32::from(self.r));
        [q, r, -q - r]
    }

    /// Returns the difference of the cube coordinates.
    fn way(self, other: Self) -> [i32; 3] {
        let (from, to) = (self.cube(), other.cube());
        [0, 1, 2].map(|at| to[at] - from[at])
    }
}

/// The distance from the board's centre to its border.
pub const RADIUS: u32 = 5;
/// The number of hexes of the board.
pub const HEXES: usize = (3 * RADIUS * (RADIUS + 1) + 1) as usize;

/// Returns the hexes of the board, row by row from the north, each from the west.
pub fn board() -> impl Iterator<Item = Hex> {
    let reach = RADIUS as i8;
    let rows = -reach..=reach;
    rows.flat_map(move |r| (-reach.min(reach + r)..=reach.min(reach - r)).map(move |q| Hex::at(q, r)))
}

/// Returns the place of a hex in [`board`]; `None` outside of the board.
pub fn place(hex: Hex) -> Option<usize> {
    if hex.distance(Hex::default()) > RADIUS {
        return None;
    }
    let reach = RADIUS as i32;
    let (q, r) = (i32::from(hex.q), i32::from(hex.r));
    // The first row has `reach + 1` hexes. Each has one more than the row before, up to the middle, and then one less.
    let hexes_of = |rows: i32| rows * (reach + 1) + rows * (rows - 1) / 2;
    let before = if r <= 0 { hexes_of(r + reach) } else { HEXES as i32 - hexes_of(reach - r + 1) };
    Some((before + q + reach.min(reach + r)) as usize)
}
