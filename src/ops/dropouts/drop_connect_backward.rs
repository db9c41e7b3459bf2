//! DropConnect, backward. Kernel: `shaders/dropouts/drop_connect_backward.wgsl` where it accumulates, else
//! `shaders/dropouts/drop_connect.wgsl`. Reference: `cpu::drop_connect_backward`.
use super::DropConnect;
#[cfg(feature = "verify")]
use super::shared::expected::{expected, within};
use crate::{
    kernel,
    op::{Arg, Caps, Lowered, Op},
    ops::dropouts::shared::masked_map::{MaskSource, Rule},
    options::{Bits, Key, Scaling},
    types::{DType, Error, HostData},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::samples::copied,
    op::{Expected, Pattern, Verify},
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
    /// How all tensors are stored.
    pub dtype: DType,
    /// Rows of the weight matrix: units of the layer.
    pub rows: usize,
    /// Its columns: inputs of the layer.
    pub cols: usize,
    /// The probability of dropping a weight.
    #[field(min = 0, max = 1)]
    pub p: f64,
    /// What the mask was drawn from.
    pub key: Key,
    /// Whether there is a bias.
    #[field(default)]
    pub bias: bool,
    /// As in the forward pass.
    #[field(default)]
    pub scaling: Scaling,
    /// Random bits per decision.
    #[field(default)]
    pub bits: Bits,
    /// Whether gradients are added to the existing ones, as needed for weights that are used more than once.
    #[field(default)]
    pub accumulate: bool,
}

impl DropConnect {
    /// The backward pass of this in training, which adds to the gradients that are there.
    pub fn backward(&self) -> DropConnectBackward {
        let Self { dtype, rows, cols, p, key, bias, scaling, bits, .. } = *self;
        DropConnectBackward { dtype, rows, cols, p, key, bias, scaling, bits, accumulate: true }
    }
}

impl DropConnectBackward {
    fn forward(&self) -> DropConnect {
        let Self { dtype, rows, cols, p, key, bias, scaling, bits, .. } = *self;
        DropConnect { dtype, rows, cols, p, key, bias, scaling, bits, training: true }
    }
}

impl Op for DropConnectBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let forward = self.forward();
        let mut args = forward.tensors(["dmasked_weight", "dmasked_bias"], Arg::read);
        args.extend(forward.tensors(["dweight", "dbias"], if self.accumulate { Arg::update } else { Arg::write }));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (forward, args) = (self.forward(), self.args());
        if !self.accumulate {
            return forward.maps(NAME, caps, &args);
        }
        let (masks, mut out) = (forward.masks(NAME)?, Lowered::default());
        let (factor, t) = forward.factor();
        let rule =
            Rule { scalars: [factor, 0.0, 0.0], ..Rule::new(kernel!("dropouts/drop_connect_backward"), "drop_connect_backward") };
        for (i, mask) in masks.iter().enumerate() {
            mask.check()?;
            let [x, y] = [i, masks.len() + i].map(|at| (at, &args[at]));
            let source = if t == self.bits.range() { MaskSource::All } else { MaskSource::Drawn(None) };
            if t > 0 {
                out.steps.extend(mask.steps(caps, &rule, &[("x", x), ("y", y)], 1, source)?);
            }
        }
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for DropConnectBackward {
    fn patterns(&self) -> Vec<Pattern> {
        self.forward().patterns()
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let forward = self.forward();
        let ((keep, factor), kept) = (forward.scales(), forward.kept());
        let tensors = kept.iter().zip(args).zip(&args[kept.len()..]);
        if !self.accumulate {
            let one = |d, kept, factor| reference::drop_connect_backward(d, 0.0, kept, factor);
            return tensors.map(|((kept, d), _)| expected(d, kept, keep, keep == 1.0, factor, one)).collect();
        }
        let one = |((d, there), kept): ((f64, f64), &bool)| {
            let value = reference::drop_connect_backward(d, there, *kept, factor);
            let sum = Approx::sum([Approx::exact(there), Approx::exact(d).times(Approx::host(factor))]);
            (Approx { value, error: sum.error }, *kept, there)
        };
        let tensor = |((kept, d), there): ((&Vec<bool>, &HostData), &HostData)| {
            let items: Vec<_> = d.to_f64().into_iter().zip(there.to_f64()).zip(kept).map(one).collect();
            let Expected::Within { value, mut bound } = within(self.dtype, items.iter().map(|i| i.0)) else { unreachable!() };
            // What stays is read and written back.
            for (bound, (_, kept, there)) in bound.iter_mut().zip(&items) {
                if !kept {
                    *bound = copied(self.dtype, *there);
                }
            }
            Expected::Within { value, bound }
        };
        tensors.map(tensor).collect()
    }
}
