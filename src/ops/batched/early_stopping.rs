//! Patience for models side by side. Kernel: `shaders/batched/early_stopping.wgsl`. Reference: `cpu::early_stopping`.
use crate::{
    kernel,
    kernels::linear_models::{all, items},
    op::{Arg, Caps, Lowered, MAX_TRIPS, Op, Step},
    ops::batched::shared::model_batch,
    options::check_scalar,
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

params! { EarlyStoppingParams { blocks: u32, models: u32, parts: u32, epoch: f32, patience: f32, min_delta: f32 } }

/// Early stopping of many models: decides after an epoch, on the GPU, which models improved and which ran out of patience.
///
/// Reads `loss` f32\[parts, models]: the losses of the parts (chunks) of the validation data, whose sum is the loss of a
/// model. Updates `state` f32\[4, models]: the best loss so far, the epoch of the best, the epochs waited since, and the
/// status: 0 running, 1 improved this epoch, 2 stopped. [`EarlyStopping::start`] makes the initial state. A model improves if
/// its loss is below the best one minus `min_delta`; otherwise it has waited one epoch more, and stops after `patience`
/// epochs. The state of a stopped model no longer changes. A NaN is no improvement. [`KeepBest`](super::KeepBest) checkpoints
/// the weights of the models that improved.
///
/// [`Plan::update`](crate::device::Plan::update) takes another epoch. Deterministic. One dispatch without scratch, a lane for each model. A device
/// must be able to bind each buffer whole; `loss` must have fewer than 2^31 elements.
///
/// Error: that of a sum in order. Where it and the rounding of best - `min_delta` leave the comparison undecided, either
/// outcome is right.
///
/// Prechelt, "Early stopping — but when?", 1998.
#[op(
    name = "early_stopping",
    summary = "early stopping of many models, decided on the GPU: which improved this epoch, which ran out of patience",
    formula = "improved if Σ loss < best - min_delta; stopped after patience epochs without"
)]
pub struct EarlyStopping {
    /// Models. May be 0.
    pub models: usize,
    /// Parts of each model's loss, to be summed.
    #[field(min = 1, max = 8192)]
    pub parts: usize,
    /// The number of this epoch, up to which f32 counts exactly.
    #[field(max = 2^24)]
    pub epoch: u32,
    /// Epochs without improvement after which a model stops.
    #[field(min = 1, max = 2^24)]
    pub patience: u32,
    /// How much better a loss must be to count.
    #[field(default, min = 0)]
    pub min_delta: f64,
}

/// Up to which f32 counts.
const MOST: u32 = 1 << 24;

impl EarlyStopping {
    /// The initial state: the best loss is infinite.
    pub fn start(models: usize) -> HostData {
        HostData::F32([vec![f32::INFINITY; models], vec![0.0; 3 * models]].concat())
    }

    fn check(&self, caps: &Caps) -> Result<(), Error> {
        let bad = |arg, value, range: String| Err(Error::argument(NAME, arg, format!("is {value}, must be {range}")));
        if !(1..=MAX_TRIPS as usize).contains(&self.parts) {
            return bad("parts", self.parts, format!("from 1 to {MAX_TRIPS}"));
        }
        if self.epoch > MOST {
            return bad("epoch", self.epoch as usize, "at most 2^24, up to which f32 counts exactly".into());
        }
        if !(1..=MOST).contains(&self.patience) {
            return bad("patience", self.patience as usize, "from 1 to 2^24".into());
        }
        check_scalar(NAME, "min_delta", self.min_delta, [0.0, f64::INFINITY])?;
        model_batch::check(NAME, caps, &self.args())
    }
}

