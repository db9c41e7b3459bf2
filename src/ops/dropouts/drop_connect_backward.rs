//! DropConnect, backward. Kernel: `shaders/dropouts/drop_connect_backward.wgsl` where it accumulates, else
//! `shaders/dropouts/drop_connect.wgsl`. Reference: `cpu::drop_connect_backward`.
use super::DropConnect;
#[cfg(feature = "verify")]
use super::{Dropout, shared::expected::within};
use crate::{
    kernel,
    op::{Arg, ByName, Caps, Lowered, Op},
    ops::dropouts::shared::masked_map::Rule,
    types::Error,
};
#[cfg(feature = "verify")]
use crate::{
    kernels::samples::copied,
    op::{Contents, Expected, Pattern, Verify},
    types::HostData,
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The backward pass of [`DropConnect`] in training: dweight += m·dmasked_weight/(1-p), with the mask m of the forward pass,
/// and the same for the bias.
///
/// Reads `dmasked_weight`, and `dmasked_bias` if there is a bias, the gradients of what the forward pass wrote; updates
/// `dweight` and `dbias`, or overwrites them without `accumulate`. The mask is regenerated from the same key and takes no
/// memory. Where a weight was dropped, its gradient is unchanged, or +0 if overwritten, even where the incoming gradient is
/// NaN. p = 1 adds nothing, p = 0 everything. No scratch. Deterministic. Dispatches as in the forward pass.
///
/// Error: the product with the factor, the sum, and the rounding of the storage type.
#[op(
    name = "drop_connect_backward",
    summary = "backward pass of DropConnect, to weights and biases, with a regenerated mask; can accumulate",
    formula = "dweight (+)= m·dmasked/(1-p) (scale_at_test: m·dmasked)",
    cases = DropConnectBackward::cases,
    bench = DropConnectBackward::bench
)]
pub struct DropConnectBackward {
    /// The forward op.
    #[field(flatten, without = [training])]
    pub forward: DropConnect,
    /// Whether gradients are added to the existing ones, as needed for weights that are used more than once.
    #[field(default)]
    pub accumulate: bool,
}

impl DropConnect {
    /// The backward pass of this in training, which adds to the gradients that are there.
    pub fn backward(&self) -> DropConnectBackward {
        DropConnectBackward { forward: self.held(), accumulate: true }
    }

    /// As the backward op holds it: what does not matter there is at its default.
    fn held(&self) -> Self {
        Self { training: true, ..self.clone() }
    }
}

/// What is read and what is written, of the weight and of the bias.
const TENSORS: [[&str; 2]; 2] = [["dmasked_weight", "dweight"], ["dmasked_bias", "dbias"]];

impl Op for DropConnectBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let forward = self.forward.held();
        let mut args = forward.tensors(["dmasked_weight", "dmasked_bias"], Arg::read);
        args.extend(forward.tensors(["dweight", "dbias"], if self.accumulate { Arg::update } else { Arg::write }));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (forward, args) = (self.forward.held(), self.args());
        if !self.accumulate {
            return forward.maps(NAME, caps, &args, TENSORS);
        }
        forward.check(NAME)?;
        let mut out = Lowered::default();
        for (dropout, names) in forward.dropouts().iter().zip(TENSORS) {
            let (masked, factor) = dropout.masked(NAME)?;
            let [x, y] = names.map(|name| args.at(name));
            if !masked.keeps_none() {
                let rule = Rule::scaled(kernel!("dropouts/drop_connect_backward"), NAME, factor);
                out.steps.extend(masked.steps(caps, &rule, &[("x", x), ("y", y)], masked.source())?);
            }
        }
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for DropConnectBackward {
    fn patterns(&self) -> Vec<Pattern> {
        self.forward.held().patterns()
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, dropouts) = (Contents::new(self.args(), args), self.forward.held().dropouts());
        let one = |(dropout, [d, there]): (&Dropout, [&str; 2])| {
            if self.accumulate {
                return sum(dropout, of.f64(d), of.f64(there));
            }
            let one = |d, kept, factor| reference::drop_connect_backward(d, 0.0, kept, factor);
            dropout.expected(of.get(d), &dropout.kept(None), one)
        };
        dropouts.iter().zip(TENSORS).map(one).collect()
    }
}

/// What becomes of gradients that are there.
#[cfg(feature = "verify")]
fn sum(of: &Dropout, d: Vec<f64>, there: Vec<f64>) -> Expected {
    let factor = of.scale();
    let one = |((d, there), kept): ((f64, f64), bool)| {
        let value = reference::drop_connect_backward(d, there, kept, factor);
        let sum = Approx::sum([Approx::exact(there), Approx::exact(d).times(Approx::host(factor))]);
        (Approx { value, error: sum.error }, kept, there)
    };
    let items: Vec<_> = d.into_iter().zip(there).zip(of.kept(None)).map(one).collect();
    let Expected::Within { value, mut bound } = within(of.dtype, items.iter().map(|i| i.0)) else { unreachable!() };
    // What stays is read and written back.
    for (bound, (_, kept, there)) in bound.iter_mut().zip(&items) {
        if !kept {
            *bound = copied(of.dtype, *there);
        }
    }
    Expected::Within { value, bound }
}
