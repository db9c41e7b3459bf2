//! Weights kept in a range. Kernel: `lib/gradients/in_range`, by `shaders/constraints/box_constraint.wgsl`. Reference: `cpu::box_constraint`.
use crate::{
    kernel,
    kernels::arena::arena_benches,
    kernels::{
        gradients::{Gradients, ValueRange},
        optimizer::fields::SEGMENTS,
    },
    op::{Arg, Caps, Cost, Entry, Expected, Field, Lowered, Op, Pattern, Rng},
    types::{DType, Error, HostData, Segment},
    verify::reference,
};
use serde::{Deserialize, Serialize};

/// Projects every weight of an arena onto a box, w = min(max(w, `min`), `max`), in one dispatch: the projected gradient
/// method under bounds, or the weight clipping of the original Wasserstein GAN. `optax.projections.projection_box`.
///
/// Updates `weight`, the arena's elements. NaN stays NaN, and infinities become the bounds. The bounds are rounded to f32,
/// then to the storage type: an f16 or bf16 weight may exceed `max` by the rounding. Weights within the bounds keep their
/// bits. Deterministic. No scratch. Applied after the optimizer's step and not differentiated: there is no backward pass.
///
/// Error: only that of rounding the bounds; subnormal weights may be flushed to 0. Bertsekas, "On the
/// Goldstein-Levitin-Polyak gradient projection method", 1976; Arjovsky, Chintala and Bottou, "Wasserstein GAN", 2017.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoxConstraint {
    /// How weights are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order; their groups do not matter.
    pub segments: Vec<Segment>,
    /// The least value, finite; none where it is left out.
    #[serde(default)]
    pub min: Option<f64>,
    /// The greatest value, finite and not below `min`; none where it is left out.
    #[serde(default)]
    pub max: Option<f64>,
}

const NAME: &str = "box_constraint";

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

    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.weights().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        vec![self.range().reference(&self.weights(), &args[0], |[low, high], w| reference::box_constraint(low, high, w))]
    }

    fn cost(&self) -> Cost {
        self.weights().cost(2)
    }
}

fn cases() -> Vec<Box<dyn Op>> {
    ValueRange::cases(|dtype, segments, ValueRange { min, max }| Box::new(BoxConstraint { dtype, segments, min, max }))
}

fn bench(elements: usize) -> Vec<Box<dyn Op>> {
    arena_benches(elements, |dtype, segments| Box::new(BoxConstraint { dtype, segments, min: Some(-0.5), max: Some(0.5) }))
}

pub(super) const ENTRY: Entry = Entry {
    name: NAME,
    summary: "box constraint: clamps every weight of an arena to a range",
    formula: "w = min(max(w, min), max)",
    fields: &[
        Field { name: "dtype", default: "", about: "storage of weight: f32, f16 or bf16" },
        SEGMENTS,
        Field { name: "min", default: "null", about: "the least value, finite; null for none" },
        Field { name: "max", default: "null", about: "the greatest value, finite and at least min; null for none" },
    ],
    cases,
    bench,
    parse: crate::op::parse::<BoxConstraint>,
};
