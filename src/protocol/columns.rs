//! Turns values into rows of integers, as fields of components, events and inputs are on the wire.

use std::f32::consts::TAU;

use glam::{Vec2, Vec3};
use serde::{Deserialize, Serialize};

use super::schema::{Audience, FieldKind, FieldSpec, Shape, TypeSpec};

/// The largest magnitude of a quantised float's column. Values beyond it are clamped. Within it JavaScript's numbers hold differences and
/// sums exactly.
const LIMIT: f64 = 2_147_483_648.0;

/// A type that is sent as a fixed row of integer columns. It is derived, never implemented by hand.
pub trait Columns: Sized {
    /// The type's name, as clients see it.
    const NAME: &'static str;
    /// The form of the value in a program.
    const SHAPE: Shape;
    /// The number of columns of a value.
    const WIDTH: usize;
    /// Returns the fields, in order.
    fn fields() -> Vec<FieldSpec>;
    /// Writes the value's columns; `columns` has `WIDTH` places.
    fn quantise(&self, columns: &mut [i64]);
    /// Returns the value of some columns. Any integers give some value.
    fn dequantise(columns: &[i64]) -> Self;
    /// Writes the value without rounding it, one number for each column: floats in the unit of the game, and integers as they are.
    fn values(&self, values: &mut [f64]);

    /// The type's description in a schema. Inputs have no wire id and no audience.
    fn spec(id: Option<u8>, to: Option<Audience>) -> TypeSpec {
        TypeSpec { id, name: Self::NAME.into(), to, shape: Self::SHAPE, fields: Self::fields() }
    }
}

/// A component that is sent to clients. It is derived: `#[derive(Replicate)] #[replicate(id = 1)]`.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// #[derive(Component, Replicate)]
/// #[replicate(id = 1)]
/// struct Pos {
///     #[q(step = 0.0625, range = 0.0..=24.0)]
///     at: Vec2,
/// }
/// ```
pub trait Replicate: Columns {
    /// The wire id: stable, 1 to 52 in a game.
    const ID: u8;
    /// The seats that see the component.
    const TO: Audience;
    /// The ticks between two comparisons of its value. Adding and removing it is sent at once.
    const EVERY: u32 = 1;
    /// Appends the component to the last bit, for saving a match.
    fn save(&self, to: &mut Vec<u8>);
    /// Reads the bytes of [`Replicate::save`]. `None` if they are too few or not valid.
    fn restore(from: &mut &[u8]) -> Option<Self>;
}

/// A type that a field can have under a quantisation `Q`: [`Plain`], [`Step`] or [`Angle`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel under the quantisation `{Q}`",
    label = "floats and vectors need #[q(step = 0.03125)] or #[q(angle)]; integers, bool and #[derive(Choice)] enums need no attribute, and an array what its elements need"
)]
pub trait Field<Q>: Sized {
    /// The number of columns of the field.
    const COLUMNS: usize;
    /// Returns the field's description for the schema.
    fn kind(q: &Q) -> FieldKind;
    /// Writes the field's columns.
    fn quantise(&self, q: &Q, columns: &mut [i64]);
    /// Returns the field of some columns.
    fn dequantise(q: &Q, columns: &[i64]) -> Self;
    /// Writes the field without rounding it, one number for each column.
    fn values(&self, q: &Q, values: &mut [f64]) {
        let mut columns = [0; 4];
        self.quantise(q, &mut columns[..Self::COLUMNS]);
        values.iter_mut().zip(columns).for_each(|(value, column)| *value = column as f64);
    }
    /// Appends the field to the last bit, for saving a match.
    fn save(&self, to: &mut Vec<u8>);
    /// Reads the bytes of [`Field::save`]. `None` if they are too few or not valid.
    fn restore(from: &mut &[u8]) -> Option<Self>;
}

/// No quantisation: the value is already an integer.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

/// Fixed point: a column is the value divided by the step, rounded to the nearest integer, half away from zero.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    step: f64,
    inverse: f64,
    range: Option<(f64, f64)>,
    low: f64,
    high: f64,
}

