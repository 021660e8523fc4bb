//! Game commands, event `c`: `[number, id, value, value, ...]`. A value is an integer column, a text or bytes.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use thiserror::Error;

use super::{
    Field, FieldKind, FieldSpec, Plain, Schema, Shape, TypeSpec,
    schema::Place,
    wire::{Malformed, MessagePackReader, write_array, write_bin, write_int, write_text},
};

/// A value of a command, as it is on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// A column of a number, a choice, an angle or a vector.
    Int(i64),
    /// A text.
    Text(Box<str>),
    /// Bytes.
    Bytes(Box<[u8]>),
}

/// The values of a command, in the order of its fields.
pub type Values = SmallVec<[Value; 4]>;

/// A type that travels as a row of values. It is derived, never implemented by hand.
pub trait Fields: Sized {
    /// The type's name, as clients see it.
    const NAME: &'static str;
    /// The form of the value in a program.
    const SHAPE: Shape;
    /// Returns the fields, in order.
    fn fields() -> Vec<FieldSpec>;
    /// Appends the values.
    fn write(&self, to: &mut Values);
    /// Reads the values. `None` if they are not of these fields.
    fn read(from: &mut ValueReader<'_>) -> Option<Self>;

    /// The type's description in a schema.
    fn description(id: u8) -> TypeSpec {
        TypeSpec { id: Some(id), name: Self::NAME.into(), to: None, shape: Self::SHAPE, fields: Self::fields() }
    }
}

/// A type that a field of a command can have under a quantisation `Q`: what components have, [`Text`] and [`Blob`].
pub trait ValueField<Q>: Sized {
    /// Returns the field's description for the schema.
    fn kind(q: &Q) -> FieldKind;
    /// Appends the field's values.
    fn write(&self, q: &Q, to: &mut Values);
    /// Reads the field's values. `None` if they are of another kind.
    fn read(q: &Q, from: &mut ValueReader<'_>) -> Option<Self>;
}

/// Reads the values of a command one after the other.
pub struct ValueReader<'a>(std::slice::Iter<'a, Value>);

impl<'a> ValueReader<'a> {
    /// Starts at the first value.
    pub fn new(values: &'a [Value]) -> Self {
        Self(values.iter())
    }

    fn next(&mut self) -> Option<&'a Value> {
        self.0.next()
    }
}

/// The most columns of a field: as many as a type may have.
const MAX_COLUMNS: usize = 52;

impl<Q, F: Field<Q>> ValueField<Q> for F {
    fn kind(q: &Q) -> FieldKind {
        F::kind(q)
    }

    fn write(&self, q: &Q, to: &mut Values) {
        let mut columns = [0; MAX_COLUMNS];
        self.quantise(q, &mut columns[..F::COLUMNS]);
        to.extend(columns[..F::COLUMNS].iter().map(|column| Value::Int(*column)));
    }

    fn read(q: &Q, from: &mut ValueReader<'_>) -> Option<Self> {
        let mut columns = [0; MAX_COLUMNS];
        for column in &mut columns[..F::COLUMNS] {
            let Value::Int(value) = from.next()? else { return None };
            *column = *value;
        }
        Some(F::dequantise(q, &columns[..F::COLUMNS]))
    }
}

/// A text of at most `MAX` bytes in UTF-8, in a command.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// let text = Text::<8>::new("a cat");
/// assert_eq!(text.trim(), "a cat");
/// assert_eq!(&*Text::<4>::new("café"), "caf", "it is cut between two characters");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<const MAX: usize>(Box<str>);

impl<const MAX: usize> Text<MAX> {
    /// Makes a text of the characters that fit.
    pub fn new(text: &str) -> Self {
        Self(text[..text.floor_char_boundary(MAX)].into())
    }
}

impl<const MAX: usize> Deref for Text<MAX> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl<const MAX: usize> ValueField<Plain> for Text<MAX> {
    fn kind(_: &Plain) -> FieldKind {
        FieldKind::Text { max: MAX as u32 }
    }
    fn write(&self, _: &Plain, to: &mut Values) {
        to.push(Value::Text(self.0.clone()));
    }
    fn read(_: &Plain, from: &mut ValueReader<'_>) -> Option<Self> {
        match from.next()? {
            Value::Text(text) => Some(Self::new(text)),
            _ => None,
        }
    }
}

/// At most `MAX` bytes, in a command.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// assert_eq!(*Blob::<2>::new(&[1, 2, 3]), [1, 2], "it is cut");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Blob<const MAX: usize>(Box<[u8]>);

impl<const MAX: usize> Blob<MAX> {
    /// Makes a blob of the bytes that fit.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes[..bytes.len().min(MAX)].into())
    }
}

impl<const MAX: usize> Deref for Blob<MAX> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<const MAX: usize> ValueField<Plain> for Blob<MAX> {
    fn kind(_: &Plain) -> FieldKind {
        FieldKind::Bytes { max: MAX as u32 }
    }
    fn write(&self, _: &Plain, to: &mut Values) {
        to.push(Value::Bytes(self.0.clone()));
    }
    fn read(_: &Plain, from: &mut ValueReader<'_>) -> Option<Self> {
        match from.next()? {
            Value::Bytes(bytes) => Some(Self::new(bytes)),
            _ => None,
        }
    }
}

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
    let mut values = Values::new();
    for place in places {
        values.push(match *place {
            Place::Column(column) => Value::Int(from.int_in(column.min..=column.max)?),
            Place::Text { max } => {
                let text = from.text()?.filter(|text| text.len() <= max as usize).ok_or(CommandError)?;
                Value::Text(text.into())
            }
            Place::Bytes { max } => {
                let bytes = from.bin()?.filter(|bytes| bytes.len() <= max as usize).ok_or(CommandError)?;
                Value::Bytes(bytes.into())
            }
        });
    }
    if from.is_empty() { Ok(WireCommand { number, id, values }) } else { Err(CommandError) }
}

/// Appends a command.
pub fn encode_command(to: &mut Vec<u8>, WireCommand { number, id, values }: &WireCommand) {
    write_array(to, 2 + values.len());
    write_int(to, i64::from(*number));
    write_int(to, i64::from(*id));
    for value in values {
        match value {
            Value::Int(column) => write_int(to, *column),
            Value::Text(text) => write_text(to, text),
            Value::Bytes(bytes) => write_bin(to, bytes),
        }
    }
}
