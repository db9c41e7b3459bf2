//! Gradients without the mean of their unit. Kernels: `lib/unitwise/partials`, `lib/unitwise/coefs`,
//! `shaders/transforms/centralize.wgsl`. Reference: `cpu::centralize`.
#[cfg(feature = "verify")]
use crate::kernels::unitwise::{Members, matrix_bench, matrix_cases, unit_sum};
use crate::{
    kernel,
    kernels::unitwise::{Coefs, Map, Units},
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{Matrix, Unit},
    types::{DType, Error, HostData},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// Gradient centralization: subtracts from the gradients of each unit their mean. For all matrices of an arena in a fixed
/// number of dispatches.
///
/// Updates `grad` (the arena's elements) in place. A unit is a row or a column of a [`Matrix`]. In the paper it has the weights
/// of one output: in PyTorch's order the rows of a linear layer or of the filters of a convolution, in that of Flax and Keras
/// the columns. `optax.centralize` takes the rows, whatever they mean: the mean over all axes but the leading one. Matrices
/// whose unit is [`Unit::Whole`], that is biases, other vectors and scalars, are left unchanged, so that one list of matrices
/// serves all ops. The matrices' groups do not matter. Where a unit holds a NaN or an infinity, or its sum is past 3.4e38, it becomes
/// NaN.
///
/// No float atomics, no read-back; partial sums are added in a fixed order: deterministic, and the same however the arena is
/// windowed. Applied between the backward pass and the optimizer: there is no backward pass. Dispatches: one per window, one
/// for all units, one per window and one for an end that is no whole quad. Reads the gradients twice and writes them once.
///
/// Error: that of the sum, relative to the sum of magnitudes; then running analysis. Yong, Huang, Hua and Zhang, "Gradient
/// centralization: a new optimization technique for deep neural networks", 2020; with rows as `optax.centralize`.
#[op(
    name = "centralize",
    summary = "gradient centralization: subtracts the mean of each row, column or filter, over an arena of matrices",
    formula = "g = g - mean(g_g)"
)]
pub struct Centralize {
    /// How gradients are stored.
    pub dtype: DType,
    /// The matrices of the arena, in ascending order; their groups do not matter.
    pub matrices: Vec<Matrix>,
}

impl Centralize {
    fn units(&self) -> Units<'_> {
        Units { name: NAME, dtype: self.dtype, matrices: &self.matrices }
    }

    /// Those that are no vectors.
    fn centralized(&self) -> Vec<Matrix> {
        self.matrices.iter().copied().filter(|m| m.unit != Unit::Whole).collect()
    }
}

impl Op for Centralize {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![Arg::update("grad", self.dtype, self.units().len())]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        // All are checked, also those that stay as they are.
        self.units().cut(usize::MAX, caps)?;
        let matrices = self.centralized();
        let units = Units { matrices: &matrices, ..self.units() };
        let cut = units.cut(usize::MAX, caps)?;
        let mut out = Lowered::default();
        let own = |n: usize| [matrices[n].unit_len() as f32, 0.0, 0.0, 0.0];
        let table = out.table(&cut.table(own), caps);
        let sums = units.partials(caps, &mut out, (&cut, &table), 0, parts::transforms::UNIT_SUMS)?;
        let means = units.coefs(caps, &mut out, (&cut, &table), &sums, &Coefs::part(parts::transforms::UNIT_MEAN))?;
        let table = out.table(&cut.map_table(own), caps);
        let map = Map { shader: kernel!("transforms/centralize"), target: 0, reads: vec![] };
        units.map(caps, &mut out, (&cut, &table), &means, &map)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        Units { matrices: &self.centralized(), ..self.units() }.cost(3)
    }
}

#[cfg(feature = "verify")]
impl Verify for Centralize {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Offset, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.units().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (units, g) = (self.units(), args[0].to_f64());
        let members = Members::new(&units);
        let mut after: Vec<Approx> = g.iter().copied().map(Approx::exact).collect();
        for (unit, &n) in members.units.iter().zip(&members.matrix) {
            let m = &self.matrices[n];
            if m.unit == Unit::Whole {
                continue;
            }
            let values: Vec<f64> = unit.iter().map(|&i| g[i]).collect();
            // A number of elements below 2^24 is exact in f32; beyond it is not.
            let mean = unit_sum(m, &values).over(Approx::host(values.len() as f64));
            for (&i, value) in unit.iter().zip(reference::centralize(&values)) {
                after[i] = if mean.value.is_nan() {
                    mean
                } else {
                    Approx { value, ..Approx::sum([Approx::exact(g[i]), mean.negative()]) }
                };
            }
        }
        vec![units.mapped(&args[0], |_, i, _| after[i])]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let mut out = matrix_cases(1, |dtype, matrices, _| Box::new(Centralize { dtype, matrices }));
    // A vector, behind which the arena ends.
    let matrices = Matrix::pack(&[(3, 5, Unit::Rows), (1, 6, Unit::Whole)], 4);
    out.push(Box::new(Centralize { dtype: DType::F16, matrices }));
    out
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    matrix_bench(elements, |dtype, matrices| Box::new(Centralize { dtype, matrices }))
}
