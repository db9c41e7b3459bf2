//! Dense layers backward, to their weights. Kernel: `shaders/batched/batched_dense_weight_grad.wgsl`. Reference:
//! `cpu::batched_dense_weight_grad`.
use super::shared::dense::{Dense, Tiling};
#[cfg(feature = "verify")]
use super::shared::dense::{benches, cases as layers, sum_of_products};
use crate::{
    kernel,
    op::{Arg, Caps, Lowered, MAX_TRIPS, Op},
    types::{DType, Error},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    kernels::linear_models::{Draw, fill},
    op::{Contents, Expected, Pattern, Rng, Verify},
    types::HostData,
    verify::reference,
};
use ridgepole_derive::op;

/// The weight gradients of [`BatchedDense`](super::BatchedDense): dw = xᵀ·dy of each model, and the column sums of dy if
/// there is a bias.
///
/// Reads `x` f32\[rows, models, inputs] and `dy` f32\[rows, models, outputs]; writes `dw` f32\[models, inputs (+ 1),
/// outputs]. `inputs` and `outputs` are multiples of 4 up to 32768. Sums are formed in a fixed order that does not depend on
/// the number of models: deterministic, and a model's results are the same bit for bit whatever models are beside it. A NaN
/// spreads to its row or its column of its model. One dispatch without scratch. A device must be able to bind each buffer
/// whole.
///
/// Error: that of a sum of `rows` products, relative to their magnitudes.
#[op(
    name = "batched_dense_weight_grad",
    summary = "weight and bias gradients of batched_dense",
    formula = "dw = xᵀ·dy, db = Σ dy over rows, for each model"
)]
pub struct BatchedDenseWeightGrad {
    /// Models, side by side in `x` and `dy`. May be 0.
    pub models: usize,
    /// Rows that each model has.
    #[field(min = 1, max = 8192)]
    pub rows: usize,
    /// Inputs of the layer.
    #[field(min = 4, max = 32_768, multiple_of = 4)]
    pub inputs: usize,
    /// Outputs of the layer.
    #[field(min = 4, max = 32_768, multiple_of = 4)]
    pub outputs: usize,
    /// Whether a model's gradients end with that of a bias.
    #[field(default)]
    pub bias: bool,
}

impl BatchedDenseWeightGrad {
    fn dense(&self) -> Dense {
        let Self { models, rows, inputs, outputs, bias } = *self;
        Dense { op: NAME, models, rows, inputs, outputs, bias }
    }
}

impl Op for BatchedDenseWeightGrad {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let d = self.dense();
        vec![
            Arg::read("x", DType::F32, d.batch(d.inputs)),
            Arg::read("dy", DType::F32, d.batch(d.outputs)),
            Arg::write("dw", DType::F32, d.weights()),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let d = self.dense();
        if self.rows == 0 || self.rows as u64 > MAX_TRIPS {
            return Err(Error::argument(NAME, "rows", format!("is {}, must be from 1 to {MAX_TRIPS}", self.rows)));
        }
        let kernels = [kernel!("batched/batched_dense_weight_grad"), parts::batched::DENSE_WEIGHT_GRAD_TEAM];
        let of = Tiling { kernels, down: (d.inputs, [8, 32]), across: d.outputs, trips: d.rows };
        d.lower(caps, &self.args(), &of)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchedDenseWeightGrad {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        fill(arg, rng, pattern, &Draw::Any)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, d) = (Contents::new(self.args(), args), self.dense());
        let (x, dy) = (of.f64("x"), of.f64("dy"));
        let column = |of: &[f64], width: usize, m: usize, c: usize| -> Vec<f64> {
            (0..d.rows).map(|r| of[(r * d.models + m) * width + c]).collect()
        };
        let (mut value, mut bound) = (Vec::new(), Vec::new());
        for m in 0..d.models {
            let slopes: Vec<Vec<f64>> = (0..d.outputs).map(|o| column(&dy, d.outputs, m, o)).collect();
            for i in 0..d.height() {
                let input = if i < d.inputs { column(&x, d.inputs, m, i) } else { vec![1.0; d.rows] };
                for slope in &slopes {
                    value.push(reference::batched_dense_weight_grad(&input, slope));
                    bound.push(sum_of_products(0.0, input.iter().copied().zip(slope.iter().copied())).error);
                }
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

#[cfg(feature = "verify")]
fn of(Dense { models, rows, inputs, outputs, bias, .. }: Dense) -> Box<dyn Verify> {
    Box::new(BatchedDenseWeightGrad { models, rows, inputs, outputs, bias })
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    layers(1, of)
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    benches(elements, of)
}
