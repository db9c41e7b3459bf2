//! The texts of the fields that the optimizers share, for the ops table.
use crate::op::Field;

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
            coupled and prox: l1 (0), l2 (0), l2_form (half or sum, must be given with coupled.l2)",
};
/// As above, for ops that are known for their decay.
pub(crate) const GROUPS_THAT_DECAY: Field = Field {
    name: "groups",
    default: "",
    about: "of each group: decay (must be given, 0 for none), lr_scale (1), coupled, decay_mode (scaled_by_lr or independent), \
            prox; coupled and prox: l1 (0), l2 (0), l2_form (half or sum, must be given with coupled.l2)",
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
