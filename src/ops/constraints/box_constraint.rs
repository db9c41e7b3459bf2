//! Weights kept in a range. Kernel: `lib/gradients/in_range`, by `shaders/constraints/box_constraint.wgsl`. Reference: `cpu::box_constraint`.
use crate::{
    kernel,
    kernels::gradients::{Gradients, ValueRange},
    op::{Arg, Caps, Cost, Lowered, Op},
    types::{DType, Error, HostData, Segment},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::arena_benches,
    op::{Expected, Pattern, Rng, Verify},
    verify::reference,
};
use ridgepole_derive::op;

/// Projects every weight of an arena onto a box, w = min(max(w, `min`), `max`), in one dispatch: the projected gradient
/// method under bounds, or the weight clipping of the original Wasserstein GAN. `optax.projections.projection_box`.
///
/// Updates `weight`, the arena's elements. NaN stays NaN, and infinities become the bounds. The bounds are rounded to f32,
/// then to the storage type: an f16 or bf16 weight may exceed `max` by the rounding. Weights within the bounds keep their
/// bits. Deterministic. No scratch. Applied after the optimizer's step and not differentiated: there is no backward pass.
///
/// Error: only that of rounding the bounds; subnormal weights may be flushed to 0. Bertsekas, "On the
/// Goldstein-Levitin-Polyak gradient projection method", 1976; Arjovsky, Chintala and Bottou, "Wasserstein GAN", 2017.
#[op(
    name = "box_constraint",
    summary = "box constraint: clamps every weight of an arena to a range",
    formula = "w = min(max(w, min), max)"
)]
pub struct BoxConstraint {
    /// How weights are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order; their groups do not matter.
    pub segments: Vec<Segment>,
    /// The least value; none where it is left out.
    #[field(default)]
    pub min: Option<f64>,
    /// The greatest value, not below `min`; none where it is left out.
    #[field(default)]
    pub max: Option<f64>,
}

impl BoxConstraint {
    /// One tensor of `len` elements, kept in -`limit`..=`limit`.
    pub fn new(dtype: DType, len: usize, limit: f64) -> Self {
        Self { dtype, segments: Segment::one(len), min: Some(-limit), max: Some(limit) }
    }

    fn weights(&self) -> Gradients<'_> {
        Gradients { name: NAME, dtype: self.dtype, segments: &self.segments }
    }

    fn range(&self) -> ValueRange {
        ValueRange { min: self.min, max: self.max }
    }
}

impl Op for BoxConstraint {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![self.weights().weights()]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.range().lower(caps, &self.weights(), kernel!("constraints/box_constraint"))
    }

    fn cost(&self) -> Cost {
        self.weights().cost(2)
    }
}

#[cfg(feature = "verify")]
impl Verify for BoxConstraint {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.weights().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        vec![self.range().reference(&self.weights(), &args[0], |[low, high], w| reference::box_constraint(low, high, w))]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    ValueRange::cases(|dtype, segments, ValueRange { min, max }| Box::new(BoxConstraint { dtype, segments, min, max }))
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    arena_benches(elements, |dtype, segments| Box::new(BoxConstraint { dtype, segments, min: Some(-0.5), max: Some(0.5) }))
}
