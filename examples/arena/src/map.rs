//! The maps: walls, spawn points, and the geometry of walking circles and straight flights.
//!
//! Lengths are in units. An avatar is one unit wide. The origin is the map's corner. The map files are in `assets/maps` and are
//! shared with the browser view.

use std::sync::LazyLock;

use tickcast::prelude::*;

use crate::paths::Paths;

/// The name of a map, as used in a configuration.
#[derive(Choice, Serialize, Deserialize, Clone, Copy, Default, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum MapName {
    /// A wide yard of 40 by 30 units with pillars and corners.
    #[default]
    Courtyard,
    /// A small room of 24 by 18 units.
    Cellar,
}

impl MapName {
    /// Returns the map with this name.
    pub fn map(self) -> &'static Map {
        static COURTYARD: LazyLock<Map> = LazyLock::new(|| Map::read(include_str!("../../../assets/maps/courtyard.json")));
        static CELLAR: LazyLock<Map> = LazyLock::new(|| Map::read(include_str!("../../../assets/maps/cellar.json")));
        match self {
            MapName::Courtyard => &COURTYARD,
            MapName::Cellar => &CELLAR,
        }
    }
}

/// A map with walls and spawn points.
pub struct Map {
    /// Width and height. The border is solid.
    pub size: Vec2,
    /// Solid rectangles.
    pub walls: Vec<Wall>,
    /// The points where avatars spawn.
    pub spawns: Vec<Vec2>,
    /// Path finding for the bots.
    pub(crate) paths: Paths,
}

/// A solid rectangle with its sides along the axes.
#[derive(Clone, Copy, Debug)]
pub struct Wall {
    /// The corner with the smallest coordinates.
    pub min: Vec2,
    /// The corner with the largest coordinates.
    pub max: Vec2,
}

impl Map {
    fn read(text: &str) -> Map {
        #[derive(Deserialize)]
        struct File {
            size: [f32; 2],
            walls: Vec<[f32; 4]>,
            spawns: Vec<[f32; 2]>,
        }
        let file: File = serde_json::from_str(text).expect("the maps in assets/maps are valid, which a test checks");
        let wall = |[x, y, width, height]: [f32; 4]| Wall { min: Vec2::new(x, y), max: Vec2::new(x + width, y + height) };
        let mut map = Map {
            size: file.size.into(),
            walls: file.walls.into_iter().map(wall).collect(),
            spawns: file.spawns.into_iter().map(Vec2::from).collect(),
            paths: Paths::default(),
        };
        map.paths = Paths::over(&map);
        map
    }

    /// Moves a circle by `step` and returns its new centre. The circle slides along walls. `step` must be shorter than the radius.
    pub fn slide(&self, at: Vec2, step: Vec2, radius: f32) -> Vec2 {
        let mut at = at + step;
        for wall in &self.walls {
            at += wall.push(at, radius);
        }
        at.clamp(Vec2::splat(radius), self.size - radius)
    }

    /// Returns whether a circle touches no wall.
    pub fn free(&self, at: Vec2, radius: f32) -> bool {
        let inside = at.cmpge(Vec2::splat(radius)).all() && at.cmple(self.size - radius).all();
        inside && self.walls.iter().all(|wall| wall.distance(at) >= radius)
    }

    /// Returns the position of the first wall on the flight from `from` to `to`: 0 at `from`, 1 at `to`.
    pub fn hit(&self, from: Vec2, to: Vec2) -> Option<f32> {
        let border = self.leave(from, to);
        let walls = self.walls.iter().filter_map(|wall| wall.hit(from, to));
        walls.chain(border).min_by(f32::total_cmp)
    }

    /// Returns whether no wall is between two points.
    pub fn sees(&self, from: Vec2, to: Vec2) -> bool {
        self.hit(from, to).is_none()
    }

    /// Returns whether a circle can walk straight from one point to another.
    pub(crate) fn walkable(&self, from: Vec2, to: Vec2, radius: f32) -> bool {
        let side = (to - from).normalize_or_zero().perp() * radius;
        self.sees(from + side, to + side) && self.sees(from - side, to - side) && self.free(to, radius)
    }

    /// Returns the spawn point with the largest distance to the nearest of `others`.
    pub(crate) fn farthest_spawn(&self, others: &[Vec2]) -> Vec2 {
        let room = |spawn: &Vec2| others.iter().map(|other| other.distance(*spawn)).fold(f32::INFINITY, f32::min);
        let best = self.spawns.iter().max_by(|a, b| room(a).total_cmp(&room(b)));
        *best.expect("every map has spawn points, which a test checks")
    }

    fn leave(&self, from: Vec2, to: Vec2) -> Option<f32> {
        let over = |from: f32, to: f32, size: f32| match to {
            to if to < 0.0 => Some(from / (from - to)),
            to if to > size => Some((size - from) / (to - from)),
            _ => None,
        };
        let (x, y) = (over(from.x, to.x, self.size.x), over(from.y, to.y, self.size.y));
        x.into_iter().chain(y).min_by(f32::total_cmp)
    }
}

