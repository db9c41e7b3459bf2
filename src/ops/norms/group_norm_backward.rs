//! The gradient of group normalisation. Kernels: `shaders/lib/channels/line_backward.wgsl` where groups stay on the chip, else
//! `shaders/lib/channels/line_merge.wgsl` with `shaders/norms/group_norm_backward.wgsl`. Reference: `cpu::group_norm_backward`.
use super::GroupNorm;
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

/// The backward pass of [`GroupNorm`](super::GroupNorm): with x̂ = (x - μ)·rstd, g = γ_c·dy and m values in a group, dx =
/// rstd·(g - (Σg + x̂·Σg·x̂)/m) with sums over the sample's group; dγ_c = Σdy·x̂ and dβ_c = Σdy over samples and positions.
///
/// Reads `x` and `dy` (n·c·s elements), `mean` and `rstd` as the forward op wrote them (n·groups values, f32) and `weight` γ (c,
/// f32; absent: 1). Writes `dx` (as `x`), and `dweight` and `dbias` (c, f32; 0 for an empty tensor) where there is a γ or β. One
/// pass over x and dy sums every channel of every sample; from that come the sums of the groups and, over the samples, dγ and dβ,
/// in a fixed order: results are the same bit for bit from run to run on a device. One dispatch reads x and dy once and writes dx,
/// and another adds the sums if there is a γ or β, where the channels of a group lie one behind the other and are whole quads (channels
/// first, or c = 1; s a multiple of 4) and a group fits a workgroup: on a GPU 256 channels, and 4096 values or, where the number of
/// channels and s are near powers of two, up to 8192; on a software device as in [`GroupNorm`](super::GroupNorm). Else four, three if
/// there is neither γ nor β. More for many samples and for tensors beyond the binding limit.
///
/// Error: that of a tree of f32 sums, relative to the sums of magnitudes; x - μ is formed first, from a mean rounded to f32. A NaN
/// or infinity makes its group of `dx`, and its channel of `dweight` and `dbias`, NaN or infinite, and nothing else; one in `x`
/// alone leaves `dbias` finite. Fewer than 2^32 elements; a device must be able to bind 32 bytes for each channel of a sample, or 16
/// and as many for each run of some hundred positions.
#[op(
    name = "group_norm_backward",
    summary = "backward pass of group_norm, to input, γ and β",
    formula = "dx = rstd·(γ·dy - (Σγ·dy + x̂·Σγ·dy·x̂)/m), the sums over a sample's group"
)]
pub struct GroupNormBackward {
    /// The forward op.
    #[field(flatten, without = [eps])]
    pub forward: GroupNorm,
}

impl GroupNormBackward {
    /// With γ and β.
    pub fn new(dtype: DType, space: Space, groups: usize) -> Self {
        GroupNorm::new(dtype, space, groups).into()
    }

    fn groups(&self) -> Result<ChannelGroups, Error> {
        ChannelGroups::checked(NAME, &self.forward.space, self.forward.groups)
    }
}

impl Op for GroupNormBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let of = &self.forward;
        group_backward_args(of.dtype, &of.space, of.groups, of.weight, of.bias)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (groups, args) = (self.groups()?, self.args());
        check_float(NAME, args.arg("x"))?;
        groups.backward(caps, &args, kernel!("norms/group_norm_backward"))
    }
}

#[cfg(feature = "verify")]
impl Verify for GroupNormBackward {
    channels::draws!(self.forward, self.forward.space);

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let formula =
            |x: &[f64], dy: &[f64], [mean, rstd]: [f64; 2], w: &[f64]| reference::group_norm_backward(x, dy, mean, rstd, w);
        self.groups().expect("valid").gradients(self, args, formula)
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    channels::grouped(|i, dtype, space, groups| {
        let forward = GroupNorm { weight: i % 3 != 1, bias: i % 5 < 3, ..GroupNorm::new(dtype, space, groups) };
        Box::new(GroupNormBackward::from(forward))
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    channels::group_benches(elements, |dtype, space| Box::new(GroupNormBackward::new(dtype, space, 32)))
}
