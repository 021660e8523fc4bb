//! Game commands, event `c`: `[number, id, value, value, ...]`. A value is an integer column, a text or bytes.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    Schema, Values,
    values::{read_values, write_values},
    wire::{Malformed, MessagePackReader, write_array, write_int},
};

/// The bytes are not a command of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the bytes are not a command of this game's schema")]
pub struct CommandError;

impl From<Malformed> for CommandError {
    fn from(_: Malformed) -> Self {
        Self
    }
}

/// A command from the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireCommand {
    /// Its number, from 1.
    pub number: u32,
    /// Its wire id.
    pub id: u8,
    /// Its values, as the schema describes them.
    pub values: Values,
}

/// Decodes event `c`. Every value is checked against its bounds.
///
/// # Errors
/// The bytes are not one whole command of the schema.
pub fn decode_command(schema: &Schema, bytes: &[u8]) -> Result<WireCommand, CommandError> {
    let mut from = MessagePackReader::new(bytes);
    let elements = from.array()?;
    let number = from.int_in(1..=i64::from(u32::MAX))? as u32;
    let id = from.int_in(1..=127)? as u8;
    let places = schema.command(id).ok_or(CommandError)?;
    if elements != 2 + places.len() {
        return Err(CommandError);
    }
    let values = read_values(&mut from, places)?;
    if from.is_empty() { Ok(WireCommand { number, id, values }) } else { Err(CommandError) }
}

/// Appends a command.
pub fn encode_command(to: &mut Vec<u8>, WireCommand { number, id, values }: &WireCommand) {
    write_array(to, 2 + values.len());
    write_int(to, i64::from(*number));
    write_int(to, i64::from(*id));
    write_values(to, values);
}
