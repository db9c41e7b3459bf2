//! Mean squared error. Kernel: `shaders/losses/mse_loss.wgsl` in `losses/parts/pairwise_loss`. Reference: `cpu::mse_loss`.
use super::shared::pairs::{self, PairLoss, Pairs, pair_loss};
use crate::{
    kernel,
    options::{LossReduction, SquareForm},
    types::DType,
    wgsl::Source,
};
#[cfg(feature = "verify")]
use crate::{
    op::Verify,
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// Squared error of predictions p against targets t, (p - t)² or half of that, and its gradient, in one pass.
///
/// Reads `pred` and `target` (len elements). Writes `loss`: f32\[1\], the mean (0 of nothing) or the sum, or f32\[len\] if
/// nothing is reduced; and with `grad` `dpred` (as `pred`): the gradient of `loss` (of its sum) times `grad_scale`. Partial
/// sums are added in a fixed order: results are the same bit for bit from run to run on a device, and however the tensor is
/// windowed. One dispatch for each window, one for an end that is no whole quad, and one for each level of the sum. Arithmetic
/// is f32 whatever the storage. A NaN makes its own gradient and the loss NaN, an infinity the loss infinite.
///
/// PyTorch's `mse_loss` and optax's `squared_error` ([`SquareForm::Whole`]), optax's `l2_loss` ([`SquareForm::Half`]).
#[op(
    name = "mse_loss",
    summary = "squared error with its gradient, in one pass",
    formula = "L = mean of (p - t)² (half: ½·(p - t)²)"
)]
pub struct MseLoss {
    /// How `pred`, `target` and `dpred` are stored.
    pub dtype: DType,
    /// Elements. May be 0.
    #[field(max = 2^34 - 4)]
    pub len: usize,
    /// Whether squares are halved.
    #[field(default)]
    pub form: SquareForm,
    /// How the losses are reduced.
    #[field(default)]
    pub reduction: LossReduction,
    /// Whether `dpred` is written.
    #[field(default = true)]
    pub grad: bool,
    /// What `dpred` is multiplied by.
    #[field(default = 1.0)]
    pub grad_scale: f64,
}

impl MseLoss {
    /// The mean of whole squares, with gradient.
    pub fn new(dtype: DType, len: usize) -> Self {
        Self::from_required(dtype, len)
    }

    fn curve(&self) -> f64 {
        if self.form == SquareForm::Half { 0.5 } else { 1.0 }
    }
}

impl PairLoss for MseLoss {
    const MAP: Source = kernel!("losses/mse_loss");

    fn pairs(&self) -> Pairs {
        let Self { dtype, len, reduction, grad, grad_scale, .. } = *self;
        Pairs { dtype, len, reduction, grad, grad_scale }
    }

    fn words(&self) -> [f64; 3] {
        [self.curve(), 0.0, 0.0]
    }

    #[cfg(feature = "verify")]
    fn exact(&self, p: f64, t: f64) -> (f64, f64) {
        reference::mse_loss(p, t, self.curve())
    }

    #[cfg(feature = "verify")]
    fn errors(&self, d: Approx) -> [f64; 2] {
        let (c, e, least) = (self.curve(), DType::F32.epsilon(), DType::F32.least_normal());
        // The square has the difference's error twice, then rounds, twice with the half; doubling is exact.
        let value = c * d.error * (2.0 * d.value.abs() + d.error) + 2.0 * e * c * d.value * d.value * (1.0 + e) + 2.0 * least;
        [value, 2.0 * c * d.error + least]
    }
}

pair_loss!(MseLoss);

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    pairs::cases(|i, dtype, len, reduction, grad| {
        let form = if i % 4 == 1 { SquareForm::Half } else { SquareForm::Whole };
        let grad_scale = if i % 5 == 3 { -2.5 } else { 1.0 };
        Box::new(MseLoss { dtype, len, form, reduction, grad, grad_scale })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    pairs::benches(elements, |dtype, len| Box::new(MseLoss::new(dtype, len)))
}
