//! Instance normalisation. Kernels: `shaders/lib/rows/row_forward.wgsl` where channels stay on the chip, else `shaders/lib/channels/line_merge.wgsl`
//! with `shaders/norms/instance_norm.wgsl`. Reference: `cpu::instance_norm`.
use crate::{
    kernel,
    kernels::channels::{self, ChannelGroups, group_args},
    op::{Arg, ByName, Caps, Lowered, Op, check_float},
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Verify},
    verify::reference,
};
use ridgepole_derive::op;

/// Instance norm: y = γ·(x - μ)/√(σ² + ε) + β, with the mean μ and the biased variance σ² of each channel of each sample,
/// over its positions; γ and β are per channel. [`GroupNorm`](super::GroupNorm) with a group per channel.
///
/// Reads `x` (n·c·s elements), `weight` γ (c values, f32; absent: 1) and `bias` β (c, f32; absent: 0). Writes `y` (as `x`), and
/// for the backward pass `mean` μ and `rstd` 1/√(σ² + ε) (n·c, f32, sample after sample). Precision, determinism, values that are
/// not finite and limits are those of [`GroupNorm`](super::GroupNorm), by channel of a sample; so are the dispatches.
///
/// A channel of a sample must have at least two positions, or none: with one, y would be β whatever x is, and PyTorch refuses
/// that too. There are no running statistics; with fixed statistics use [`BatchNormInference`](super::BatchNormInference).
///
/// Ulyanov, Vedaldi and Lempitsky, "Instance Normalization: The Missing Ingredient for Fast Stylization", 2016; PyTorch's
/// `instance_norm` (whose modules have neither γ nor β unless asked), Flax's `InstanceNorm` (whose ε is 1e-6).
#[op(
    name = "instance_norm",
    summary = "instance norm: normalises each channel of each sample by its mean and variance",
    formula = "y = γ·(x - μ)/√(σ² + ε) + β, the statistics of a sample and channel"
)]
pub struct InstanceNorm {
    /// How `x` and `y`, and their gradients, are stored.
    pub dtype: DType,
    /// Their shape.
    pub space: Space,
    /// ε, added to the variance inside the root.
    #[field(default = 1e-5, min = 0)]
    pub eps: f64,
    /// Whether there is a γ.
    #[field(default = true)]
    pub weight: bool,
    /// Whether there is a β.
    #[field(default = true)]
    pub bias: bool,
}

impl InstanceNorm {
    /// With ε = 1e-5, γ and β.
    pub fn new(dtype: DType, space: Space) -> Self {
        Self::from_required(dtype, space)
    }

    fn groups(&self) -> Result<ChannelGroups, Error> {
        ChannelGroups::instances(NAME, &self.space)
    }
}

impl Op for InstanceNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        group_args(self.dtype, &self.space, self.space.c, self.weight, self.bias)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (groups, args) = (self.groups()?, self.args());
        check_float(NAME, args.arg("x"))?;
        channels::check_eps(NAME, self.eps)?;
        groups.forward(caps, &args, kernel!("norms/instance_norm"), self.eps)
    }
}

#[cfg(feature = "verify")]
impl Verify for InstanceNorm {
    channels::draws!(self, self.space, self.groups().expect("valid").fill);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let formula = |x: &[f64], w: &[f64], b: &[f64]| reference::instance_norm(x, w[0], b[0], self.eps);
        self.groups().expect("valid").expected(self, args, self.eps, formula)
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::instances(|i, dtype, space| {
        // With eps 0 the inverse deviation of a nearly constant channel has no digit that is sure: not for halves.
        let eps = if i % 5 == 2 && dtype == DType::F32 { 0.0 } else { 1e-5 };
        Box::new(InstanceNorm { eps, weight: i % 3 != 1, bias: i % 5 < 3, ..InstanceNorm::new(dtype, space) })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::group_benches(elements, |dtype, space| Box::new(InstanceNorm::new(dtype, space)))
}
