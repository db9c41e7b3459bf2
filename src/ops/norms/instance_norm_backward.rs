//! The gradient of instance normalisation. Kernels: `shaders/lib/channels/line_backward.wgsl` where channels stay on the chip, else
//! `shaders/lib/channels/line_merge.wgsl` with `shaders/norms/instance_norm_backward.wgsl`. Reference: `cpu::instance_norm_backward`.
use super::InstanceNorm;
use crate::{
    kernel,
    kernels::channels::{self, ChannelGroups, group_backward_args},
    op::{Arg, ByName, Caps, Lowered, Op, check_float},
    types::{DType, Error, HostData, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Verify},
    verify::reference,
};
use ridgepole_derive::op;

/// The backward pass of [`InstanceNorm`](super::InstanceNorm): with x̂ = (x - μ)·rstd, dx = γ·rstd·(dy - (Σdy + x̂·Σdy·x̂)/s)
/// with sums over the channel's positions in the sample; dγ = Σdy·x̂ and dβ = Σdy over samples and positions.
///
/// Reads `x` and `dy` (n·c·s elements), `mean` and `rstd` as the forward op wrote them (n·c values, f32) and `weight` γ (c, f32;
/// absent: 1). Writes `dx` (as `x`), and `dweight` and `dbias` (c, f32; 0 for an empty tensor) where there is a γ or β. Precision,
/// determinism, values that are not finite, dispatches and limits are those of [`GroupNormBackward`](super::GroupNormBackward), by
/// channel of a sample, which must have at least two positions, or none.
#[op(
    name = "instance_norm_backward",
    summary = "backward pass of instance_norm, to input, γ and β",
    formula = "dx = γ·rstd·(dy - (Σdy + x̂·Σdy·x̂)/s), the sums over a sample's channel"
)]
pub struct InstanceNormBackward {
    /// The forward op.
    #[field(flatten, without = [eps])]
    pub forward: InstanceNorm,
}

impl InstanceNormBackward {
    /// With γ and β.
    pub fn new(dtype: DType, space: Space) -> Self {
        InstanceNorm::new(dtype, space).into()
    }

    fn groups(&self) -> Result<ChannelGroups, Error> {
        ChannelGroups::instances(NAME, &self.forward.space)
    }
}

impl Op for InstanceNormBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let of = &self.forward;
        group_backward_args(of.dtype, &of.space, of.space.c, of.weight, of.bias)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (groups, args) = (self.groups()?, self.args());
        check_float(NAME, args.arg("x"))?;
        groups.backward(caps, &args, kernel!("norms/instance_norm_backward"))
    }
}

#[cfg(feature = "verify")]
impl Verify for InstanceNormBackward {
    channels::draws!(self.forward, self.forward.space);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let formula = |x: &[f64], dy: &[f64], [mean, rstd]: [f64; 2], w: &[f64]| {
            let (dx, dweight, dbias) = reference::instance_norm_backward(x, dy, mean, rstd, w[0]);
            (dx, vec![dweight], vec![dbias])
        };
        self.groups().expect("valid").gradients(self, args, formula)
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::instances(|i, dtype, space| {
        let forward = InstanceNorm { weight: i % 3 != 1, bias: i % 5 < 3, ..InstanceNorm::new(dtype, space) };
        Box::new(InstanceNormBackward::from(forward))
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::group_benches(elements, |dtype, space| Box::new(InstanceNormBackward::new(dtype, space)))
}