impl Step {
    /// Steps of `step` units, without bounds. A step that is not above 0 does not compile.
    ///
    /// ```compile_fail
    /// # use tickcast::{prelude::*, protocol::Columns};
    /// #[derive(Component, Replicate)]
    /// #[replicate(id = 1)]
    /// struct Height(#[q(step = 0.0)] f32);
    /// # fn main() {
    /// #     Height(1.0).quantise(&mut [0]);
    /// # }
    /// ```
    ///
    /// # Panics
    /// `step` is not above 0.
    pub const fn new(step: f64) -> Self {
        assert!(step > 0.0, "a quantisation step must be above 0");
        Self { step, inverse: 1.0 / step, range: None, low: -LIMIT, high: LIMIT }
    }

    /// Steps of `step` units, clamped to `low..=high` units.
    ///
    /// # Panics
    /// `step` is not above 0, or `low` is not below `high`.
    pub const fn within(step: f64, low: f64, high: f64) -> Self {
        assert!(low < high, "the low end of a quantisation range must be below its high end");
        let mut this = Self::new(step);
        this.range = Some((low, high));
        this.low = (low * this.inverse).max(-LIMIT);
        this.high = (high * this.inverse).min(LIMIT);
        this
    }

    #[inline]
    fn quantise(&self, value: f32) -> i64 {
        let scaled = f64::from(value) * self.inverse;
        // The cast turns NaN into 0 and truncates, so half a step is added away from zero first.
        (scaled.clamp(self.low, self.high) + 0.5f64.copysign(scaled)) as i64
    }

    #[inline]
    fn dequantise(&self, column: i64) -> f32 {
        (column as f64 * self.step) as f32
    }

    fn bounds(&self) -> (f64, Option<f64>, Option<f64>) {
        (self.step, self.range.map(|r| r.0), self.range.map(|r| r.1))
    }
}

/// An angle: the column counts steps of a turn and wraps around.
#[derive(Debug, Clone, Copy)]
pub struct Angle {
    steps: u32,
}

impl Angle {
    /// Divides a turn into `steps` steps: 2 to 2^24.
    ///
    /// # Panics
    /// `steps` is out of that range.
    pub const fn new(steps: u32) -> Self {
        assert!(steps >= 2 && steps <= 1 << 24, "an angle must have 2 to 2^24 steps");
        Self { steps }
    }
}

impl Field<Angle> for f32 {
    const COLUMNS: usize = 1;
    fn kind(q: &Angle) -> FieldKind {
        FieldKind::Angle { steps: q.steps }
    }
    #[inline]
    fn quantise(&self, q: &Angle, columns: &mut [i64]) {
        let turns = f64::from(*self) / f64::from(TAU);
        let turns = turns - turns.floor();
        columns[0] = (turns * f64::from(q.steps) + 0.5) as i64 % i64::from(q.steps);
    }
    #[inline]
    fn dequantise(q: &Angle, columns: &[i64]) -> Self {
        columns[0] as f32 * TAU / q.steps as f32
    }
    fn values(&self, _: &Angle, values: &mut [f64]) {
        values[0] = f64::from(*self);
    }
    fn save(&self, to: &mut Vec<u8>) {
        Exact::save(self, to);
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        Exact::restore(from)
    }
}

macro_rules! step_fields {
    ($($ty:ty, $kind:ident, $columns:literal, [$($at:literal: $part:ident),*], $build:expr;)*) => { $(
        impl Field<Step> for $ty {
            const COLUMNS: usize = $columns;
            fn kind(q: &Step) -> FieldKind {
                let (step, min, max) = q.bounds();
                FieldKind::$kind { step, min, max }
            }
            #[inline]
            fn quantise(&self, q: &Step, columns: &mut [i64]) {
                $(columns[$at] = q.quantise(self.$part);)*
            }
            #[inline]
            fn dequantise(q: &Step, columns: &[i64]) -> Self {
                $build($(q.dequantise(columns[$at])),*)
            }
            fn values(&self, _: &Step, values: &mut [f64]) {
                $(values[$at] = f64::from(self.$part);)*
            }
            fn save(&self, to: &mut Vec<u8>) {
                $(Exact::save(&self.$part, to);)*
            }
            fn restore(from: &mut &[u8]) -> Option<Self> {
                Some($build($({ let $part: f32 = Exact::restore(from)?; $part }),*))
            }
        }
    )* };
}

