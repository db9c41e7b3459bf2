//! The norm of all gradients, and the factor that clips by it. Kernels: `shaders/lib/gradients/norm_partials.wgsl`, `lib/reduce/level`, then
//! `shaders/transforms/global_norm.wgsl`. Reference: `cpu::norm`, `cpu::clip_factor`.
#[cfg(feature = "verify")]
use crate::kernels::gradients::within;
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::arena_cases,
    op::{Expected, Pattern, Rng, Verify},
};
use crate::{
    kernels::gradients::{Clip, Gradients},
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{ClipForm, NonFiniteNorm},
    types::{DType, Error, HostData, Segment},
};
use ridgepole_derive::op;

/// The global norm ‖g‖₂ over all tensors of an arena, and the factor min(1, `max_norm` / (‖g‖ + 1e-6)) that clips by it, on
/// the GPU: with `gpu_scale` an optimizer takes the factor as its `scale`, so that clipping costs one extra read of the
/// gradients and no write.
///
/// Reads `grad` (the arena's elements), writes `norm` and `scale`, f32\[1\] each. An empty arena has norm 0; a norm of 0 has
/// factor 1. Squares neither overflow nor underflow: sums of large, middle and small numbers are kept apart (Blue 1978), so
/// every norm that fits f32 is right; beyond 3.4e38 it is infinite. A NaN gradient makes the norm NaN, an infinite one makes
/// it infinite; [`NonFiniteNorm`] says what the factor is then. With `Zero` it is 0, and NaN times 0 is NaN: let the
/// optimizer skip such a step, or use [`ClipByGlobalNorm`](super::ClipByGlobalNorm). A factor below 1.2e-38 may be 0.
///
/// Partial sums are added in a fixed order: deterministic, and the same however the arena is windowed. One dispatch per
/// window, one for an end that is no whole quad, one per level of the reduction after the first, one for the result.
///
/// Error: 43 + 36·levels ulp of the norm at most, levels being 1 up to 262144 elements and 2 up to 67 million: see
/// `docs/numerics/transforms.md`. Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013.
#[op(
    name = "global_norm",
    summary = "global norm of an arena's gradients, and the clip factor, which an optimizer can take as its scale",
    formula = "norm = √Σg², scale = min(1, max_norm / (norm + 1e-6))"
)]
pub struct GlobalNorm {
    /// How gradients are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order; their groups do not matter.
    pub segments: Vec<Segment>,
    /// The norm that the factor clips to.
    #[field(min = 0)]
    pub max_norm: f64,
    /// Whether 1e-6 is added to the norm.
    #[field(default)]
    pub form: ClipForm,
    /// The factor of a norm that is NaN or infinite.
    #[field(default)]
    pub non_finite: NonFiniteNorm,
}

impl GlobalNorm {
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

impl Op for GlobalNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let [norm, scale] = self.gradients().norm_args();
        vec![Arg::read("grad", self.dtype, Segment::arena_len(&self.segments)), norm, scale]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        self.clip().check(NAME)?;
        let gradients = self.gradients();
        let arena = gradients.arena(caps)?;
        let mut out = Lowered::default();
        let table = out.table(&arena.table([]), caps);
        gradients.norm_steps(caps, &mut out, (&arena, &table), (0, 1), &self.clip())?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        self.gradients().cost(1)
    }
}

#[cfg(feature = "verify")]
impl Verify for GlobalNorm {
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
        let [norm, scale] = self.gradients().norm(&args[0].to_f64(), &self.clip());
        vec![within([norm]), within([scale])]
    }
}

/// Limits far from 1 are tried on gradients whose squares f32 does not hold.
pub(super) fn domain(dtype: DType, max_norm: f64) -> [f64; 2] {
    let most = match dtype {
        DType::F16 => 1.0,
        _ if max_norm > 1e10 => 1e33,
        _ if max_norm > 0.0 && max_norm < 1e-10 => 1e-30,
        _ => 1.0,
    };
    [-most, most]
}

/// Limits that clip and that do not, and that stand for other magnitudes; with every form and policy.
pub(super) fn clips(n: usize) -> (f64, ClipForm, NonFiniteNorm) {
    let form = if n.is_multiple_of(2) { ClipForm::Softened } else { ClipForm::Plain };
    let policies = [NonFiniteNorm::Propagate, NonFiniteNorm::Zero, NonFiniteNorm::Keep];
    ([0.5, 1e3, 3e31, 1e-28, 0.0][n % 5], form, policies[n % 3])
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let make = |dtype, segments, n| {
        let (max_norm, form, non_finite) = clips(n);
        Box::new(GlobalNorm { dtype, segments, max_norm, form, non_finite }) as Box<dyn Verify>
    };
    let mut out = arena_cases(5, make);
    // More blocks than a workgroup merges, on every device.
    out.push(make(DType::F32, Segment::pack(&[1; 1100], 4), 0));
    out
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    DType::FLOATS.into_iter().map(|dtype| Box::new(GlobalNorm::new(dtype, elements, 1.0)) as Box<dyn Verify>).collect()
}
