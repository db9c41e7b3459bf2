//! Absolute error. Kernel: `shaders/losses/l1_loss.wgsl` in `losses/parts/pairwise_loss`. Reference: `cpu::l1_loss`.
use super::shared::pairs::{self, PairLoss, Pairs, pair_loss};
use crate::{kernel, options::LossReduction, types::DType, wgsl::Source};
#[cfg(feature = "verify")]
use crate::{
    op::Verify,
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// Absolute error of predictions p against targets t, |p - t|, and its gradient, in one pass. The gradient is 0 where they
/// are equal.
///
/// Reads `pred` and `target` (len elements). Writes `loss`: f32\[1\], the mean (0 of nothing) or the sum, or f32\[len\] if
/// nothing is reduced; and with `grad` `dpred` (as `pred`): the gradient of `loss` (of its sum) times `grad_scale`. Partial
/// sums are added in a fixed order: results are the same bit for bit from run to run on a device, and however the tensor is
/// windowed. One dispatch for each window, one for an end that is no whole quad, and one for each level of the sum. Arithmetic
/// is f32 whatever the storage. A NaN makes its own gradient and the loss NaN, an infinity the loss infinite.
///
/// PyTorch's `l1_loss`; the mean absolute error.
#[op(name = "l1_loss", summary = "absolute error with its gradient, in one pass", formula = "L = mean of |p - t|")]
pub struct L1Loss {
    /// How `pred`, `target` and `dpred` are stored.
    pub dtype: DType,
    /// Elements. May be 0.
    #[field(max = 2^34 - 4)]
    pub len: usize,
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

impl L1Loss {
    /// The mean, with gradient.
    pub fn new(dtype: DType, len: usize) -> Self {
        Self::from_required(dtype, len)
    }
}

impl PairLoss for L1Loss {
    const MAP: Source = kernel!("losses/l1_loss");

    fn pairs(&self) -> Pairs {
        let Self { dtype, len, reduction, grad, grad_scale, .. } = *self;
        Pairs { dtype, len, reduction, grad, grad_scale }
    }

    #[cfg(feature = "verify")]
    fn exact(&self, p: f64, t: f64) -> (f64, f64) {
        reference::l1_loss(p, t)
    }

    #[cfg(feature = "verify")]
    fn errors(&self, d: Approx) -> [f64; 2] {
        [d.error, d.sign().error]
    }
}

pair_loss!(L1Loss);

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    pairs::cases(|i, dtype, len, reduction, grad| {
        Box::new(L1Loss { dtype, len, reduction, grad, grad_scale: if i % 5 == 3 { -2.5 } else { 1.0 } })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    pairs::benches(elements, |dtype, len| Box::new(L1Loss::new(dtype, len)))
}