step_fields! {
    Vec2, Vec2, 2, [0: x, 1: y], Vec2::new;
    Vec3, Vec3, 3, [0: x, 1: y, 2: z], Vec3::new;
}

impl Field<Step> for f32 {
    const COLUMNS: usize = 1;
    fn kind(q: &Step) -> FieldKind {
        let (step, min, max) = q.bounds();
        FieldKind::Float { step, min, max }
    }
    #[inline]
    fn quantise(&self, q: &Step, columns: &mut [i64]) {
        columns[0] = q.quantise(*self);
    }
    #[inline]
    fn dequantise(q: &Step, columns: &[i64]) -> Self {
        q.dequantise(columns[0])
    }
    fn values(&self, _: &Step, values: &mut [f64]) {
        values[0] = f64::from(*self);
    }
    fn save(&self, to: &mut Vec<u8>) {
        Exact::save(self, to);
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        Exact::restore(from)
    }
}

/// Numbers that can be saved to the last bit, little-endian.
pub trait Exact: Sized {
    /// Appends the number.
    fn save(&self, to: &mut Vec<u8>);
    /// Reads the number, and moves `from` behind it. `None` if there are too few bytes.
    fn restore(from: &mut &[u8]) -> Option<Self>;
}

macro_rules! exact {
    ($($ty:ty),*) => { $(
        impl Exact for $ty {
            fn save(&self, to: &mut Vec<u8>) {
                to.extend_from_slice(&self.to_le_bytes());
            }
            fn restore(from: &mut &[u8]) -> Option<Self> {
                let (bytes, rest) = from.split_first_chunk()?;
                *from = rest;
                Some(Self::from_le_bytes(*bytes))
            }
        }
    )* };
}
exact!(f32, i64, u8, u16, u32, i8, i16, i32);

macro_rules! integer_fields {
    ($($ty:ty),*) => { $(
        impl Field<Plain> for $ty {
            const COLUMNS: usize = 1;
            fn kind(_: &Plain) -> FieldKind {
                FieldKind::Int { min: i64::from(Self::MIN), max: i64::from(Self::MAX) }
            }
            #[inline]
            fn quantise(&self, _: &Plain, columns: &mut [i64]) {
                columns[0] = i64::from(*self);
            }
            #[inline]
            fn dequantise(_: &Plain, columns: &[i64]) -> Self {
                columns[0].clamp(i64::from(Self::MIN), i64::from(Self::MAX)) as Self
            }
            fn save(&self, to: &mut Vec<u8>) {
                Exact::save(self, to);
            }
            fn restore(from: &mut &[u8]) -> Option<Self> {
                Exact::restore(from)
            }
        }
    )* };
}
integer_fields!(u8, u16, u32, i8, i16, i32);

impl Field<Plain> for bool {
    const COLUMNS: usize = 1;
    fn kind(_: &Plain) -> FieldKind {
        FieldKind::Bool
    }
    #[inline]
    fn quantise(&self, _: &Plain, columns: &mut [i64]) {
        columns[0] = i64::from(*self);
    }
    #[inline]
    fn dequantise(_: &Plain, columns: &[i64]) -> Self {
        columns[0] != 0
    }
    fn save(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        <u8 as Exact>::restore(from).map(|byte| byte != 0)
    }
}

impl<Q, F: Field<Q>, const N: usize> Field<Q> for [F; N] {
    const COLUMNS: usize = N * F::COLUMNS;
    fn kind(q: &Q) -> FieldKind {
        match F::kind(q) {
            FieldKind::List { length, of } => FieldKind::List { length: N as u32 * length, of },
            of => FieldKind::List { length: N as u32, of: Box::new(of) },
        }
    }
    #[inline]
    fn quantise(&self, q: &Q, columns: &mut [i64]) {
        self.iter().enumerate().for_each(|(k, element)| element.quantise(q, &mut columns[k * F::COLUMNS..][..F::COLUMNS]));
    }
    #[inline]
    fn dequantise(q: &Q, columns: &[i64]) -> Self {
        std::array::from_fn(|k| F::dequantise(q, &columns[k * F::COLUMNS..][..F::COLUMNS]))
    }
    fn values(&self, q: &Q, values: &mut [f64]) {
        self.iter().enumerate().for_each(|(k, element)| element.values(q, &mut values[k * F::COLUMNS..][..F::COLUMNS]));
    }
    fn save(&self, to: &mut Vec<u8>) {
        self.iter().for_each(|element| element.save(to));
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        let elements: Option<Vec<F>> = (0..N).map(|_| F::restore(from)).collect();
        elements?.try_into().ok()
    }
}

