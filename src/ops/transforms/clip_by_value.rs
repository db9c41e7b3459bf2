//! Gradients clipped one by one. Kernel: `lib/gradients/in_range`, by `shaders/transforms/clip_by_value.wgsl`. Reference: `cpu::clip_by_value`.
use crate::{
    kernel,
    kernels::gradients::{Gradients, ValueRange},
    op::{Arg, Caps, Cost, Lowered, Op},
    types::{DType, Error, HostData, Segment},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
    verify::reference,
};
use ridgepole_derive::op;

/// Clips each gradient to a range, g = min(max(g, `min`), `max`), for one tensor or a whole arena in one dispatch.
///
/// Updates `grad`, the arena's elements. NaN stays NaN, and infinities become the bounds. The bounds are rounded to f32, then
/// to the storage type: an f16 or bf16 gradient may exceed `max` by the rounding. PyTorch's `clip_grad_value_` and
/// `optax.clip` take `min` = -`max`. Deterministic. No scratch. There is no backward pass.
///
/// Error: only that of rounding the bounds; gradients within them keep their bits, or may be flushed to 0 if subnormal.
#[op(
    name = "clip_by_value",
    summary = "gradient clipping by value, over one tensor or an arena",
    formula = "g = min(max(g, min), max)"
)]
pub struct ClipByValue {
    /// How gradients are stored.
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

impl ClipByValue {
    /// Clips one tensor of `len` elements to -`limit`..=`limit`.
    pub fn new(dtype: DType, len: usize, limit: f64) -> Self {
        Self { dtype, segments: Segment::one(len), min: Some(-limit), max: Some(limit) }
    }

    fn gradients(&self) -> Gradients<'_> {
        Gradients { name: NAME, dtype: self.dtype, segments: &self.segments }
    }

    fn range(&self) -> ValueRange {
        ValueRange { min: self.min, max: self.max }
    }
}

impl Op for ClipByValue {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![self.gradients().updated()]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.range().lower(caps, &self.gradients(), kernel!("transforms/clip_by_value"))
    }

    fn cost(&self) -> Cost {
        self.gradients().cost(2)
    }
}

#[cfg(feature = "verify")]
impl Verify for ClipByValue {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.gradients().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        vec![self.range().reference(&self.gradients(), &args[0], |[low, high], g| reference::clip_by_value(low, high, g))]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    ValueRange::cases(|dtype, segments, ValueRange { min, max }| Box::new(ClipByValue { dtype, segments, min, max }))
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    DType::FLOATS.into_iter().map(|dtype| Box::new(ClipByValue::new(dtype, elements, 0.5)) as Box<dyn Verify>).collect()
}
