//! The wire format: ids, ticks, schemas, and the codec of frames, game events, commands and inputs.
//!
//! This room knows bytes and integers. It refuses to know worlds, games, players and sockets. It implements `docs/PROTOCOL.md`, which is
//! the norm.

mod error;
mod wire;
mod packed;
mod ids;
mod blocks;
mod deflate;
mod schema;
mod columns;
mod frame;
mod values;
mod event;
mod input;
mod command;
mod dts;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use blocks::{Block, Blocks};
pub use columns::{Angle, Columns, Dir8, Exact, Field, Plain, Replicate, Step};
pub use command::{CommandError, WireCommand, decode_command, encode_command};
pub use deflate::inflate;
pub use error::ErrorCode;
pub use event::{WireEvents, decode_events, write_event, write_events_head};
pub use frame::{Frame, Head, Kind, Section, SectionWriter, decode_frame, term};
pub use input::{AckOrInput, InputColumns, InputError, InputHead, decode_input, encode_ack, encode_input};
pub use schema::{Audience, Column, FieldKind, FieldSpec, Place, Schema, SchemaError, Shape, TypeSpec};
pub use values::{Blob, Fields, Text, Value, ValueField, ValueReader, Values};
pub use wire::FrameError;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use packed::check as check_packed;

/// The version of the protocol that this library speaks.
pub const PROTOCOL_VERSION: u8 = 1;

/// The wire id of the built-in component `Seat`.
pub const SEAT_COMPONENT: u8 = 0;

/// The highest wire id of a component, so that a mask of components is exact in JavaScript's numbers.
pub const MAX_COMPONENT: u8 = 52;

/// The number of a step of a match. The first step is 1; 0 is the match before any step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tick(pub u32);

impl Tick {
    /// Returns the ticks that have passed since `earlier`; 0 if it is not earlier.
    pub fn since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of an entity, local to its match: dense, from 0. An id that a despawn freed is not given again while a client may hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(pub u32);

/// A player's place in a match, numbered from 1; on an entity, the seat that owns it.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
/// # #[derive(Component, Replicate)] #[replicate(id = 1)] struct Hp(u8);
///
/// fn heal_first(mut avatars: Query<(&Seat, &mut Hp)>) {
///     for (seat, mut hp) in &mut avatars {
///         if *seat == Seat(1) {
///             hp.0 = 100;
///         }
///     }
/// }
/// ```
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    bevy_ecs::component::Component,
    tickcast_derive::Replicate,
)]
#[serde(transparent)]
#[replicate(id = 0)]
pub struct Seat(pub u8);

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Returns how many ticks `seconds` take at `hz` ticks a second, at least 1.
pub fn ticks(seconds: f32, hz: u16) -> u32 {
    (seconds * f32::from(hz)).round().max(1.0) as u32
}
