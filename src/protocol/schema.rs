//! The schema: it describes a game's frames, events and inputs, so that a client can read and write them.

use std::{collections::BTreeMap, ops::RangeInclusive, sync::OnceLock};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{MAX_COMPONENT, PROTOCOL_VERSION};

/// The most columns of one type, so that a mask of columns is exact in JavaScript's numbers.
const MAX_COLUMNS: usize = 52;

/// The description of everything that is sent in the matches of one game.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Schema {
    /// The game's name.
    pub game: String,
    /// The protocol's version.
    pub protocol: u8,
    /// Ticks per second.
    pub hz: u16,
    /// The components, by ascending wire id; the first is `Seat`.
    pub components: Vec<TypeSpec>,
    /// The game events, by ascending wire id.
    pub events: Vec<TypeSpec>,
    /// The commands, by ascending wire id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<TypeSpec>,
    /// The input.
    pub input: TypeSpec,
    /// Whether lists in frames may be packed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub packed: bool,
    /// Whether the rules look at what seats saw, so that inputs should say how far behind the others were drawn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rewind: bool,
    /// Whether a match takes no steps, and sends no frames, while nothing happens.
    #[serde(default, rename = "onInput", skip_serializing_if = "std::ops::Not::not")]
    pub on_input: bool,
    #[serde(skip)]
    layout: OnceLock<ColumnLayout>,
}

/// The columns of everything, looked up by wire id.
#[derive(Debug, Clone, Default)]
struct ColumnLayout {
    components: Vec<Option<Vec<Column>>>,
    events: BTreeMap<u8, Vec<Place>>,
    commands: BTreeMap<u8, Vec<Place>>,
    input: Vec<Column>,
}

/// A component, event, command or input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TypeSpec {
    /// The wire id; the input has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u8>,
    /// The name by which programs know it.
    pub name: String,
    /// The seats that see it; the input has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Audience>,
    /// The form of the value in a program.
    pub shape: Shape,
    /// Its fields, in order.
    pub fields: Vec<FieldSpec>,
}

/// The seats that see a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// Every seat.
    Everyone,
    /// The seat in the entity's `Seat`.
    Owner,
    /// The seats of the entity's `Team`.
    Team,
}

/// The form of a value in a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// No fields: the value is there or not.
    Unit,
    /// One nameless field: the value itself.
    Value,
    /// Named fields.
    Struct,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldSpec {
    /// Its name; `0` in a [`Shape::Value`].
    pub name: String,
    /// Its type, and how it is quantised.
    #[serde(flatten)]
    pub kind: FieldKind,
    /// Whether it acts in one tick only; for inputs.
    #[serde(default, rename = "oneShot", skip_serializing_if = "std::ops::Not::not")]
    pub one_shot: bool,
}

/// The type of a field, and how it becomes columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[allow(missing_docs, reason = "the fields' meaning is the variants'")]
pub enum FieldKind {
    /// One column, 0 or 1.
    Bool,
    /// One column, the integer itself.
    Int { min: i64, max: i64 },
    /// One column, the position in `values`.
    Choice { values: Vec<String> },
    /// One column, in steps.
    Float {
        step: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f64>,
    },
    /// One column that wraps, `steps` a turn.
    Angle { steps: u32 },
    /// Two columns, in steps.
    Vec2 {
        step: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f64>,
    },
    /// Three columns, in steps.
    Vec3 {
        step: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f64>,
    },
    /// `length` elements, one after the other: an array. `of` is no list: the elements of an array of arrays follow each other.
    List { length: u32, of: Box<FieldKind> },
    /// A text of at most `max` bytes in UTF-8; only in commands and events. It has no columns.
    Text { max: u32 },
    /// At most `max` bytes; only in commands and events. They have no columns.
    Bytes { max: u32 },
}

/// A value of a command or an event on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A column.
    Column(Column),
    /// A text of at most `max` bytes.
    Text {
        /// The most bytes.
        max: u32,
    },
    /// At most `max` bytes.
    Bytes {
        /// The most bytes.
        max: u32,
    },
}

/// One column: the integers it may hold, and the modulus at which it wraps (0: it does not).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The least value.
    pub min: i64,
    /// The greatest value.
    pub max: i64,
    /// Steps a turn of an angle; 0 for a column that does not wrap.
    pub steps: i64,
}