impl Wall {
    fn distance(&self, at: Vec2) -> f32 {
        at.distance(at.clamp(self.min, self.max))
    }

    /// Returns the shortest step that moves a circle out of this wall.
    fn push(&self, at: Vec2, radius: f32) -> Vec2 {
        let nearest = at.clamp(self.min, self.max);
        if nearest != at {
            let gap = at - nearest;
            return gap.normalize() * (radius - gap.length()).max(0.0);
        }
        let ways = [
            Vec2::new(self.min.x - radius - at.x, 0.0),
            Vec2::new(self.max.x + radius - at.x, 0.0),
            Vec2::new(0.0, self.min.y - radius - at.y),
            Vec2::new(0.0, self.max.y + radius - at.y),
        ];
        ways.into_iter().min_by(|a, b| a.length().total_cmp(&b.length())).unwrap_or_default()
    }

    /// Returns where a flight enters the wall, by the slab method: it is inside where it is between both pairs of sides.
    fn hit(&self, from: Vec2, to: Vec2) -> Option<f32> {
        let way = to - from;
        let (mut enter, mut leave) = (0.0_f32, 1.0_f32);
        for axis in 0..2 {
            if way[axis] == 0.0 {
                if from[axis] < self.min[axis] || from[axis] > self.max[axis] {
                    return None;
                }
                continue;
            }
            let (a, b) = ((self.min[axis] - from[axis]) / way[axis], (self.max[axis] - from[axis]) / way[axis]);
            enter = enter.max(a.min(b));
            leave = leave.min(a.max(b));
        }
        (enter <= leave).then_some(enter)
    }
}

/// Returns the position on the flight from `from` to `to` where it hits a circle: 0 at `from`, 1 at `to`.
pub fn hit_circle(from: Vec2, to: Vec2, centre: Vec2, radius: f32) -> Option<f32> {
    let (way, gap) = (to - from, from - centre);
    if gap.length_squared() <= radius * radius {
        return Some(0.0);
    }
    let (a, b, c) = (way.length_squared(), gap.dot(way), gap.length_squared() - radius * radius);
    let root = b * b - a * c;
    if a == 0.0 || root < 0.0 {
        return None;
    }
    let along = (-b - root.sqrt()) / a;
    (0.0..=1.0).contains(&along).then_some(along)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: [MapName; 2] = [MapName::Courtyard, MapName::Cellar];

    #[test]
    fn spawn_points_are_free_and_connected() {
        for map in MAPS.map(MapName::map) {
            assert!(map.spawns.len() >= 16, "there is a spawn point for each seat");
            for &spawn in &map.spawns {
                assert!(map.free(spawn, 0.5), "{spawn} is in a wall");
                let first = map.spawns[0];
                assert!(spawn == first || map.paths.next(map, spawn, first).is_some(), "{spawn} cannot be reached");
            }
        }
    }

    #[test]
    fn a_shot_stops_at_the_first_wall() {
        let map = MapName::Courtyard.map();
        let along = map.hit(Vec2::new(10.0, 15.0), Vec2::new(30.0, 15.0)).unwrap();
        assert!((along - 0.2).abs() < 1e-5, "the wall at x = 14, not the ones behind it");
        assert!(map.sees(Vec2::new(2.0, 2.0), Vec2::new(18.0, 2.0)));
        assert_eq!(map.hit(Vec2::new(2.0, 2.0), Vec2::new(-2.0, 2.0)), Some(0.5), "the border is solid");
    }

    #[test]
    fn a_fast_shot_does_not_pass_through_a_circle() {
        let along = hit_circle(Vec2::ZERO, Vec2::new(100.0, 0.0), Vec2::new(50.0, 0.2), 0.5).unwrap();
        assert!((0.49..0.5).contains(&along));
        assert_eq!(hit_circle(Vec2::ZERO, Vec2::new(100.0, 0.0), Vec2::new(50.0, 0.6), 0.5), None);
        assert_eq!(hit_circle(Vec2::ZERO, Vec2::new(-100.0, 0.0), Vec2::new(50.0, 0.0), 0.5), None);
    }

    #[test]
    fn a_walking_circle_slides_along_a_wall() {
        let map = MapName::Courtyard.map();
        let at = map.slide(Vec2::new(13.45, 15.0), Vec2::new(0.2, 0.2), 0.5);
        assert!((at.x - 13.5).abs() < 1e-5 && (at.y - 15.2).abs() < 1e-5, "{at}");
    }

    #[test]
    fn the_farthest_spawn_is_far_from_everyone() {
        let map = MapName::Courtyard.map();
        let others = [Vec2::new(2.0, 2.0), Vec2::new(2.0, 28.0)];
        assert!(map.farthest_spawn(&others).x > 30.0);
    }
}
