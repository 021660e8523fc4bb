//! A grid over the match: the cell of an entity, and the cells that a seat sees.

use std::{hash::Hasher, marker::PhantomData};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::protocol::{FieldKind, Replicate};

/// The distance in cells that an entity goes beyond its cell's border before it is in the next cell. So an entity that walks along a
/// border does not change its cell all the time.
const MARGIN: f64 = 0.125;

/// The largest radius. A view of more cells is better served by larger cells.
const MAX_RINGS: u8 = 16;

/// Limits the view of seats to entities near them. The position is the first `Vec2` in a replicated component `C`, or the first two axes
/// of its first `Vec3`.
///
/// ```
/// # use tickcast::prelude::*;
/// #[derive(Component, Replicate)]
/// #[replicate(id = 1)]
/// struct Pos {
///     #[q(step = 0.03125)]
///     at: Vec2,
/// }
///
/// let grid = Grid::<Pos>::cells(64.0).radius(2);
/// let with_a_calm_horizon = Grid::<Pos>::cells(32.0).radius(4).far_beyond(2, 4);
/// ```
///
/// Components for `everyone` reach the seats that have the entity's cell in view. Components for a `team` or an `owner` reach them
/// wherever the entity is. Every seat sees entities without `C`.
///
/// A seat looks from the cells of the entities that it owns. If it has none left, it looks from where it last had one. If it never had
/// one, it sees only entities without `C`.
///
/// A second call of a method replaces its value, so that a grid can be made from another one.
#[derive(Debug, Clone, Copy)]
pub struct Grid<C> {
    size: f32,
    radius: u8,
    near: u8,
    every: u32,
    marker: PhantomData<fn() -> C>,
}

impl<C: Replicate> Grid<C> {
    /// Makes a grid of square cells with sides of `size` units. A seat sees its own cell and one ring around it, unless
    /// [`Grid::radius`] says otherwise.
    pub fn cells(size: f32) -> Self {
        Self { size, radius: 1, near: MAX_RINGS, every: 1, marker: PhantomData }
    }

    /// Sets how many rings of cells around its own a seat sees: 0 to 16. Default 1.
    #[must_use]
    pub fn radius(self, rings: u8) -> Self {
        Self { radius: rings, ..self }
    }

    /// Sends changes in cells more than `rings` away only every `ticks` ticks. Spawns and despawns there are sent at once.
    #[must_use]
    pub fn far_beyond(self, rings: u8, ticks: u32) -> Self {
        Self { near: rings, every: ticks, ..self }
    }

    /// Returns the grid without its type.
    pub(crate) fn layout(&self) -> Result<GridLayout, GridError> {
        let mut column = 0;
        let vector = C::fields().into_iter().find_map(|field| {
            let at = column;
            column += columns(&field.kind);
            match field.kind {
                FieldKind::Vec2 { step, .. } | FieldKind::Vec3 { step, .. } => Some((at, step)),
                _ => None,
            }
        });
        let (column, step) = vector.ok_or(GridError::NoPosition(C::NAME))?;
        if !(self.size.is_finite() && self.size > 0.0) {
            return Err(GridError::Size(self.size.to_string()));
        }
        if self.radius > MAX_RINGS || self.every == 0 {
            return Err(GridError::Rings);
        }
        let cells_a_step = step / f64::from(self.size);
        let (radius, near) = (i32::from(self.radius), i32::from(self.near));
        Ok(GridLayout { component: C::ID, name: C::NAME, column, cells_a_step, radius, near, every: self.every })
    }
}

fn columns(kind: &FieldKind) -> usize {
    match kind {
        FieldKind::List { .. } => kind.elements().map(columns).sum(),
        FieldKind::Vec2 { .. } => 2,
        FieldKind::Vec3 { .. } => 3,
        _ => 1,
    }
}

/// The reason why a grid is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GridError {
    /// The component has no position.
    #[error("the grid reads positions from {0}, which has no field of type Vec2 or Vec3")]
    NoPosition(&'static str),
    /// The component is not replicated.
    #[error("the grid reads positions from {0}, which is not replicated: add .replicate::<{0}>()")]
    NotReplicated(&'static str),
    /// The size of the cells is not a positive number.
    #[error("the cells of a grid must be larger than 0, not {0}")]
    Size(String),
    /// The radius or the ticks are out of range.
    #[error("the radius of a grid is at most {MAX_RINGS} rings, and far_beyond takes at least 1 tick")]
    Rings,
}

/// A grid without its component's type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GridLayout {
    /// The wire id of the component with the position, its name, and the position's first column.
    pub component: u8,
    pub name: &'static str,
    pub column: usize,
    cells_a_step: f64,
    pub radius: i32,
    /// The rings that are not far.
    pub near: i32,
    /// The ticks between two updates of a far cell.
    pub every: u32,
}

