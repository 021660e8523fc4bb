//! Simple pictures that the bots draw. A sketch is a few shapes on a square of 100 by 100, with y down.

use std::f32::consts::TAU;

use tickcast::{math, prelude::*};

use crate::ink::{HIGH, Op, Point, Step, WIDE};

/// What a bot can draw.
#[derive(Clone, Copy)]
pub(crate) struct Sketch(&'static [Shape]);

/// A shape, with the number of its colour.
#[derive(Clone, Copy)]
enum Shape {
    /// Straight lines from point to point.
    Line(u8, &'static [(u8, u8)]),
    /// A part of an ellipse: its centre, its radii, and the eighths of a turn where it begins and ends, clockwise from the right.
    Arc(u8, (u8, u8), (u8, u8), (u8, u8)),
}

use Shape::{Arc, Line};

const BLACK: u8 = 0;
const BROWN: u8 = 3;
const RED: u8 = 4;
const ORANGE: u8 = 5;
const YELLOW: u8 = 6;
const GREEN: u8 = 7;
const SKY: u8 = 8;
const BLUE: u8 = 9;
const WHOLE: (u8, u8) = (0, 8);

impl Sketch {
    pub(crate) const HOUSE: Self = Self(&[
        Line(BROWN, &[(20, 45), (20, 90), (80, 90), (80, 45), (20, 45), (50, 15), (80, 45)]),
        Line(BROWN, &[(43, 90), (43, 65), (57, 65), (57, 90)]),
        Line(SKY, &[(27, 55), (37, 55), (37, 65), (27, 65), (27, 55)]),
    ]);
    pub(crate) const TREE: Self =
        Self(&[Line(BROWN, &[(45, 92), (45, 60), (55, 60), (55, 92)]), Arc(GREEN, (50, 38), (30, 26), WHOLE)]);
    pub(crate) const FLOWER: Self = Self(&[
        Line(GREEN, &[(50, 50), (50, 95), (62, 78)]),
        Arc(YELLOW, (50, 38), (8, 8), WHOLE),
        Arc(RED, (50, 22), (9, 9), WHOLE),
        Arc(RED, (66, 38), (9, 9), WHOLE),
        Arc(RED, (50, 54), (9, 9), WHOLE),
        Arc(RED, (34, 38), (9, 9), WHOLE),
    ]);
    pub(crate) const FISH: Self = Self(&[
        Arc(BLUE, (45, 50), (30, 17), WHOLE),
        Line(BLUE, &[(74, 50), (92, 34), (92, 66), (74, 50)]),
        Arc(BLACK, (26, 45), (2, 2), WHOLE),
    ]);
    pub(crate) const FACE: Self = Self(&[
        Arc(ORANGE, (50, 55), (30, 28), WHOLE),
        Line(ORANGE, &[(25, 38), (25, 15), (42, 28)]),
        Line(ORANGE, &[(58, 28), (75, 15), (75, 38)]),
        Arc(BLACK, (40, 48), (3, 4), WHOLE),
        Arc(BLACK, (60, 48), (3, 4), WHOLE),
        Arc(BLACK, (50, 62), (10, 7), (0, 4)),
    ]);
    pub(crate) const ANIMAL: Self = Self(&[
        Arc(BROWN, (45, 50), (28, 15), WHOLE),
        Arc(BROWN, (80, 35), (11, 9), WHOLE),
        Line(BROWN, &[(25, 61), (25, 88)]),
        Line(BROWN, &[(35, 64), (35, 88)]),
        Line(BROWN, &[(55, 64), (55, 88)]),
        Line(BROWN, &[(65, 60), (65, 88)]),
        Line(BROWN, &[(18, 45), (8, 35)]),
    ]);
    pub(crate) const BIRD: Self = Self(&[
        Arc(BLUE, (48, 55), (24, 16), WHOLE),
        Arc(BLUE, (72, 34), (10, 10), WHOLE),
        Line(ORANGE, &[(82, 33), (93, 37), (82, 39)]),
        Line(BLUE, &[(25, 52), (8, 44), (12, 60), (26, 58)]),
        Line(ORANGE, &[(44, 71), (44, 88), (50, 88)]),
        Line(ORANGE, &[(54, 71), (54, 88), (60, 88)]),
    ]);
    pub(crate) const SNAKE: Self = Self(&[
        Arc(GREEN, (20, 55), (12, 18), (4, 8)),
        Arc(GREEN, (44, 55), (12, 18), (0, 4)),
        Line(GREEN, &[(32, 55), (32, 56)]),
        Arc(GREEN, (68, 55), (12, 18), (4, 8)),
        Line(RED, &[(80, 56), (90, 62)]),
    ]);
    pub(crate) const CAR: Self = Self(&[
        Line(RED, &[(10, 70), (10, 55), (30, 52), (40, 36), (66, 36), (76, 53), (90, 56), (90, 70), (10, 70)]),
        Arc(BLACK, (28, 72), (9, 9), WHOLE),
        Arc(BLACK, (72, 72), (9, 9), WHOLE),
    ]);
    pub(crate) const BOAT: Self = Self(&[
        Line(BROWN, &[(15, 65), (85, 65), (70, 85), (30, 85), (15, 65)]),
        Line(BROWN, &[(50, 65), (50, 12)]),
        Line(BLACK, &[(50, 15), (78, 55), (50, 55)]),
        Line(BLUE, &[(5, 90), (20, 86), (35, 90), (50, 86), (65, 90), (80, 86), (95, 90)]),
    ]);
    pub(crate) const STAR: Self = Self(&[Line(
        YELLOW,
        &[(50, 10), (61, 40), (93, 40), (67, 59), (77, 90), (50, 71), (23, 90), (33, 59), (7, 40), (39, 40), (50, 10)],
    )]);
    pub(crate) const SUN: Self = Self(&[
        Arc(YELLOW, (50, 50), (20, 20), WHOLE),
        Line(ORANGE, &[(50, 22), (50, 8)]),
        Line(ORANGE, &[(50, 78), (50, 92)]),
        Line(ORANGE, &[(22, 50), (8, 50)]),
        Line(ORANGE, &[(78, 50), (92, 50)]),
        Line(ORANGE, &[(30, 30), (20, 20)]),
        Line(ORANGE, &[(70, 30), (80, 20)]),
        Line(ORANGE, &[(30, 70), (20, 80)]),
        Line(ORANGE, &[(70, 70), (80, 80)]),
    ]);
    pub(crate) const MOON: Self = Self(&[Arc(YELLOW, (50, 50), (34, 36), (1, 7)), Arc(YELLOW, (64, 50), (22, 27), (1, 7))]);
    pub(crate) const CLOUD: Self = Self(&[
        Arc(SKY, (34, 52), (16, 14), (2, 6)),
        Arc(SKY, (50, 38), (18, 16), (4, 8)),
        Arc(SKY, (70, 52), (16, 14), (6, 10)),
        Line(SKY, &[(32, 66), (70, 66)]),
        Line(BLUE, &[(38, 74), (34, 86)]),
        Line(BLUE, &[(54, 74), (50, 86)]),
        Line(BLUE, &[(70, 74), (66, 86)]),
    ]);
    pub(crate) const MOUNTAIN: Self = Self(&[
        Line(BROWN, &[(5, 88), (40, 20), (58, 56), (70, 36), (95, 88), (5, 88)]),
        Line(SKY, &[(31, 38), (38, 44), (43, 38), (49, 38)]),
    ]);
    pub(crate) const APPLE: Self = Self(&[
        Arc(RED, (50, 58), (28, 28), WHOLE),
        Line(BROWN, &[(50, 32), (52, 14)]),
        Line(GREEN, &[(52, 22), (68, 14), (60, 26), (52, 22)]),
    ]);
    pub(crate) const BANANA: Self = Self(&[Arc(YELLOW, (50, 30), (38, 46), (0, 4)), Arc(YELLOW, (50, 30), (38, 28), (0, 4))]);
    pub(crate) const CUP: Self = Self(&[
        Line(BLUE, &[(25, 35), (30, 85), (64, 85), (69, 35), (25, 35)]),
        Arc(BLUE, (70, 56), (13, 13), (6, 10)),
        Line(BLACK, &[(38, 28), (42, 20), (38, 12)]),
        Line(BLACK, &[(52, 28), (56, 20), (52, 12)]),
    ]);
    pub(crate) const BOTTLE: Self = Self(&[
        Line(GREEN, &[(44, 10), (44, 30), (34, 44), (34, 90), (66, 90), (66, 44), (56, 30), (56, 10), (44, 10)]),
        Line(BROWN, &[(34, 56), (66, 56), (66, 74), (34, 74)]),
    ]);
    pub(crate) const PERSON: Self = Self(&[
        Arc(BLACK, (50, 20), (11, 11), WHOLE),
        Line(BLACK, &[(50, 31), (50, 62), (36, 92)]),
        Line(BLACK, &[(50, 62), (64, 92)]),
        Line(BLACK, &[(28, 52), (50, 40), (72, 52)]),
    ]);
    pub(crate) const UMBRELLA: Self = Self(&[
        Arc(BLUE, (50, 48), (38, 34), (4, 8)),
        Line(BLUE, &[(12, 48), (88, 48)]),
        Line(BROWN, &[(50, 48), (50, 86), (60, 86)]),
    ]);
    pub(crate) const HEART: Self = Self(&[
        Arc(RED, (34, 36), (17, 17), (3, 8)),
        Arc(RED, (68, 36), (17, 17), (4, 9)),
        Line(RED, &[(22, 48), (51, 88), (80, 48)]),
    ]);
    pub(crate) const KEY: Self = Self(&[
        Arc(ORANGE, (26, 50), (15, 15), WHOLE),
        Line(ORANGE, &[(41, 50), (90, 50), (90, 64)]),
        Line(ORANGE, &[(76, 50), (76, 62)]),
    ]);
    pub(crate) const GIFT: Self = Self(&[
        Line(RED, &[(20, 40), (20, 90), (80, 90), (80, 40), (20, 40)]),
        Line(YELLOW, &[(50, 40), (50, 90)]),
        Line(YELLOW, &[(50, 40), (34, 22), (30, 36), (50, 40), (66, 22), (70, 36), (50, 40)]),
    ]);
    pub(crate) const CLOCK: Self = Self(&[
        Arc(BLACK, (50, 50), (36, 36), WHOLE),
        Line(BLACK, &[(50, 24), (50, 50), (68, 58)]),
        Arc(RED, (50, 50), (2, 2), WHOLE),
    ]);
    pub(crate) const BOOK: Self = Self(&[
        Line(BROWN, &[(50, 28), (12, 20), (12, 76), (50, 84), (88, 76), (88, 20), (50, 28), (50, 84)]),
        Line(BLACK, &[(20, 36), (42, 41)]),
        Line(BLACK, &[(20, 48), (42, 53)]),
        Line(BLACK, &[(58, 41), (80, 36)]),
    ]);
    pub(crate) const LADDER: Self = Self(&[
        Line(BROWN, &[(34, 8), (34, 94)]),
        Line(BROWN, &[(66, 8), (66, 94)]),
        Line(BROWN, &[(34, 24), (66, 24)]),
        Line(BROWN, &[(34, 42), (66, 42)]),
        Line(BROWN, &[(34, 60), (66, 60)]),
        Line(BROWN, &[(34, 78), (66, 78)]),
    ]);
    pub(crate) const CHAIR: Self = Self(&[
        Line(BROWN, &[(30, 10), (30, 92)]),
        Line(BROWN, &[(30, 52), (70, 52), (70, 92)]),
        Line(BROWN, &[(30, 22), (42, 22), (42, 52)]),
    ]);
    pub(crate) const BALLOON: Self = Self(&[
        Arc(RED, (50, 34), (24, 28), WHOLE),
        Line(RED, &[(50, 62), (46, 67), (54, 67), (50, 62)]),
        Line(BLACK, &[(50, 67), (46, 78), (53, 86), (49, 95)]),
    ]);
    pub(crate) const HAT: Self = Self(&[
        Line(BLACK, &[(10, 78), (90, 78)]),
        Line(BLACK, &[(28, 78), (30, 32), (70, 32), (72, 78)]),
        Line(RED, &[(29, 66), (71, 66)]),
    ]);
    pub(crate) const HAMMER: Self = Self(&[
        Line(BROWN, &[(46, 34), (46, 92), (54, 92), (54, 34)]),
        Line(BLACK, &[(24, 16), (72, 16), (80, 26), (72, 34), (24, 34), (24, 16)]),
    ]);
    pub(crate) const PLANE: Self = Self(&[
        Line(SKY, &[(8, 50), (90, 44), (96, 52), (88, 58), (14, 60), (8, 50), (4, 32), (20, 49)]),
        Line(BLUE, &[(44, 48), (30, 16), (62, 46)]),
        Line(BLUE, &[(40, 59), (26, 88), (60, 58)]),
    ]);
    pub(crate) const BICYCLE: Self = Self(&[
        Arc(BLACK, (26, 66), (17, 17), WHOLE),
        Arc(BLACK, (74, 66), (17, 17), WHOLE),
        Line(RED, &[(26, 66), (42, 40), (68, 40), (74, 66)]),
        Line(RED, &[(42, 40), (50, 66), (68, 40)]),
        Line(BLACK, &[(64, 30), (74, 30)]),
    ]);
    pub(crate) const INSECT: Self = Self(&[
        Arc(BLACK, (50, 58), (15, 22), WHOLE),
        Arc(BLACK, (50, 28), (9, 9), WHOLE),
        Line(BLACK, &[(36, 48), (14, 36)]),
        Line(BLACK, &[(35, 58), (10, 58)]),
        Line(BLACK, &[(36, 68), (14, 82)]),
        Line(BLACK, &[(64, 48), (86, 36)]),
        Line(BLACK, &[(65, 58), (90, 58)]),
        Line(BLACK, &[(64, 68), (86, 82)]),
    ]);
    pub(crate) const GUITAR: Self = Self(&[
        Arc(ORANGE, (36, 70), (20, 19), WHOLE),
        Arc(BLACK, (36, 70), (6, 6), WHOLE),
        Line(BROWN, &[(48, 54), (84, 14)]),
        Line(BROWN, &[(53, 59), (90, 20), (84, 14)]),
    ]);
    pub(crate) const CONE: Self = Self(&[
        Line(BROWN, &[(30, 48), (50, 94), (70, 48), (30, 48)]),
        Arc(RED, (50, 34), (20, 16), (4, 8)),
        Line(RED, &[(30, 34), (30, 48)]),
        Line(RED, &[(70, 34), (70, 48)]),
    ]);
}

impl Sketch {
    /// Returns the strokes of the sketch in the middle of the sheet: the colour and the points of each.
    fn strokes(self) -> Vec<(u8, Vec<Vec2>)> {
        let side = f32::from(HIGH) * 0.9;
        let corner = Vec2::new((f32::from(WIDE) - side) / 2.0, (f32::from(HIGH) - side) / 2.0);
        let place = |x: f32, y: f32| corner + Vec2::new(x, y) * side / 100.0;
        let points = |shape: &Shape| match *shape {
            Line(color, points) => (color, points.iter().map(|(x, y)| place(f32::from(*x), f32::from(*y))).collect()),
            Arc(color, (x, y), (wide, high), (from, to)) => {
                let turn = |part: u8| f32::from(part) / 32.0 * TAU;
                let on = |angle: f32| {
                    place(f32::from(x) + math::cos(angle) * f32::from(wide), f32::from(y) + math::sin(angle) * f32::from(high))
                };
                (color, (4 * from..=4 * to).map(|part| on(turn(part))).collect())
            }
        };
        self.0.iter().map(points).collect()
    }

    /// Returns the sketch as ink: each element is what a hand draws in one go, at most `reach` units of way.
    pub(crate) fn ink(self, reach: f32, unsteady: &mut impl FnMut() -> f32) -> Vec<Vec<Op>> {
        let mut gestures = Vec::new();
        for (color, points) in self.strokes() {
            let mut corners = points.into_iter().map(|at| on_sheet(at + Vec2::new(unsteady(), unsteady())));
            let Some(mut at) = corners.next() else { continue };
            let mut gesture = vec![Op::Begin { color, width: 1, at }];
            let mut way = 0.0;
            for corner in corners {
                while let Some(step) = step(at, corner) {
                    at = Point { x: at.x.wrapping_add_signed(step.dx.into()), y: at.y.wrapping_add_signed(step.dy.into()) };
                    way += Vec2::new(step.dx.into(), step.dy.into()).length();
                    match gesture.last_mut() {
                        Some(Op::Steps(steps)) => steps.push(step),
                        _ => gesture.push(Op::Steps(vec![step])),
                    }
                    if way >= reach {
                        way = 0.0;
                        gestures.push(std::mem::take(&mut gesture));
                    }
                }
            }
            gestures.extend(Some(gesture).filter(|gesture| !gesture.is_empty()));
        }
        gestures
    }
}

/// Returns the nearest point of the sheet.
fn on_sheet(at: Vec2) -> Point {
    let at = at.round().clamp(Vec2::ZERO, Vec2::new(WIDE.into(), HIGH.into()));
    Point { x: at.x as u16, y: at.y as u16 }
}

/// Returns the next step of a hand from a point to another; `None` at the end.
fn step(from: Point, to: Point) -> Option<Step> {
    const REACH: i32 = 30;
    let (x, y) = (i32::from(to.x) - i32::from(from.x), i32::from(to.y) - i32::from(from.y));
    let most = x.abs().max(y.abs());
    if most == 0 {
        return None;
    }
    let part = |way: i32| if most > REACH { way * REACH / most } else { way };
    Some(Step { dx: part(x) as i8, dy: part(y) as i8 })
}

#[cfg(test)]
mod tests {
    use crate::{
        sheet::{MOST_PIECES, Sheet},
        words,
    };

    #[test]
    fn every_sketch_fits_on_a_sheet() {
        for number in 0..words::count() {
            let mut sheet = Sheet::default();
            for gesture in words::sketch(number).ink(40.0, &mut || 3.0) {
                assert_eq!(sheet.apply(&gesture), Ok(()), "{}", words::word(number));
            }
            let pieces = sheet.pieces().len();
            assert!((1..MOST_PIECES / 2).contains(&pieces), "{} has {pieces}", words::word(number));
        }
    }
}
