//! ReLU and dropout for models side by side. Kernel: `shaders/batched/batched_relu_dropout.wgsl`. Reference:
//! `cpu::batched_relu_dropout`.
use crate::{
    kernel,
    kernels::{
        linear_models::all,
        philox::{self, Draw},
    },
    op::{Arg, ByName, Caps, Lowered, Op, Step},
    ops::batched::shared::model_batch,
    options::Key,
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

params! { ReluDropoutParams {
    blocks: u32, lanes: u32, models: u32, quads: u32, places: u32, each: u32, training: u32, nan: u32,
    draw: Draw
} }

/// ReLU and dropout in one pass for many models of one shape, each with its own probability of dropping: y = max(x,
/// 0)·keep/(1 - p) in training, max(x, 0) after training.
///
/// Reads `x` f32\[rows, models, width] and `p` f32\[models], each from 0 to 1; writes `y` as `x`. p = 1 drops all. A kept NaN
/// stays NaN; a dropped element is 0, whatever it was. A p outside 0 to 1, which planning cannot see, makes all of its
/// model's `y` NaN. After training `p` is not read.
///
/// All models use common random numbers, so that they are compared with less noise: the decision of row r and unit u has the
/// number `first_element` + r·width + u, whatever the model and however many there are. It is word i & 3 of Philox call i >>
/// 2 for decision i, which keeps if it is below round(2^32·(1-p)): the mask of [`Dropout`](crate::ops::Dropout) with
/// [`Bits::ThirtyTwo`](crate::Bits::ThirtyTwo) on a tensor \[rows, width]. So a model's results do not depend on the others,
/// bit for bit, and of two models the one with the larger p drops all that the other drops, and more. The factor is 1/(1-p);
/// from p = 2^-9 on, and for p = 0, the probability of keeping is exactly 1-p, below that within 2^-33 of it.
///
/// [`Plan::update`](crate::Plan::update) takes another key, and turns training on or off. Deterministic. One dispatch without
/// scratch. A device must be able to bind each buffer whole; `x` must have fewer than 2^31 elements.
///
/// Error: 1 - p, the quotient and the product round.
///
/// Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
#[op(
    name = "batched_relu_dropout",
    summary = "ReLU and dropout for many models, each with its own p, all with common random numbers",
    formula = "y = keep·max(x, 0)/(1 - p), keep = 1 with probability 1-p (after training: max(x, 0))"
)]
pub struct BatchedReluDropout {
    /// Models. May be 0.
    pub models: usize,
    /// Rows of each model, its samples. May be 0.
    pub rows: usize,
    /// Units of a row.
    #[field(multiple_of = 4)]
    pub width: usize,
    /// What the mask is drawn from; `first_element` must be a multiple of 4.
    pub key: Key,
    /// Whether the network is in training; if not, nothing is dropped.
    #[field(default = true)]
    pub training: bool,
}

/// How lanes divide the work: each has a quad of a row, and this many models there.
pub(super) struct Shares {
    pub each: u32,
    pub places: u32,
    pub lanes: u32,
    pub blocks: u32,
}

impl Shares {
    /// A draw serves all models of a lane; a GPU has lanes to spare.
    pub fn new(caps: &Caps, models: usize, rows: usize, width: usize) -> Self {
        let (each, places) = (if caps.cpu { 64 } else { 4 }, (rows * width / 4) as u32);
        let lanes = places * models.div_ceil(each) as u32;
        Self { each: each as u32, places, lanes, blocks: lanes.div_ceil(model_batch::lanes(caps)) }
    }
}

/// Probabilities at both ends, where half a unit decides, and elsewhere; with hostile data also what is none.
#[cfg(feature = "verify")]
pub(super) fn draw_p(arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
    let some = [0.0, 0.5, 1.0, 0.1, 1.5 * 2f32.powi(-33), 1.0 - 2f32.powi(-24), -0.0];
    let wrong = [f32::NAN, -0.25, 1.0 + f32::EPSILON, f32::INFINITY, f32::NEG_INFINITY, -f32::from_bits(1)];
    let each = |_| match (rng.word() % 4, pattern) {
        (0, Pattern::NonFinite) => wrong[rng.word() as usize % wrong.len()],
        (1, _) => some[rng.word() as usize % some.len()],
        _ => rng.unit() as f32,
    };
    HostData::F32((0..arg.len).map(each).collect())
}