/// One of the eight directions of a compass, or none. East is +x, and north is +y.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// assert_eq!(Dir8::N.unit(), Vec2::Y);
/// assert_eq!(Dir8::nearest(Vec2::new(3.0, 2.9), 0.1), Dir8::NE);
/// assert_eq!(Dir8::nearest(Vec2::new(0.01, 0.0), 0.1), Dir8::None);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, tickcast_derive::Choice)]
pub enum Dir8 {
    /// No direction: stand still.
    #[default]
    None,
    /// +x
    E,
    /// +x +y
    NE,
    /// +y
    N,
    /// −x +y
    NW,
    /// −x
    W,
    /// −x −y
    SW,
    /// −y
    S,
    /// +x −y
    SE,
}

impl Dir8 {
    /// Returns the direction as a vector of length 1, or zero for no direction.
    pub fn unit(self) -> Vec2 {
        const D: f32 = std::f32::consts::FRAC_1_SQRT_2;
        match self {
            Self::None => Vec2::ZERO,
            Self::E => Vec2::new(1.0, 0.0),
            Self::NE => Vec2::new(D, D),
            Self::N => Vec2::new(0.0, 1.0),
            Self::NW => Vec2::new(-D, D),
            Self::W => Vec2::new(-1.0, 0.0),
            Self::SW => Vec2::new(-D, -D),
            Self::S => Vec2::new(0.0, -1.0),
            Self::SE => Vec2::new(D, -D),
        }
    }

    /// Returns the direction nearest to a vector, or none for a vector shorter than `dead` units.
    pub fn nearest(vector: Vec2, dead: f32) -> Self {
        if vector.length() < dead || !vector.is_finite() {
            return Self::None;
        }
        const AROUND: [Dir8; 8] = [Dir8::E, Dir8::NE, Dir8::N, Dir8::NW, Dir8::W, Dir8::SW, Dir8::S, Dir8::SE];
        let eighths = (vector.to_angle() / TAU * 8.0).round() as i32;
        AROUND[eighths.rem_euclid(8) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column<Q, F: Field<Q>>(q: &Q, field: F) -> i64 {
        let mut columns = [0];
        field.quantise(q, &mut columns);
        columns[0]
    }

    #[test]
    fn floats_round_to_the_nearest_step() {
        let q = Step::new(0.03125);
        for (value, expected) in [(0.0, 0), (1.0, 32), (-1.0, -32), (0.016, 1), (-0.016, -1), (0.015, 0), (f32::NAN, 0)] {
            assert_eq!(column(&q, value), expected, "{value}");
        }
        assert_eq!(column(&q, f32::INFINITY), 2_147_483_648);
        assert_eq!(column(&Step::within(0.5, -4.0, 4.0), 100.0f32), 8);
        assert_eq!(column(&Step::within(0.5, -4.0, 4.0), f32::NEG_INFINITY), -8);
    }

    #[test]
    fn angles_wrap() {
        let q = Angle::new(256);
        for (turns, expected) in [(0.0, 0), (0.25, 64), (-0.25, 192), (1.0, 0), (0.9999, 0), (7.5, 128)] {
            assert_eq!(column(&q, turns * TAU), expected, "{turns} turns");
        }
        assert!((0..256).contains(&column(&q, f32::NAN)));
        assert!((0..256).contains(&column(&q, f32::INFINITY)));
    }

    #[test]
    fn a_vector_has_a_nearest_direction() {
        for direction in [Dir8::E, Dir8::NE, Dir8::N, Dir8::NW, Dir8::W, Dir8::SW, Dir8::S, Dir8::SE] {
            assert_eq!(Dir8::nearest(direction.unit() * 3.0, 0.1), direction);
        }
        assert_eq!(Dir8::nearest(Vec2::ZERO, 0.1), Dir8::None);
    }
}
