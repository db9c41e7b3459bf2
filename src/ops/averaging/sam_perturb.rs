//! The step to the worst weights nearby. Kernels: `shaders/averaging/sam_perturb.wgsl`, behind `averaging/parts/sam_norm`. Reference:
//! `cpu::sam_perturb`.
use crate::{
    kernel,
    kernels::{
        arena::{Arena, ArenaWindow, poison_gaps},
        gradients::{norm_scale, norm_ulps},
        reduce::{Monoid, Partials},
    },
    op::{Arg, Caps, Cost, Lowered, Op, Slot, Step, check_float},
    options::check_scalar,
    params,
    types::{DType, Error, HostData, Segment},
    wgsl::{Decl, Spec, View, parts},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::{arena_benches, arena_cases},
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { NormParams { window: ArenaWindow, eta: f32, partial: u32 } }
params! { PerturbParams { window: ArenaWindow, eta: f32, rho: f32, eps: f32 } }

/// Sharpness-aware minimisation (SAM), first half: saves the weights of a whole model and moves them to the worst point
/// within `rho`, to first order:
///
/// saved = w; w = w + ρ·g / (‖g‖₂ + `eps`), the norm being that of all tensors together. With `adaptive` = η (ASAM) the
/// perturbation scales with the weights, T = |w| + η: w = w + ρ·T²·g / (‖T·g‖₂ + `eps`).
///
/// Reads `grad`, updates `weight` and `saved` (all of the same type, with the arena's elements; groups do not matter). The
/// caller computes the gradient at the perturbed weights, undoes the perturbation with [`SamRestore`](super::SamRestore), and
/// takes the optimizer's step with that gradient. A loss scale only changes the relative size of `eps`. To exclude biases and
/// norms from the perturbation, or from T, put them in another arena.
///
/// Where every gradient is 0 the weights stay: there is no direction. Norms whose squares exceed f32 are right too. A NaN
/// among the gradients makes every weight NaN, and so the second gradient, which [`NonFinite::Skip`](crate::NonFinite::Skip)
/// detects; the saved weights are unaffected. Deterministic: the squares are added in a fixed order. One dispatch for the
/// norm and one for the step per window, one for each level of the reduction, one more each for an end inside a quad. SAM
/// treats the perturbation as a constant, so there is no backward op.
///
/// Error: that of the norm, which is [`GlobalNorm`](crate::ops::GlobalNorm)'s, and running analysis of the rest ([`Approx`]).
/// Foret et al., "Sharpness-aware minimization for efficiently improving generalization", 2021; Kwon et al., "ASAM", 2021.
#[op(
    name = "sam_perturb",
    summary = "first half of a SAM or ASAM step: saves the weights and perturbs them along the gradient, within radius rho",
    formula = "saved = w; w += rho·T²·g/(‖T·g‖ + eps), T = 1, or |w| + adaptive"
)]
pub struct SamPerturb {
    /// How weights, gradients and saved weights are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order.
    pub segments: Vec<Segment>,
    /// How far the weights move: 0.05 in the paper, 0.5 to 2 with `adaptive`.
    #[field(min = 0)]
    pub rho: f64,
    /// Added to the norm: 0 in the papers and in optax, 1e-12 in common PyTorch implementations.
    #[field(default, min = 0, max = 1)]
    pub eps: f64,
    /// η of ASAM (0.01 in the paper); none: plain SAM.
    #[field(default, min = 0)]
    pub adaptive: Option<f64>,
}

