//! Matrices of an arena and the units that they are cut into: rows, columns, or the whole.
use ridgepole_derive::value;
use serde::{Deserialize, Serialize};

/// What a matrix is cut into.
#[value]
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
/// Elements between matrices keep their values and change no result; as with [`Segment`](crate::types::Segment), the rest of a quad of four in which a
/// matrix ends is read and written back.
#[value]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matrix {
    /// The first element in the arena.
    #[field(multiple_of = 4)]
    pub start: usize,
    /// Rows; 0 is allowed.
    pub rows: usize,
    /// Columns; 0 is allowed. A matrix has less than 2^32 elements, a row at most 2^30, a column at most 2^27.
    pub cols: usize,
    /// What it is cut into.
    #[field(default)]
    pub unit: Unit,
    /// Which of the op's parameter groups it belongs to, if the op has groups.
    #[field(default)]
    pub group: usize,
}

impl Matrix {
    /// A matrix that has a buffer for itself, cut into rows.
    pub fn one(rows: usize, cols: usize) -> Vec<Self> {
        Self::pack(&[(rows, cols, Unit::Rows)], 4)
    }

    /// Matrices one behind the other, each at a multiple of `align` elements (itself a multiple of 4); group 0. Sizes that no memory
    /// holds saturate; an op refuses such a matrix.
    pub fn pack(shapes: &[(usize, usize, Unit)], align: usize) -> Vec<Self> {
        let mut end: usize = 0;
        let place = |&(rows, cols, unit): &(usize, usize, Unit)| {
            let start = end.checked_next_multiple_of(align.max(4)).unwrap_or(usize::MAX);
            end = start.saturating_add(rows.saturating_mul(cols));
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

/// What weights are multiplied by where norms are held to a limit. Frameworks differ, so it is a name.
#[value]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxNormForm {
    /// max / ‖w‖ above the limit, else 1.
    #[default]
    Plain,
    /// max / (‖w‖ + 1e-7) above the limit, else 1: `torch.renorm`, and the `max_norm` of `torch.nn.Embedding`.
    Torch,
    /// min(‖w‖, max) / (‖w‖ + 1e-7) on both sides: Keras' `MaxNorm`, which so shrinks every unit a little, each time.
    Keras,
}

impl MaxNormForm {
    /// What is added to the norm.
    pub fn eps(self) -> f64 {
        if self == Self::Plain { 0.0 } else { 1e-7 }
    }
}
