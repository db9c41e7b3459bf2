//! The value of soft orthogonality. Kernels: `lib/matmul/product`, `shaders/penalties/orthogonal_penalty.wgsl`, `lib/reduce/level`.
//! Reference: `cpu::orthogonal_penalty`.
#[cfg(feature = "verify")]
use crate::op::{Expected, Pattern, Rng, Verify};
use crate::{
    kernel,
    kernels::reduce::{Monoid, Partials},
    op::{Arg, Caps, Lowered, Op},
    ops::penalties::shared::orthogonality::{self, Orthogonality},
    options::OrthogonalSide,
    types::{DType, Error, HostData, Rows},
};
use ridgepole_derive::op;

/// The soft-orthogonality penalty λ·‖W·Wᵀ - I‖² (the Frobenius norm), which measures how far the rows of a weight are from
/// orthonormal; or λ·‖Wᵀ·W - I‖² for its columns.
///
/// Reads `weight` W (rows·cols elements, row after row; for a convolution rows are its filters and cols the rest), writes
/// `value`, f32\[1\]. The Gram matrix is formed in scratch, in f32, and the squared entries of W·Wᵀ - I are summed, so
/// nothing cancels. Sums are formed in a fixed order: deterministic. A λ of 0 gives 0; otherwise a NaN in W makes the value
/// NaN, and an infinity NaN or infinite. Needs 3 dispatches or a few more, n²·inner multiplications and additions for n
/// vectors of `inner` values (half of the n² entries are computed, the others are copies), and scratch of 4·n² bytes, a few
/// times that where n is small and vectors are long. A device must be able to bind the weight and 4·n² bytes, each at once.
///
/// Error: that of a sum of f32 squares, and of the sums that are squared, relative to their magnitudes.
///
/// Brock, Lim, Ritchie and Weston, "Neural Photo Editing with Introspective Adversarial Networks", 2017; Bansal, Chen and
/// Wang, "Can We Gain More from Orthogonality Regularizations in Training Deep Networks?", 2018 (soft orthogonality). Keras'
/// `OrthogonalRegularizer` is a different penalty: the mean of |cosine| over pairs of vectors, whatever their lengths.
#[op(
    name = "orthogonal_penalty",
    summary = "soft-orthogonality penalty: how far the rows or columns of a weight are from orthonormal",
    formula = "Ω = λ·‖W·Wᵀ - I‖²"
)]
pub struct OrthogonalPenalty {
    /// How the weight is stored.
    pub dtype: DType,
    /// Rows of the weight. May be 0.
    pub rows: usize,
    /// Columns of the weight. May be 0; rows·cols is at most 2^34 - 4.
    pub cols: usize,
    /// λ, which multiplies the penalty.
    #[field(min = 0, max = 1e37)]
    pub lambda: f64,
    /// Which vectors are to be orthonormal.
    #[field(default)]
    pub gram: OrthogonalSide,
}

impl OrthogonalPenalty {
    /// Of the rows.
    pub fn new(dtype: DType, rows: usize, cols: usize, lambda: f64) -> Self {
        Self::from_required(dtype, rows, cols, lambda)
    }

    fn what(&self) -> Orthogonality {
        let Self { dtype, rows, cols, lambda, gram } = *self;
        Orthogonality { op: NAME, dtype, of: Rows::new(rows, cols), lambda, gram }
    }
}

impl Op for OrthogonalPenalty {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![Arg::read("weight", self.dtype, self.what().of.len()), Arg::write("value", DType::F32, 1)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        let (args, what, mut out) = (self.args(), self.what(), Lowered::default());
        what.check(&args[0])?;
        if self.lambda == 0.0 {
            // The sum of nothing.
            Partials::new(NAME, &mut out, caps, Monoid::SUM, 1, 0)?.into_arg(&mut out, caps, 1, &args[1]);
            return Ok(out);
        }
        let chunks = what.append_gram(&mut out, caps, &args)?;
        what.append_value(&mut out, caps, &args, &chunks, kernel!("penalties/orthogonal_penalty"))?;
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for OrthogonalPenalty {
    fn reference_bytes(&self) -> u64 {
        self.what().reference_bytes()
    }

    fn patterns(&self) -> Vec<Pattern> {
        self.what().patterns()
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.what().fill(arg, rng, pattern, self.domain(arg))
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        vec![self.what().expected_value(&args[0].to_f64())]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    orthogonality::cases(|dtype, Rows { rows, cols }, lambda, gram| {
        Box::new(OrthogonalPenalty { dtype, rows, cols, lambda, gram })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    orthogonality::benches(elements, |dtype, Rows { rows, cols }, lambda, gram| {
        Box::new(OrthogonalPenalty { dtype, rows, cols, lambda, gram })
    })
}
