//! Matrices in an arena, and what is done by their units: rows, columns, or all of a matrix.
//!
//! Three stages, each one dispatch (and one per window) for the whole arena: partial sums of each unit (`lib/unit_partials`), one
//! number for each unit (`lib/unit_coefs`), and what becomes of the elements with it (`lib/unit_map`).
mod bound;
mod cases;
mod constrain;
mod cut;
mod form;
mod steps;

pub(crate) use bound::{Members, unit_norm, unit_sum};
pub(crate) use cases::{matrix_bench, matrix_cases};
pub(crate) use cut::Cut;
pub use form::MaxNormForm;
pub(crate) use steps::{Coefs, Map};

use crate::{Arg, DType, HostData, Pattern, Rng, Segment, op::Field, segment::poison_gaps};
use serde::{Deserialize, Serialize};

/// What a matrix is cut into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Each row: the weights of one output where weights are (outputs, inputs), as PyTorch lays them out.
    #[default]
    Rows,
    /// Each column: the weights of one output where weights are (inputs, outputs), as JAX and Keras lay them out.
    Columns,
    /// The whole matrix is one unit: biases, other vectors, scalars.
    Whole,
}

/// One matrix of an arena, `rows` × `cols`, row after row without gaps.
///
/// A filter of a convolution is a unit too: its weights are a matrix whose rows are the filters, (outputs, inputs·height·width),
/// in PyTorch's order, and whose columns are, (height·width·inputs, outputs), in that of JAX and Keras.
///
/// Elements between matrices keep their values and change no result; as with [`Segment`], the rest of a quad of four in which a
/// matrix ends is read and written back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// The first element in the arena: a multiple of 4.
    pub start: usize,
    /// Rows; 0 is allowed.
    pub rows: usize,
    /// Columns; 0 is allowed. A matrix has less than 2^32 elements, a row at most 2^30, a column at most 2^27.
    pub cols: usize,
    /// What it is cut into.
    #[serde(default)]
    pub unit: Unit,
    /// Which of the op's parameter groups it belongs to, if the op has groups.
    #[serde(default)]
    pub group: usize,
}

impl Matrix {
    /// A matrix that has a buffer for itself, cut into rows.
    pub fn one(rows: usize, cols: usize) -> Vec<Self> {
        Self::pack(&[(rows, cols, Unit::Rows)], 4)
    }

    /// Matrices one behind the other, each at a multiple of `align` elements (itself a multiple of 4); group 0.
    pub fn pack(shapes: &[(usize, usize, Unit)], align: usize) -> Vec<Self> {
        let mut end: usize = 0;
        let place = |&(rows, cols, unit): &(usize, usize, Unit)| {
            let start = end.next_multiple_of(align.max(4));
            end = start + rows * cols;
            Self { start, rows, cols, unit, group: 0 }
        };
        shapes.iter().map(place).collect()
    }

    /// Elements that an arena with these matrices needs: the end of the last one.
    pub fn arena_len(matrices: &[Self]) -> usize {
        matrices.iter().map(|m| m.start.saturating_add(m.len())).max().unwrap_or(0)
    }

    /// Elements of the matrix.
    pub fn len(&self) -> usize {
        self.rows.saturating_mul(self.cols)
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Elements of each unit.
    pub fn unit_len(&self) -> usize {
        match self.unit {
            Unit::Rows => self.cols,
            Unit::Columns => self.rows,
            Unit::Whole => self.len(),
        }
    }

    /// How many units it has.
    pub fn units(&self) -> usize {
        match self.unit {
            Unit::Rows => self.rows,
            Unit::Columns => self.cols,
            Unit::Whole => 1,
        }
    }
}

/// The matrices of an op, under its name.
#[derive(Clone, Copy)]
pub(crate) struct Units<'a> {
    pub name: &'static str,
    pub dtype: DType,
    pub matrices: &'a [Matrix],
}

pub(crate) const MATRICES: Field = Field {
    name: "matrices",
    default: "",
    about: "matrices of the arena: start (a multiple of 4), rows, cols, unit (rows, columns or whole), group",
};

impl Units<'_> {
    /// Elements of the arena.
    pub fn len(&self) -> usize {
        Matrix::arena_len(self.matrices)
    }

    /// As segments; each one's group is its number.
    pub fn segments(&self) -> Vec<Segment> {
        self.matrices.iter().enumerate().map(|(group, m)| Segment { start: m.start, len: m.len(), group }).collect()
    }

    /// Values with NaN between the matrices, or numbers there and whole units of zeros.
    pub fn fill(&self, arg: &Arg, domain: [f64; 2], rng: &mut Rng, pattern: Pattern) -> HostData {
        let mut values = rng.fill(arg, domain, pattern).to_f64();
        if !arg.dtype.is_float() || arg.len != self.len() {
            return HostData::from_f64(arg.dtype, values);
        }
        for (n, unit) in Members::new(self).units.iter().enumerate() {
            match pattern {
                Pattern::Zeros if n % 3 == 0 => unit.iter().for_each(|&i| values[i] = [0.0, -0.0][i % 2]),
                // Few enough that one wrong element shows.
                Pattern::Zeros if n % 3 == 1 => {
                    let kept = unit.get(rng.word() as usize % unit.len().max(1)).map(|&i| (i, values[i]));
                    unit.iter().for_each(|&i| values[i] = 0.0);
                    kept.into_iter().for_each(|(i, v)| values[i] = if v == 0.0 { 0.5 } else { v });
                }
                // Most units stay without NaN and infinities, or nothing would be seen.
                Pattern::NonFinite if n % 4 != 0 => {
                    unit.iter()
                        .filter(|&&i| !values[i].is_finite())
                        .copied()
                        .collect::<Vec<_>>()
                        .into_iter()
                        .for_each(|i| values[i] = 0.25);
                }
                _ => {}
            }
        }
        let data = HostData::from_f64(arg.dtype, values);
        // What lies between the matrices must stay as it is: a NaN shows who reads it, a number who changes it.
        if pattern == Pattern::Zeros { data } else { poison_gaps(&self.segments(), data) }
    }
}
