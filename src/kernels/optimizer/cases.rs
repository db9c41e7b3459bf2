//! Cases that the optimizers share, for the checks and to time.
use super::VerifyRule;
use crate::{
    kernels::arena::arena_cases,
    op::{Verify, bench_shapes},
    options::{Averaging, DecayMode, ElasticNet, Group, Key, Rounding, Warmup},
    types::{DType, Segment},
};

/// The cases of an optimizer, which `make` makes of a type, segments, groups and what [`keeping`] says.
#[cfg(feature = "verify")]
pub(crate) fn all<T: VerifyRule + Verify + 'static>(
    make: impl Fn(DType, Vec<Segment>, Vec<Group>, (Option<Averaging>, bool, Rounding)) -> T,
) -> Vec<Box<dyn Verify>> {
    arena_cases(4, |dtype, segments, n| {
        // Tensors take groups by turns of four: each kind is to meet all of them.
        let kind = if T::KINDS.is_multiple_of(4) { n + n / T::KINDS } else { n } % T::KINDS;
        Box::new(make(dtype, segments, T::groups(), keeping(dtype, kind, n)).case(kind, n))
    })
}

/// What an optimizer is timed on: one long tensor, plain, regularized, and in halves; and a model of many short ones.
#[cfg(feature = "verify")]
pub(crate) fn bench<T: VerifyRule + Verify + 'static>(
    elements: usize,
    make: impl Fn(DType, Vec<Segment>, Vec<Group>) -> T,
) -> Vec<Box<dyn Verify>> {
    let one = || Segment::one(elements);
    let plain = || vec![Group::default()];
    let net = ElasticNet::new(1e-4, 1e-4);
    let fused = || vec![Group { coupled: net, decay: 1e-2, prox: net, ..Group::default() }];
    let all = [
        make(DType::F32, one(), plain()),
        make(DType::F32, one(), fused()),
        make(DType::F16, one(), plain()),
        make(DType::F32, bench_shapes::tensors(elements), fused()),
    ];
    let besides = make(DType::Bf16, one(), plain()).timed().timed_besides();
    all.map(T::timed).into_iter().chain(besides).map(|op| Box::new(op) as Box<dyn Verify>).collect()
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
