//! Losses of models side by side. Kernel: `shaders/batched/batched_loss.wgsl`. Reference: `cpu::batched_loss`.
#[cfg(feature = "verify")]
use crate::op::{Expected, Pattern, Rng, Verify};
use crate::{
    kernel,
    kernels::{
        linear_models::items,
        reduce::{Monoid, Partials},
    },
    op::{Arg, ByName, Caps, Lowered, MAX_TRIPS, Op, Step},
    ops::batched::shared::model_batch,
    options::BatchedLossKind,
    params,
    types::{DType, Error, HostData},
    wgsl::{Spec, parts},
};
use ridgepole_derive::op;

#[cfg(feature = "verify")]
mod cases;
#[cfg(feature = "verify")]
mod expected;

params! { BatchedLossParams { blocks: u32, lanes: u32, models: u32, rows: u32, length: u32, quads: u32, columns: u32, nan: u32 } }

/// The loss of many models of one shape, and its gradient, in one pass: L = Σ w·loss over the rows of each model,
/// cross-entropy or squared error.
///
/// Reads `prediction` f32\[rows, models, padded], `padded` being `columns` rounded up to a multiple of 4: logits for the
/// cross-entropy; `target`, the same shape: class probabilities, or values; and `weight` w, f32\[rows, models]. Writes `grad`
/// as `prediction`: the gradient of L, w·(softmax(z) - t), which assumes that a row's probabilities sum to 1, or
/// w·2·(p - t); `loss` f32\[models]: L; and `right` f32\[models]: the sum of w over the correct rows, whose prediction and target
/// have the same argmax, the first of equals (0 for the squared error).
///
/// Weights select the rows of a model (0 or 1), take their mean (1/n), or both. A row of weight 0 adds nothing, and its
/// gradient is 0, whatever it holds, even NaN. Columns from `columns` on are not read; their gradient is 0. A row whose
/// logits have a NaN or +∞, or are all -∞, has loss and gradient NaN and is not correct. A logit of -∞ has the gradient -w·t,
/// and where its t is not 0, the loss is infinite.
///
/// Deterministic; a model's results are the same, bit for bit, whatever models are beside it. A dispatch, one or more for the
/// sums, and scratch of 8 bytes for each model and run of rows (8 rows; 64 on a CPU; fewer where columns are many). A device
/// must be able to bind each buffer whole; `prediction` must have fewer than 2^31 elements.
///
/// Error: relative to the magnitudes that are added; for the loss of a row, relative to that loss.
#[op(
    name = "batched_loss",
    summary = "cross-entropy or squared error of many models, its gradient and the correct rows, with a weight per row and model",
    formula = "L = Σ w·Σ t·(-ln softmax(z)), or Σ w·Σ (p - t)²",
    cases = BatchedLoss::cases,
    bench = BatchedLoss::bench
)]
pub struct BatchedLoss {
    /// Which loss.
    pub loss: BatchedLossKind,
    /// Models. May be 0.
    pub models: usize,
    /// Rows of each model, its samples. May be 0.
    pub rows: usize,
    /// Classes, or values predicted.
    #[field(min = 1, max = 4096)]
    pub columns: usize,
}

/// A lane passes over a row three times.
const MOST_COLUMNS: usize = 4096;

impl BatchedLoss {
    /// Values of a row, with those that fill its last quad.
    pub fn padded(&self) -> usize {
        self.columns.checked_next_multiple_of(4).unwrap_or(usize::MAX)
    }

    /// Rows to a lane.
    fn length(&self, caps: &Caps) -> usize {
        let most = MAX_TRIPS as usize / (1 + 3 * self.padded() / 4);
        most.clamp(1, if caps.cpu { 64 } else { 8 })
    }

    fn check(&self, caps: &Caps) -> Result<(), Error> {
        if !(1..=MOST_COLUMNS).contains(&self.columns) {
            let why = format!("is {}, must be from 1 to {MOST_COLUMNS}", self.columns);
            return Err(Error::argument(NAME, "columns", why));
        }
        model_batch::check(NAME, caps, &self.args())
    }
}

impl Op for BatchedLoss {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = model_batch::len(&[self.rows, self.models, self.padded()]);
        vec![
            Arg::read("prediction", DType::F32, len),
            Arg::read("target", DType::F32, len),
            Arg::read("weight", DType::F32, model_batch::len(&[self.rows, self.models])),
            Arg::write("grad", DType::F32, len),
            Arg::write("loss", DType::F32, self.models),
            Arg::write("right", DType::F32, self.models),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.check(caps)?;
        let (args, mut out) = (self.args(), Lowered::default());
        if self.models == 0 {
            return Ok(out);
        }
        let (length, quads) = (self.length(caps), self.padded() / 4);
        let (runs, models) = (self.rows.div_ceil(length) as u64, self.models as u64);
        let partials = Partials::interleaved(NAME, &mut out, caps, Monoid::SUM, 2 * models, runs)?;
        if runs > 0 {
            let blocks = (runs * models).div_ceil(u64::from(model_batch::lanes(caps)));
            let kind = match self.loss {
                BatchedLossKind::CrossEntropy => parts::batched::CROSS_ENTROPY,
                BatchedLossKind::SquaredError => parts::batched::SQUARED_ERROR,
            };
            let mut bindings =
                vec![model_batch::quads("prediction", false), model_batch::quads("wanted", false), items("weight", false)];
            bindings.extend([model_batch::quads("grad", true), items("partials", true)]);
            let mut slots = ["prediction", "target", "weight", "grad"].map(|name| args.whole(name)).to_vec();
            slots.push(partials.slot());
            out.steps.push(Step {
                spec: Spec {
                    shader: kernel!("batched/batched_loss"),
                    entry: NAME,
                    parts: vec![kind],
                    bindings,
                    consts: vec![("WG", model_batch::lanes(caps))],
                },
                params: BatchedLossParams {
                    blocks: blocks as u32,
                    lanes: (runs * models) as u32,
                    models: models as u32,
                    rows: self.rows as u32,
                    length: length as u32,
                    quads: quads as u32,
                    columns: self.columns as u32,
                    nan: f32::NAN.to_bits(),
                }
                .into(),
                slots,
                workgroups: blocks,
                trips: (length * (1 + 3 * quads)) as u64,
            });
        }
        partials.into_args(&mut out, caps, &[args.at("loss"), args.at("right")]);
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for BatchedLoss {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Offset, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.contents(arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.expected(args)
    }
}
