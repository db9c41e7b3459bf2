//! Weights kept from being negative. Kernel: `shaders/constraints/non_negative.wgsl`. Reference: `cpu::non_negative`.
use crate::{
    kernel,
    kernels::gradients::{Gradients, Pass},
    op::{Arg, Caps, Cost, Lowered, Op, Params},
    types::{DType, Error, HostData, Segment},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::arena_benches,
    kernels::arena::arena_cases,
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The non-negativity constraint: w = max(w, 0) for every weight of an arena, in one dispatch: Keras' `NonNeg`,
/// `optax.projections.projection_non_negative`.
///
/// Updates `weight`, the arena's elements. -0 becomes +0 (Keras leaves it), -∞ becomes 0, NaN stays NaN, whatever its sign.
/// Positive weights keep their bits. Decided by the bits: deterministic. No scratch. Applied after the optimizer's step and
/// not differentiated: there is no backward pass.
///
/// Error: none; subnormal weights may be flushed to 0.
#[op(
    name = "non_negative",
    summary = "non-negativity constraint: sets negative weights of an arena to 0",
    formula = "w = max(w, 0)"
)]
pub struct NonNegative {
    /// How weights are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order; their groups do not matter.
    pub segments: Vec<Segment>,
}

impl NonNegative {
    /// One tensor of `len` elements.
    pub fn new(dtype: DType, len: usize) -> Self {
        Self { dtype, segments: Segment::one(len) }
    }

    fn weights(&self) -> Gradients<'_> {
        Gradients { name: NAME, dtype: self.dtype, segments: &self.segments }
    }
}

impl Op for NonNegative {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![self.weights().weights()]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.weights().map(caps, Pass::map(kernel!("constraints/non_negative"), NAME), Params::from)
    }

    fn cost(&self) -> Cost {
        self.weights().cost(2)
    }
}

#[cfg(feature = "verify")]
impl Verify for NonNegative {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.weights().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        vec![self.weights().mapped(&args[0], |_, w| Approx::exact(reference::non_negative(w)))]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    arena_cases(7, |dtype, segments, _| Box::new(NonNegative { dtype, segments }))
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    arena_benches(elements, |dtype, segments| Box::new(NonNegative { dtype, segments }))
}