impl Op for SamPerturb {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = Segment::arena_len(&self.segments);
        vec![Arg::read("grad", self.dtype, len), Arg::update("weight", self.dtype, len), Arg::update("saved", self.dtype, len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        let args = self.args();
        check_float(NAME, &args[0])?;
        check_scalar(NAME, "rho", self.rho, [0.0, f64::INFINITY])?;
        check_scalar(NAME, "eps", self.eps, [0.0, 1.0])?;
        check_scalar(NAME, "adaptive", self.adaptive.unwrap_or(0.0), [0.0, f64::INFINITY])?;
        let arena = Arena::new(NAME, &self.segments, usize::MAX, caps)?;
        let mut out = Lowered::default();
        if arena.blocks == 0 {
            return Ok(out);
        }
        let table = out.table(&arena.table([]), caps);
        let table_decl = Decl { name: "table", dtype: DType::U32, view: View::Raw("vec4<u32>"), writes: false };
        let pieces = arena.pieces(NAME, caps, self.dtype.size())?;
        let (partials, places) = Partials::of_pieces(NAME, &mut out, caps, Monoid::SUM4, &pieces)?;
        let reach = if self.adaptive.is_some() { parts::averaging::SAM_ADAPTIVE } else { parts::averaging::SAM_PLAIN };
        let eta = self.adaptive.unwrap_or(0.0) as f32;
        let consts = vec![("WG", caps.lanes), ("QUADS", caps.quads)];
        for (piece, partial) in pieces.iter().zip(places) {
            let decl = |name| Decl { name, dtype: self.dtype, view: piece.view(), writes: false };
            let (mut bindings, mut slots) = (vec![decl("grad")], vec![piece.slot(0, &args[0])]);
            if self.adaptive.is_some() {
                bindings.push(decl("weight"));
                slots.push(piece.slot(1, &args[1]));
            }
            bindings.extend([table_decl, Monoid::SUM4.decl("partials", true)]);
            slots.extend([Slot::Table(table.clone()), partials.slot()]);
            out.steps.push(Step {
                spec: Spec {
                    shader: parts::averaging::SAM_NORM,
                    entry: "sam_norm",
                    parts: vec![reach],
                    bindings,
                    consts: consts.clone(),
                },
                params: NormParams { window: arena.window(piece), eta, partial }.into(),
                slots,
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads) + 32 + u64::from(caps.lanes.ilog2()),
            });
        }
        let sums = partials.until(&mut out, caps, 1);
        for piece in &pieces {
            let bits = |name| Decl { name, dtype: self.dtype, view: View::Bits(piece.ragged), writes: true };
            out.steps.push(Step {
                spec: Spec {
                    shader: kernel!("averaging/sam_perturb"),
                    entry: NAME,
                    parts: vec![reach],
                    bindings: vec![
                        Decl { name: "grad", dtype: self.dtype, view: piece.view(), writes: false },
                        bits("weight"),
                        bits("saved"),
                        table_decl,
                        Monoid::SUM4.decl("sums", false),
                    ],
                    consts: consts.clone(),
                },
                params: PerturbParams { window: arena.window(piece), eta, rho: self.rho as f32, eps: self.eps as f32 }.into(),
                slots: vec![
                    piece.slot(0, &args[0]),
                    piece.slot(1, &args[1]),
                    piece.slot(2, &args[2]),
                    Slot::Table(table.clone()),
                    sums.slot(),
                ],
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads) + 32,
            });
        }
        Ok(out)
    }

    /// f32: 20 bytes an element, f16 and bf16: 10; with `adaptive` the weights are read once more.
    fn cost(&self) -> Cost {
        let live = self.segments.iter().map(|s| s.len as u64).sum::<u64>();
        Cost { bytes: live * self.dtype.size() * if self.adaptive.is_some() { 6 } else { 5 }, elements: live }
    }
}

