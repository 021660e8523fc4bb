//! Path finding: a breadth-first search over a grid of cells in which an avatar can stand.

use std::collections::VecDeque;

use tickcast::prelude::*;

use crate::map::Map;

/// The cells of a map, one unit wide, and whether an avatar can stand in them.
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

    /// Returns the farthest point on a path from `from` to `to` that can be reached in a straight line.
    ///
    /// `None` if there is no path.
    pub(crate) fn next(&self, map: &Map, from: Vec2, to: Vec2) -> Option<Vec2> {
        if map.walkable(from, to, CLEARANCE) {
            return Some(to);
        }
        let (start, end) = (self.nearest(from)?, self.nearest(to)?);
        let towards = self.search(end, start)?;
        let mut cell = start;
        // The next cell can always be entered from the centre of this one, but off-centre a corner may be in the way.
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

    /// Returns, for every cell nearer to `root` than `goal`, the neighbour that leads to `root`. `None` if they are not connected.
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

/// The avatar's radius for path finding, a little less than half a unit, so that a doorway of one unit can be passed.
const CLEARANCE: f32 = 0.48;
/// The distance from a cell's centre, in units, within which an avatar counts as centred.
const MIDDLE: f32 = 0.3;
