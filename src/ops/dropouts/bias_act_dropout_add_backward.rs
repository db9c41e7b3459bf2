//! The gradient of bias, activation and dropout. Kernel: `shaders/dropouts/bias_act_dropout_add_backward.wgsl`. Reference:
//! `cpu::bias_act_dropout_add_backward`.
use super::BiasActDropoutAdd;
#[cfg(feature = "verify")]
use super::bias_act_dropout_add::fill;
use crate::{
    kernel,
    kernels::{
        channels::Channels,
        copy::{self, Tail, windows},
        rows,
    },
    op::{Arg, ByName, Caps, Lowered, Op},
    ops::dropouts::shared::masked_map::Rule,
    options::Activation,
    types::{DType, Error},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    kernels::channels::{self, SumErrors},
    op::{Contents, Expected, Pattern, Rng, Verify},
    types::HostData,
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
    /// The forward op.
    #[field(flatten, without = [residual])]
    pub forward: BiasActDropoutAdd,
}

impl BiasActDropoutAdd {
    /// The backward pass of this.
    pub fn backward(&self) -> BiasActDropoutAddBackward {
        BiasActDropoutAddBackward { forward: Self { residual: true, ..self.clone() } }
    }
}

impl Op for BiasActDropoutAddBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let (len, c) = (self.forward.space.len(), self.forward.space.c);
        let mut args = vec![Arg::read("dy", self.forward.dtype, len)];
        if self.forward.act != Activation::None {
            args.push(Arg::read("x", self.forward.dtype, len));
            args.extend(self.forward.bias.then(|| Arg::read("bias", DType::F32, c)));
        }
        args.push(Arg::write("dx", self.forward.dtype, len));
        args.extend(self.forward.bias.then(|| Arg::write("dbias", DType::F32, c)));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out, forward) = (self.args(), Lowered::default(), &self.forward);
        let (masked, factor) = forward.masked(NAME)?;
        forward.check(NAME)?;
        let (dy, dx) = (args.at("dy"), args.at("dx"));
        if masked.keeps_none() {
            out.steps = copy::fill(NAME, &windows(caps), dx, 0, Tail::of(dx.1))?;
        } else {
            let shader = kernel!("dropouts/bias_act_dropout_add_backward");
            let rule = Rule { consts: &forward.act.consts(), ..Rule::scaled(shader, NAME, factor) };
            let (mut tensors, mut parts) = (vec![("dy", dy)], vec![parts::dropouts::ACT_GRAD_PLAIN]);
            if let Some(x) = args.find_at("x") {
                tensors.push(("x", x));
                let bias = if forward.bias { parts::dropouts::BIAS_GIVEN } else { parts::dropouts::BIAS_NONE };
                parts = vec![bias, forward.act.part(), parts::dropouts::ACT_GRAD_THROUGH];
            }
            tensors.push(("dx", dx));
            let both = args.find("bias").is_some();
            let mut beside = |piece: &_| if both { forward.plane(&mut out, caps, &args, piece) } else { vec![] };
            let steps = masked.steps_with(caps, &rule, &tensors, masked.source(), &parts, &mut beside)?;
            out.steps = steps;
        }
        if self.forward.bias && self.forward.space.c > 0 {
            rows::column_sums(NAME, &mut out, caps, &args, Channels::of(&self.forward.space), "dx")?;
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
        let (of, forward) = (Contents::new(self.args(), args), &self.forward);
        let (dy, bias, (kept, factor)) = (of.f64("dy"), forward.biases(of.find("bias")), forward.mask());
        let x = of.f64_or("x", 0.0, dy.len());
        let (mut value, mut bound) = (vec![], vec![]);
        for i in 0..dy.len() {
            let v = reference::bias_act_dropout_add_backward(x[i], bias[i], dy[i], kept[i], factor, self.forward.act);
            let u = x[i] + bias[i];
            let dx = if !kept[i] || !v.is_finite() {
                Approx::exact(v)
            } else {
                let slope = if u.is_finite() {
                    self.forward.act.approx(forward.biased(x[i], bias[i]))[1]
                } else {
                    Approx::exact(reference::activation(self.forward.act, u).1)
                };
                // Where nothing goes through, whatever dy is.
                if slope == Approx::exact(0.0) {
                    Approx::exact(v)
                } else {
                    let product = Approx::exact(dy[i]).times(Approx::exact(factor)).times(slope);
                    Approx { value: v, ..product }.rounded_to(self.forward.dtype)
                }
            };
            // As it is stored: the sums are over that.
            value.push(dx.value);
            bound.push(dx.error);
        }
        let mut sums = (vec![], vec![]);
        for c in 0..self.forward.space.c {
            let places = channels::places(&self.forward.space, c);
            let of: Vec<f64> = places.iter().map(|&i| value[i]).collect();
            let sum = of.iter().sum::<f64>();
            let off = SumErrors::of(&vec![0.0; of.len()], &of, 0.0, 0.0, 0.0).dbias;
            sums.0.push(sum);
            sums.1.push(if sum.is_finite() { off + places.iter().map(|&i| bound[i]).sum::<f64>() } else { 0.0 });
        }
        let mut out = vec![Expected::Within { value, bound }];
        out.extend(self.forward.bias.then_some(Expected::Within { value: sums.0, bound: sums.1 }));
        out
    }
}
