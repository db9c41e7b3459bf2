//! The exponential moving average of weights. Kernel: `shaders/averaging/ema.wgsl`. Reference: `cpu::ema`.
#[cfg(feature = "verify")]
use crate::kernels::arena::arena_benches;
use crate::{
    kernel,
    kernels::weight_average::Follower,
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{Averaging, Warmup},
    types::{DType, Error, HostData, Segment},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::arena_cases,
    op::{Expected, Pattern, Rng, Verify},
    verify::Approx,
};
use ridgepole_derive::op;

/// One update of an exponential moving average of the weights, for one tensor or a whole model in one dispatch:
///
/// average = d·average + (1 - d)·w, d = `decay` or less by [`Warmup`], which names the conventions of the frameworks. With
/// `decay` = 1 and [`Warmup::Polyak`]: Polyak averaging.
///
/// Reads `weight`, updates `average` (f32 whatever the weights are), both with the arena's elements; groups do not matter.
/// The form of the sum, and what d = 0 and d = 1 mean, are those of [`Averaging`]. The optimizers keep the same average in
/// the pass of their step. A NaN stays in the average. Deterministic, no scratch.
///
/// [`Plan::update`](crate::Plan::update) takes another decay or number of updates. No gradient passes through it: there is no
/// backward op.
///
/// Error: running analysis of three operations, each at WGSL's accuracy ([`Approx`]).
/// Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992; Tarvainen and Valpola, "Mean teachers are
/// better role models", 2017.
#[op(
    name = "ema",
    summary = "update of an exponential moving average of the weights, with the frameworks' warm-ups; also Polyak averaging",
    formula = "average = d·average + (1-d)·w, d = decay, or less by warmup"
)]
pub struct Ema {
    /// How weights are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order.
    pub segments: Vec<Segment>,
    /// The share of the old average that remains when the warm-up is over.
    #[field(min = 0, max = 1)]
    pub decay: f64,
    /// How the share is reduced during warm-up.
    #[field(default)]
    pub warmup: Warmup,
}

impl Ema {
    fn averaging(&self) -> Averaging {
        Averaging { decay: self.decay, warmup: self.warmup }
    }

    fn follower(&self) -> Follower<'_> {
        Follower { name: NAME, dtype: self.dtype, segments: &self.segments, fresh: self.averaging().fresh() }
    }
}

impl Op for Ema {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        self.follower().args()
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.averaging().check(NAME, "decay", "is")?;
        self.follower().lower(caps, kernel!("averaging/ema"))
    }

    /// f32: 12 bytes an element, f16 and bf16: 10.
    fn cost(&self) -> Cost {
        self.follower().cost()
    }
}

#[cfg(feature = "verify")]
impl Verify for Ema {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Constant, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.follower().fill(arg, rng.fill(arg, self.domain(arg), pattern))
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.follower().reference(args, |old, w| self.averaging().reference(old, Approx::exact(w)))
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    arena_cases(3, |dtype, segments, n| {
        let updates = [0, 1, 5, 100, u64::MAX][n % 5];
        let warmup = [Warmup::None, Warmup::TensorFlow { updates }, Warmup::Polyak { updates }, Warmup::Debiased { updates }];
        Box::new(Ema { dtype, segments, decay: [0.9, 1.0, 0.9999, 0.0, 0.5, 0.99][n / 4 % 6], warmup: warmup[n % 4] })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    arena_benches(elements, |dtype, segments| Box::new(Ema { dtype, segments, decay: 0.999, warmup: Warmup::None }))
}
