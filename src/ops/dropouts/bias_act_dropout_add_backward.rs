//! The gradient of bias, activation and dropout. Kernel: `shaders/dropouts/bias_act_dropout_add_backward.wgsl`. Reference:
//! `cpu::bias_act_dropout_add_backward`.
use super::BiasActDropoutAdd;
#[cfg(feature = "verify")]
use super::bias_act_dropout_add::fill;
#[cfg(feature = "verify")]
use crate::kernels::channels::SumErrors;
use crate::{
    kernel,
    kernels::{
        channels::{self, Channels, position},
        copy::{self, Tail, windows},
        rows,
    },
    op::{Arg, Caps, Lowered, Op},
    ops::dropouts::shared::masked_map::Rule,
    options::{Activation, Bits, Key, Share},
    types::{DType, Error, HostData, Space},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The gradients of [`BiasActDropoutAdd`]: dx = m·act'(x + bias)·dy/(1-p) with a regenerated mask, dbias = Σdx over each
/// channel. The residual's gradient is dy itself.
///
/// Reads `dy` (n·c·s elements) and, where there is an activation, `x` (as `dy`) and, where there is one, `bias` (c values, f32).
/// Writes `dx` (as `dy`) and, where there is a bias, `dbias` (c, f32; 0 for an empty tensor), the sum of `dx` as it is stored, in
/// chunks of fixed size merged in a fixed order: results are the same bit for bit from run to run on a device. One dispatch
/// for dx, two or more for dbias, more for windows. A device must be able to bind 16 bytes per channel. Where an element is
/// dropped, or the activation flat, dx is +0 whatever dy is.
#[op(
    name = "bias_act_dropout_add_backward",
    summary = "backward pass of bias_act_dropout_add, to input and bias, with a regenerated mask",
    formula = "dx = m·act'(x + bias)·dy/(1-p), dbias = Σdx; the residual's gradient is dy",
    cases = BiasActDropoutAddBackward::cases,
    bench = BiasActDropoutAddBackward::bench
)]
pub struct BiasActDropoutAddBackward {
    /// How `x`, `dy` and `dx` are stored.
    pub dtype: DType,
    /// Their shape.
    pub space: Space,
    /// The probability of dropping; 0 after training.
    #[field(min = 0, max = 1)]
    pub p: f64,
    /// What the mask was drawn from.
    pub key: Key,
    /// Which elements share a decision.
    #[field(default)]
    pub share: Share,
    /// Random bits per decision.
    #[field(default)]
    pub bits: Bits,
    /// The activation.
    #[field(default)]
    pub act: Activation,
    /// Whether there is a bias, and so a `dbias`.
    #[field(default = true)]
    pub bias: bool,
}

impl BiasActDropoutAdd {
    /// The backward pass of this.
    pub fn backward(&self) -> BiasActDropoutAddBackward {
        let Self { dtype, space, p, key, share, bits, act, bias, .. } = *self;
        BiasActDropoutAddBackward { dtype, space, p, key, share, bits, act, bias }
    }
}

impl BiasActDropoutAddBackward {
    fn forward(&self) -> BiasActDropoutAdd {
        let Self { dtype, space, p, key, share, bits, act, bias } = *self;
        BiasActDropoutAdd { dtype, space, p, key, share, bits, act, bias, residual: false }
    }

    fn bends(&self) -> bool {
        self.act != Activation::None
    }
}

impl Op for BiasActDropoutAddBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let (len, c) = (self.space.len(), self.space.c);
        let mut args = vec![Arg::read("dy", self.dtype, len)];
        if self.bends() {
            args.push(Arg::read("x", self.dtype, len));
            args.extend(self.bias.then(|| Arg::read("bias", DType::F32, c)));
        }
        args.push(Arg::write("dx", self.dtype, len));
        args.extend(self.bias.then(|| Arg::write("dbias", DType::F32, c)));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out, forward) = (self.args(), Lowered::default(), self.forward());
        forward.check(NAME)?;
        let (masked, factor) = forward.masked(NAME);
        let dx = position(&args, "dx").expect("an argument");
        if masked.threshold() == 0 {
            out.steps = copy::fill(NAME, &windows(caps), (dx, &args[dx]), 0, Tail::of(&args[dx]))?;
        } else {
            let rule = Rule {
                shader: kernel!("dropouts/bias_act_dropout_add_backward"),
                entry: NAME,
                scalars: [factor, 0.0, 0.0],
                consts: &self.act.consts(),
            };
            let (mut tensors, mut parts) = (vec![("dy", (0, &args[0]))], vec![parts::dropouts::ACT_GRAD_PLAIN]);
            if self.bends() {
                tensors.push(("x", (1, &args[1])));
                let bias = if self.bias { parts::dropouts::BIAS_GIVEN } else { parts::dropouts::BIAS_NONE };
                parts = vec![bias, self.act.part(), parts::dropouts::ACT_GRAD_THROUGH];
            }
            let reads = tensors.len();
            tensors.push(("dx", (dx, &args[dx])));
            let both = self.bends() && self.bias;
            let mut beside = |piece: &_| if both { forward.plane(&mut out, caps, &args, piece) } else { vec![] };
            let steps = masked.steps_with(caps, &rule, &tensors, reads, forward.mask_source(), &parts, &mut beside)?;
            out.steps = steps;
        }
        if self.bias && self.space.c > 0 {
            rows::column_sums(NAME, &mut out, caps, &args, Channels::of(&self.space), "dx")?;
        }
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for BiasActDropoutAddBackward {
    fn patterns(&self) -> Vec<Pattern> {
        fill::patterns()
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        fill::domain(arg)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        fill::fill(arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (all, forward) = (self.args(), self.forward());
        let data = |name| position(&all, name).map(|i| &args[i]);
        let (dy, bias, (kept, factor)) = (args[0].to_f64(), forward.biases(data("bias")), forward.mask());
        let x = data("x").map_or_else(|| vec![0.0; dy.len()], HostData::to_f64);
        let (mut value, mut bound) = (vec![], vec![]);
        for i in 0..dy.len() {
            let v = reference::bias_act_dropout_add_backward(x[i], bias[i], dy[i], kept[i], factor, self.act);
            let u = x[i] + bias[i];
            let dx = if !kept[i] || !v.is_finite() {
                Approx::exact(v)
            } else {
                let slope = if u.is_finite() {
                    self.act.approx(forward.biased(x[i], bias[i]))[1]
                } else {
                    Approx::exact(reference::activation(self.act, u).1)
                };
                // Where nothing goes through, whatever dy is.
                if slope == Approx::exact(0.0) {
                    Approx::exact(v)
                } else {
                    let product = Approx::exact(dy[i]).times(Approx::exact(factor)).times(slope);
                    Approx { value: v, ..product }.rounded_to(self.dtype)
                }
            };
            // As it is stored: the sums are over that.
            value.push(dx.value);
            bound.push(dx.error);
        }
        let mut sums = (vec![], vec![]);
        for c in 0..self.space.c {
            let places = channels::places(&self.space, c);
            let of: Vec<f64> = places.iter().map(|&i| value[i]).collect();
            let sum = of.iter().sum::<f64>();
            let off = SumErrors::of(&vec![0.0; of.len()], &of, 0.0, 0.0, 0.0).dbias;
            sums.0.push(sum);
            sums.1.push(if sum.is_finite() { off + places.iter().map(|&i| bound[i]).sum::<f64>() } else { 0.0 });
        }
        let mut out = vec![Expected::Within { value, bound }];
        out.extend(self.bias.then_some(Expected::Within { value: sums.0, bound: sums.1 }));
        out
    }
}
