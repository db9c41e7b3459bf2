//! Gaussian dropout, backward. Kernel: `shaders/dropouts/gaussian_dropout_backward.wgsl`. Reference:
//! `cpu::gaussian_dropout_backward`.
use super::GaussianDropout;
use crate::{
    kernel,
    op::{Arg, ByName, Caps, Lowered, Op},
    options::{Key, Share},
    types::{DType, Error, Space},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Verify},
    types::HostData,
    verify::reference,
};
use ridgepole_derive::op;

/// The backward pass of [`GaussianDropout`] in training: dx = dy·(1 + √(p/(1-p))·z), with the numbers z of the forward pass.
///
/// Reads `dy`, writes `dx`. Fields as in the forward pass. The forward kernel regenerates the numbers from the same key,
/// which takes no memory. p = 0 copies. No scratch. Deterministic. Error and dispatches as those of the forward pass.
#[op(
    name = "gaussian_dropout_backward",
    summary = "backward pass of Gaussian dropout, with regenerated noise",
    formula = "dx = dy·(1 + √(p/(1-p))·z), z standard normal",
    cases = GaussianDropoutBackward::cases,
    bench = GaussianDropoutBackward::bench
)]
pub struct GaussianDropoutBackward {
    /// How dy and dx are stored.
    pub dtype: DType,
    /// The shape.
    pub space: Space,
    /// The rate, of which the variance of the factor is p/(1-p).
    #[field(min = 0, below = 1)]
    pub p: f64,
    /// What the numbers were drawn from.
    pub key: Key,
    /// Which elements share a number.
    #[field(default)]
    pub share: Share,
}

impl GaussianDropout {
    /// The backward pass of this in training.
    pub fn backward(&self) -> GaussianDropoutBackward {
        let Self { dtype, space, p, key, share, .. } = *self;
        GaussianDropoutBackward { dtype, space, p, key, share }
    }
}

impl GaussianDropoutBackward {
    fn forward(&self) -> GaussianDropout {
        let Self { dtype, space, p, key, share } = *self;
        GaussianDropout { dtype, space, p, key, share, training: true }
    }
}

impl Op for GaussianDropoutBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let Self { dtype, space, .. } = self;
        vec![Arg::read("dy", *dtype, space.len()), Arg::write("dx", *dtype, space.len())]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let args = self.args();
        let kernel = (kernel!("dropouts/gaussian_dropout_backward"), NAME);
        self.forward().noised(NAME)?.lower(caps, kernel, [args.at("dy"), args.at("dx")])
    }
}

#[cfg(feature = "verify")]
impl Verify for GaussianDropoutBackward {
    fn patterns(&self) -> Vec<Pattern> {
        self.forward().patterns()
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.forward().results(Contents::new(self.args(), args).get("dy"), reference::gaussian_dropout_backward)
    }
}
