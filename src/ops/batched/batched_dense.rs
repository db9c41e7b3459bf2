//! Dense layers forward. Kernel: `shaders/batched/batched_dense.wgsl`. Reference: `cpu::batched_dense`.
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
        let d = self.dense();
        let kernels = [kernel!("batched/batched_dense"), parts::batched::DENSE_FORWARD_TEAM];
        let of = Tiling { kernels, down: (d.rows, [8, 16]), across: d.outputs, trips: d.inputs / 4 };
        d.lower(caps, &self.args(), &of)
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
        let (of, d) = (Contents::new(self.args(), args), self.dense());
        let (x, w) = (of.f64("x"), of.f64("w"));
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
fn of(Dense { models, rows, inputs, outputs, bias, .. }: Dense) -> Box<dyn Verify> {
    Box::new(BatchedDense { models, rows, inputs, outputs, bias })
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    layers(0, of)
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    benches(elements, of)
}
