//! Dropout, backward. Kernel: `shaders/dropouts/dropout_backward.wgsl` with a stored mask, else
//! `shaders/dropouts/dropout.wgsl`. Reference: `cpu::dropout_backward`.
use super::Dropout;
use crate::{
    kernel,
    op::{Arg, Caps, Lowered, Op},
    types::Error,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Verify},
    types::HostData,
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
    /// The forward op.
    #[field(flatten, without = [training])]
    pub forward: Dropout,
}

impl Dropout {
    /// The backward pass of this in training.
    pub fn backward(&self) -> DropoutBackward {
        DropoutBackward { forward: self.held() }
    }

    /// As the backward op holds it: what does not matter there is at its default.
    fn held(&self) -> Self {
        Self { training: true, ..self.clone() }
    }
}

impl Op for DropoutBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        self.forward.held().backward_args()
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (masked, factor) = self.forward.held().masked(NAME)?;
        let drawn = (kernel!("dropouts/dropout"), "dropout");
        masked.backward(caps, drawn, kernel!("dropouts/dropout_backward"), factor, &self.args())
    }
}

#[cfg(feature = "verify")]
impl Verify for DropoutBackward {
    fn patterns(&self) -> Vec<Pattern> {
        self.forward.held().patterns()
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, forward) = (Contents::new(self.args(), args), self.forward.held());
        vec![forward.expected(of.get("dy"), &forward.kept(of.find("mask")), reference::dropout_backward)]
    }
}
