//! The gradient of ReLU and dropout for models side by side. Kernel: `shaders/batched/batched_relu_dropout_backward.wgsl`. Reference:
//! `cpu::batched_relu_dropout_backward`.
use super::batched_relu_dropout::{BatchedReluDropout, Shares, bench_shape};
#[cfg(feature = "verify")]
use super::batched_relu_dropout::{draw_p, factor};
use crate::{
    kernel,
    kernels::linear_models::all,
    op::{Arg, ByName, Caps, Lowered, Op, Step},
    ops::batched::shared::model_batch,
    params,
    types::{DType, Error, HostData},
    wgsl::Spec,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { ReluDropoutBackwardParams { blocks: u32, lanes: u32, models: u32, quads: u32, places: u32, each: u32, nan: u32 } }

/// The backward pass of [`BatchedReluDropout`](super::BatchedReluDropout) in training: dx = dy/(1 - p) where y > 0, else 0.
///
/// Reads `dy` and the forward pass' `y`, both f32\[rows, models, width], and `p` f32\[models]; writes `dx` as `dy`. No mask
/// is needed: an element that was dropped has y = 0, as has one that was not positive. A p of 1 gives zeros; a p outside 0 to
/// 1 makes all of its model's `dx` NaN. Where `y` is NaN, the gradient is 0.
///
/// Deterministic. One dispatch without scratch. A device must be able to bind each buffer whole; `dy` must have fewer than 2^31 elements.
///
/// Error: 1 - p, the quotient and the product round.
#[op(
    name = "batched_relu_dropout_backward",
    summary = "backward pass of batched_relu_dropout, from its output; no mask is needed",
    formula = "dx = dy/(1 - p) where y > 0, else 0"
)]
pub struct BatchedReluDropoutBackward {
    /// Models. May be 0.
    pub models: usize,
    /// Rows of each model, its samples. May be 0.
    pub rows: usize,
    /// Units of a row.
    #[field(multiple_of = 4)]
    pub width: usize,
}

impl BatchedReluDropout {
    /// The backward pass of this in training.
    pub fn backward(&self) -> BatchedReluDropoutBackward {
        BatchedReluDropoutBackward { models: self.models, rows: self.rows, width: self.width }
    }
}

impl Op for BatchedReluDropoutBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = model_batch::len(&[self.rows, self.models, self.width]);
        vec![
            Arg::read("dy", DType::F32, len),
            Arg::read("y", DType::F32, len),
            Arg::read("p", DType::F32, self.models),
            Arg::write("dx", DType::F32, len),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out) = (self.args(), Lowered::default());
        model_batch::check_width(NAME, self.width)?;
        model_batch::check(NAME, caps, &args)?;
        if args.arg("dy").len == 0 {
            return Ok(out);
        }
        let Shares { each, places, lanes, blocks } = Shares::new(caps, self.models, self.rows, self.width);
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("batched/batched_relu_dropout_backward"),
                entry: NAME,
                parts: vec![],
                bindings: vec![
                    model_batch::quads("dy", false),
                    model_batch::quads("y", false),
                    model_batch::bits("p", false),
                    model_batch::quads("dx", true),
                ],
                consts: vec![("WG", model_batch::lanes(caps))],
            },
            params: ReluDropoutBackwardParams {
                blocks,
                lanes,
                models: self.models as u32,
                quads: (self.width / 4) as u32,
                places,
                each,
                nan: f32::NAN.to_bits(),
            }
            .into(),
            slots: all(&args),
            workgroups: blocks.into(),
            trips: each.into(),
        });
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchedReluDropoutBackward {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        match arg.name {
            "p" => draw_p(arg, rng, pattern),
            // As the forward pass leaves it, half of it 0; with NaN among hostile data.
            "y" => match rng.fill(arg, [-1.0, 1.0], pattern) {
                HostData::F32(v) => HostData::F32(v.into_iter().map(|v| if v < 0.0 { 0.0 } else { v }).collect()),
                other => other,
            },
            _ => rng.fill(arg, [-1.0, 1.0], pattern),
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let of = Contents::new(self.args(), args);
        let [dy, y, p] = ["dy", "y", "p"].map(|name| of.f64(name));
        let (mut value, mut bound) = (vec![0.0; dy.len()], vec![0.0; dy.len()]);
        for at in 0..dy.len() {
            let p = p[at / self.width % self.models];
            value[at] = reference::batched_relu_dropout_backward(dy[at], y[at], p);
            if value[at].is_finite() && y[at] > 0.0 && p < 1.0 {
                bound[at] = Approx::exact(dy[at]).times(factor(p)).error;
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let shapes = [[1, 1, 4], [0, 3, 8], [3, 0, 8], [3, 5, 0], [5, 3, 12], [2, 65, 8], [7, 130, 4], [1, 4, 1028], [150, 2, 40]];
    shapes.map(|[models, rows, width]| Box::new(BatchedReluDropoutBackward { models, rows, width }) as Box<dyn Verify>).into()
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let [models, rows, width] = bench_shape(elements);
    vec![Box::new(BatchedReluDropoutBackward { models, rows, width })]
}
