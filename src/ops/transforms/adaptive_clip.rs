//! Gradients clipped by the norms of their weights, unit by unit. Kernels: `lib/unitwise/partials`, `lib/unitwise/coefs`,
//! `shaders/transforms/adaptive_clip.wgsl`, `lib/unitwise/scale`. Reference: `cpu::adaptive_clip`.
#[cfg(feature = "verify")]
use crate::kernels::unitwise::{matrix_bench, matrix_cases};
use crate::{
    kernel,
    kernels::unitwise::{Coefs, Map, Units},
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{Matrix, check_scalar},
    types::{DType, Error, HostData},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// Adaptive gradient clipping (AGC): multiplies the gradients of each unit by min(1, `clipping`·max(‖w‖, `eps`) / max(‖g‖,
/// 1e-6)), the norms being those of the unit's weights and gradients. For all matrices of an arena in a fixed number of
/// dispatches.
///
/// Reads `weight`, updates `grad` in place; both hold the arena's elements. A unit is a row, a column or all of a [`Matrix`], the
/// weights of one output: in PyTorch's order the rows of a linear layer or of the filters of a convolution, in JAX's the columns;
/// biases and other vectors are units as a whole. The matrices' groups do not matter. A factor of 1, where ‖g‖ is below
/// `clipping`·max(‖w‖, `eps`), changes no bit. Where weights or gradients of a unit hold a NaN or an infinity, or a norm is past
/// 3.4e38, its gradients become NaN. Squares neither overflow nor underflow.
///
/// No float atomics, no read-back; partial sums are added in a fixed order: deterministic, and the same however the arena is
/// windowed. Applied between the backward pass and the optimizer: there is no backward pass. Dispatches: one per window of
/// the weights and of the gradients, two for all units, one per window and one for an end that is no whole quad. Reads the
/// weights once and the gradients twice; writes the gradients once.
///
/// Error: running analysis from those of the norms. Brock, De, Smith and Simonyan, "High-performance large-scale image
/// recognition without normalization", 2021; as `optax.adaptive_grad_clip`.
#[op(
    name = "adaptive_clip",
    summary = "adaptive gradient clipping (AGC) by the norms of rows, columns or filters, over an arena of matrices",
    formula = "g = g·min(1, clipping·max(‖w_g‖, eps) / max(‖g_g‖, 1e-6))"
)]
pub struct AdaptiveClip {
    /// How weights and gradients are stored.
    pub dtype: DType,
    /// The matrices of the arena, in ascending order; their groups do not matter.
    pub matrices: Vec<Matrix>,
    /// The largest ratio of the norms.
    #[field(min = 0, max = 1e30)]
    pub clipping: f64,
    /// The lower limit of the weights' norm; in the paper 1e-3.
    #[field(default = 0.001, min = 0, max = 1e30)]
    pub eps: f64,
}

impl AdaptiveClip {
    fn units(&self) -> Units<'_> {
        Units { name: NAME, dtype: self.dtype, matrices: &self.matrices }
    }
}

impl Op for AdaptiveClip {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.units().len();
        vec![Arg::read("weight", self.dtype, len), Arg::update("grad", self.dtype, len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        check_scalar(NAME, "clipping", self.clipping, [0.0, 1e30])?;
        check_scalar(NAME, "eps", self.eps, [0.0, 1e30])?;
        let units = self.units();
        let cut = units.cut(usize::MAX, caps)?;
        let mut out = Lowered::default();
        let own = |_| [self.clipping.abs() as f32, self.eps.abs() as f32, 0.0, 0.0];
        let table = out.table(&cut.table(own), caps);
        let weights = units.partials(caps, &mut out, (&cut, &table), 0, parts::unitwise::SQUARES)?;
        let norms = units.coefs(caps, &mut out, (&cut, &table), &weights, &Coefs::part(parts::unitwise::NORM))?;
        let gradients = units.partials(caps, &mut out, (&cut, &table), 1, parts::unitwise::SQUARES)?;
        let how = Coefs { norms: Some(norms), ..Coefs::by(kernel!("transforms/adaptive_clip")) };
        let factors = units.coefs(caps, &mut out, (&cut, &table), &gradients, &how)?;
        let table = out.table(&cut.map_table(own), caps);
        let map = Map { shader: parts::unitwise::SCALE, target: 1, reads: vec![] };
        units.map(caps, &mut out, (&cut, &table), &factors, &map)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        self.units().cost(4)
    }
}

#[cfg(feature = "verify")]
impl Verify for AdaptiveClip {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.units().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let units = self.units();
        let (weights, gradients) = (units.norms(&args[0].to_f64()), units.norms(&args[1].to_f64()));
        let factor = |(w, g): (Approx, Approx)| {
            if w.value.is_nan() || g.value.is_nan() {
                return Approx::exact(f64::NAN);
            }
            let (least, eps) = (Approx::host(1e-6), Approx::host(self.eps));
            // The larger of two is off by what the larger of their errors is.
            let larger = |a: Approx, b: Approx| {
                let error = if a.value - a.error > b.value + b.error {
                    a.error
                } else if b.value - b.error > a.value + a.error {
                    b.error
                } else {
                    a.error.max(b.error)
                };
                Approx { value: a.value.max(b.value), error }
            };
            let most = larger(w, eps).times(Approx::host(self.clipping));
            if g.value + g.error < most.value - most.error {
                return Approx::exact(1.0);
            }
            let value = reference::adaptive_clip(self.clipping, self.eps, w.value, g.value);
            let quotient = most.over(larger(g, least));
            // Where it is not sure which norm is the larger, 1 and the quotient are both right.
            let sure = g.value - g.error > most.value + most.error;
            let jump = if sure { 0.0 } else { (1.0 - quotient.value).abs() };
            Approx { value, error: quotient.error + jump }.off_by_at_most(1.0)
        };
        let factors: Vec<Approx> = weights.into_iter().zip(gradients).map(factor).collect();
        vec![units.scaled(&args[1], &factors)]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    matrix_cases(1, |dtype, matrices, n| {
        // Ratios of the norms on both sides; weights below eps; gradients below 1e-6 of nothing.
        let (clipping, eps) = [(0.01, 1e-3), (1.0, 1e-3), (0.5, 20.0), (1.1, 0.0), (0.0, 1e-3), (2.0, 1e-3)][n % 6];
        Box::new(AdaptiveClip { dtype, matrices, clipping, eps })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    matrix_bench(elements, |dtype, matrices| Box::new(AdaptiveClip::from_required(dtype, matrices, 0.01)))
}
