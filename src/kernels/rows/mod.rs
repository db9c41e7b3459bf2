//! Normalisation of rows: shapes, checks, data, and the backward pass.
//!
//! A row is to these ops what a channel is to batch norm, so they share its kernels: statistics of (rows, cols) are those of
//! one sample with `rows` channels of `cols` values. Only weight and bias differ: they belong to the places in a row.
mod backward;
#[cfg(feature = "verify")]
mod bound;
mod onchip;

pub(crate) use backward::{backward, backward_args, column_sums, finish_columns};
#[cfg(feature = "verify")]
pub(crate) use bound::{RowGradients, Slack, normalized_error};
pub(crate) use onchip::{Affine, Forward, OnChip, Place, RowMap, alone};

#[cfg(feature = "verify")]
use crate::op::{Pattern, Rng, Verify, bench_shapes};
use crate::{
    kernels::channels,
    op::Arg,
    options::WeightForm,
    types::{DType, HostData, Rows},
    wgsl::Source,
};

/// What distinguishes the backward passes.
pub(crate) struct Backward {
    pub op: &'static str,
    /// The kernel that turns the sums of a row to coefficients.
    pub source: Source,

    /// Whether the mean was taken off: then there is an argument `mean`.
    pub centered: bool,
    pub form: WeightForm,
}

/// The kinds of data that rows are checked with.
#[cfg(feature = "verify")]
pub(crate) fn patterns(of: Rows, dtype: DType) -> Vec<Pattern> {
    channels::patterns(dtype, &of.space())
}

/// Contents for an argument that has a value for each place of the rows.
#[cfg(feature = "verify")]
pub(crate) fn fill(of: Rows, dtype: DType, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
    channels::fill(&of.space(), dtype, arg, rng, pattern)
}

#[cfg(feature = "verify")]
/// Shapes for the checks: no value and one, rows that are whole quads and not, shorter and longer than a workgroup and than
/// a chunk, and longer than what stays on the chip, more rows than lanes, enough rows for a lane each on a software device, and for
/// reduction levels of their gradients. `make` gets a number that differs from case to case.
pub(crate) fn cases(make: impl Fn(usize, DType, Rows) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let mut out = Vec::new();
    for (rows, cols) in SHAPES {
        for dtype in DType::FLOATS {
            out.push(make(out.len(), dtype, Rows { rows, cols }));
        }
    }
    out
}

#[cfg(feature = "verify")]
/// The same shapes for an op that shares most of its kernels with another: f32, and one of the halves in turn.
pub(crate) fn few_cases(make: impl Fn(usize, DType, Rows) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let mut out = Vec::new();
    for (i, (rows, cols)) in SHAPES.into_iter().enumerate() {
        for dtype in [DType::F32, DType::FLOATS[1 + i % 2]] {
            out.push(make(out.len(), dtype, Rows { rows, cols }));
        }
    }
    out
}
const SHAPES: [(usize, usize); 19] = [
    (1, 1),
    (1, 5),
    (5, 1),
    (8, 1),
    (0, 4),
    (3, 0),
    (3, 4),
    (4, 7),
    (17, 8),
    (33, 64),
    (9, 49),
    (300, 12),
    (7, 257),
    (1500, 3),
    (2, 2501),
    (3, 2304),
    (70, 1028),
    (3, 4612),
    (600, 20),
];

#[cfg(feature = "verify")]
/// The activations of a small transformer, and rows that are long.
pub(crate) fn benches(elements: usize, make: impl Fn(DType, Rows) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let (short, long) = (bench_shapes::rows(elements, 1024), bench_shapes::rows(elements, 16_384));
    [(DType::F32, short), (DType::F32, long), (DType::F16, short), (DType::F16, long)].map(|(d, s)| make(d, s)).into()
}
