//! Group normalisation. Kernels: `shaders/lib/rows/row_forward.wgsl` where groups stay on the chip, else `shaders/lib/channels/line_merge.wgsl` with
//! `shaders/norms/group_norm.wgsl`. Reference: `cpu::group_norm`.
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

/// Group norm: y = γ_c·(x - μ)/√(σ² + ε) + β_c, with the mean μ and the biased variance σ² of each group of c/groups
/// neighbouring channels of each sample, over all their positions; γ and β are per channel.
///
/// Reads `x` (n·c·s elements), `weight` γ (c values, f32; absent: 1) and `bias` β (c, f32; absent: 0). Writes `y` (as `x`),
/// and for the backward pass `mean` μ and `rstd` 1/√(σ² + ε) (n·groups, f32, sample after sample). Statistics are gathered in
/// chunks of fixed size, relative to a value of the chunk, and merged in a fixed order, so results are the same bit for bit
/// from run to run on a device, and σ² is exactly 0 for a constant group. One dispatch that reads x once where the values of
/// a group lie one behind the other (channels first, or s = 1), are whole quads and fit a workgroup (c/groups·s a multiple of
/// 4 and at most 16,384; a software device also wants 16 groups for each lane of a workgroup, with as many values at once as
/// its cache holds); else three, and more for long groups and for groups of very many channels, channels last. More for
/// tensors beyond the binding limit.
///
/// A group with a NaN or an infinity, or whose squared deviations overflow f32, becomes NaN in `y`, `mean` and `rstd`; other
/// groups are unaffected. Where σ² + ε is 0, 1/√ is taken as 0. A group may have one value: y is β then (PyTorch refuses that
/// for a single sample). Without positions, `mean` is 0 and σ² is 0. One group is layer norm over all but the batch with γ
/// and β per channel, c groups are [`InstanceNorm`](super::InstanceNorm). Fewer than 2^32 elements; a device must be able to
/// bind 32 bytes per sample and group (4 with one dispatch), and channels last 16 for each channel of a sample and run of
/// some hundred positions.
///
/// Wu and He, "Group Normalization", 2018; PyTorch's `group_norm`, Flax's `GroupNorm` (whose ε is 1e-6), Keras'
/// `GroupNormalization` (whose ε is 1e-3).
#[op(
    name = "group_norm",
    summary = "group norm: normalises groups of channels of each sample by their mean and variance",
    formula = "y = γ·(x - μ)/√(σ² + ε) + β, the statistics of a sample and group"
)]
pub struct GroupNorm {
    /// How `x` and `y`, and their gradients, are stored.
    pub dtype: DType,
    /// Their shape.
    pub space: Space,
    /// Groups of channels that are normalised together; a divisor of c.
    #[field(min = 1)]
    pub groups: usize,
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

impl GroupNorm {
    /// With ε = 1e-5, γ and β.
    pub fn new(dtype: DType, space: Space, groups: usize) -> Self {
        Self::from_required(dtype, space, groups)
    }

    fn groups(&self) -> Result<ChannelGroups, Error> {
        ChannelGroups::checked(NAME, &self.space, self.groups)
    }
}

impl Op for GroupNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        group_args(self.dtype, &self.space, self.groups, self.weight, self.bias)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (groups, args) = (self.groups()?, self.args());
        check_float(NAME, args.arg("x"))?;
        channels::check_eps(NAME, self.eps)?;
        groups.forward(caps, &args, kernel!("norms/group_norm"), self.eps)
    }
}

#[cfg(feature = "verify")]
impl Verify for GroupNorm {
    channels::draws!(self, self.space, self.groups().expect("valid").fill);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let formula = |x: &[f64], w: &[f64], b: &[f64]| reference::group_norm(x, w, b, self.eps);
        self.groups().expect("valid").expected(self, args, self.eps, formula)
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::grouped(|i, dtype, space, groups| {
        // With eps 0 the inverse deviation of a nearly constant group has no digit that is sure: not for halves.
        let eps = if i % 5 == 2 && dtype == DType::F32 { 0.0 } else { 1e-5 };
        Box::new(GroupNorm { eps, weight: i % 3 != 1, bias: i % 5 < 3, ..GroupNorm::new(dtype, space, groups) })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::group_benches(elements, |dtype, space| Box::new(GroupNorm::new(dtype, space, 32)))
}
