//! What the optimizers share of their rows of the table: fields, groups to check, cases to time.
use crate::{DType, DecayMode, ElasticNet, Group, Op, Segment, ops::Field};

/// For serde: a factor that may be left out.
pub(crate) fn one() -> f64 {
    1.0
}

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

/// What the optimizers are timed on: one long tensor, plain, regularized, and in halves; and a model of many short ones.
pub(crate) fn bench(make: impl Fn(DType, Vec<Segment>, Vec<Group>) -> Box<dyn Op>) -> Vec<Box<dyn Op>> {
    let one = || Segment::one(1 << 22);
    let fused =
        || Group { coupled: ElasticNet::new(1e-4, 1e-4), decay: 1e-2, prox: ElasticNet::new(1e-4, 1e-4), ..Group::default() };
    // 100 to 16,000 elements, about a million in all.
    let lens: Vec<usize> = (0..300).map(|i| (100.0 * 160f64.powf(f64::from(i) / 299.0)) as usize).collect();
    vec![
        make(DType::F32, one(), vec![Group::default()]),
        make(DType::F32, one(), vec![fused()]),
        make(DType::F16, one(), vec![Group::default()]),
        make(DType::F32, Segment::pack(&lens, 128), vec![fused()]),
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
