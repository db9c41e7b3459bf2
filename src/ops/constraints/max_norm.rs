//! Norms of units held to a limit. Kernels: `lib/unitwise/partials`, `shaders/constraints/max_norm.wgsl`, `lib/unitwise/scale`.
//! Reference: `cpu::max_norm`.
#[cfg(feature = "verify")]
use crate::kernels::unitwise::{matrix_bench, matrix_cases};
use crate::{
    kernel,
    kernels::unitwise::Units,
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{Matrix, MaxNormForm, check_scalar},
    types::{DType, Error, HostData},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The max-norm constraint: multiplies the weights of each unit by min(1, `max` / ‖w‖), so that no unit's norm exceeds `max`.
/// For all matrices of an arena, in place.
///
/// Updates `weight` (the arena's elements). A unit is a row, a column or all of a [`Matrix`]; a filter is a row or a column;
/// the matrices' groups do not matter. Frameworks differ in the quotient: [`MaxNormForm`]. A norm of 0 leaves 0, and a factor
/// of 1 changes no bit. A unit that holds a NaN or an infinity, or whose norm is past 3.4e38, becomes NaN. Squares neither
/// overflow nor underflow. Deterministic, and the same however the arena is windowed. Applied after the optimizer's step and
/// not differentiated: there is no backward pass.
///
/// Dispatches: one per window, one for all units, one per window and one for an end that is no whole quad. Reads the weights
/// twice and writes them once.
///
/// Error: running analysis from that of the norm. Srebro, Rennie and Jaakkola, "Maximum-margin matrix factorization", 2004;
/// Srivastava et al., "Dropout", 2014, section 5.1.
#[op(
    name = "max_norm",
    summary = "max-norm constraint on rows, columns or filters, over an arena of matrices",
    formula = "w = w·min(1, max / ‖w_g‖) (torch and keras: softened by 1e-7)"
)]
pub struct MaxNorm {
    /// How weights are stored.
    pub dtype: DType,
    /// The matrices of the arena, in ascending order; their groups do not matter.
    pub matrices: Vec<Matrix>,
    /// The largest norm.
    #[field(min = 0)]
    pub max: f64,
    /// What the quotient is.
    #[field(default)]
    pub form: MaxNormForm,
}

impl MaxNorm {
    fn units(&self) -> Units<'_> {
        Units { name: NAME, dtype: self.dtype, matrices: &self.matrices }
    }
}

impl Op for MaxNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![self.units().weight()]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        check_scalar(NAME, "max", self.max, [0.0, f64::INFINITY])?;
        let always = f32::from(u8::from(self.form == MaxNormForm::Keras));
        // -0 would be a large number among bits.
        let max = if self.max == 0.0 { 0.0 } else { self.max as f32 };
        self.units().constrain(caps, kernel!("constraints/max_norm"), [max, self.form.eps() as f32, always, 0.0])
    }

    fn cost(&self) -> Cost {
        self.units().cost(3)
    }
}

#[cfg(feature = "verify")]
impl Verify for MaxNorm {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        if self.max > 1e10 {
            return self.units().fill(arg, [-1e33, 1e33], rng, pattern);
        }
        self.units().fill_near_one(arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (always, eps) = (self.form == MaxNormForm::Keras, self.form.eps());
        let (max, soft) = (Approx::host(self.max), Approx::host(eps));
        self.units().constrained(&args[0], |norm| {
            let value = reference::max_norm(self.max, eps, always, norm.value);
            let below = norm.value + norm.error <= max.value - max.error;
            if !always && below {
                return Approx::exact(1.0);
            }
            let sure = norm.value - norm.error > max.value + max.error;
            let over = if sure { max } else { Approx { error: norm.error + max.error, value: norm.value.min(max.value) } };
            let quotient = over.over(Approx::sum([norm, soft]));
            // Where it is not sure on which side of the limit the norm is, 1 and the quotient are both right.
            let jump = if sure || always { 0.0 } else { (1.0 - self.max / (self.max + eps)).abs() };
            // No factor is larger than 1, whatever the norm.
            let error = quotient.error + if jump.is_nan() { 1.0 } else { jump };
            // A norm that a device flushes gives the factor 1.
            let flushed = if norm.value - norm.error < DType::F32.least_normal() { 1.0 } else { 0.0 };
            Approx { value, error: error.max(flushed) }.off_by_at_most(1.0)
        })
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let forms = [MaxNormForm::Plain, MaxNormForm::Torch, MaxNormForm::Keras];
    let mut out = matrix_cases(1, |dtype, matrices, n| {
        let max = [0.9, 1.3, 0.5, 0.0, 1e3][n % 5];
        Box::new(MaxNorm { dtype, matrices, max, form: forms[n % 3] })
    });
    // Squares that f32 does not hold.
    for form in forms {
        out.push(Box::new(MaxNorm { dtype: DType::F32, matrices: Matrix::one(40, 9), max: 1e33, form }));
    }
    out
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    matrix_bench(elements, |dtype, matrices| Box::new(MaxNorm { dtype, matrices, max: 1.0, form: MaxNormForm::Plain }))
}
