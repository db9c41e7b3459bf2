//! Gradients of a scaled loss, divided by the scale. Kernel: `shaders/transforms/unscale.wgsl`, `transforms/parts/inverse_*`, then `lib/reduce/level`.
//! Reference: `cpu::unscale`.
#[cfg(feature = "verify")]
use crate::kernels::gradients::product;
use crate::{
    kernel,
    kernels::{
        arena::ArenaWindow,
        gradients::{Gradients, Pass},
        reduce::{Monoid, Partials},
    },
    op::{Arg, Caps, Cost, Lowered, Op, Slot},
    options::{check_derived, check_held, check_scalar},
    params,
    types::{DType, Error, HostData, Segment},
    wgsl::{Decl, View, parts},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::arena_benches,
    kernels::arena::arena_cases,
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { UnscaleParams { window: ArenaWindow, partial: u32, inverse: f32 } }

/// Divides all gradients of an arena by the loss scale, g = g / scale, and counts those that are then not finite:
/// `torch.amp.GradScaler.unscale_` without a read-back.
///
/// Reads `scale` (f32\[1\], on the GPU) unless the field gives it; updates `grad`, the arena's elements; writes `found`,
/// u32\[1\]: how many gradients are NaN or infinite once they are divided and stored, 2^32 - 1 standing for more. So `found`
/// is not 0 exactly where an optimizer with [`NonFinite::Skip`](crate::NonFinite) leaves out the step that follows; let
/// [`UpdateLossScale`](super::UpdateLossScale) read it. Gradients that are not finite propagate as in arithmetic. PyTorch
/// looks at the gradients before the division and Flax after it; they differ where a scale below 1 makes gradients overflow.
///
/// The inverse of a power of two is exact, and so is the product with it, if neither is subnormal; a scale of 1 changes no
/// bit. Other scales are inverted first and multiplied with, as PyTorch does. A scale of 0 makes every gradient infinite or
/// NaN, NaN makes it NaN. Integers are counted in fixed places: deterministic. One dispatch per window, one for an end that
/// is no whole quad, one per level of the reduction.
///
/// Error: the inverse by WGSL's division (2.5 ulp; the host's: half an ulp), the product one ulp, and the store.
/// Micikevicius et al., "Mixed precision training", 2018.
#[op(
    name = "unscale",
    summary = "division of all gradients of an arena by the loss scale; counts non-finite ones for update_loss_scale",
    formula = "g = g / scale, found = how many g are NaN or infinite"
)]
pub struct Unscale {
    /// How gradients are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order; their groups do not matter.
    pub segments: Vec<Segment>,
    /// The loss scale, with a finite inverse; if left out, the argument `scale` holds it.
    #[field(default, above = 0)]
    pub scale: Option<f64>,
}

impl Unscale {
    /// One tensor of `len` elements, with the scale on the GPU.
    pub fn new(dtype: DType, len: usize) -> Self {
        Self::from_required(dtype, Segment::one(len))
    }

    fn gradients(&self) -> Gradients<'_> {
        Gradients { name: NAME, dtype: self.dtype, segments: &self.segments }
    }

    fn check(&self) -> Result<(), Error> {
        let Some(scale) = self.scale else { return Ok(()) };
        if !(scale as f32).is_finite() {
            return check_scalar(NAME, "scale", scale, [f64::NEG_INFINITY, f64::INFINITY]);
        }
        if scale <= 0.0 || !((1.0 / scale) as f32).is_finite() {
            return Err(Error::argument(
                NAME,
                "scale",
                format!("is {scale}, must be past 0, with an inverse that is finite in f32"),
            ));
        }
        check_held(NAME, "scale", "is", scale)?;
        check_derived(NAME, "scale", "1 / scale", 1.0 / scale)
    }

    /// 1 / scale as the kernel has it.
    #[cfg(feature = "verify")]
    fn inverse(&self, gpu: f64) -> Approx {
        match self.scale {
            Some(scale) => Approx::host(1.0 / scale),
            // What has an f32 inverse is a power of two.
            None if f64::from((1.0 / gpu) as f32) == 1.0 / gpu => Approx::exact(1.0 / gpu),
            None => Approx::exact(1.0).over(Approx::exact(gpu)),
        }
    }
}

