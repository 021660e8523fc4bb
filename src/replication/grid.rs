//! A grid over the match: which cell an entity is in, and which cells a seat sees.

use std::{hash::Hasher, marker::PhantomData};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::protocol::{FieldKind, Replicate};

/// How far beyond its cell's border an entity goes before it is in the next one, in cells. Who walks along a border stays
/// where it is, in everybody's view.
const MARGIN: f64 = 0.125;

/// The largest radius: a view of more cells than that would be better served by larger ones.
const MOST_RINGS: u8 = 16;

/// Limits what seats see to what is near them, by the position in a replicated component `C`: its first `Vec2` (of a
/// `Vec3` the first two axes count).
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
/// The components of an entity that go to `everyone` reach the seats that have its cell in view. A seat looks from the
/// cells of the entities that it owns; if it has none left, from where it last had one; if it never had one, it sees what
/// has no `C`, which all see. Components that go to a `team` or an `owner` reach them wherever the entity is.
#[derive(Debug, Clone, Copy)]
pub struct Grid<C> {
    size: f32,
    radius: u8,
    near: u8,
    every: u32,
    marker: PhantomData<fn() -> C>,
}

impl<C: Replicate> Grid<C> {
    /// Square cells of so many units. A seat sees its own cell and those around it, one ring if not said otherwise.
    pub fn cells(size: f32) -> Self {
        Self { size, radius: 1, near: MOST_RINGS, every: 1, marker: PhantomData }
    }

    /// How many rings of cells around its own a seat sees, 0 to 16.
    #[must_use]
    pub fn radius(self, rings: u8) -> Self {
        Self { radius: rings, ..self }
    }

    /// What lies further than so many rings is far: what changes there is sent every so many ticks, not in each. Who comes
    /// and goes is told at once.
    #[must_use]
    pub fn far_beyond(self, rings: u8, ticks: u32) -> Self {
        Self { near: rings, every: ticks, ..self }
    }

    /// The grid without its type.
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
        if self.radius > MOST_RINGS || self.every == 0 {
            return Err(GridError::Rings);
        }
        let cells_a_step = step / f64::from(self.size);
        let (radius, near) = (i32::from(self.radius), i32::from(self.near));
        Ok(GridLayout { component: C::ID, name: C::NAME, column, cells_a_step, radius, near, every: self.every })
    }
}

fn columns(kind: &FieldKind) -> usize {
    match kind {
        FieldKind::Vec2 { .. } => 2,
        FieldKind::Vec3 { .. } => 3,
        _ => 1,
    }
}

/// A grid that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GridError {
    /// The component has no position.
    #[error("the grid reads positions from {0}, which has no field of type Vec2 or Vec3")]
    NoPosition(&'static str),
    /// The component does not travel.
    #[error("the grid reads positions from {0}, which is not replicated: add .replicate::<{0}>()")]
    NotReplicated(&'static str),
    /// Cells without a size.
    #[error("a grid's cells are larger than 0, not {0}")]
    Size(String),
    /// Rings or ticks out of range.
    #[error("a grid's radius is at most {MOST_RINGS} rings, and what is far is sent every tick at most")]
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
    /// Rings that are not far.
    pub near: i32,
    /// Ticks between two updates of what is far.
    pub every: u32,
}

/// A cell's place in the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    x: i32,
    y: i32,
}

/// Mixes a cell's two coordinates. Rules decide where entities go, so that nobody gains by cells that collide.
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
    /// The cell of a position, given the one it was in.
    pub fn cell(&self, x: i64, y: i64, old: Option<Cell>) -> Cell {
        let axis = |steps: i64, old: Option<i32>| {
            let at = steps as f64 * self.cells_a_step;
            // The cast saturates.
            let plain = at.floor() as i32;
            old.filter(|&old| (at - (f64::from(old) + 0.5)).abs() <= 0.5 + MARGIN).unwrap_or(plain)
        };
        Cell { x: axis(x, old.map(|cell| cell.x)), y: axis(y, old.map(|cell| cell.y)) }
    }

    /// At which ticks what is far in a cell is sent: not in the same for all cells.
    pub fn is_due(&self, cell: Cell, tick: u32) -> bool {
        let phase = cell.x.wrapping_mul(7).wrapping_add(cell.y) as u32;
        tick.wrapping_add(phase).is_multiple_of(self.every)
    }
}

/// How a seat sees a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Near,
    Far,
    Out,
}

/// Which cells a seat sees.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    /// Where it looks from, ascending.
    pub from: SmallVec<[Cell; 2]>,
    /// Ascending, with the ring that each is in.
    pub cells: Vec<(Cell, Class, u8)>,
    /// The corners of a box around all cells.
    corners: Option<(Cell, Cell)>,
}

impl Sight {
    /// What is seen from some cells, which ascend.
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

    /// How it sees a cell, and in which ring; what is in none is near to all.
    pub fn look(&self, cell: Option<Cell>) -> (Class, u8) {
        let Some(cell) = cell else { return (Class::Near, 0) };
        let within = |(low, high): (Cell, Cell)| (low.x..=high.x).contains(&cell.x) && (low.y..=high.y).contains(&cell.y);
        if !self.corners.is_some_and(within) {
            return (Class::Out, u8::MAX);
        }
        let at = self.cells.binary_search_by_key(&cell, |(cell, ..)| *cell);
        at.map_or((Class::Out, u8::MAX), |at| (self.cells[at].1, self.cells[at].2))
    }

    /// How it sees a cell.
    pub fn class(&self, cell: Option<Cell>) -> Class {
        self.look(cell).0
    }

    /// Whether it sees a cell.
    pub fn sees(&self, cell: Option<Cell>) -> bool {
        self.class(cell) != Class::Out
    }
}