/// A cell's place in the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    x: i32,
    y: i32,
}

/// Mixes a cell's two coordinates. It needs no protection against chosen keys, because the rules decide where entities go.
#[derive(Debug, Default)]
pub(crate) struct CellHasher(u64);

impl Hasher for CellHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_i32(i32::from(byte)));
    }
    #[inline]
    fn write_i32(&mut self, value: i32) {
        self.0 = (self.0.rotate_left(32) ^ u64::from(value as u32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl GridLayout {
    /// Returns the cell of a position, given the cell that the entity was in.
    pub fn cell(&self, x: i64, y: i64, old: Option<Cell>) -> Cell {
        let axis = |steps: i64, old: Option<i32>| {
            let at = steps as f64 * self.cells_a_step;
            // The cast saturates.
            let plain = at.floor() as i32;
            old.filter(|&old| (at - (f64::from(old) + 0.5)).abs() <= 0.5 + MARGIN).unwrap_or(plain)
        };
        Cell { x: axis(x, old.map(|cell| cell.x)), y: axis(y, old.map(|cell| cell.y)) }
    }

    /// Returns whether a far cell is updated in this tick. Cells take turns.
    pub fn is_due(&self, cell: Cell, tick: u32) -> bool {
        let phase = cell.x.wrapping_mul(7).wrapping_add(cell.y) as u32;
        tick.wrapping_add(phase).is_multiple_of(self.every)
    }
}

/// The distance class in which a seat sees a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Near,
    Far,
    Out,
}

/// The cells that a seat sees.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    /// The cells from which it looks, ascending.
    pub from: SmallVec<[Cell; 2]>,
    /// The cells in view, ascending, with the ring that each is in.
    pub cells: Vec<(Cell, Class, u8)>,
    /// The corners of a box around all cells.
    corners: Option<(Cell, Cell)>,
}

impl Sight {
    /// Returns the view from some cells, which must be ascending.
    pub fn from(layout: &GridLayout, from: SmallVec<[Cell; 2]>) -> Self {
        let mut cells = Vec::new();
        for centre in &from {
            for x in -layout.radius..=layout.radius {
                for y in -layout.radius..=layout.radius {
                    let ring = x.abs().max(y.abs());
                    let class = if ring <= layout.near { Class::Near } else { Class::Far };
                    cells.push((Cell { x: centre.x.saturating_add(x), y: centre.y.saturating_add(y) }, class, ring as u8));
                }
            }
        }
        cells.sort_unstable_by_key(|&(cell, _, ring)| (cell, ring));
        cells.dedup_by_key(|(cell, ..)| *cell);
        let corner = |pick: fn(i32, i32) -> i32| {
            let all = cells.iter().map(|(cell, ..)| *cell);
            all.reduce(|a, b| Cell { x: pick(a.x, b.x), y: pick(a.y, b.y) })
        };
        let corners = corner(i32::min).zip(corner(i32::max));
        Self { from, corners, cells }
    }

    /// Returns the class and the ring of a cell. Entities in no cell are near to every seat.
    pub fn look(&self, cell: Option<Cell>) -> (Class, u8) {
        let Some(cell) = cell else { return (Class::Near, 0) };
        let within = |(low, high): (Cell, Cell)| (low.x..=high.x).contains(&cell.x) && (low.y..=high.y).contains(&cell.y);
        if !self.corners.is_some_and(within) {
            return (Class::Out, u8::MAX);
        }
        let at = self.cells.binary_search_by_key(&cell, |(cell, ..)| *cell);
        at.map_or((Class::Out, u8::MAX), |at| (self.cells[at].1, self.cells[at].2))
    }

    /// Returns the class of a cell.
    pub fn class(&self, cell: Option<Cell>) -> Class {
        self.look(cell).0
    }

    /// Returns whether a cell is in view.
    pub fn sees(&self, cell: Option<Cell>) -> bool {
        self.class(cell) != Class::Out
    }
}
