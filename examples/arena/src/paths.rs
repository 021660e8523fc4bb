//! Ways through a map: a grid of places where an avatar can stand, and a breadth-first search over it.

use std::collections::VecDeque;

use tickcast::prelude::*;

use crate::map::Map;

/// The places of a map where an avatar can stand, one a unit.
#[derive(Default)]
pub(crate) struct Paths {
    width: usize,
    free: Vec<bool>,
}

impl Paths {
    pub(crate) fn over(map: &Map) -> Paths {
        let (width, height) = (map.size.x as usize, map.size.y as usize);
        let cells = 0..width * height;
        Paths { width, free: cells.map(|cell| map.free(centre(cell, width), CLEARANCE)).collect() }
    }

    /// The farthest point on a way from `from` to `to` that can be walked to in a straight line; none if there is no way.
    pub(crate) fn next(&self, map: &Map, from: Vec2, to: Vec2) -> Option<Vec2> {
        if map.walkable(from, to, CLEARANCE) {
            return Some(to);
        }
        let (start, end) = (self.nearest(from)?, self.nearest(to)?);
        let towards = self.search(end, start)?;
        let mut cell = start;
        // From the middle of a cell the next one can be entered, even where a corner is in the straight way from beside it.
        if from.distance(centre(start, self.width)) < MIDDLE {
            cell = towards[start];
        }
        let mut next = centre(cell, self.width);
        while cell != end {
            cell = towards[cell];
            let ahead = centre(cell, self.width);
            if !map.walkable(from, ahead, CLEARANCE) {
                break;
            }
            next = ahead;
        }
        Some(next)
    }

    /// For every cell nearer to `root` than `goal`, the neighbour that leads to `root`; none if they are not joined.
    fn search(&self, root: usize, goal: usize) -> Option<Vec<usize>> {
        let mut towards = vec![usize::MAX; self.free.len()];
        towards[root] = root;
        let mut queue = VecDeque::from([root]);
        while let Some(cell) = queue.pop_front() {
            if cell == goal {
                return Some(towards);
            }
            for neighbour in self.neighbours(cell) {
                if self.free[neighbour] && towards[neighbour] == usize::MAX {
                    towards[neighbour] = cell;
                    queue.push_back(neighbour);
                }
            }
        }
        None
    }

    fn neighbours(&self, cell: usize) -> impl Iterator<Item = usize> {
        let column = cell % self.width;
        let sides = [
            (column > 0).then(|| cell - 1),
            (column + 1 < self.width).then_some(cell + 1),
            cell.checked_sub(self.width),
            Some(cell + self.width).filter(|below| *below < self.free.len()),
        ];
        sides.into_iter().flatten()
    }

    fn nearest(&self, at: Vec2) -> Option<usize> {
        let free = (0..self.free.len()).filter(|cell| self.free[*cell]);
        free.min_by(|a, b| {
            let far = |cell: usize| centre(cell, self.width).distance_squared(at);
            far(*a).total_cmp(&far(*b))
        })
    }
}

fn centre(cell: usize, width: usize) -> Vec2 {
    Vec2::new((cell % width) as f32 + 0.5, (cell / width) as f32 + 0.5)
}

/// A little less than half a unit, so that a doorway of one unit is a way.
const CLEARANCE: f32 = 0.48;
/// So near to the middle of a cell counts as being in it.
const MIDDLE: f32 = 0.3;
