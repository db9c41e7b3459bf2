//! Gaussian dropout, backward. Kernel: `shaders/dropouts/gaussian_dropout_backward.wgsl`. Reference:
//! `cpu::gaussian_dropout_backward`.
use super::GaussianDropout;
use crate::{
    kernel,
    op::{Arg, ByName, Caps, Lowered, Op},
    types::Error,
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
    /// The forward op.
    #[field(flatten, without = [training])]
    pub forward: GaussianDropout,
}

impl GaussianDropout {
    /// The backward pass of this in training.
    pub fn backward(&self) -> GaussianDropoutBackward {
        GaussianDropoutBackward { forward: self.held() }
    }

    /// As the backward op holds it: what does not matter there is at its default.
    fn held(&self) -> Self {
        Self { training: true, ..self.clone() }
    }
}

impl Op for GaussianDropoutBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let GaussianDropout { dtype, space, .. } = self.forward;
        vec![Arg::read("dy", dtype, space.len()), Arg::write("dx", dtype, space.len())]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let args = self.args();
        let kernel = (kernel!("dropouts/gaussian_dropout_backward"), NAME);
        self.forward.held().noised(NAME)?.lower(caps, kernel, [args.at("dy"), args.at("dx")])
    }
}

#[cfg(feature = "verify")]
impl Verify for GaussianDropoutBackward {
    fn patterns(&self) -> Vec<Pattern> {
        self.forward.held().patterns()
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.forward.held().results(Contents::new(self.args(), args).get("dy"), reference::gaussian_dropout_backward)
    }
}
