//! Dense layers backward, to what is in front of them. Kernel: `shaders/batched/batched_dense_input_grad.wgsl`. Reference:
//! `cpu::batched_dense_input_grad`.
use super::shared::dense::{Dense, Tiling};
#[cfg(feature = "verify")]
use super::shared::dense::{benches, cases as layers, sum_of_products};
use crate::{
    kernel,
    op::{Arg, Caps, Lowered, Op},
    types::{DType, Error},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    kernels::linear_models::{Draw, fill},
    op::{Contents, Expected, Pattern, Rng, Verify},
    types::HostData,
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The input gradient of [`BatchedDense`](super::BatchedDense), through the ReLU and dropout in front of it: dx =
/// (dy·wᵀ)/(1 - p) for each model where that output is positive, else 0.
///
/// Reads `dy` f32\[rows, models, outputs], `w` f32\[models, inputs (+ 1), outputs] (the row of biases is not used), `gate`
/// f32\[rows, models, inputs], the output of ReLU and dropout, and `p` f32\[models], the probability of dropping, from 0 to
/// 1; writes `dx` f32\[rows, models, inputs]. Where `gate` is not positive, or NaN, the element was cut off by the ReLU or
/// dropped: its gradient is exactly 0, whatever dy is. Where p is 1 all gradients are 0. A p of 0 changes nothing. `inputs`
/// and `outputs` are multiples of 4 up to
/// 32768. Sums are formed in a fixed order that does not depend on the number of models: deterministic, and a model's results
///    are the same bit for bit whatever models are beside it. One dispatch without scratch. A device must be able to bind
///    each buffer whole.
///
/// Error: that of a sum of `outputs` products, relative to their magnitudes, a quotient and a product.
#[op(
    name = "batched_dense_input_grad",
    summary = "input gradient of batched_dense, through the dropout and ReLU in front of it",
    formula = "dx = (dy·wᵀ)/(1 - p) where gate > 0, else 0, for each model"
)]
pub struct BatchedDenseInputGrad {
    /// Models, side by side in `dy`, `gate` and `dx`. May be 0.
    pub models: usize,
    /// Rows that each model has. May be 0.
    pub rows: usize,
    /// Inputs of the layer.
    #[field(min = 4, max = 32_768, multiple_of = 4)]
    pub inputs: usize,
    /// Outputs of the layer.
    #[field(min = 4, max = 32_768, multiple_of = 4)]
    pub outputs: usize,
    /// Whether a model's weights end with a bias.
    #[field(default)]
    pub bias: bool,
}

impl BatchedDenseInputGrad {
    fn dense(&self) -> Dense {
        let Self { models, rows, inputs, outputs, bias } = *self;
        Dense { op: NAME, models, rows, inputs, outputs, bias }
    }
}

impl Op for BatchedDenseInputGrad {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let d = self.dense();
        vec![
            Arg::read("dy", DType::F32, d.batch(d.outputs)),
            Arg::read("w", DType::F32, d.weights()),
            Arg::read("gate", DType::F32, d.batch(d.inputs)),
            Arg::read("p", DType::F32, d.models),
            Arg::write("dx", DType::F32, d.batch(d.inputs)),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let d = self.dense();
        let kernels = [kernel!("batched/batched_dense_input_grad"), parts::batched::DENSE_INPUT_GRAD_TEAM];
        let of = Tiling { kernels, down: (d.rows, [8, 16]), across: d.inputs, trips: d.outputs / 4 };
        d.lower(caps, &self.args(), &of)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchedDenseInputGrad {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        if arg.name == "p" {
            let each = |_| [0.0, 0.25, 0.5, 0.9, 1.0, rng.unit() as f32][rng.word() as usize % 6];
            return HostData::F32((0..arg.len).map(each).collect());
        }
        fill(arg, rng, pattern, &Draw::Any)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, d) = (Contents::new(self.args(), args), self.dense());
        let [dy, w, gate, p] = ["dy", "w", "gate", "p"].map(|name| of.f64(name));
        let (mut value, mut bound) = (Vec::new(), Vec::new());
        for r in 0..d.rows {
            for m in 0..d.models {
                let slopes = &dy[(r * d.models + m) * d.outputs..][..d.outputs];
                for i in 0..d.inputs {
                    let weights = &w[(m * d.height() + i) * d.outputs..][..d.outputs];
                    let gate = gate[(r * d.models + m) * d.inputs + i];
                    value.push(reference::batched_dense_input_grad(slopes, weights, gate, p[m]));
                    bound.push(if gate > 0.0 && p[m] < 1.0 { error(slopes, weights, p[m]) } else { 0.0 });
                }
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

#[cfg(feature = "verify")]
fn error(dy: &[f64], w: &[f64], p: f64) -> f64 {
    let sum = sum_of_products(0.0, dy.iter().copied().zip(w.iter().copied()));
    let one = Approx::exact(1.0);
    sum.times(one.over(Approx::sum([one, Approx::exact(-p)]))).error
}

#[cfg(feature = "verify")]
fn of(Dense { models, rows, inputs, outputs, bias, .. }: Dense) -> Box<dyn Verify> {
    Box::new(BatchedDenseInputGrad { models, rows, inputs, outputs, bias })
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    layers(0, of)
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    benches(elements, of)
}
