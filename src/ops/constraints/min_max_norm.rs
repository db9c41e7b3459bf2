//! Norms of units drawn into a range. Kernels: `lib/unitwise/partials`, `shaders/constraints/min_max_norm.wgsl`, `lib/unitwise/scale`.
//! Reference: `cpu::min_max_norm`.
#[cfg(feature = "verify")]
use crate::kernels::unitwise::{matrix_bench, matrix_cases};
use crate::{
    kernel,
    kernels::unitwise::Units,
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{Matrix, check_scalar},
    types::{DType, Error, HostData},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The min-max-norm constraint: multiplies the weights of each unit by (`rate`·clip(‖w‖, `min`, `max`) + (1 - `rate`)·‖w‖) /
/// (1e-7 + ‖w‖), which moves its norm the fraction `rate` of the way into the range; with 1, all of it. For all matrices of
/// an arena, in place.
///
/// Updates `weight` (the arena's elements). A unit is a row, a column or all of a [`Matrix`]; a filter is a row or a column;
/// the matrices' groups do not matter. A unit of zeros stays zero, whatever `min`. A unit that holds a NaN or an infinity, or
/// whose norm is past 3.4e38, becomes NaN. Squares neither overflow nor underflow. Deterministic, and the same however the
/// arena is windowed. Applied after the optimizer's step and not differentiated: there is no backward pass.
///
/// Dispatches: one per window, one for all units, one per window and one for an end that is no whole quad. Reads the weights
/// twice and writes them once.
///
/// Error: running analysis from that of the norm. The formula is that of Keras' `MinMaxNorm`.
#[op(
    name = "min_max_norm",
    summary = "min-max-norm constraint: moves norms of rows, columns or filters into a range, over an arena of matrices",
    formula = "w = w·(rate·clip(‖w_g‖, min, max) + (1 - rate)·‖w_g‖) / (1e-7 + ‖w_g‖)"
)]
pub struct MinMaxNorm {
    /// How weights are stored.
    pub dtype: DType,
    /// The matrices of the arena, in ascending order; their groups do not matter.
    pub matrices: Vec<Matrix>,
    /// The least norm, at most `max`.
    #[field(min = 0, max = 1e30)]
    pub min: f64,
    /// The largest norm, at least `min`.
    #[field(min = 0, max = 1e30)]
    pub max: f64,
    /// The fraction of the way into the range.
    #[field(default = 1.0, min = 0, max = 1)]
    pub rate: f64,
}

const EPS: f64 = 1e-7;

impl MinMaxNorm {
    fn units(&self) -> Units<'_> {
        Units { name: NAME, dtype: self.dtype, matrices: &self.matrices }
    }
}

impl Op for MinMaxNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![self.units().weight()]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        check_scalar(NAME, "max", self.max, [0.0, 1e30])?;
        check_scalar(NAME, "min", self.min, [0.0, self.max])?;
        check_scalar(NAME, "rate", self.rate, [0.0, 1.0])?;
        let own = [self.min, self.max, self.rate, 1.0 - self.rate].map(|s| s as f32);
        self.units().constrain(caps, kernel!("constraints/min_max_norm"), own)
    }

    fn cost(&self) -> Cost {
        self.units().cost(3)
    }
}

#[cfg(feature = "verify")]
impl Verify for MinMaxNorm {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.units().fill_near_one(arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.units().constrained(&args[0], |norm| {
            let value = reference::min_max_norm(self.min, self.max, self.rate, EPS, norm.value);
            let (min, max) = (Approx::host(self.min), Approx::host(self.max));
            // Clipping moves no two numbers apart.
            let clipped = Approx {
                value: norm.value.clamp(self.min, self.max),
                error: if norm.value - norm.error > self.max {
                    max.error
                } else if norm.value + norm.error < self.min {
                    min.error
                } else {
                    norm.error + min.error.max(max.error)
                },
            };
            let desired = Approx::sum([Approx::host(self.rate).times(clipped), Approx::host(1.0 - self.rate).times(norm)]);
            Approx { value, ..desired.over(Approx::sum([Approx::host(EPS), norm])) }
        })
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    matrix_cases(1, |dtype, matrices, n| {
        let (min, max) = [(0.9, 1.3), (0.0, 0.5), (2.0, 2.0), (0.7, 1e3)][n % 4];
        Box::new(MinMaxNorm { dtype, matrices, min, max, rate: [1.0, 0.3, 0.0][n % 3] })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    matrix_bench(elements, |dtype, matrices| Box::new(MinMaxNorm { dtype, matrices, min: 0.5, max: 1.0, rate: 1.0 }))
}
