//! Alpha dropout, backward. Kernel: `shaders/dropouts/alpha_dropout_backward.wgsl` with a stored mask, else
//! `shaders/dropouts/dropout.wgsl`. Reference: `cpu::alpha_dropout_backward`.
use super::AlphaDropout;
#[cfg(feature = "verify")]
use super::shared::expected::within;
use crate::{
    kernel,
    op::{Arg, Caps, Lowered, Op},
    types::Error,
    verify::reference,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Verify},
    types::HostData,
    verify::Approx,
};
use ridgepole_derive::op;

/// The backward pass of [`AlphaDropout`] in training: dx = m·a·dy, with the mask m of the forward pass.
///
/// Reads `dy`, and `mask` if it was stored; writes `dx`. Fields as in the forward pass. Without a stored mask the kernel is
/// that of [`Dropout`](super::Dropout) with the factor a. p = 1 gives zeros, p = 0 copies; `mask` is not read then. No
/// scratch. Deterministic.
///
/// Error: a, rounded to f32, and one product; the rounding of the storage type.
#[op(
    name = "alpha_dropout_backward",
    summary = "backward pass of alpha dropout, with a regenerated or a stored mask",
    formula = "dx = m·a·dy, a = ((1-p)(1 + p·α'²))^-½",
    cases = AlphaDropoutBackward::cases,
    bench = AlphaDropoutBackward::bench
)]
pub struct AlphaDropoutBackward {
    /// The forward op.
    #[field(flatten, without = [training])]
    pub forward: AlphaDropout,
}

impl AlphaDropout {
    /// The backward pass of this in training.
    pub fn backward(&self) -> AlphaDropoutBackward {
        AlphaDropoutBackward { forward: self.held() }
    }

    /// As the backward op holds it: what does not matter there is at its default.
    fn held(&self) -> Self {
        Self { training: true, ..self.clone() }
    }
}

impl Op for AlphaDropoutBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        self.forward.held().dropout().backward_args()
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (masked, _) = self.forward.held().dropout().masked(NAME)?;
        let (factor, drawn) = (reference::alpha_factor(1.0 - masked.keep()), (kernel!("dropouts/dropout"), "dropout"));
        masked.backward(caps, drawn, kernel!("dropouts/alpha_dropout_backward"), factor, &self.args())
    }
}

#[cfg(feature = "verify")]
impl Verify for AlphaDropoutBackward {
    fn patterns(&self) -> Vec<Pattern> {
        self.forward.held().patterns()
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, dropout) = (Contents::new(self.args(), args), self.forward.held().dropout());
        let (dy, p) = (of.get("dy"), 1.0 - dropout.keep());
        if p == 0.0 {
            return vec![Expected::Exact(dy.clone())];
        }
        let one = |(dy, kept): (f64, bool)| {
            // With p = 1 nothing is kept, whatever the mask says.
            let kept = kept && p < 1.0;
            let error = if kept { Approx::exact(dy).times(Approx::host(reference::alpha_factor(p))).error } else { 0.0 };
            Approx { value: reference::alpha_dropout_backward(dy, kept, p), error }
        };
        vec![within(dy.dtype(), dy.to_f64().into_iter().zip(dropout.kept(of.find("mask"))).map(one))]
    }
}
