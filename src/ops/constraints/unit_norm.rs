//! Units of norm 1. Kernels: `lib/unitwise/partials`, `shaders/constraints/unit_norm.wgsl`, `lib/unitwise/scale`. Reference:
//! `cpu::unit_norm`.
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

/// The unit-norm constraint: divides the weights of each unit by `eps` + ‖w‖, so that its norm becomes 1. For all matrices of
/// an arena, in place.
///
/// Updates `weight` (the arena's elements). A unit is a row, a column or all of a [`Matrix`]; a filter is a row or a column;
/// the matrices' groups do not matter. A unit of zeros stays zero. A unit that holds a NaN or an infinity, or whose norm is
/// past 3.4e38, becomes NaN. Squares neither overflow nor underflow. Deterministic, and the same however the arena is
/// windowed. Applied after the optimizer's step and not differentiated: there is no backward pass.
///
/// Dispatches: one per window, one for all units, one per window and one for an end that is no whole quad. Reads the weights
/// twice and writes them once.
///
/// Error: running analysis from that of the norm. The formula is that of Keras' `UnitNorm`.
#[op(
    name = "unit_norm",
    summary = "unit-norm constraint: rescales rows, columns or filters to norm 1, over an arena of matrices",
    formula = "w = w / (eps + ‖w_g‖)"
)]
pub struct UnitNorm {
    /// How weights are stored.
    pub dtype: DType,
    /// The matrices of the arena, in ascending order; their groups do not matter.
    pub matrices: Vec<Matrix>,
    /// What is added to the norm; in Keras 1e-7.
    #[field(default = 1e-7, min = 1e-30, max = 1)]
    pub eps: f64,
}

impl UnitNorm {
    fn units(&self) -> Units<'_> {
        Units { name: NAME, dtype: self.dtype, matrices: &self.matrices }
    }
}

impl Op for UnitNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![self.units().weight()]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        check_scalar(NAME, "eps", self.eps, [1e-30, 1.0])?;
        self.units().constrain(caps, kernel!("constraints/unit_norm"), [self.eps as f32, 0.0, 0.0, 0.0])
    }

    fn cost(&self) -> Cost {
        self.units().cost(3)
    }
}

#[cfg(feature = "verify")]
impl Verify for UnitNorm {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.units().fill_near_one(arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.units().constrained(&args[0], |norm| {
            let quotient = Approx::exact(1.0).over(Approx::sum([Approx::host(self.eps), norm]));
            Approx { value: reference::unit_norm(self.eps, norm.value), ..quotient }
        })
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    matrix_cases(1, |dtype, matrices, n| Box::new(UnitNorm { dtype, matrices, eps: [1e-7, 0.25][n % 2] }))
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    matrix_bench(elements, |dtype, matrices| Box::new(UnitNorm::from_required(dtype, matrices)))
}