/// The reason why a schema is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// Two components, two events or two commands have the same wire id.
    #[error("{first} and {second} both have the wire id {id}")]
    SameId {
        /// The id.
        id: u8,
        /// The first type with the id.
        first: String,
        /// The second type with the id.
        second: String,
    },
    /// Two components, two events or two commands have the same name.
    #[error("two {kind}s are called {name}: clients know them by name")]
    SameName {
        /// `component`, `event` or `command`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A type has more columns than a frame can name.
    #[error("{name} has {columns} columns, but one type may have at most {limit}")]
    TooWide {
        /// The name of the type.
        name: String,
        /// The number of its columns.
        columns: usize,
        /// The most columns that it may have.
        limit: usize,
    },
    /// A wire id is out of range.
    #[error("{name} has the wire id {id}: it must be from {low} to {high}")]
    BadId {
        /// The name of the type.
        name: String,
        /// The id.
        id: u8,
        /// The least id.
        low: u8,
        /// The greatest id.
        high: u8,
    },
}

impl Column {
    /// Returns the difference that takes `from` to `to`, the short way round if the column wraps.
    #[inline]
    pub fn difference(&self, from: i64, to: i64) -> i64 {
        if self.steps == 0 {
            return to.wrapping_sub(from);
        }
        let half = self.steps / 2;
        (to - from + half).rem_euclid(self.steps) - half
    }

    /// Returns the value after a difference. Any difference gives a value.
    #[inline]
    pub fn sum(&self, from: i64, difference: i64) -> i64 {
        if self.steps == 0 { from.wrapping_add(difference) } else { from.wrapping_add(difference).rem_euclid(self.steps) }
    }
}

impl FieldKind {
    /// Iterates over the types that follow each other in the field's columns: those of the elements of a list, or the type itself.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        let (kind, length) = match self {
            // A schema may come from another program. A list that is longer than any type is refused for its columns.
            Self::List { length, of } => (of.as_ref(), (*length as usize).min(MAX_COLUMNS + 1)),
            _ => (self, 1),
        };
        std::iter::repeat_n(kind, length)
    }

    fn columns(&self, columns: &mut Vec<Column>) {
        let linear = |min: i64, max: i64| Column { min, max, steps: 0 };
        let stepped = |step: f64, min: Option<f64>, max: Option<f64>| {
            let limit = i64::from(i32::MAX) + 1;
            let bound = |value: Option<f64>, otherwise| value.map_or(otherwise, |v| (v / step).round() as i64);
            linear(bound(min, -limit), bound(max, limit))
        };
        match *self {
            Self::Bool => columns.push(linear(0, 1)),
            Self::Int { min, max } => columns.push(linear(min, max)),
            Self::Choice { ref values } => columns.push(linear(0, values.len() as i64 - 1)),
            Self::Angle { steps } => {
                columns.push(Column { min: 0, max: i64::from(steps) - 1, steps: i64::from(steps) });
            }
            Self::Float { step, min, max } => columns.push(stepped(step, min, max)),
            Self::Vec2 { step, min, max } => columns.extend([stepped(step, min, max); 2]),
            Self::Vec3 { step, min, max } => columns.extend([stepped(step, min, max); 3]),
            // A list of lists has no columns, and so no program makes one.
            Self::List { ref of, .. } if matches!(**of, Self::List { .. }) => {}
            Self::List { .. } => self.elements().for_each(|element| element.columns(columns)),
            Self::Text { .. } | Self::Bytes { .. } => {}
        }
    }
}

impl TypeSpec {
    /// Returns its columns, in order.
    pub fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        self.fields.iter().for_each(|field| field.kind.columns(&mut columns));
        columns
    }

    /// Returns its values as a command, in order.
    pub fn places(&self) -> Vec<Place> {
        let place = |field: &FieldSpec| match field.kind {
            FieldKind::Text { max } => vec![Place::Text { max }],
            FieldKind::Bytes { max } => vec![Place::Bytes { max }],
            ref kind => {
                let mut columns = Vec::new();
                kind.columns(&mut columns);
                columns.into_iter().map(Place::Column).collect()
            }
        };
        self.fields.iter().flat_map(place).collect()
    }
}

