//! Inputs, event `i`: `[ack]`, `[ack, seq, tick, column, column, ...]`, or the same with `behind` after the columns.

use smallvec::SmallVec;
use thiserror::Error;

use super::{
    Schema, Tick,
    wire::{Malformed, MessagePackReader, write_array, write_int},
};

/// The bytes are not an input of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the bytes are not an input of this game's schema")]
pub struct InputError;

impl From<Malformed> for InputError {
    fn from(_: Malformed) -> Self {
        Self
    }
}

/// The columns of an input. Most games have few.
pub type InputColumns = SmallVec<[i64; 4]>;

/// A decoded event `i`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AckOrInput {
    /// An acknowledgement without an input.
    Ack {
        /// The low 16 bits of the newest tick that the mirror holds.
        ack: u16,
    },
    /// An input.
    Input {
        /// The fields beside its columns.
        head: InputHead,
        /// Its columns.
        columns: InputColumns,
    },
}

/// The fields of an input beside its columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InputHead {
    /// The low 16 bits of the newest tick that the mirror holds.
    pub ack: u16,
    /// The input's number.
    pub seq: u32,
    /// The tick for which it is meant; 0 is the next one.
    pub tick: Tick,
    /// How far behind that tick the others were drawn, in eighths of a tick.
    pub behind: Option<u16>,
}

/// Decodes event `i`. Every column is checked against its range.
///
/// # Errors
/// The bytes are not one whole input of the schema.
pub fn decode_input(schema: &Schema, bytes: &[u8]) -> Result<AckOrInput, InputError> {
    let mut from = MessagePackReader::new(bytes);
    let elements = from.array()?;
    let ack = from.int_in(0..=i64::from(u16::MAX))? as u16;
    let input = if elements == 1 {
        AckOrInput::Ack { ack }
    } else {
        let seq = from.int_in(1..=i64::from(u32::MAX))? as u32;
        let tick = Tick(from.int_in(0..=i64::from(u32::MAX))? as u32);
        let says_behind = elements == 4 + schema.input().len();
        if !says_behind && elements != 3 + schema.input().len() {
            return Err(InputError);
        }
        let mut columns = InputColumns::new();
        for column in schema.input() {
            columns.push(from.int_in(column.min..=column.max)?);
        }
        let behind = if says_behind { Some(from.int_in(0..=i64::from(u16::MAX))? as u16) } else { None };
        AckOrInput::Input { head: InputHead { ack, seq, tick, behind }, columns }
    };
    if from.is_empty() { Ok(input) } else { Err(InputError) }
}

/// Appends `[ack]`.
pub fn encode_ack(to: &mut Vec<u8>, ack: u16) {
    write_array(to, 1);
    write_int(to, i64::from(ack));
}

/// Appends an input.
pub fn encode_input(to: &mut Vec<u8>, head: InputHead, columns: &[i64]) {
    let InputHead { ack, seq, tick, behind } = head;
    write_array(to, 3 + columns.len() + usize::from(behind.is_some()));
    write_int(to, i64::from(ack));
    write_int(to, i64::from(seq));
    write_int(to, i64::from(tick.0));
    columns.iter().for_each(|&column| write_int(to, column));
    behind.into_iter().for_each(|behind| write_int(to, i64::from(behind)));
}
