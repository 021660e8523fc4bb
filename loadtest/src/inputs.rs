//! Random inputs for any game, generated from the schema's description of its input. A value is held for a while and then
//! changes, as a player's does.

use std::ops::RangeInclusive;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickcast::protocol::{FieldKind, FieldSpec};

use crate::wire::{append_array, append_int};

/// The probability that a column takes a new value in an input.
const TURN: f64 = 1.0 / 15.0;
/// The probability that a one-shot field acts in an input.
const SHOT: f64 = 1.0 / 10.0;
/// The bound of floats that have no range in the schema, in the game's unit.
const UNBOUNDED: f64 = 1.0;

/// One integer of the input.
#[derive(Debug)]
struct Column {
    low: i64,
    high: i64,
    turn: Turn,
    value: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Holds its value, and sometimes takes a random new one.
    Jump,
    /// Changes by a small random amount each time, and wraps around.
    Sweep,
    /// Has its lowest value, and sometimes another one for a single input.
    Shoot,
}

/// Makes the inputs of one client.
#[derive(Debug)]
pub(crate) struct InputGenerator {
    columns: Vec<Column>,
    rng: ChaCha8Rng,
}

impl InputGenerator {
    pub(crate) fn new(fields: &[FieldSpec], seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut columns: Vec<_> = fields.iter().flat_map(columns).collect();
        for column in columns.iter_mut().filter(|column| column.turn != Turn::Shoot) {
            column.value = rng.random_range(column.low..=column.high);
        }
        Self { columns, rng }
    }

    /// Returns how many integers an input has, without the three before them.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// Generates the argument of the next event `i`: the acknowledged tick, the number of the input, the tick in which it is to act
    /// (0 means the next one), and its columns.
    pub(crate) fn next(&mut self, [ack, seq, tick]: [i64; 3]) -> Vec<u8> {
        let mut input = Vec::with_capacity(32);
        append_array(&mut input, 3 + self.len() as u32);
        for value in [ack, seq, tick] {
            append_int(&mut input, value);
        }
        self.append_columns(&mut input);
        input
    }

    fn append_columns(&mut self, input: &mut Vec<u8>) {
        for column in &mut self.columns {
            column.step(&mut self.rng);
            append_int(input, column.value);
        }
    }
}

impl Column {
    fn step(&mut self, rng: &mut ChaCha8Rng) {
        match self.turn {
            Turn::Jump if rng.random_bool(TURN) => self.value = rng.random_range(self.low..=self.high),
            Turn::Jump => {}
            Turn::Sweep => {
                let reach = (self.high / 64).max(1);
                let moved = self.value + rng.random_range(-reach..=reach);
                self.value = moved.rem_euclid(self.high + 1);
            }
            Turn::Shoot if rng.random_bool(SHOT) => self.value = rng.random_range(self.low..=self.high),
            Turn::Shoot => self.value = self.low,
        }
    }
}

/// Returns the ranges of the integers of a field.
pub(crate) fn ranges(kind: &FieldKind) -> Vec<RangeInclusive<i64>> {
    kind.elements().flat_map(|kind| columns_of(kind, false)).map(|column| column.low..=column.high).collect()
}

fn columns(field: &FieldSpec) -> Vec<Column> {
    field.kind.elements().flat_map(|kind| columns_of(kind, field.one_shot)).collect()
}

fn columns_of(kind: &FieldKind, is_one_shot: bool) -> Vec<Column> {
    let stepped = |step: f64, min: Option<f64>, max: Option<f64>| {
        let (min, max) = (min.unwrap_or(-UNBOUNDED), max.unwrap_or(UNBOUNDED));
        ((min / step).ceil() as i64, (max / step).floor() as i64)
    };
    let (width, (low, high)) = match *kind {
        FieldKind::Bool => (1, (0, 1)),
        FieldKind::Int { min, max } => (1, (min, max)),
        FieldKind::Choice { ref values } => (1, (0, values.len() as i64 - 1)),
        FieldKind::Angle { steps } => (1, (0, i64::from(steps) - 1)),
        FieldKind::Float { step, min, max } => (1, stepped(step, min, max)),
        FieldKind::Vec2 { step, min, max } => (2, stepped(step, min, max)),
        FieldKind::Vec3 { step, min, max } => (3, stepped(step, min, max)),
        // Inputs have no text and no bytes, and a list has its elements.
        FieldKind::Text { .. } | FieldKind::Bytes { .. } | FieldKind::List { .. } => (0, (0, 0)),
    };
    let turn = match kind {
        _ if is_one_shot => Turn::Shoot,
        FieldKind::Angle { .. } => Turn::Sweep,
        _ => Turn::Jump,
    };
    // The schema comes from another program, and a range may be empty.
    let high = high.max(low);
    (0..width).map(|_| Column { low, high, turn, value: low }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields() -> Vec<FieldSpec> {
        serde_json::from_value(json!([
            {"name": "dir", "type": "choice", "values": ["N", "E", "S", "W"]},
            {"name": "aim", "type": "angle", "steps": 256},
            {"name": "fire", "type": "bool", "oneShot": true},
            {"name": "slot", "type": "int", "min": -3, "max": 3},
            {"name": "push", "type": "vec2", "step": 0.5, "min": -2, "max": 1.25},
            {"name": "zoom", "type": "float", "step": 0.25},
        ]))
        .unwrap()
    }

    fn inputs(seed: u64, count: usize) -> Vec<Vec<i64>> {
        let mut generator = InputGenerator::new(&fields(), seed);
        let mut next = || {
            let mut bytes = Vec::new();
            generator.append_columns(&mut bytes);
            let mut rest = &bytes[..];
            (0..generator.len()).map(|_| rmp::decode::read_int(&mut rest).unwrap()).collect()
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn every_column_stays_in_its_range_and_reaches_its_ends() {
        let ranges = [(0, 3), (0, 255), (0, 1), (-3, 3), (-4, 2), (-4, 2), (-4, 4)];
        let inputs = inputs(1, 20_000);
        for (column, (low, high)) in ranges.into_iter().enumerate() {
            let values = || inputs.iter().map(|input| input[column]);
            assert_eq!((values().min(), values().max()), (Some(low), Some(high)), "column {column}");
        }
    }

    #[test]
    fn most_values_stay_and_shots_are_rare() {
        let inputs = inputs(2, 3000);
        let turns = inputs.windows(2).filter(|pair| pair[0][0] != pair[1][0]).count();
        assert!((50..300).contains(&turns), "{turns} turns");
        let shots = inputs.iter().filter(|input| input[2] == 1).count();
        assert!((50..300).contains(&shots), "{shots} shots");
    }

    #[test]
    fn the_same_seed_makes_the_same_inputs() {
        assert_eq!(inputs(3, 100), inputs(3, 100));
        assert_ne!(inputs(3, 100), inputs(4, 100));
    }
}
