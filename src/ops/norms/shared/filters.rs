//! Weights that are normalised filter by filter: which way a matrix holds its filters, and what ops on them have in common.
//!
//! A filter is to these ops what a channel is to batch norm: a row is a channel of one sample, channels first, and a column is one
//! with the channels last. So they share its kernels.
mod onchip;

pub(crate) use onchip::{backward, forward, standard_params};

#[cfg(feature = "verify")]
use crate::op::{Pattern, Rng, Verify, bench_shapes};
use crate::{
    kernels::channels::{self, Channels, Merge, Team, Vectors},
    op::{Arg, Caps, Step},
    options::FilterAxis,
    params,
    types::{DType, Error, HostData, Rows, Space},
    wgsl::Source,
};

params! { FilterParams { team: Team, coefs: u32 } }

/// A matrix of weights as filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Filters {
    pub rows: usize,
    pub cols: usize,
    pub axis: FilterAxis,
}

impl Filters {
    /// Filters as the channels of one sample.
    pub fn space(self) -> Space {
        match self.axis {
            FilterAxis::Rows => Space::channels_first(1, self.rows, self.cols),
            FilterAxis::Columns => Space::channels_last(1, self.cols, self.rows),
        }
    }

    pub fn tensor(self) -> Channels {
        Channels::of(&self.space())
    }

    pub fn len(self) -> usize {
        self.space().len()
    }

    /// How many filters there are.
    pub fn count(self) -> usize {
        self.space().c
    }

    /// How many values each has.
    pub fn values(self) -> usize {
        self.space().s
    }

    pub fn check(self, op: &'static str) -> Result<(), Error> {
        self.space().check(op).map(|_| ()).map_err(|_| {
            let Self { rows, cols, .. } = self;
            Error::argument(op, "rows", format!("x cols is {rows} x {cols} weights, must be at most 2^34 - 4: split the matrix"))
        })
    }

    /// Where the values of a filter lie in memory.
    #[cfg(feature = "verify")]
    pub fn places(self, filter: usize) -> Vec<usize> {
        channels::places(&self.space(), filter)
    }

    #[cfg(feature = "verify")]
    pub fn patterns(self, dtype: DType) -> Vec<Pattern> {
        channels::patterns(dtype, &self.space())
    }

    /// The pattern is for what goes by the name of a tensor of `channels::fill`.
    #[cfg(feature = "verify")]
    pub fn fill(self, dtype: DType, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        channels::fill(&self.space(), dtype, arg, rng, pattern)
    }
}

/// The step with one lane per filter: its last partials become coefficients behind them, and what `vectors` names.
pub(crate) fn per_filter(caps: &Caps, source: Source, merge: &Merge, vectors: Vectors) -> Step {
    merge.step(caps, source, vectors, FilterParams { team: merge.team, coefs: merge.start })
}

#[cfg(feature = "verify")]
/// Shapes for the checks, each along both axes: no value and one, filters that are whole quads and not, shorter and longer than a
/// workgroup and than a chunk, and longer than what stays on the chip, more filters than lanes, and the whole matrix as one.
pub(crate) fn cases(make: impl Fn(usize, DType, Filters) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let shapes = [
        (1, 5),
        (5, 1),
        (0, 4),
        (3, 0),
        (8, 4),
        (4, 7),
        (33, 64),
        (12, 49),
        (300, 12),
        (7, 257),
        (1500, 3),
        (2, 2501),
        (3, 2304),
        (1, 8),
        (130, 268),
        (2, 4608),
        (3, 8196),
        (2, 16_388),
        (1, 40_001),
    ];
    let mut out = Vec::new();
    for (i, (count, values)) in shapes.into_iter().enumerate() {
        for axis in [FilterAxis::Rows, FilterAxis::Columns] {
            let (rows, cols) = if axis == FilterAxis::Rows { (count, values) } else { (values, count) };
            for dtype in [DType::F32, DType::FLOATS[1 + i % 2]] {
                out.push(make(out.len(), dtype, Filters { rows, cols, axis }));
            }
        }
    }
    out
}

#[cfg(feature = "verify")]
/// A linear layer of a transformer, and a convolution of a residual network, 3 by 3 with as many outputs as inputs.
pub(crate) fn benches(elements: usize, make: impl Fn(DType, Filters) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let of = |sides, axis| {
        let Rows { rows, cols } = bench_shapes::matrix(elements, sides);
        Filters { rows, cols, axis }
    };
    let (linear, conv) = (of([1, 1], FilterAxis::Rows), of([1, 9], FilterAxis::Rows));
    let all = [(DType::F32, linear), (DType::F32, of([1, 1], FilterAxis::Columns)), (DType::F32, conv), (DType::F16, linear)];
    all.map(|(d, f)| make(d, f)).into()
}
