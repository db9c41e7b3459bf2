//! What the optimizers share of their rows of the table: fields, groups to check, cases to time.
use crate::{
    op::{Field, Op, bench_shapes},
    options::{Averaging, DecayMode, ElasticNet, Group, Key, Rounding, Warmup},
    types::{DType, Segment},
};

/// For serde: a factor that may be left out.
pub(crate) fn one() -> f64 {
    1.0
}

pub(crate) const DTYPE: Field = Field { name: "dtype", default: "", about: "storage of weight and grad: f32, f16 or bf16" };
pub(crate) const SEGMENTS: Field =
    Field { name: "segments", default: "", about: "tensors of the arena: start (a multiple of 4), len, group" };
pub(crate) const GROUPS: Field = Field {
    name: "groups",
    default: "",
    about: "of each group: lr_scale (1), coupled, decay (0), decay_mode (scaled_by_lr or independent), prox; \
            coupled and prox: l1 (0), l2 (0), l2_form (sum or half)",
};
pub(crate) const LR: Field = Field { name: "lr", default: "", about: "learning rate, at least 0" };
pub(crate) const STEP: Field = Field { name: "step", default: "", about: "number of this step, from 1" };
pub(crate) const GRAD_SCALE: Field = Field { name: "grad_scale", default: "1", about: "multiplies the gradients, finite" };
pub(crate) const GPU_SCALE: Field =
    Field { name: "gpu_scale", default: "false", about: "a second factor is read from the argument scale" };
pub(crate) const NON_FINITE: Field = Field {
    name: "non_finite",
    default: "\"propagate\"",
    about: "propagate, or skip: leave the whole step out if a gradient or the scale is NaN or infinite, and count it",
};
pub(crate) const EMA: Field = Field {
    name: "ema",
    default: "null",
    about: "an average of the weights, kept in the same pass: decay (0 to 1) and warmup: none, or tensorflow, polyak or debiased \
            with updates, the number of those before",
};
pub(crate) const MASTER: Field = Field {
    name: "master",
    default: "false",
    about: "keep the weights in f32 too, of which f16 or bf16 ones are rounded copies",
};
pub(crate) const ROUNDING: Field = Field {
    name: "rounding",
    default: "\"nearest\"",
    about: "of bf16 weights without a master: nearest, or stochastic with a key: seed, stream, step, first_element",
};

/// What the optimizers are timed on: one long tensor, plain, regularized, and in halves; and a model of many short ones.
pub(crate) fn bench(elements: usize, make: impl Fn(DType, Vec<Segment>, Vec<Group>) -> Box<dyn Op>) -> Vec<Box<dyn Op>> {
    let one = || Segment::one(elements);
    let fused =
        || Group { coupled: ElasticNet::new(1e-4, 1e-4), decay: 1e-2, prox: ElasticNet::new(1e-4, 1e-4), ..Group::default() };
    vec![
        make(DType::F32, one(), vec![Group::default()]),
        make(DType::F32, one(), vec![fused()]),
        make(DType::F16, one(), vec![Group::default()]),
        make(DType::F32, bench_shapes::tensors(elements), vec![fused()]),
    ]
}

/// Groups that reach every field's branch.
pub(crate) fn groups() -> Vec<Group> {
    let plain = Group::default();
    vec![
        Group { coupled: ElasticNet::new(1e-2, 0.3), decay: 0.1, ..plain },
        Group { lr_scale: 0.5, decay: 1e-3, decay_mode: DecayMode::Independent, prox: ElasticNet::l1(3.0), ..plain },
        Group { coupled: ElasticNet::l1(0.1), prox: ElasticNet::new(2.0, 0.7), ..plain },
        Group { lr_scale: 0.0, coupled: ElasticNet::weight_decay(0.2), ..plain },
    ]
}

/// The ways of keeping weights, by turns: (average, master, rounding) of case `n` of this type. `pipeline` is what the case's
/// kernel depends on otherwise, so that there are no more of them than there were.
pub(crate) fn keeping(dtype: DType, pipeline: usize, n: usize) -> (Option<Averaging>, bool, Rounding) {
    let updates = n as u64 % 7;
    let warmup = [Warmup::None, Warmup::TensorFlow { updates }, Warmup::Polyak { updates }, Warmup::Debiased { updates }][n % 4];
    let ema = Some(Averaging { decay: [0.9, 0.999, 0.25, 1.0][n / 4 % 4], warmup });
    // A step of the generator that carries into the high word of the quad's number.
    let first_element = [0, 4, (1 << 35) - 64][n / 5 % 3];
    let key = Key { seed: 0x0123_4567_89ab_cdef, stream: 3, step: n as u32, first_element };
    match (dtype, pipeline % 3) {
        (DType::F32, 0) => (None, false, Rounding::Nearest),
        (DType::F32, _) => (ema, false, Rounding::Nearest),
        (DType::F16, 0) => (None, true, Rounding::Nearest),
        (DType::F16, 1) => (ema, false, Rounding::Nearest),
        (_, 0) => (ema, false, Rounding::Stochastic(key)),
        (_, 1) => (ema, true, Rounding::Nearest),
        (DType::F16, _) => (None, false, Rounding::Nearest),
        _ => (ema, false, Rounding::Nearest),
    }
}