impl Op for Unscale {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let mut args = vec![];
        args.extend(self.scale.is_none().then(|| Arg::read("scale", DType::F32, 1)));
        args.extend([self.gradients().updated(), Arg::write("found", DType::U32, 1)]);
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.check()?;
        let (gradients, args) = (self.gradients(), self.args());
        let arena = gradients.arena(caps)?;
        let mut out = Lowered::default();
        let table = out.table(&arena.table([]), caps);
        let pieces = arena.pieces(NAME, caps, self.dtype.size())?;
        let (partials, first) = Partials::of_pieces(NAME, &mut out, caps, Monoid::SATURATED, &pieces)?;
        let grad = args.len() - 2;
        let mut extra = vec![(partials.monoid.decl("partials", true), partials.slot())];
        if self.scale.is_none() {
            let scale = Decl { name: "scale", dtype: DType::F32, view: View::Elements, writes: false };
            extra.push((scale, Slot::Arg(0, 0..4)));
        }
        let stored = match self.dtype {
            DType::F16 => parts::optimizer::STORED_F16,
            DType::Bf16 => parts::optimizer::STORED_BF16,
            _ => parts::optimizer::STORED_EXACT,
        };
        let pass = Pass {
            shader: kernel!("transforms/unscale"),
            entry: NAME,
            parts: vec![
                if self.scale.is_some() { parts::transforms::INVERSE_HOST } else { parts::transforms::INVERSE_GPU },
                stored,
            ],
            writes: true,
            extra,
            trips: u64::from(caps.lanes.ilog2()),
        };
        gradients.pass(caps, &mut out, (&arena, &table), grad, &pass, |window, piece| {
            UnscaleParams { window, partial: first[piece], inverse: self.scale.map_or(1.0, |s| (1.0 / s) as f32) }.into()
        })?;
        partials.into_arg(&mut out, caps, grad + 1, &args[grad + 1]);
        Ok(out)
    }

    fn cost(&self) -> Cost {
        self.gradients().cost(2)
    }
}

#[cfg(feature = "verify")]
impl Verify for Unscale {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    /// Scales below 1 meet gradients that overflow a half.
    fn domain(&self, arg: &Arg) -> [f64; 2] {
        match (arg.name, self.scale) {
            ("scale", _) => [0.01, 100.0],
            (_, Some(scale)) if scale < 1.0 => [-6e4, 6e4],
            _ => [-1.0, 1.0],
        }
    }

    /// Scales on the GPU: powers of two and others, and with gradients that are not finite, scales that are not.
    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        if arg.name != "scale" {
            return self.gradients().fill(arg, self.domain(arg), rng, pattern);
        }
        let scales = [1.0, 65536.0, 3.0, 1e4, 2f32.powi(-3), 2f32.powi(126), 2f32.powi(-126), -0.7];
        let broken = [0.0, -0.0, f32::NAN, f32::INFINITY, 1024.0, 7.0];
        // By turns, so that every one of them comes: see the cases.
        let turn = Segment::arena_len(&self.segments) / 4;
        let of = |all: &[f32]| vec![all[turn % all.len()]].into();
        if pattern == Pattern::NonFinite { of(&broken) } else { of(&scales) }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let gpu = args[0].to_f64().first().copied().unwrap_or(1.0);
        let scale = self.scale.unwrap_or(gpu);
        let inverse = self.inverse(gpu);
        let grad = &args[args.len() - 2];
        let (mut found, mut unclear) = (0u64, 0u64);
        let divided = self.gradients().mapped(grad, |_, g| {
            let value = reference::unscale(scale, g);
            let finite = |v: f64| self.dtype.nearest(v).is_finite();
            if inverse == Approx::exact(1.0) || !value.is_finite() || !inverse.value.is_finite() {
                found += u64::from(!finite(value));
                return Approx::exact(value);
            }
            let all = Approx { value, ..product(g, inverse) };
            found += u64::from(!finite(value));
            // A number as near as that to the end of the type's range may be on either side.
            unclear += u64::from(finite(value.abs() - all.error) != finite(value.abs() + all.error));
            all
        });
        let count = found.min(u64::from(u32::MAX));
        let counted = match unclear {
            0 => Expected::Exact(HostData::U32(vec![count as u32])),
            n => Expected::Within { value: vec![count as f64], bound: vec![n as f64] },
        };
        vec![divided, counted]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let scales = [None, Some(65536.0), None, Some(3.0), Some(1.0), None, Some(0.01)];
    let make = |dtype, segments, n| Box::new(Unscale { dtype, segments, scale: scales[n % scales.len()] }) as Box<dyn Verify>;
    let mut out = arena_cases(5, make);
    // Every scale on every type, and more blocks than a workgroup merges.
    for (n, dtype) in DType::FLOATS.into_iter().cycle().take(3 * scales.len()).enumerate() {
        out.push(make(dtype, Segment::pack(&[70, 9], 4), n));
    }
    out.push(make(DType::F32, Segment::pack(&[1; 1100], 4), 0));
    out.extend((0..24).map(|n| make(DType::FLOATS[n / 8], Segment::one(72 + 4 * (n % 8)), 0)));
    out
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    arena_benches(elements, |dtype, segments| Box::new(Unscale { dtype, segments, scale: None }))
}
