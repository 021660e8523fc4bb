//! Finds what is near, without a look at everything.

use tickcast::prelude::*;

use crate::SIZE;

/// The side of a square, in units.
const SIDE: f32 = 10.0;
const ACROSS: usize = (SIZE / SIDE) as usize;

/// Things by the square in which they are.
pub struct Space<T>(Vec<Vec<(Vec2, T)>>);

impl<T: Copy> Space<T> {
    /// Sorts things into squares.
    pub fn new(things: impl Iterator<Item = (Vec2, T)>) -> Self {
        let mut squares: Vec<Vec<(Vec2, T)>> = (0..ACROSS * ACROSS).map(|_| Vec::new()).collect();
        for (at, thing) in things {
            squares[square(at.y) * ACROSS + square(at.x)].push((at, thing));
        }
        Self(squares)
    }

    /// Iterates over the things within a distance of a place, square by square.
    pub fn within(&self, at: Vec2, distance: f32) -> impl Iterator<Item = (Vec2, T)> + '_ {
        let (low, high) = (at - Vec2::splat(distance), at + Vec2::splat(distance));
        let rows = square(low.y)..=square(high.y);
        let columns = square(low.x)..=square(high.x);
        rows.flat_map(move |row| columns.clone().map(move |column| &self.0[row * ACROSS + column]))
            .flatten()
            .filter(move |(there, _)| there.distance_squared(at) < distance * distance)
            .copied()
    }
}

/// Returns the row or column of a coordinate.
fn square(coordinate: f32) -> usize {
    ((coordinate / SIDE) as usize).min(ACROSS - 1)
}

#[cfg(test)]
mod tests {
    use tickcast::rand::{SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    #[test]
    fn what_is_near_is_what_a_look_at_everything_finds() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut place = || Vec2::new(rng.random_range(0.0..=SIZE), rng.random_range(0.0..=SIZE));
        let things: Vec<(Vec2, usize)> = (0..500).map(|number| (place(), number)).collect();
        let space = Space::new(things.iter().copied());
        for distance in [0.5, 9.0, 30.0, 500.0] {
            for _ in 0..50 {
                let at = place();
                let mut near: Vec<usize> = space.within(at, distance).map(|(_, number)| number).collect();
                near.sort_unstable();
                let all = things.iter().filter(|(there, _)| there.distance_squared(at) < distance * distance);
                assert_eq!(near, all.map(|(_, number)| *number).collect::<Vec<_>>());
            }
        }
    }
}