/// 1/(1-p) as the kernels form it.
#[cfg(feature = "verify")]
pub(super) fn factor(p: f64) -> Approx {
    // From ½ on, f32 holds the difference (Sterbenz).
    let kept = if p < 0.5 { Approx::sum([Approx::exact(1.0), Approx::exact(-p)]) } else { Approx::exact(1.0 - p) };
    Approx::exact(1.0).over(kept)
}

impl Op for BatchedReluDropout {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = model_batch::len(&[self.rows, self.models, self.width]);
        vec![Arg::read("x", DType::F32, len), Arg::read("p", DType::F32, self.models), Arg::write("y", DType::F32, len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out, first) = (self.args(), Lowered::default(), self.key.first_element);
        model_batch::check_width(NAME, self.width)?;
        model_batch::check(NAME, caps, &args)?;
        if !first.is_multiple_of(4) {
            return Err(Error::argument(NAME, "key", format!("has first_element {first}, must be a multiple of 4")));
        }
        let drawn = model_batch::len(&[self.rows, self.width]);
        if first.checked_add(drawn as u64).is_none() {
            return Err(Error::argument(NAME, "key", format!("has first_element {first}: with {drawn} elements it passes 2^64")));
        }
        if args.arg("x").len == 0 {
            return Ok(out);
        }
        let Shares { each, places, lanes, blocks } = Shares::new(caps, self.models, self.rows, self.width);
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("batched/batched_relu_dropout"),
                entry: NAME,
                parts: vec![philox::mul_wide(caps)],
                bindings: vec![model_batch::quads("x", false), model_batch::bits("p", false), model_batch::quads("y", true)],
                consts: vec![("WG", model_batch::lanes(caps))],
            },
            params: ReluDropoutParams {
                blocks,
                lanes,
                models: self.models as u32,
                quads: (self.width / 4) as u32,
                places,
                each,
                training: self.training.into(),
                nan: f32::NAN.to_bits(),
                draw: Draw::new(&self.key, first / 4),
            }
            .into(),
            slots: all(&args),
            workgroups: blocks.into(),
            trips: 10 + u64::from(each),
        });
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchedReluDropout {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        if arg.name == "p" {
            return draw_p(arg, rng, pattern);
        }
        let mut data = rng.fill(arg, [-1.0, 1.0], pattern);
        // Some NaN with the sign bit, which must not pass for negative numbers.
        if let HostData::F32(v) = &mut data {
            v.iter_mut().filter(|v| v.is_nan()).step_by(2).for_each(|v| *v = -*v);
        }
        data
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, Key { seed, stream, step, first_element }) = (Contents::new(self.args(), args), self.key);
        let (x, p) = (of.f64("x"), of.f64("p"));
        let (mut value, mut bound) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        for (at, x) in x.iter().enumerate() {
            let (row, m, unit) = (at / self.width / self.models, at / self.width % self.models, at % self.width);
            let p = if self.training { p[m] } else { 0.0 };
            let number = first_element + (row * self.width + unit) as u64;
            let kept = !self.training || reference::keeps(p, 32, seed, stream, step, number);
            value[at] = reference::batched_relu_dropout(*x, p, kept);
            if value[at].is_finite() && kept {
                bound[at] = Approx::exact(x.max(0.0)).times(factor(p)).error;
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let shapes = [[1, 1, 4], [0, 3, 8], [3, 0, 8], [3, 5, 0], [5, 3, 12], [2, 65, 8], [7, 130, 4], [1, 4, 1028], [150, 2, 40]];
    let mut out: Vec<Box<dyn Verify>> = Vec::new();
    for (i, [models, rows, width]) in shapes.into_iter().enumerate() {
        // The block's number carries into its high word; the last there is.
        let first_element = [0, (1 << 34) - 8, u64::MAX - 9999, 12][i % 4] / 4 * 4;
        let key = Key { seed: 0x0123_4567_89ab_cdef, stream: i as u32, step: 7, first_element };
        out.push(Box::new(BatchedReluDropout { models, rows, width, key, training: true }));
    }
    let key = Key { seed: 1, ..Key::default() };
    out.push(Box::new(BatchedReluDropout { models: 70, rows: 3, width: 20, key, training: false }));
    out
}

/// Models with 50 rows of 128 units; fewer rows where the size is smaller than one.
pub(super) fn bench_shape(elements: usize) -> [usize; 3] {
    let rows = (elements / 128).clamp(1, 50);
    [(elements / (128 * rows)).max(1), rows, 128]
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let [models, rows, width] = bench_shape(elements);
    vec![Box::new(BatchedReluDropout { models, rows, width, key: Key { seed: 1, ..Key::default() }, training: true })]
}
