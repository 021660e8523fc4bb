//! Values of several kinds in a row, as commands and game events have them: integer columns, texts and bytes.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{
    Audience, Field, FieldKind, FieldSpec, Plain, Shape, TypeSpec,
    schema::Place,
    wire::{Malformed, MessagePackReader, write_bin, write_int, write_text},
};

/// A value of a command or an event, as it is on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// A column of a number, a choice, an angle or a vector.
    Int(i64),
    /// A text.
    Text(Box<str>),
    /// Bytes.
    Bytes(Box<[u8]>),
}

/// The values of a command or an event, in the order of its fields.
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

    /// The type's description in a schema. A command has no audience.
    fn description(id: u8, to: Option<Audience>) -> TypeSpec {
        TypeSpec { id: Some(id), name: Self::NAME.into(), to, shape: Self::SHAPE, fields: Self::fields() }
    }
}

/// A type that a field of a command or an event can have under a quantisation `Q`: what components have, [`Text`] and [`Blob`].
pub trait ValueField<Q>: Sized {
    /// Returns the field's description for the schema.
    fn kind(q: &Q) -> FieldKind;
    /// Appends the field's values.
    fn write(&self, q: &Q, to: &mut Values);
    /// Reads the field's values. `None` if they are of another kind.
    fn read(q: &Q, from: &mut ValueReader<'_>) -> Option<Self>;
}

/// Reads values one after the other.
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

/// A text of at most `MAX` bytes in UTF-8, in a command or an event.
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
#[serde(from = "Box<str>")]
pub struct Text<const MAX: usize>(Box<str>);

impl<const MAX: usize> Text<MAX> {
    /// Makes a text of the characters that fit.
    pub fn new(text: &str) -> Self {
        Self(text[..text.floor_char_boundary(MAX)].into())
    }
}

impl<const MAX: usize> From<Box<str>> for Text<MAX> {
    fn from(text: Box<str>) -> Self {
        if text.len() <= MAX { Self(text) } else { Self::new(&text) }
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

/// At most `MAX` bytes, in a command or an event.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// assert_eq!(*Blob::<2>::new(&[1, 2, 3]), [1, 2], "it is cut");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Box<[u8]>")]
pub struct Blob<const MAX: usize>(Box<[u8]>);

impl<const MAX: usize> Blob<MAX> {
    /// Makes a blob of the bytes that fit.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes[..bytes.len().min(MAX)].into())
    }
}

impl<const MAX: usize> From<Box<[u8]>> for Blob<MAX> {
    fn from(bytes: Box<[u8]>) -> Self {
        if bytes.len() <= MAX { Self(bytes) } else { Self::new(&bytes) }
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

/// Reads the values of the places. Every value is checked against its bounds.
pub(super) fn read_values(from: &mut MessagePackReader<'_>, places: &[Place]) -> Result<Values, Malformed> {
    let read = |place: &Place| {
        Ok(match *place {
            Place::Column(column) => Value::Int(from.int_in(column.min..=column.max)?),
            Place::Text { max } => {
                let text = from.text()?.filter(|text| text.len() <= max as usize).ok_or(Malformed)?;
                Value::Text(text.into())
            }
            Place::Bytes { max } => {
                let bytes = from.bin()?.filter(|bytes| bytes.len() <= max as usize).ok_or(Malformed)?;
                Value::Bytes(bytes.into())
            }
        })
    };
    places.iter().map(read).collect()
}

/// Appends values.
pub(super) fn write_values(to: &mut Vec<u8>, values: &[Value]) {
    for value in values {
        match value {
            Value::Int(column) => write_int(to, *column),
            Value::Text(text) => write_text(to, text),
            Value::Bytes(bytes) => write_bin(to, bytes),
        }
    }
}
