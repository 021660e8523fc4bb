//! Random commands for any game, generated from the schema's description of its commands.

use std::ops::RangeInclusive;

use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tickcast::protocol::{FieldKind, FieldSpec, TypeSpec};

use crate::inputs::ranges;
use crate::wire::{append_array, append_bin, append_int, append_text};

/// The probability that a number is a small one: most numbers of games tell one of a few things.
const SMALL: f64 = 0.8;
/// The numbers that count as small.
const FEW: RangeInclusive<i64> = -6..=8;
/// The most bytes of a text, and of other bytes.
const MOST: [u32; 2] = [12, 200];

/// Makes the commands of one client.
#[derive(Debug)]
pub(crate) struct CommandGenerator {
    types: Vec<TypeSpec>,
    number: i64,
    rng: ChaCha8Rng,
}

impl CommandGenerator {
    pub(crate) fn new(types: &[TypeSpec], seed: u64) -> Self {
        Self { types: types.to_vec(), number: 0, rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Generates the argument of the next event `c` with a probability; `None` otherwise, and always in a game without commands.
    pub(crate) fn next(&mut self, probability: f64) -> Option<Vec<u8>> {
        let command = self.types.choose(&mut self.rng).filter(|_| self.rng.random_bool(probability))?;
        self.number += 1;
        let mut values = Vec::with_capacity(32);
        let count: u32 = command.fields.iter().map(|field| append_field(&mut values, field, &mut self.rng)).sum();
        let mut argument = Vec::with_capacity(8 + values.len());
        append_array(&mut argument, 2 + count);
        append_int(&mut argument, self.number);
        append_int(&mut argument, i64::from(command.id.unwrap_or_default()));
        argument.extend(values);
        Some(argument)
    }
}

/// Appends the values of a field. Returns how many they are.
fn append_field(to: &mut Vec<u8>, field: &FieldSpec, rng: &mut ChaCha8Rng) -> u32 {
    match field.kind {
        FieldKind::Text { max } => {
            let text: String = (0..rng.random_range(0..=max.min(MOST[0]))).map(|_| rng.random_range('a'..='z')).collect();
            append_text(to, &text);
            1
        }
        FieldKind::Bytes { max } => {
            let bytes: Vec<u8> = (0..rng.random_range(0..=max.min(MOST[1]))).map(|_| rng.random()).collect();
            append_bin(to, &bytes);
            1
        }
        _ => {
            let ranges = ranges(&field.kind);
            for range in &ranges {
                let (low, high) = (*range.start().max(FEW.start()), *range.end().min(FEW.end()));
                let is_small = low <= high && rng.random_bool(SMALL);
                append_int(to, rng.random_range(if is_small { low..=high } else { range.clone() }));
            }
            ranges.len() as u32
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tickcast::protocol::{Schema, decode_command};

    use super::*;

    fn schema() -> Schema {
        let field = |name: &str, kind: serde_json::Value| {
            let mut field = kind;
            field["name"] = name.into();
            field
        };
        serde_json::from_value(json!({
            "game": "board", "protocol": 1, "hz": 10, "components": [], "events": [],
            "commands": [
                {"id": 1, "name": "Move", "shape": "struct", "fields": [
                    field("unit", json!({"type": "int", "min": 0, "max": 255})),
                    field("way", json!({"type": "vec2", "step": 0.5, "min": -2, "max": 1.25})),
                    field("kind", json!({"type": "choice", "values": ["A", "B"]})),
                ]},
                {"id": 2, "name": "Say", "shape": "struct", "fields": [
                    field("text", json!({"type": "text", "max": 40})),
                    field("pen", json!({"type": "bytes", "max": 300})),
                ]},
                {"id": 3, "name": "End", "shape": "unit", "fields": []},
            ],
            "input": {"name": "Pad", "shape": "struct", "fields": []},
        }))
        .unwrap()
    }

    #[test]
    fn every_command_is_one_of_the_schema() {
        let schema = schema();
        let mut generator = CommandGenerator::new(&schema.commands, 1);
        let mut seen = [0; 4];
        for number in 1..=500 {
            let command = decode_command(&schema, &generator.next(1.0).unwrap()).unwrap();
            assert_eq!(command.number, number);
            seen[usize::from(command.id)] += 1;
        }
        assert!(seen[1..].iter().all(|count| *count > 100), "{seen:?}");
        assert!(generator.next(0.0).is_none());
        assert!(CommandGenerator::new(&[], 1).next(1.0).is_none());
    }
}