impl Op for EarlyStopping {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::read("loss", DType::F32, model_batch::len(&[self.parts, self.models])),
            Arg::update("state", DType::F32, model_batch::len(&[4, self.models])),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.check(caps)?;
        let (args, mut out) = (self.args(), Lowered::default());
        if self.models == 0 {
            return Ok(out);
        }
        let blocks = (self.models as u64).div_ceil(u64::from(model_batch::lanes(caps)));
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("batched/early_stopping"),
                entry: NAME,
                parts: vec![],
                bindings: vec![items("loss", false), items("state", true)],
                consts: vec![("WG", model_batch::lanes(caps))],
            },
            params: EarlyStoppingParams {
                blocks: blocks as u32,
                models: self.models as u32,
                parts: self.parts as u32,
                epoch: self.epoch as f32,
                patience: self.patience as f32,
                min_delta: self.min_delta as f32,
            }
            .into(),
            slots: all(&args),
            workgroups: blocks,
            trips: self.parts as u64,
        });
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for EarlyStopping {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Constant, Pattern::NonFinite]
    }

    /// Numbers of which f32 makes exact sums, so that it is certain what must come out; some losses are exactly at the limit. Any numbers
    /// for one pattern.
    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        let state = arg.name == "state";
        let each = |at: usize| -> f32 {
            let coarse = (rng.word() % 512) as f32 / 256.0;
            match (state, at / self.models) {
                (true, 1) => (rng.word() % 100) as f32,
                // Waited: just short of the patience, or anything up to it.
                (true, 2) if rng.word().is_multiple_of(2) => self.patience.saturating_sub(1 + rng.word() % 3) as f32,
                (true, 2) => (rng.word() % self.patience) as f32,
                (true, 3) => (rng.word() % 3) as f32,
                _ if pattern == Pattern::NonFinite && rng.word().is_multiple_of(4 + self.parts as u32) => {
                    [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][rng.word() as usize % 3]
                }
                (true, _) => (self.parts as f32 * coarse).floor() + if pattern == Pattern::Constant { 0.37 } else { 0.0 },
                _ if pattern == Pattern::Constant => rng.unit() as f32,
                // With one part, often what the best loss is.
                _ => {
                    if self.parts == 1 {
                        coarse.floor()
                    } else {
                        coarse
                    }
                }
            }
        };
        HostData::F32((0..arg.len).map(each).collect())
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (of, models) = (Contents::new(self.args(), args), self.models);
        let (loss, mut value) = (of.f64("loss"), of.f64("state"));
        let mut bound = vec![0.0; value.len()];
        let [epoch, patience, delta] = [f64::from(self.epoch), f64::from(self.patience), f64::from(self.min_delta as f32)];
        for m in 0..models {
            let parts: Vec<f64> = (0..self.parts).map(|k| loss[k * models + m]).collect();
            let (sum, state) = (sum_of(&parts), [0, 1, 2, 3].map(|row| value[row * models + m]));
            let limit = exactly(Approx::sum([Approx::exact(state[0]), Approx::exact(-delta)]));
            let after = reference::early_stopping(state, sum.value, epoch, patience, delta);
            // What is not finite is not close.
            let open = (sum.value - limit.value).abs() <= sum.error + limit.error && sum.error + limit.error > 0.0;
            let (better, worse) = (f64::NEG_INFINITY, f64::INFINITY);
            let other = |loss| reference::early_stopping(state, loss, epoch, patience, delta);
            for row in 0..4 {
                let at = row * models + m;
                value[at] = after[row];
                if row == 0 && after[3] == 1.0 && state[3] != 2.0 {
                    bound[at] = sum.error;
                }
                if open && state[3] != 2.0 {
                    let [yes, no] = if row == 0 { [sum.value, state[0]] } else { [other(better)[row], other(worse)[row]] };
                    bound[at] += (yes - no).abs();
                }
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

/// A sum in any order. Of multiples of 2^-10 that fit 24 bits it is exact.
#[cfg(feature = "verify")]
fn sum_of(parts: &[f64]) -> Approx {
    let (value, size): (f64, f64) = (parts.iter().sum(), parts.iter().map(|v| v.abs()).sum());
    let exact = parts.len() == 1 || size < 2f64.powi(13) && parts.iter().all(|v| (v * 1024.0).fract() == 0.0);
    let more = parts.len() as f64 * (DType::F32.epsilon() * size + DType::F32.least_normal());
    let tiny = if size == 0.0 { 0.0 } else { DType::F32.least_normal() };
    Approx {
        value,
        error: if !value.is_finite() {
            0.0
        } else if exact {
            if size < 1e-30 { tiny } else { 0.0 }
        } else {
            more
        },
    }
}

/// A result that f32 holds is not rounded.
#[cfg(feature = "verify")]
fn exactly(a: Approx) -> Approx {
    let holds = f64::from(a.value as f32) == a.value && (a.value == 0.0 || a.value.abs() > 1e-30);
    Approx { error: if holds || !a.value.is_finite() { 0.0 } else { a.error }, ..a }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let case = |models, parts, epoch, patience, min_delta| {
        Box::new(EarlyStopping { models, parts, epoch, patience, min_delta }) as Box<dyn Verify>
    };
    vec![
        case(1, 1, 0, 1, 0.0),
        case(0, 3, 1, 1, 0.0),
        case(150, 1, 17, 10, 0.0),
        case(333, 1, 3, 2, 0.25),
        case(257, 5, MOST, 3, 0.0),
        case(1030, 12, 9, MOST, 0.5),
        case(64, 200, 1, 5, 1e-3),
        case(1, 8192, 2, 1, 0.0),
    ]
}

#[cfg(feature = "verify")]
/// One loss of each model.
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    vec![Box::new(EarlyStopping { models: (elements / 4).max(1), parts: 1, epoch: 1, patience: 10, min_delta: 0.0 })]
}
