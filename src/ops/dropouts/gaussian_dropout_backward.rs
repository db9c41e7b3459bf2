//! Gaussian dropout, backward. Kernel: `shaders/dropouts/gaussian_dropout_backward.wgsl`. Reference:
//! `cpu::gaussian_dropout_backward`.
use super::{GaussianDropout, gaussian_dropout, shared::fields};
use crate::{
    kernel,
    op::{Arg, Caps, Entry, Expected, Field, Lowered, Op, Pattern},
    options::{Key, MaskMode, Share},
    types::{DType, Error, HostData, Space},
    verify::reference,
};
use serde::{Deserialize, Serialize};

/// The backward pass of [`GaussianDropout`] in training: dx = dy·(1 + √(p/(1-p))·z), with the numbers z of the forward pass.
///
/// Reads `dy`, writes `dx`. Fields as in the forward pass. The forward kernel regenerates the numbers from the same key,
/// which takes no memory. p = 0 copies. No scratch. Deterministic. Error and dispatches as those of the forward pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianDropoutBackward {
    /// How dy and dx are stored.
    pub dtype: DType,
    /// The shape.
    pub space: Space,
    /// 0 included, to 1, excluded: the variance is p/(1-p).
    pub p: f64,
    /// What the numbers were drawn from.
    pub key: Key,
    /// Which elements share a number.
    #[serde(default)]
    pub share: Share,
}

const NAME: &str = "gaussian_dropout_backward";

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
        fields::backward_args(self.dtype, &self.space, MaskMode::Recompute)
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let args = self.args();
        let kernel = (kernel!("dropouts/gaussian_dropout_backward"), NAME);
        let steps = self.forward().noised(NAME)?.steps(caps, kernel, [(0, &args[0]), (1, &args[1])])?;
        Ok(Lowered { steps, ..Default::default() })
    }

    fn patterns(&self) -> Vec<Pattern> {
        self.forward().patterns()
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.forward().results(&args[0], reference::gaussian_dropout_backward)
    }
}

pub(super) const ENTRY: Entry = Entry {
    name: NAME,
    summary: "backward pass of Gaussian dropout, with regenerated noise",
    formula: "dx = dy·(1 + √(p/(1-p))·z), z standard normal",
    fields: &[
        Field { name: "dtype", default: "", about: "storage of dy and dx: f32, f16 or bf16" },
        fields::SPACE,
        gaussian_dropout::P,
        fields::KEY_FIELD,
        gaussian_dropout::SHARE,
    ],
    cases: GaussianDropoutBackward::cases,
    bench: GaussianDropoutBackward::bench,
    parse: crate::op::parse::<GaussianDropoutBackward>,
};
