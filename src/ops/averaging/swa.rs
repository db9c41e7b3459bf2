//! The equal average of weights. Kernel: `shaders/averaging/swa.wgsl`. Reference: `cpu::swa`.
#[cfg(feature = "verify")]
use crate::kernels::arena::arena_benches;
use crate::{
    kernel,
    kernels::weight_average::Follower,
    op::{Arg, Caps, Cost, Lowered, Op},
    options::Averaging,
    types::{DType, Error, HostData, Segment},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::arena_cases,
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// One update of stochastic weight averaging, for one tensor or a whole model in one dispatch:
///
/// average = average + (w - average) / (n + 1), n = `averaged`: the equally weighted mean of all weights so far. With n = 0
/// it becomes the weights, whatever it held.
///
/// Reads `weight`, updates `average` (f32 whatever the weights are), both with the arena's elements; groups do not matter.
/// This is what PyTorch's AveragedModel does by default. The caller decides when to average: once per epoch in the paper.
/// Batch norm's running statistics must be recomputed for the averaged weights. A NaN stays in the average.
/// Deterministic, no scratch.
///
/// [`Plan::update`](crate::Plan::update) takes another n. No gradient passes through it: there is no backward op.
///
/// Error: running analysis of three operations, each at WGSL's accuracy ([`Approx`]); 1/(n + 1) comes from the host.
/// Izmailov et al., "Averaging weights leads to wider optima and better generalization", 2018.
#[op(
    name = "swa",
    summary = "update of stochastic weight averaging: the equally weighted mean of the weights seen so far",
    formula = "average += (w - average)/(averaged + 1)"
)]
pub struct Swa {
    /// How weights are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order.
    pub segments: Vec<Segment>,
    /// How many sets of weights the average is of already; 0: it becomes the weight.
    pub averaged: u64,
}

impl Swa {
    fn follower(&self) -> Follower<'_> {
        let fresh = 1.0 / (self.averaged as f64 + 1.0);
        Follower { name: NAME, dtype: self.dtype, segments: &self.segments, fresh }
    }
}

impl Op for Swa {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        self.follower().args()
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.follower().lower(caps, kernel!("averaging/swa"))
    }

    /// f32: 12 bytes an element, f16 and bf16: 10.
    fn cost(&self) -> Cost {
        self.follower().cost()
    }
}

#[cfg(feature = "verify")]
impl Verify for Swa {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Constant, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.follower().fill(arg, rng.fill(arg, self.domain(arg), pattern))
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let follower = self.follower();
        follower.reference(args, |old, w| {
            Averaging::moved(follower.fresh, reference::swa(self.averaged, old, w), old, Approx::exact(w))
        })
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    arena_cases(3, |dtype, segments, n| Box::new(Swa { dtype, segments, averaged: [1, 0, 2, 30, u64::MAX][n % 5] }))
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    arena_benches(elements, |dtype, segments| Box::new(Swa { dtype, segments, averaged: 3 }))
}
