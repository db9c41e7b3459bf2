//! Matrices in an arena, and what is done by their units: rows, columns, or all of a matrix.
//!
//! Three stages, each one dispatch (and one per window) for the whole arena: partial sums of each unit (`lib/unitwise/partials`), one
//! number for each unit (`lib/unitwise/coefs`), and what becomes of the elements with it (`lib/unitwise/map`).
#[cfg(feature = "verify")]
mod bound;
#[cfg(feature = "verify")]
mod cases;
mod constrain;
mod cut;
mod steps;

#[cfg(feature = "verify")]
pub(crate) use bound::{Members, unit_norm, unit_sum};
#[cfg(feature = "verify")]
pub(crate) use cases::{matrix_bench, matrix_cases};
pub(crate) use cut::Cut;
pub(crate) use steps::{Coefs, Map};

use crate::{
    options::Matrix,
    types::{DType, Segment},
};

/// The matrices of an op, under its name.
#[derive(Clone, Copy)]
pub(crate) struct Units<'a> {
    pub name: &'static str,
    pub dtype: DType,
    pub matrices: &'a [Matrix],
}

impl Units<'_> {
    /// Elements of the arena.
    pub fn len(&self) -> usize {
        Matrix::arena_len(self.matrices)
    }

    /// As segments; each one's group is its number.
    pub fn segments(&self) -> Vec<Segment> {
        self.matrices.iter().enumerate().map(|(group, m)| Segment { start: m.start, len: m.len(), group }).collect()
    }
}
