//! The Huber loss. Kernel: `shaders/losses/huber_loss.wgsl` in `losses/parts/pairwise_loss`. Reference: `cpu::huber_loss`.
use super::shared::pairs::{self, PairLoss, Pairs, pair_loss};
use crate::{
    kernel,
    options::{HuberForm, LossReduction},
    types::{DType, Error},
    wgsl::Source,
};
#[cfg(feature = "verify")]
use crate::{
    op::Verify,
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The Huber loss of predictions p against targets t, and its gradient, in one pass. With d = p - t: ½·d² up to |d| = δ, and
/// δ·(|d| - ½·δ) beyond; or that divided by δ, PyTorch's `smooth_l1_loss`, whose β is δ.
///
/// Reads `pred` and `target` (len elements). Writes `loss`: f32\[1\], the mean (0 of nothing) or the sum, or f32\[len\] if
/// nothing is reduced; and with `grad` `dpred` (as `pred`): the gradient of `loss` (of its sum) times `grad_scale`. Partial
/// sums are added in a fixed order: results are the same bit for bit from run to run on a device, and however the tensor is
/// windowed. One dispatch for each window, one for an end that is no whole quad, and one for each level of the sum. Arithmetic
/// is f32 whatever the storage. A NaN makes its own gradient and the loss NaN, an infinity the loss infinite.
///
/// Huber, "Robust estimation of a location parameter", 1964; PyTorch's and optax's `huber_loss`; Girshick, "Fast R-CNN", 2015.
#[op(
    name = "huber_loss",
    summary = "Huber or smooth-L1 loss with its gradient, in one pass",
    formula = "L = mean of ½·d² where |d| < δ, else δ·(|d| - ½·δ); d = p - t (smooth_l1: divided by δ)"
)]
pub struct HuberLoss {
    /// How `pred`, `target` and `dpred` are stored.
    pub dtype: DType,
    /// Elements. May be 0.
    #[field(max = 2^34 - 4)]
    pub len: usize,
    /// δ, where the parabola ends: at least 1e-37. Only with [`HuberForm::SmoothL1`] it may be 0, which gives the absolute error.
    #[field(default = 1.0, min = 0, max = 1e37)]
    pub delta: f64,
    /// Whether the loss is divided by δ.
    #[field(default)]
    pub form: HuberForm,
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

impl HuberLoss {
    /// The mean of Huber's own form with δ = 1, with gradient.
    pub fn new(dtype: DType, len: usize) -> Self {
        Self::from_required(dtype, len)
    }
}

impl PairLoss for HuberLoss {
    const MAP: Source = kernel!("losses/huber_loss");

    fn pairs(&self) -> Pairs {
        let Self { dtype, len, reduction, grad, grad_scale, .. } = *self;
        Pairs { dtype, len, reduction, grad, grad_scale }
    }

    /// The parabola's curvature, where it ends, the slope beyond.
    fn words(&self) -> [f64; 3] {
        let delta = self.delta;
        match self.form {
            HuberForm::Huber => [1.0, delta, delta],
            HuberForm::SmoothL1 => [if delta > 0.0 { 1.0 / delta } else { 0.0 }, delta, 1.0],
        }
    }

    fn check(&self) -> Result<(), Error> {
        let or_zero = if self.form == HuberForm::Huber { "" } else { "0, or " };
        let zero = self.delta == 0.0 && self.form == HuberForm::SmoothL1;
        // The curvature of the one form is 1/δ.
        if zero || (1e-37..=1e37).contains(&self.delta) {
            return Ok(());
        }
        let why = format!("is {:?}, must be {or_zero}between 1e-37 and 1e37; 1 is usual", self.delta);
        Err(Error::argument(NAME, "delta", why))
    }

    #[cfg(feature = "verify")]
    fn exact(&self, p: f64, t: f64) -> (f64, f64) {
        reference::huber_loss(p, t, self.delta, self.form == HuberForm::SmoothL1)
    }

    #[cfg(feature = "verify")]
    fn errors(&self, d: Approx) -> [f64; 2] {
        let ([curve, knee, slope], e, least) = (self.words(), DType::F32.epsilon(), DType::F32.least_normal());
        let far = d.value.abs();
        // The difference, δ and 1/δ, two products (halving is exact); or the difference, δ twice, their difference, a product.
        let inner = [
            curve * d.error * (far + d.error) + 2.0 * e * curve * far * far + (2.0 + curve * far) * least,
            curve * (d.error + 2.0 * e * far) + least,
        ];
        let sign = d.sign().error;
        let outer = [slope * (d.error + 4.0 * e * (far + knee)) + least, slope * (2.0 * e + sign) + least];
        // Near the end of the parabola the kernel may be on either side; value and slope are the same there.
        match (far < 0.999 * knee, far > 1.001 * knee) {
            (true, _) => inner,
            (_, true) => outer,
            _ => [inner[0] + outer[0], inner[1] + outer[1]],
        }
    }
}

pair_loss!(HuberLoss);

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    pairs::cases(|i, dtype, len, reduction, grad| {
        let form = if i % 2 == 1 { HuberForm::SmoothL1 } else { HuberForm::Huber };
        let delta = match i % 7 {
            3 if form == HuberForm::SmoothL1 => 0.0,
            4 => 0.3,
            5 => 2.25,
            _ => 1.0,
        };
        Box::new(HuberLoss { dtype, len, delta, form, reduction, grad, grad_scale: if i % 5 == 3 { -2.5 } else { 1.0 } })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    pairs::benches(elements, |dtype, len| Box::new(HuberLoss::new(dtype, len)))
}
