//! Ink: what a drawer does to the sheet, as bytes in a command. `view/ink.ts` writes the same bytes.
//!
//! ```text
//! 1 color width x x y y     begins a stroke at a point (x and y are little-endian)
//! 2 count (dx dy) × count   goes on by steps, 1 to 255 of them, each from -127 to 127
//! 3                         takes the newest stroke back
//! 4                         clears the sheet
//! ```

use tickcast::prelude::*;

/// The greatest x of a point on the sheet. The least is 0.
pub const WIDE: u16 = 800;
/// The greatest y of a point on the sheet, at its bottom. The least is 0.
pub const HIGH: u16 = 600;
/// The number of colours.
pub const COLORS: u8 = 11;
/// The number of widths of the pen.
pub const WIDTHS: u8 = 4;
/// The most bytes of ink in a command.
pub const MOST_BYTES: usize = 480;

const BEGIN: u8 = 1;
const STEPS: u8 = 2;
const UNDO: u8 = 3;
const CLEAR: u8 = 4;

/// A point of the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// From the left, 0 to [`WIDE`].
    pub x: u16,
    /// From the top, 0 to [`HIGH`].
    pub y: u16,
}

/// A step from one point of a stroke to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// To the right.
    pub dx: i8,
    /// Down.
    pub dy: i8,
}

/// One thing that a drawer does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// Puts the pen down.
    Begin {
        /// Below [`COLORS`].
        color: u8,
        /// Below [`WIDTHS`].
        width: u8,
        /// Where.
        at: Point,
    },
    /// Moves the pen on, 1 to 255 steps.
    Steps(Vec<Step>),
    /// Takes the newest stroke back.
    Undo,
    /// Clears the sheet.
    Clear,
}

/// The bytes are no ink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadInk;

/// Reads ink. A colour, a width or a point out of bounds is no ink; whether the steps stay on the sheet is for the sheet to say.
///
/// # Errors
/// The bytes are no ink.
pub fn decode(mut bytes: &[u8]) -> Result<Vec<Op>, BadInk> {
    let mut ops = Vec::new();
    while let Some((&kind, rest)) = bytes.split_first() {
        let (op, rest) = match kind {
            BEGIN => {
                let (&[color, width, x, x_high, y, y_high], rest) = rest.split_first_chunk().ok_or(BadInk)?;
                let at = Point { x: u16::from_le_bytes([x, x_high]), y: u16::from_le_bytes([y, y_high]) };
                if color >= COLORS || width >= WIDTHS || at.x > WIDE || at.y > HIGH {
                    return Err(BadInk);
                }
                (Op::Begin { color, width, at }, rest)
            }
            STEPS => {
                let (&count, rest) = rest.split_first().ok_or(BadInk)?;
                let (steps, rest) = rest.split_at_checked(2 * usize::from(count)).ok_or(BadInk)?;
                let steps: Vec<Step> = steps.as_chunks().0.iter().map(|&[dx, dy]| Step { dx: dx as i8, dy: dy as i8 }).collect();
                if steps.is_empty() || steps.iter().any(|step| step.dx == i8::MIN || step.dy == i8::MIN) {
                    return Err(BadInk);
                }
                (Op::Steps(steps), rest)
            }
            UNDO => (Op::Undo, rest),
            CLEAR => (Op::Clear, rest),
            _ => return Err(BadInk),
        };
        ops.push(op);
        bytes = rest;
    }
    Ok(ops)
}

/// Appends ink.
pub fn encode(op: &Op, to: &mut Vec<u8>) {
    match op {
        Op::Begin { color, width, at } => {
            to.extend([BEGIN, *color, *width]);
            to.extend(at.x.to_le_bytes());
            to.extend(at.y.to_le_bytes());
        }
        Op::Steps(steps) => {
            to.extend([STEPS, steps.len() as u8]);
            to.extend(steps.iter().flat_map(|step| [step.dx as u8, step.dy as u8]));
        }
        Op::Undo => to.push(UNDO),
        Op::Clear => to.push(CLEAR),
    }
}
