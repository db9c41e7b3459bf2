//! All gradients clipped by their common norm. Kernels: those of `global_norm`, then
//! `shaders/transforms/clip_by_global_norm.wgsl`. Reference: `cpu::clip_by_global_norm`.
use super::global_norm::{clips, domain};
#[cfg(feature = "verify")]
use crate::kernels::gradients::within;
use crate::{
    kernel,
    kernels::{
        arena::ArenaWindow,
        gradients::{Clip, Gradients, Pass},
    },
    op::{Arg, Caps, Cost, Lowered, Op, Slot},
    options::{ClipForm, NonFiniteNorm},
    params,
    types::{DType, Error, HostData, Segment},
    wgsl::{Decl, View},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::arena_cases,
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { ClipByGlobalNormParams { window: ArenaWindow, zeroes: u32 } }

/// Gradient clipping by the global norm, over all gradients of an arena: g = min(1, `max_norm` / (‖g‖ + 1e-6))·g.
///
/// Updates `grad` (the arena's elements), writes `norm` and `scale`, f32\[1\] each: the norm before clipping, and the factor.
/// Norm and factor are those of [`GlobalNorm`](super::GlobalNorm) and have its properties. A factor of 1 changes no bit.
/// Deterministic. The gradients are read twice and written once: if an optimizer step follows, pass it the factor of
/// [`GlobalNorm`](super::GlobalNorm) instead.
///
/// Error: running analysis from the norm's bound. Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural
/// networks", 2013.
#[op(
    name = "clip_by_global_norm",
    summary = "gradient clipping by the global norm of an arena; also writes the norm and the factor",
    formula = "g = min(1, max_norm / (‖g‖ + 1e-6))·g (plain: without the 1e-6)"
)]
pub struct ClipByGlobalNorm {
    /// How gradients are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order; their groups do not matter.
    pub segments: Vec<Segment>,
    /// The norm to clip to.
    #[field(min = 0)]
    pub max_norm: f64,
    /// Whether 1e-6 is added to the norm.
    #[field(default)]
    pub form: ClipForm,
    /// What happens where the norm is NaN or infinite.
    #[field(default)]
    pub non_finite: NonFiniteNorm,
}

impl ClipByGlobalNorm {
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

impl Op for ClipByGlobalNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let [norm, scale] = self.gradients().norm_args();
        vec![self.gradients().updated(), norm, scale]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        self.clip().check(NAME)?;
        let gradients = self.gradients();
        let arena = gradients.arena(caps)?;
        let mut out = Lowered::default();
        let table = out.table(&arena.table([]), caps);
        gradients.norm_steps(caps, &mut out, (&arena, &table), (0, 1), &self.clip())?;
        let scale = Decl { name: "scale", dtype: DType::F32, view: View::Elements, writes: false };
        let pass = Pass {
            shader: kernel!("transforms/clip_by_global_norm"),
            entry: NAME,
            parts: vec![],
            writes: true,
            extra: vec![(scale, Slot::Arg(2, 0..4))],
            trips: 0,
        };
        gradients.pass(caps, &mut out, (&arena, &table), 0, &pass, |window, _| {
            ClipByGlobalNormParams { window, zeroes: self.clip().zeroes().into() }.into()
        })?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        self.gradients().cost(3)
    }
}

#[cfg(feature = "verify")]
impl Verify for ClipByGlobalNorm {
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
        let zeroed = self.clip().zeroes() && !norm.value.is_finite();
        let clipped = |_, g| {
            let value = reference::clip_by_global_norm(scale.value, zeroed, g);
            if zeroed || scale == Approx::exact(1.0) || !value.is_finite() {
                return Approx::exact(value);
            }
            Approx { value, ..scale.times(Approx::exact(g)) }
        };
        vec![self.gradients().mapped(&args[0], clipped), within([norm]), within([scale])]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let make = |dtype, segments, n| {
        let (max_norm, form, non_finite) = clips(n);
        Box::new(ClipByGlobalNorm { dtype, segments, max_norm, form, non_finite }) as Box<dyn Verify>
    };
    let mut out = arena_cases(5, make);
    out.push(make(DType::F32, Segment::pack(&[1; 1100], 4), 0));
    out
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    DType::FLOATS.into_iter().map(|dtype| Box::new(ClipByGlobalNorm::new(dtype, elements, 1.0)) as Box<dyn Verify>).collect()
}
