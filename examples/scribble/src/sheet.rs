//! The sheet of paper: the strokes of a turn, and the pieces of ink by which clients see them.

use tickcast::prelude::*;

use crate::{
    Ink, STEPS_A_PIECE,
    ink::{BadInk, HIGH, Op, Point, Step, WIDE},
};

/// The most pieces of ink on a sheet: some 6,000 points. It bounds what a newcomer is sent.
pub const MOST_PIECES: usize = 300;

/// The strokes of this turn, oldest first.
#[derive(Resource, Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sheet {
    strokes: Vec<Stroke>,
    /// Whether the newest stroke may go on.
    is_open: bool,
    /// Whether clients do not see it as it is yet.
    has_changed: bool,
}

/// A line that was drawn without lifting the pen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stroke {
    color: u8,
    width: u8,
    from: Point,
    steps: Vec<Step>,
}

/// The reason why ink is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InkFault {
    /// It is not ink, or leaves the sheet. Nothing of it counts.
    Bad,
    /// There is no room for more. What fits counts.
    Full,
}

impl From<BadInk> for InkFault {
    fn from(_: BadInk) -> Self {
        Self::Bad
    }
}

impl Stroke {
    fn end(&self) -> Point {
        self.steps.iter().fold(self.from, |at, step| Point {
            x: at.x.wrapping_add_signed(step.dx.into()),
            y: at.y.wrapping_add_signed(step.dy.into()),
        })
    }

    fn pieces(&self) -> usize {
        self.steps.len().div_ceil(STEPS_A_PIECE).max(1)
    }
}

impl Sheet {
    /// Does what the drawer does.
    ///
    /// # Errors
    /// The ink leaves the sheet or goes on without a stroke, or there is no room for more.
    pub fn apply(&mut self, ops: &[Op]) -> Result<(), InkFault> {
        let mut next = self.clone();
        let done = ops.iter().try_for_each(|op| next.apply_one(op));
        if done != Err(InkFault::Bad) {
            *self = Self { has_changed: true, ..next };
        }
        done
    }

    fn apply_one(&mut self, op: &Op) -> Result<(), InkFault> {
        match op {
            Op::Begin { color, width, at } => {
                self.is_open = false;
                if self.room() == 0 {
                    return Err(InkFault::Full);
                }
                self.strokes.push(Stroke { color: *color, width: *width, from: *at, steps: Vec::new() });
                self.is_open = true;
            }
            Op::Steps(steps) => {
                let room = self.room();
                let stroke = self.strokes.last_mut().filter(|_| self.is_open).ok_or(InkFault::Bad)?;
                let mut at = stroke.end();
                let room = (room + stroke.pieces()) * STEPS_A_PIECE - stroke.steps.len();
                for step in steps {
                    let on = |from: u16, by: i8, most: u16| from.checked_add_signed(by.into()).filter(|to| *to <= most);
                    let (x, y) = (on(at.x, step.dx, WIDE), on(at.y, step.dy, HIGH));
                    at = x.zip(y).map(|(x, y)| Point { x, y }).ok_or(InkFault::Bad)?;
                }
                stroke.steps.extend(steps.iter().take(room));
                if steps.len() > room {
                    self.is_open = false;
                    return Err(InkFault::Full);
                }
            }
            Op::Undo => {
                self.strokes.pop();
                self.is_open = false;
            }
            Op::Clear => *self = Self::default(),
        }
        Ok(())
    }

    /// Takes a fresh sheet.
    pub fn clear(&mut self) {
        *self = Self { has_changed: true, ..Self::default() };
    }

    /// Returns how many more pieces fit.
    fn room(&self) -> usize {
        MOST_PIECES.saturating_sub(self.strokes.iter().map(Stroke::pieces).sum())
    }

    /// Returns the picture as clients see it, in the order of drawing.
    pub fn pieces(&self) -> Vec<Ink> {
        let mut pieces = Vec::new();
        for (number, stroke) in self.strokes.iter().enumerate() {
            let mut at = stroke.from;
            for part in 0..stroke.pieces() {
                let steps = stroke.steps.chunks(STEPS_A_PIECE).nth(part).unwrap_or_default();
                let piece = Stroke { from: at, steps: steps.to_vec(), ..stroke.clone() };
                at = piece.end();
                pieces.push(piece.ink(number, part));
            }
        }
        pieces
    }
}

impl Stroke {
    fn ink(&self, stroke: usize, part: usize) -> Ink {
        let mut steps = [0; 2 * STEPS_A_PIECE];
        for (place, step) in steps.chunks_mut(2).zip(&self.steps) {
            place.copy_from_slice(&[step.dx, step.dy]);
        }
        Ink {
            stroke: stroke as u16,
            part: part as u16,
            color: self.color,
            width: self.width,
            x: self.from.x,
            y: self.from.y,
            count: self.steps.len() as u8,
            steps,
        }
    }
}

/// Lays the picture out for clients: one entity a piece. Only pieces that changed are written, so only these are sent.
pub(crate) fn lay(mut sheet: ResMut<Sheet>, mut pieces: Query<(Entity, &mut Ink)>, mut commands: Commands) {
    if !std::mem::take(&mut sheet.has_changed) {
        return;
    }
    let wanted = sheet.pieces();
    let mut laid = vec![false; wanted.len()];
    for (entity, mut ink) in &mut pieces {
        match wanted.binary_search_by_key(&(ink.stroke, ink.part), |piece| (piece.stroke, piece.part)) {
            Ok(at) => {
                laid[at] = true;
                ink.set_if_neq(wanted[at]);
            }
            Err(_) => commands.entity(entity).despawn(),
        }
    }
    for (piece, _) in wanted.into_iter().zip(laid).filter(|(_, is_laid)| !is_laid) {
        commands.spawn(piece);
    }
}
