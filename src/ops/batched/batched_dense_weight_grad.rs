//! Dense layers backward, to their weights. Kernel: `shaders/batched/batched_dense_weight_grad.wgsl`. Reference:
//! `cpu::batched_dense_weight_grad`.
use crate::{
    kernel,
    kernels::linear_models::Draw,
    op::{Arg, Caps, Lowered, MAX_TRIPS, Op},
    ops::batched::shared::{
        dense::{Dense, SHAPES, TEAM, benches, team},
        model_batch::quads,
    },
    types::{DType, Error, HostData},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{kernels::linear_models::fill, ops::batched::shared::dense::sum_of_products};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
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
        let (args, d, mut out) = (self.args(), self.dense(), Lowered::default());
        if self.rows == 0 || self.rows as u64 > MAX_TRIPS {
            return Err(Error::argument(NAME, "rows", format!("is {}, must be from 1 to {MAX_TRIPS}", self.rows)));
        }
        d.check(caps, &args)?;
        if !d.is_empty() {
            let bindings = vec![quads("x", false), quads("dy", false), quads("dw", true)];
            let columns = d.outputs / 4;
            out.steps.push(if team(columns, caps) {
                let tiles = [d.inputs.div_ceil(32), columns.div_ceil(TEAM)];
                d.team_step(parts::batched::DENSE_WEIGHT_GRAD_TEAM, bindings, &args, tiles, d.rows)
            } else {
                let tiles = [d.inputs.div_ceil(8), columns];
                d.step(caps, kernel!("batched/batched_dense_weight_grad"), bindings, &args, tiles, d.rows)
            });
        }
        Ok(out)
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
        let (x, dy, d) = (args[0].to_f64(), args[1].to_f64(), self.dense());
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
fn cases() -> Vec<Box<dyn Verify>> {
    let shapes = SHAPES.into_iter().filter(|[_, rows, ..]| *rows > 0);
    let each = |[models, rows, inputs, outputs]: [usize; 4]| {
        [false, true].map(|bias| Box::new(BatchedDenseWeightGrad { models, rows, inputs, outputs, bias }) as Box<dyn Verify>)
    };
    shapes.flat_map(each).collect()
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let each = |Dense { models, rows, inputs, outputs, bias, .. }| -> Box<dyn Verify> {
        Box::new(BatchedDenseWeightGrad { models, rows, inputs, outputs, bias })
    };
    let longest = |d: Dense| d.batch(d.inputs).max(d.batch(d.outputs)).max(d.weights());
    benches(elements, longest).into_iter().map(each).collect()
}