#[cfg(feature = "verify")]
impl Verify for SamPerturb {
    /// `Constant` stands for no gradient at all, `Offset` for gradients whose squares leave the range of f32.
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Constant, Pattern::Zeros, Pattern::Offset, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        let spoiled = matches!(pattern, Pattern::Zeros | Pattern::NonFinite);
        let data = rng.fill(arg, [-1.0, 1.0], if spoiled { pattern } else { Pattern::Ordinary });
        let (wide, even) = (self.dtype != DType::F16, arg.len.is_multiple_of(2));
        let change = |(i, v): (usize, f64)| match (arg.name, pattern) {
            // One NaN would hide what infinities do.
            (_, Pattern::NonFinite) if v.is_nan() && even => 0.5,
            ("grad", Pattern::Constant) => 0.0,
            // On both sides of where squares change their range, or far from there.
            ("grad", Pattern::Offset) if wide && even => v * 2f64.powi(41),
            ("grad", Pattern::Offset) if wide => v * [2f64.powi(70), 1.0, 2f64.powi(39), 2f64.powi(126)][i % 4],
            ("grad", Pattern::Tiny) if wide => v * 2f64.powi(if even { -39 } else { -100 }),
            ("grad", Pattern::Tiny) => v * 2f64.powi(-12),
            _ => v,
        };
        let values: Vec<f64> = data.to_f64().into_iter().enumerate().map(change).collect();
        let data = HostData::from_f64(arg.dtype, values);
        if arg.name == "saved" { data } else { poison_gaps(&self.segments, data) }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (g, mut value) = (args[0].to_f64(), args[1].to_f64());
        let live: Vec<usize> = self.segments.iter().flat_map(|s| s.start..s.start + s.len).collect();
        let pick = |from: &[f64]| -> Vec<f64> { live.iter().map(|&i| from[i]).collect() };
        let (gl, wl) = (pick(&g), pick(&value));
        let moves = reference::sam_perturb(self.rho, self.eps, self.adaptive, &wl, &gl);
        let errors = self.errors(&wl, &gl, &moves);
        let mut bound = vec![0.0; value.len()];
        for ((&i, e), error) in live.iter().zip(moves).zip(errors) {
            let moved = Approx::sum([Approx::exact(value[i]), Approx { value: e, error }]);
            value[i] = moved.value;
            bound[i] = if moved.value.is_finite() { moved.stored(self.dtype) } else { 0.0 };
        }
        vec![Expected::Within { value, bound }, Expected::Exact(super::shared::copied(&self.segments, &args[1], &args[2]))]
    }
}

impl SamPerturb {
    /// How far the kernel's steps may be from `moves`.
    #[cfg(feature = "verify")]
    fn errors(&self, w: &[f64], g: &[f64], moves: &[f64]) -> Vec<f64> {
        let reach: Vec<Approx> = w
            .iter()
            .map(|w| self.adaptive.map_or(Approx::exact(1.0), |eta| Approx::sum([Approx::exact(w.abs()), Approx::host(eta)])))
            .collect();
        // The sum of one term counts what a device may flush.
        let t: Vec<Approx> = g.iter().zip(&reach).map(|(&g, &far)| Approx::sum([Approx::exact(g).times(far)])).collect();
        let norm = t.iter().map(|t| t.value * t.value).sum::<f64>().sqrt();
        if norm == 0.0 || !norm.is_finite() {
            return vec![0.0; moves.len()];
        }
        // The kernel works with scaled numbers; so does this, since what is flushed depends on it.
        let largest = t.iter().map(|t| t.value.abs()).fold(0.0, f64::max);
        let (scale, ulps) = (norm_scale(largest), norm_ulps(w.len().div_ceil(1024) + self.segments.len()));
        // A norm is off by no more than the norm of what its elements are off by.
        let off = t.iter().map(|t| t.error * t.error).sum::<f64>().sqrt();
        let norm = Approx { value: norm * scale, error: off * scale + norm * scale * ulps * DType::F32.epsilon() };
        let divisor = Approx::sum([norm, Approx::host(self.eps).times(Approx::exact(scale))]);
        let factor = Approx::host(self.rho).over(divisor);
        let each = t.iter().zip(&reach).zip(moves).map(|((t, far), e)| {
            // No element is longer than the whole, in f32 but for the roundings: whatever the norm may be.
            let most = 2.01 * (far.value.abs() + far.error) * self.rho + f64::from(f32::MIN_POSITIVE);
            let moved = far.times(t.times(Approx::exact(scale)).times(factor));
            (moved.error + (moved.value - e).abs()).min(most)
        });
        each.collect()
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let mut out = arena_cases(2, |dtype, segments, n| {
        let adaptive = [None, Some(0.01), None, Some(0.0)][n % 4];
        Box::new(SamPerturb { dtype, segments, rho: [0.05, 2.0, 0.0][n % 3], eps: [0.0, 1e-12, 0.5][n / 2 % 3], adaptive })
    });
    // More blocks than a workgroup merges.
    let segments = Segment::pack(&[1; 1100], 4);
    out.push(Box::new(SamPerturb { dtype: DType::F32, segments, rho: 0.05, eps: 0.0, adaptive: None }));
    out
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    arena_benches(elements, |dtype, segments| Box::new(SamPerturb { dtype, segments, rho: 0.05, eps: 0.0, adaptive: None }))
}
