//! Dropout, backward. Kernel: `shaders/dropouts/dropout_backward.wgsl` with a stored mask, else
//! `shaders/dropouts/dropout.wgsl`. Reference: `cpu::dropout_backward`.
#[cfg(feature = "verify")]
use super::shared::expected::{expected, kept, unpacked};
use super::{
    Dropout,
    shared::{self},
};
use crate::{
    kernel,
    op::{Arg, Caps, Lowered, Op},
    options::{Bits, Key, MaskMode, Scaling, Share},
    types::{DType, Error, HostData, Space},
    wgsl::Source,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Verify},
    verify::reference,
};
use ridgepole_derive::op;

/// The backward pass of [`Dropout`] in training: dx = m·dy/(1-p), with the mask m of the forward pass.
///
/// Reads `dy`, and `mask` if it was stored; writes `dx`. Fields as in the forward pass. Without a stored mask, the forward
/// kernel regenerates the mask from the same key, which takes no memory. Where p keeps all or nothing, `mask` is not read. No
/// scratch.
#[op(
    name = "dropout_backward",
    summary = "backward pass of dropout, with a regenerated or a stored mask",
    formula = "dx = m·dy/(1-p) (scale_at_test: dx = m·dy)",
    cases = DropoutBackward::cases,
    bench = DropoutBackward::bench
)]
pub struct DropoutBackward {
    /// How dy and dx are stored.
    pub dtype: DType,
    /// The shape.
    pub space: Space,
    /// The probability of dropping.
    #[field(min = 0, max = 1)]
    pub p: f64,
    /// What the mask was drawn from.
    pub key: Key,
    /// Which elements share a decision.
    #[field(default)]
    pub share: Share,
    /// As in the forward pass.
    #[field(default)]
    pub scaling: Scaling,
    /// Random bits per decision.
    #[field(default)]
    pub bits: Bits,
    /// Whether the forward pass stored the mask.
    #[field(default)]
    pub mask: MaskMode,
}

impl Dropout {
    /// The backward pass of this in training.
    pub fn backward(&self) -> DropoutBackward {
        let Self { dtype, space, p, key, share, scaling, bits, mask, .. } = *self;
        DropoutBackward { dtype, space, p, key, share, scaling, bits, mask }
    }
}

impl DropoutBackward {
    fn forward(&self) -> Dropout {
        let Self { dtype, space, p, key, share, scaling, bits, mask } = *self;
        Dropout { dtype, space, p, key, share, scaling, bits, mask, training: true }
    }

    /// The map whose kernel is `drawn` without a stored mask, and `stored` with one: dy, the mask, dx.
    pub(super) fn lowered(
        &self,
        op: &'static str,
        caps: &Caps,
        drawn: (Source, &'static str),
        stored: Source,
        args: &[Arg],
    ) -> Result<Lowered, Error> {
        let forward = self.forward();
        forward.masked(op).backward(caps, self.mask, drawn, stored, forward.factor(), args)
    }

    /// What dx must hold.
    #[cfg(feature = "verify")]
    pub(super) fn results(&self, args: &[HostData], one: fn(f64, bool, f64) -> f64) -> Vec<Expected> {
        let kept = match self.mask {
            MaskMode::Recompute => kept(&self.space, self.p, &self.key, self.share, self.bits),
            MaskMode::Store => unpacked(&args[1], self.space.len()),
        };
        let keep = reference::keep(self.p, if self.bits == Bits::Sixteen { 16 } else { 32 });
        let factor = if self.scaling == Scaling::Inverted { 1.0 / keep } else { 1.0 };
        vec![expected(&args[0], &kept, keep, keep == 1.0, factor, one)]
    }
}

impl Op for DropoutBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        shared::backward::backward_args(self.dtype, &self.space, self.mask)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let drawn = (kernel!("dropouts/dropout"), "dropout");
        self.lowered(NAME, caps, drawn, kernel!("dropouts/dropout_backward"), &self.args())
    }
}

#[cfg(feature = "verify")]
impl Verify for DropoutBackward {
    fn patterns(&self) -> Vec<Pattern> {
        self.forward().patterns()
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.results(args, reference::dropout_backward)
    }
}
