//! Dense layers forward. Kernel: `shaders/batched/batched_dense.wgsl`. Reference: `cpu::batched_dense`.
use crate::{
    kernel,
    kernels::linear_models::Draw,
    op::{Arg, Caps, Lowered, Op},
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

/// One dense layer of each of many models, in one dispatch: y = x·w, plus a bias if there is one.
///
/// Reads `x` f32\[rows, models, inputs], models side by side, and `w` f32\[models, inputs (+ 1), outputs], whose last row is
/// the bias if there is one; writes `y` f32\[rows, models, outputs]. Per-channel ops see `y` as a matrix of models·outputs
/// channels. `inputs` and `outputs` are multiples of 4 up to 32768: pad with columns and rows of zeros. Sums are formed in a
/// fixed order that does not depend on the number of models: deterministic, and a model's results are the same bit for bit
/// whatever models are beside it. A NaN spreads to its row, or its column, of its model. One dispatch without scratch. A
/// device must be able to bind each buffer whole.
///
/// Error: that of a sum of `inputs` products, relative to their magnitudes.
#[op(name = "batched_dense", summary = "dense layer, for many models of one shape", formula = "y = x·w + b, for each model")]
pub struct BatchedDense {
    /// Models, side by side in `x` and `y`. May be 0.
    pub models: usize,
    /// Rows that each model has. May be 0.
    pub rows: usize,
    /// Inputs of the layer.
    #[field(min = 4, max = 32_768, multiple_of = 4)]
    pub inputs: usize,
    /// Outputs of the layer.
    #[field(min = 4, max = 32_768, multiple_of = 4)]
    pub outputs: usize,
    /// Whether a model's weights end with a row that is added to every row of the product.
    #[field(default)]
    pub bias: bool,
}

impl BatchedDense {
    fn dense(&self) -> Dense {
        let Self { models, rows, inputs, outputs, bias } = *self;
        Dense { op: NAME, models, rows, inputs, outputs, bias }
    }
}

impl Op for BatchedDense {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let d = self.dense();
        vec![
            Arg::read("x", DType::F32, d.batch(d.inputs)),
            Arg::read("w", DType::F32, d.weights()),
            Arg::write("y", DType::F32, d.batch(d.outputs)),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, d, mut out) = (self.args(), self.dense(), Lowered::default());
        d.check(caps, &args)?;
        if !d.is_empty() {
            let bindings = vec![quads("x", false), quads("w", false), quads("y", true)];
            let (columns, trips) = (d.outputs / 4, d.inputs / 4);
            out.steps.push(if team(columns, caps) {
                let tiles = [d.rows.div_ceil(16), columns.div_ceil(TEAM)];
                d.team_step(parts::batched::DENSE_FORWARD_TEAM, bindings, &args, tiles, trips)
            } else {
                d.step(caps, kernel!("batched/batched_dense"), bindings, &args, [d.rows.div_ceil(8), columns], trips)
            });
        }
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchedDense {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        fill(arg, rng, pattern, &Draw::Any)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (x, w, d) = (args[0].to_f64(), args[1].to_f64(), self.dense());
        let (mut value, mut bound) = (Vec::new(), Vec::new());
        for r in 0..d.rows {
            for m in 0..d.models {
                let row = &x[(r * d.models + m) * d.inputs..][..d.inputs];
                let weights = &w[m * d.height() * d.outputs..][..d.height() * d.outputs];
                for o in 0..d.outputs {
                    let column: Vec<f64> = weights.iter().skip(o).step_by(d.outputs).copied().collect();
                    let bias = if d.bias { column[d.inputs] } else { 0.0 };
                    value.push(reference::batched_dense(row, &column[..d.inputs], bias));
                    bound.push(sum_of_products(bias, row.iter().copied().zip(column)).error);
                }
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let each = |i: usize| {
        let [models, rows, inputs, outputs] = SHAPES[i];
        [false, true].map(|bias| Box::new(BatchedDense { models, rows, inputs, outputs, bias }) as Box<dyn Verify>)
    };
    (0..SHAPES.len()).flat_map(each).collect()
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let each = |Dense { models, rows, inputs, outputs, bias, .. }| -> Box<dyn Verify> {
        Box::new(BatchedDense { models, rows, inputs, outputs, bias })
    };
    let longest = |d: Dense| d.batch(d.inputs).max(d.batch(d.outputs)).max(d.weights());
    benches(elements, longest).into_iter().map(each).collect()
}
