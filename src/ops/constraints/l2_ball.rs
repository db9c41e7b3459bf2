//! Weights brought back into a ball, tensor by tensor. Kernels: those of `clip_by_norm`, with `shaders/constraints/l2_ball.wgsl`.
//! Reference: `cpu::l2_ball`.
use crate::{
    kernel,
    kernels::gradients::{Clip, Gradients},
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{ClipForm, NonFiniteNorm, check_scalar},
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

/// Projects each whole tensor of an arena onto the ball ‖w‖ ≤ `radius`: w = min(1, `radius` / ‖w‖)·w, ‖w‖ being over that
/// whole tensor. `optax.projections.projection_l2_ball` of one tensor.
///
/// Updates `weight` (the arena's elements), writes `norm` and `scale`, f32\[tensors\] each: for each segment the norm before
/// the projection and the factor; 0 and 1 for an empty one. A tensor inside the ball keeps its bits; one that was outside
/// ends on its surface, up to rounding. Norms, policies for tensors that are not finite, order and dispatches are those of
/// [`ClipByNorm`](crate::ops::ClipByNorm). Applied after the optimizer's step and not differentiated: there is no backward
/// pass.
///
/// Error: as of [`ClipByNorm`](crate::ops::ClipByNorm). Parikh and Boyd, "Proximal algorithms", 2014, on projections onto norm balls.
#[op(
    name = "l2_ball",
    summary = "projection of each whole tensor of an arena onto an L2 ball around 0",
    formula = "w = min(1, radius / ‖w‖)·w, per tensor"
)]
pub struct L2Ball {
    /// How weights are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order; their groups do not matter.
    pub segments: Vec<Segment>,
    /// The radius of the ball.
    #[field(min = 0)]
    pub radius: f64,
    /// What happens to a tensor whose norm is NaN or infinite.
    #[field(default)]
    pub non_finite: NonFiniteNorm,
}

impl L2Ball {
    /// One tensor of `len` elements.
    pub fn new(dtype: DType, len: usize, radius: f64) -> Self {
        Self::from_required(dtype, Segment::one(len), radius)
    }

    fn weights(&self) -> Gradients<'_> {
        Gradients { name: NAME, dtype: self.dtype, segments: &self.segments }
    }

    fn clip(&self) -> Clip {
        Clip { max_norm: self.radius, form: ClipForm::Plain, non_finite: self.non_finite }
    }
}

impl Op for L2Ball {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let [norm, scale] = self.weights().tensor_norm_args();
        vec![self.weights().weights(), norm, scale]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        check_scalar(NAME, "radius", self.radius, [0.0, f64::INFINITY])?;
        self.weights().clip_tensors(caps, &self.clip(), kernel!("constraints/l2_ball"))
    }

    fn cost(&self) -> Cost {
        self.weights().cost(3)
    }
}

#[cfg(feature = "verify")]
impl Verify for L2Ball {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.weights().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.weights().clipped_tensors(&args[0], &self.clip(), |w| reference::l2_ball(self.radius, w))
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let policies = [NonFiniteNorm::Propagate, NonFiniteNorm::Zero, NonFiniteNorm::Keep];
    arena_cases(5, |dtype, segments, n| {
        Box::new(L2Ball { dtype, segments, radius: [0.5, 4.0, 1e3, 0.0][n % 4], non_finite: policies[n % 3] })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    arena_benches(elements, |dtype, segments| {
        Box::new(L2Ball { dtype, segments, radius: 1.0, non_finite: NonFiniteNorm::Propagate })
    })
}
