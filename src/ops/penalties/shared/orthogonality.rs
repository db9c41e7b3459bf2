//! Soft orthogonality of a weight: its Gram matrix, what it differs by from the identity, and what follows for the weight.
#[cfg(feature = "verify")]
mod bound;
mod steps;

#[cfg(feature = "verify")]
use crate::op::{Pattern, Rng, Verify, bench_shapes};
use crate::{
    op::{Arg, check_float},
    options::{OrthogonalSide, check_held},
    types::{DType, Error, HostData, Rows},
};

/// λ·‖G - I‖² of a weight, for the ops that give its value and its gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Orthogonality {
    pub op: &'static str,
    pub dtype: DType,
    pub of: Rows,
    pub lambda: f64,
    pub gram: OrthogonalSide,
}

impl Orthogonality {
    /// Whether the vectors are the rows.
    pub fn by_row(&self) -> bool {
        match self.gram {
            OrthogonalSide::Rows => true,
            OrthogonalSide::Columns => false,
            OrthogonalSide::Smaller => self.of.rows <= self.of.cols,
        }
    }

    /// How many vectors there are.
    pub fn side(&self) -> usize {
        if self.by_row() { self.of.rows } else { self.of.cols }
    }

    /// How many values a vector has.
    pub fn inner(&self) -> usize {
        if self.by_row() { self.of.cols } else { self.of.rows }
    }

    pub fn check(&self, weight: &Arg) -> Result<(), Error> {
        check_float(self.op, weight)?;
        self.of.check(self.op)?;
        if !(0.0..=1e37).contains(&self.lambda) {
            let why = format!("is {}, must be finite, at least 0 and at most 1e37", self.lambda);
            return Err(Error::argument(self.op, "lambda", why));
        }
        check_held(self.op, "lambda", "is", self.lambda)
    }

    /// The vectors of a weight.
    pub fn vectors(&self, weight: &[f64]) -> Vec<Vec<f64>> {
        let place = |i: usize, k: usize| if self.by_row() { i * self.of.cols + k } else { k * self.of.cols + i };
        (0..self.side()).map(|i| (0..self.inner()).map(|k| weight[place(i, k)]).collect()).collect()
    }

    /// What the reference needs: tables of all vectors, and of all pairs of them.
    pub fn reference_bytes(&self) -> u64 {
        if self.of.len() == 0 {
            return 1 << 10;
        }
        let (len, side) = (self.of.len() as u64, self.side() as u64);
        let (values, pairs) = (len.saturating_mul(128), side.saturating_mul(side).saturating_mul(24));
        values.saturating_add(pairs).saturating_add(side.saturating_mul(128)).saturating_add(1 << 10)
    }

    #[cfg(feature = "verify")]
    pub fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    #[cfg(feature = "verify")]
    pub fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern, domain: [f64; 2]) -> HostData {
        let data = rng.fill(arg, domain, pattern);
        if pattern != Pattern::NonFinite || arg.name != "weight" {
            return data;
        }
        // Every value meets every other one: a single NaN or infinity shows what it reaches, and many would hide it.
        let mut values: Vec<f64> = data.to_f64().into_iter().map(|w| if w.is_finite() { w } else { 0.5 }).collect();
        if let Some(last) = values.last_mut() {
            *last = [f64::NAN, f64::INFINITY][rng.word() as usize % 2];
        }
        HostData::from_f64(arg.dtype, values)
    }
}

#[cfg(feature = "verify")]
/// Shapes for the checks: no value and one; tiles that are whole and not, more of them than a workgroup holds; rows that are
/// whole quads and not; sums longer than a run and than a chunk.
pub(crate) fn cases(make: impl Fn(DType, Rows, f64, OrthogonalSide) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    const SHAPES: [(usize, usize); 17] = [
        (1, 1),
        (0, 4),
        (5, 0),
        (1, 5),
        (5, 1),
        (2, 3),
        (4, 4),
        (3, 8),
        (8, 3),
        (17, 20),
        (33, 7),
        (6, 1030),
        (1030, 6),
        (4, 3000),
        (3000, 4),
        (72, 100),
        (90, 71),
    ];
    let mut out = Vec::new();
    for (i, (rows, cols)) in SHAPES.into_iter().enumerate() {
        for (k, gram) in [OrthogonalSide::Rows, OrthogonalSide::Columns, OrthogonalSide::Smaller].into_iter().enumerate() {
            // A long side makes a Gram matrix that small devices cannot bind.
            let side = if gram == OrthogonalSide::Rows { rows } else { cols };
            if side > 128 && gram != OrthogonalSide::Smaller {
                continue;
            }
            let lambda = [1e-2, 0.3, 0.0][if (i, k) == (9, 1) { 2 } else { i % 2 }];
            out.push(make(DType::FLOATS[(i + k) % 3], Rows::new(rows, cols), lambda, gram));
        }
    }
    out
}

#[cfg(feature = "verify")]
/// A square layer, and a convolution's filters. A Gram matrix takes as many products as elements times vectors: there are no
/// more than 256 and 64 of these, or the largest sizes would take hours on a CPU.
pub(crate) fn benches(
    elements: usize,
    make: impl Fn(DType, Rows, f64, OrthogonalSide) -> Box<dyn Verify>,
) -> Vec<Box<dyn Verify>> {
    let (square, filters) = (bench_shapes::vectors(elements, [256, 256]), bench_shapes::vectors(elements, [64, 576]));
    [(DType::F32, square), (DType::F32, filters), (DType::F16, filters)]
        .map(|(d, s)| make(d, s, 1e-4, OrthogonalSide::Rows))
        .into()
}