/// The wire ids of events and commands.
const MESSAGES: RangeInclusive<u8> = 1..=127;

/// Sorts types of one kind by wire id, and checks them.
fn sort(kind: &'static str, list: &mut [TypeSpec], ids: RangeInclusive<u8>) -> Result<(), SchemaError> {
    list.sort_by_key(|spec| spec.id);
    for spec in list.iter() {
        let (id, low, high) = (spec.id.unwrap_or(u8::MAX), *ids.start(), *ids.end());
        if !ids.contains(&id) {
            return Err(SchemaError::BadId { name: spec.name.clone(), id, low, high });
        }
        let columns = spec.columns().len();
        if columns > MAX_COLUMNS {
            return Err(SchemaError::TooWide { name: spec.name.clone(), columns, limit: MAX_COLUMNS });
        }
    }
    if let Some(pair) = list.windows(2).find(|pair| pair[0].id == pair[1].id) {
        let (first, second) = (pair[0].name.clone(), pair[1].name.clone());
        if first == second {
            return Err(SchemaError::SameName { kind, name: first });
        }
        return Err(SchemaError::SameId { id: pair[0].id.unwrap_or(0), first, second });
    }
    let mut names: Vec<&String> = list.iter().map(|spec| &spec.name).collect();
    names.sort();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(SchemaError::SameName { kind, name: pair[0].clone() }),
        None => Ok(()),
    }
}

impl Schema {
    /// Makes a schema, sorted by wire id.
    ///
    /// # Errors
    /// Two components or two events have the same id or name, an id is out of range, or a type has too many columns.
    pub fn new(
        game: &str, hz: u16, mut components: Vec<TypeSpec>, mut events: Vec<TypeSpec>, input: TypeSpec,
    ) -> Result<Self, SchemaError> {
        sort("component", &mut components, 0..=MAX_COMPONENT)?;
        sort("event", &mut events, MESSAGES)?;
        let (game, protocol, commands, layout) = (game.into(), PROTOCOL_VERSION, Vec::new(), OnceLock::new());
        Ok(Self {
            game,
            protocol,
            hz,
            components,
            events,
            commands,
            input,
            packed: false,
            rewind: false,
            on_input: false,
            layout,
        })
    }

    /// Adds the commands, sorted by wire id.
    ///
    /// # Errors
    /// Two have the same id or name, an id is out of range, or one has too many columns.
    pub fn with_commands(mut self, commands: Vec<TypeSpec>) -> Result<Self, SchemaError> {
        self.commands = commands;
        sort("command", &mut self.commands, MESSAGES)?;
        self.layout = OnceLock::new();
        Ok(self)
    }

    /// Returns the name of a component.
    pub fn component_name(&self, id: u8) -> Option<&str> {
        self.components.iter().find(|component| component.id == Some(id)).map(|component| &*component.name)
    }

    /// Returns the columns of a component; `None` if no component has this wire id.
    pub fn component(&self, id: u8) -> Option<&[Column]> {
        self.layout().components.get(usize::from(id))?.as_deref()
    }

    /// Returns the values of a game event; `None` if no event has this wire id.
    pub fn event(&self, id: u8) -> Option<&[Place]> {
        self.layout().events.get(&id).map(Vec::as_slice)
    }

    /// Returns the values of a command; `None` if no command has this wire id.
    pub fn command(&self, id: u8) -> Option<&[Place]> {
        self.layout().commands.get(&id).map(Vec::as_slice)
    }

    /// Returns the columns of the input.
    pub fn input(&self) -> &[Column] {
        &self.layout().input
    }

    fn layout(&self) -> &ColumnLayout {
        self.layout.get_or_init(|| {
            let mut components = vec![None; usize::from(MAX_COMPONENT) + 1];
            for spec in &self.components {
                if let Some(place) = spec.id.and_then(|id| components.get_mut(usize::from(id))) {
                    *place = Some(spec.columns());
                }
            }
            let events = self.events.iter().filter_map(|spec| Some((spec.id?, spec.places()))).collect();
            let commands = self.commands.iter().filter_map(|spec| Some((spec.id?, spec.places()))).collect();
            ColumnLayout { components, events, commands, input: self.input.columns() }
        })
    }
}
