//! The gradient of soft orthogonality, added to a gradient. Kernels: `lib/matmul/product`,
//! `shaders/penalties/orthogonal_penalty_grad.wgsl`. Reference: `cpu::orthogonal_penalty_grad`.
#[cfg(feature = "verify")]
use crate::op::{Expected, Pattern, Rng, Verify};
use crate::{
    kernel,
    op::{Arg, Caps, Lowered, Op},
    ops::penalties::shared::orthogonality::{self, Orthogonality},
    options::OrthogonalSide,
    types::{DType, Error, HostData, Rows},
};
use ridgepole_derive::op;

/// Adds the gradient of [`OrthogonalPenalty`](super::OrthogonalPenalty), 4λ·(W·Wᵀ - I)·W, to the loss gradient; or
/// 4λ·W·(Wᵀ·W - I) for columns.
///
/// Reads `weight` W (rows·cols elements, row after row), updates `grad` (as W) in place. Sums are formed in f32 and in a
/// fixed order: deterministic. A λ of 0 leaves the gradient unchanged; otherwise a NaN or infinity in W reaches all of the
/// gradient, through the Gram matrix. Three dispatches, a few more where cols is no multiple of 4; three times the
/// multiplications and additions of the value. Scratch: the Gram matrix, as there, and a product as large as W in f32 where
/// cols is no multiple of 4. A device must be able to bind the weight, and these two, at once.
///
/// Error: that of the Gram matrix and of a product of f32, relative to the sums of magnitudes; then the storage type's rounding.
#[op(
    name = "orthogonal_penalty_grad",
    summary = "gradient of orthogonal_penalty, added to the loss gradient",
    formula = "g += 4λ·(W·Wᵀ - I)·W"
)]
pub struct OrthogonalPenaltyGrad {
    /// How weight and gradient are stored.
    pub dtype: DType,
    /// Rows of the weight. May be 0.
    pub rows: usize,
    /// Columns of the weight. May be 0; rows·cols is at most 2^34 - 4.
    pub cols: usize,
    /// λ, which multiplies the penalty.
    #[field(min = 0, max = 1e37)]
    pub lambda: f64,
    /// Which vectors are to be orthonormal. The gradient is the same for all, and the work least for [`OrthogonalSide::Smaller`].
    #[field(default)]
    pub gram: OrthogonalSide,
}

impl OrthogonalPenaltyGrad {
    /// Of the rows.
    pub fn new(dtype: DType, rows: usize, cols: usize, lambda: f64) -> Self {
        Self::from_required(dtype, rows, cols, lambda)
    }

    fn what(&self) -> Orthogonality {
        let Self { dtype, rows, cols, lambda, gram } = *self;
        Orthogonality { op: NAME, dtype, of: Rows::new(rows, cols), lambda, gram }
    }
}

impl Op for OrthogonalPenaltyGrad {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.what().of.len();
        vec![Arg::read("weight", self.dtype, len), Arg::update("grad", self.dtype, len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        let (args, what, mut out) = (self.args(), self.what(), Lowered::default());
        what.check(&args[0])?;
        if self.lambda == 0.0 || args[0].len == 0 {
            return Ok(out);
        }
        let chunks = what.append_gram(&mut out, caps, &args)?;
        what.append_gradient(&mut out, caps, &args, &chunks, kernel!("penalties/orthogonal_penalty_grad"))?;
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for OrthogonalPenaltyGrad {
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
        vec![self.what().expected_gradient(&args[0].to_f64(), args[1].to_f64())]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    orthogonality::cases(|dtype, Rows { rows, cols }, lambda, gram| {
        Box::new(OrthogonalPenaltyGrad { dtype, rows, cols, lambda, gram })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    orthogonality::benches(elements, |dtype, Rows { rows, cols }, lambda, gram| {
        Box::new(OrthogonalPenaltyGrad { dtype, rows, cols, lambda, gram })
    })
}
