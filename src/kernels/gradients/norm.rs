//! The norm of an arena in two passes, the factor that clips by it, and how far both may be off.
use super::{Gradients, Pass};
#[cfg(feature = "verify")]
use crate::verify::{Approx, reference};
use crate::{
    kernel,
    kernels::{
        arena::{Arena, ArenaWindow},
        reduce::{self, Monoid, Partials},
    },
    op::{Arg, Caps, Lowered, Slot, Step},
    options::{ClipForm, NonFiniteNorm, check_scalar},
    params,
    types::{DType, Error},
    wgsl::{Decl, Spec, View, parts},
};
use std::ops::Range;

params! { NormPartialsParams { window: ArenaWindow, partial: u32 } }
params! { GlobalNormParams { blocks: u32, count: u32, stride: u32, max_norm: f32, eps: f32, policy: u32 } }

/// How a norm is clipped, as its ops describe it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clip {
    pub max_norm: f64,
    pub form: ClipForm,
    pub non_finite: NonFiniteNorm,
}

impl Clip {
    pub fn check(&self, op: &'static str) -> Result<(), Error> {
        check_scalar(op, "max_norm", self.max_norm, [0.0, f64::INFINITY])
    }

    /// Whether numbers that are NaN become 0 too.
    pub fn zeroes(&self) -> bool {
        self.non_finite == NonFiniteNorm::Zero
    }

    /// As `lib/gradients/clip_factor` knows it.
    pub fn policy(&self) -> u32 {
        self.non_finite as u32
    }

    /// The factor for a norm.
    #[cfg(feature = "verify")]
    pub fn factor(&self, norm: Approx) -> Approx {
        if !norm.value.is_finite() {
            return Approx::exact(match self.non_finite {
                NonFiniteNorm::Propagate => reference::clip_factor(norm.value, self.max_norm, self.form.eps()),
                NonFiniteNorm::Zero => 0.0,
                NonFiniteNorm::Keep => 1.0,
            });
        }
        let value = reference::clip_factor(norm.value, self.max_norm, self.form.eps());
        let (most, eps) = (Approx::host(self.max_norm), Approx::host(self.form.eps()));
        let sum = Approx::sum([norm, eps]);
        // On this side of the limit for certain.
        if sum.value + sum.error <= most.value - most.error || norm == Approx::exact(0.0) && self.max_norm >= self.form.eps() {
            return Approx::exact(1.0);
        }
        // A quotient just below 1 and 1 itself are as near as the norm is known.
        // Both are in 0..=1, even of a norm that a device may flush.
        Approx { value, ..most.over(sum).off_by_at_most(1.0) }
    }
}

/// The longest chain of additions that a term goes through in one kernel: see `penalty`.
const CHAIN: f64 = 64.0 + 8.0;

/// What `lib/reduce/scaled_squares` multiplies numbers with, `largest` being the largest of them, before it divides by their norm.
pub(crate) fn norm_scale(largest: f64) -> f64 {
    match largest {
        m if m >= 2f64.powi(40) => 2f64.powi(-84),
        m if m >= 2f64.powi(-40) => 1.0,
        _ => 2f64.powi(84),
    }
}

/// How many ulp of itself a norm from `lib/reduce/scaled_squares` is off, from sums in levels with `blocks` partials at first.
pub(crate) fn norm_ulps(blocks: usize) -> f64 {
    let levels = (blocks as f64).log(256.0).ceil().max(1.0);
    // The four elements of a quad, and the levels.
    ulps_after(2.0 + CHAIN * (1.0 + levels))
}

/// The same if no square goes through more than so many additions.
fn ulps_after(additions: f64) -> f64 {
    // Scaling is exact. All terms are positive, so each addition is off by an ulp of the sum at most; before them the square,
    // after them the sum of two scales. The root halves what is relative, and adds its own.
    (1.0 + 1.0 + additions) / 2.0 + 4.5
}

/// The norm of `g` as the kernels find it from sums of squares in levels, `blocks` partials at first.
#[cfg(feature = "verify")]
pub(crate) fn norm_of(g: &[f64], blocks: usize) -> Approx {
    norm_off(g, norm_ulps(blocks))
}

