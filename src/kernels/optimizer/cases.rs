//! Cases that the optimizers share, for the checks and to time.
use crate::{
    op::{Verify, bench_shapes},
    options::{Averaging, DecayMode, ElasticNet, Group, Key, Rounding, Warmup},
    types::{DType, Segment},
};

#[cfg(feature = "verify")]
/// What the optimizers are timed on: one long tensor, plain, regularized, and in halves; and a model of many short ones.
pub(crate) fn bench(elements: usize, make: impl Fn(DType, Vec<Segment>, Vec<Group>) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
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
