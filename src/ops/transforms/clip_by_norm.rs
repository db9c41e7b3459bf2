//! Gradients clipped tensor by tensor. Kernels: `lib/gradients/norm_partials`, `lib/gradients/tensor_level`, `shaders/transforms/clip_by_norm.wgsl`.
//! Reference: `cpu::clip_by_norm`.
use super::global_norm::{clips, domain};
use crate::{
    kernel,
    kernels::gradients::{Clip, Gradients},
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{ClipForm, NonFiniteNorm},
    types::{DType, Error, HostData, Segment},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::arena_benches,
    kernels::arena::arena_cases,
    op::{Expected, Pattern, Rng, Verify},
    verify::reference,
};
use ridgepole_derive::op;

/// Clips each tensor of an arena by its own norm: g = min(1, `max_norm` / (‖g‖ + 1e-6))·g, ‖g‖ being the norm of that tensor
/// alone. The default is PyTorch's `clip_grad_norm_` applied to each parameter; Keras' `clipnorm` and `tf.clip_by_norm` are
/// [`ClipForm::Plain`].
///
/// Updates `grad` (the arena's elements), writes `norm` and `scale`, f32\[tensors\] each: for each segment the norm before
/// clipping and the factor; 0 and 1 for an empty one. Norms are those of [`GlobalNorm`](super::GlobalNorm) for that tensor,
/// right wherever they fit f32. A tensor that is not finite does not affect the others; [`NonFiniteNorm`] says what happens
/// to it. A factor of 1 changes no bit.
///
/// Partial sums are added in a fixed order: deterministic, and the same however the arena is windowed. However many tensors
/// there are, the dispatches are two per window, two for an end that is no whole quad, and one per level of the reduction:
/// one level up to 262144 elements in the longest tensor, two up to 67 million, and so on. The gradients are read twice and
/// written once.
///
/// Error: as of [`ClipByGlobalNorm`](super::ClipByGlobalNorm). Pascanu, Mikolov and Bengio, "On the difficulty of training
/// recurrent neural networks", 2013.
#[op(
    name = "clip_by_norm",
    summary = "gradient clipping of each tensor of an arena by its own norm; also writes norms and factors",
    formula = "g = min(1, max_norm / (‖g‖ + 1e-6))·g, per tensor (plain: without the 1e-6)"
)]
pub struct ClipByNorm {
    /// How gradients are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order; their groups do not matter.
    pub segments: Vec<Segment>,
    /// The norm that each tensor is clipped to.
    #[field(min = 0)]
    pub max_norm: f64,
    /// Whether 1e-6 is added to the norm.
    #[field(default)]
    pub form: ClipForm,
    /// What happens to a tensor whose norm is NaN or infinite.
    #[field(default)]
    pub non_finite: NonFiniteNorm,
}

impl ClipByNorm {
    /// As PyTorch clips one tensor of `len` elements.
    pub fn new(dtype: DType, len: usize, max_norm: f64) -> Self {
        Self::from_required(dtype, Segment::one(len), max_norm)
    }

    fn gradients(&self) -> Gradients<'_> {
        Gradients { name: NAME, dtype: self.dtype, segments: &self.segments }
    }

    fn clip(&self) -> Clip {
        Clip { max_norm: self.max_norm, form: self.form, non_finite: self.non_finite }
    }
}

impl Op for ClipByNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let [norm, scale] = self.gradients().tensor_norm_args();
        vec![self.gradients().updated(), norm, scale]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        self.clip().check(NAME)?;
        self.gradients().clip_tensors(caps, &self.clip(), kernel!("transforms/clip_by_norm"))
    }

    fn cost(&self) -> Cost {
        self.gradients().cost(3)
    }
}

#[cfg(feature = "verify")]
impl Verify for ClipByNorm {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn domain(&self, _: &Arg) -> [f64; 2] {
        domain(self.dtype, self.max_norm)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.gradients().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let clip = self.clip();
        self.gradients().clipped_tensors(&args[0], &clip, |g| reference::clip_by_norm(clip.max_norm, clip.form.eps(), g))
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let make = |dtype, segments, n| {
        let (max_norm, form, non_finite) = clips(n);
        Box::new(ClipByNorm { dtype, segments, max_norm, form, non_finite }) as Box<dyn Verify>
    };
    let mut out = arena_cases(5, make);
    out.push(make(DType::F32, Segment::pack(&[1; 1100], 4), 0));
    // A tensor of more blocks than a workgroup merges where those are narrow (512 of 2048 elements), with others before and behind
    // it, some without elements, and an end that is no whole quad and has a partial of its own.
    out.push(make(DType::Bf16, Segment::pack(&[0, 5, 1_100_000, 0, 0, 17, 5003, 0], 4), 0));
    out
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    arena_benches(elements, |dtype, segments| {
        let (form, non_finite) = Default::default();
        Box::new(ClipByNorm { dtype, segments, max_norm: 1.0, form, non_finite })
    })
}