/// The norm of `g` by `lib/reduce/scaled_squares`, if no square goes through more than so many additions.
#[cfg(feature = "verify")]
pub(crate) fn norm_after(g: &[f64], additions: f64) -> Approx {
    norm_off(g, ulps_after(additions))
}

#[cfg(feature = "verify")]
fn norm_off(g: &[f64], ulps: f64) -> Approx {
    let value = reference::norm(g);
    if value.is_nan() || value > f64::from(f32::MAX) {
        return Approx::exact(if value.is_nan() { value } else { f64::INFINITY });
    }
    // Numbers below the least normal one may be flushed, and so may a norm that small.
    let least = DType::F32.least_normal();
    let tiny = g.iter().filter(|g| **g != 0.0 && g.abs() < least).count() as f64;
    let flushed = least * (tiny.sqrt() + if value < 2.0 * least && value > 0.0 { 1.0 } else { 0.0 });
    Approx { value, error: ulps * DType::F32.epsilon() * value + flushed }
}

impl Gradients<'_> {
    pub fn norm_args(&self) -> [Arg; 2] {
        [Arg::write("norm", DType::F32, 1), Arg::write("scale", DType::F32, 1)]
    }

    /// The norm of all live gradients and its clip factor.
    #[cfg(feature = "verify")]
    pub fn norm(&self, grad: &[f64], clip: &Clip) -> [Approx; 2] {
        let live: Vec<f64> = self.live().map(|i| grad[i]).collect();
        // The smallest block that a device makes: 4 lanes of 64 quads, or 64 of 4.
        let norm = norm_of(&live, self.segments.iter().map(|s| s.len.div_ceil(1024) + 1).sum());
        [norm, clip.factor(norm)]
    }

    /// Steps that leave the sums of squares of argument `grad`, one partial per block.
    pub fn square_partials(
        &self,
        caps: &Caps,
        out: &mut Lowered,
        (arena, table): (&Arena, &Range<u64>),
        grad: usize,
    ) -> Result<Partials, Error> {
        let pieces = arena.pieces(self.name, caps, self.dtype.size())?;
        let (partials, first) = Partials::of_pieces(self.name, out, caps, Monoid::SUM4, &pieces)?;
        let pass = Pass {
            shader: parts::gradients::NORM_PARTIALS,
            entry: "norm_partials",
            parts: vec![],
            writes: false,
            extra: vec![(partials.monoid.decl("partials", true), partials.slot())],
            trips: u64::from(caps.lanes.ilog2()),
        };
        self.pass(caps, out, (arena, table), grad, &pass, |window, piece| {
            NormPartialsParams { window, partial: first[piece] }.into()
        })?;
        Ok(partials)
    }

    /// Steps that write norm and factor of argument `grad` to the arguments `to` and `to + 1`.
    pub fn norm_steps(
        &self,
        caps: &Caps,
        out: &mut Lowered,
        (arena, table): (&Arena, &Range<u64>),
        (grad, to): (usize, usize),
        clip: &Clip,
    ) -> Result<(), Error> {
        let partials = self.square_partials(caps, out, (arena, table), grad)?;
        let rest = partials.until(out, caps, reduce::fan(caps));
        let result = |name| Decl { name, dtype: DType::F32, view: View::Elements, writes: true };
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("transforms/global_norm"),
                entry: "global_norm",
                parts: vec![],
                bindings: vec![rest.monoid.decl("partials", false), result("norm"), result("scale")],
                consts: vec![("WG", caps.lanes)],
            },
            params: GlobalNormParams {
                blocks: 1,
                count: rest.count as u32,
                stride: rest.stride as u32,
                max_norm: clip.max_norm as f32,
                eps: clip.form.eps() as f32,
                policy: clip.policy(),
            }
            .into(),
            slots: vec![rest.slot(), Slot::Arg(to, 0..4), Slot::Arg(to + 1, 0..4)],
            workgroups: 1,
            trips: reduce::fan(caps) / u64::from(caps.lanes) + u64::from(caps.lanes.ilog2()),
        });
        Ok(())
    }
}
