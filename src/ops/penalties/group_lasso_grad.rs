//! The gradient of a group lasso, added to a gradient. Kernels: `lib/unitwise/partials`, `lib/unitwise/coefs`,
//! `shaders/penalties/group_lasso_grad.wgsl`. Reference: `cpu::group_lasso_grad`.
use super::group_lasso::{kinds, strengths};
#[cfg(feature = "verify")]
use crate::kernels::unitwise::{matrix_bench, matrix_cases};
use crate::{
    kernel,
    kernels::unitwise::{Coefs, Map, Units},
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{GroupPenalty, Matrix},
    types::{DType, Error, HostData},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// Adds the gradient of [`GroupLasso`](super::GroupLasso), ∂Ω/∂w = λ·√d·w/‖w_g‖ + λ1·sign(w), to the loss gradient, for the
/// units g of all matrices of an arena.
///
/// Reads `weight`, updates `grad` in place; both hold the arena's elements. A unit is a row, a column or all of a [`Matrix`];
/// a filter is a row or a column. Where a norm is 0 the first term is 0, the smallest of the subgradients; sign(0) = 0. No
/// unit reaches 0 and stays there this way; use [`GroupLassoProx`](super::GroupLassoProx) for that. A unit that holds a NaN
/// or an infinity, or whose norm is past 3.4e38, gets NaN everywhere, unless its λ is 0. Deterministic.
///
/// Dispatches: one per window, one for all units, one per window and one for an end that is no whole quad.
///
/// Error: running analysis from that of the norm. Yuan and Lin, "Model selection and estimation in regression with grouped
/// variables", 2006; Simon, Friedman, Hastie and Tibshirani, "A sparse-group lasso", 2013.
#[op(
    name = "group_lasso_grad",
    summary = "gradient of a group lasso or sparse group lasso, added to the loss gradient, over an arena of matrices",
    formula = "g += λ·√d·w/‖w_g‖ + λ1·sign(w)"
)]
pub struct GroupLassoGrad {
    /// How weights and gradients are stored.
    pub dtype: DType,
    /// The matrices of the arena, in ascending order.
    pub matrices: Vec<Matrix>,
    /// The penalty of each parameter group.
    pub groups: Vec<GroupPenalty>,
}

impl GroupLassoGrad {
    fn units(&self) -> Units<'_> {
        Units { name: NAME, dtype: self.dtype, matrices: &self.matrices }
    }
}

impl Op for GroupLassoGrad {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.units().len();
        vec![Arg::read("weight", self.dtype, len), Arg::update("grad", self.dtype, len)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        self.groups.iter().try_for_each(|g| g.check(NAME))?;
        let units = self.units();
        let cut = units.cut(self.groups.len(), caps)?;
        let mut out = Lowered::default();
        let own = |n: usize| {
            let [group, l1] = strengths(&self.groups, &self.matrices[n]);
            [group as f32, l1 as f32, 0.0, 0.0]
        };
        let table = out.table(&cut.table(own), caps);
        let partials = units.partials(caps, &mut out, (&cut, &table), 0, parts::unitwise::SQUARES)?;
        let norms = units.coefs(caps, &mut out, (&cut, &table), &partials, &Coefs::part(parts::unitwise::NORM))?;
        let table = out.table(&cut.map_table(own), caps);
        let map = Map { shader: kernel!("penalties/group_lasso_grad"), target: 1, reads: vec![("weight", 0)] };
        units.map(caps, &mut out, (&cut, &table), &norms, &map)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        self.units().cost(4)
    }
}

#[cfg(feature = "verify")]
impl Verify for GroupLassoGrad {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.units().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (units, w) = (self.units(), args[0].to_f64());
        let norms = units.norms(&w);
        // What each weight's share of its unit is, and what is added to its gradient.
        let members = crate::kernels::unitwise::Members::new(&units);
        let mut added = vec![Approx::exact(0.0); w.len()];
        for (u, unit) in members.units.iter().enumerate() {
            let [group, l1] = strengths(&self.groups, &self.matrices[members.matrix[u]]);
            let values: Vec<f64> = unit.iter().map(|&i| w[i]).collect();
            for (&i, value) in unit.iter().zip(reference::group_lasso_grad(group, l1, &values)) {
                let share = match norms[u] {
                    // A norm that is 0 for certain: the kernel asks its bits.
                    n if n == Approx::exact(0.0) => n,
                    n if n.value.is_nan() => n,
                    // Held to 1, so that it is off by 2 at most, and not even that where the quotient is well known.
                    n => Approx::exact(w[i]).over(n).off_by_at_most(2.0),
                };
                let sign = if w[i] == 0.0 || w[i].is_nan() { 0.0 } else { w[i].signum() };
                let term = Approx::sum([share.scaled(group), Approx::host(l1).times(Approx::exact(sign))]);
                added[i] = Approx { value: if term.value.is_nan() { f64::NAN } else { value }, ..term };
            }
        }
        vec![units.mapped(&args[1], |_, i, g| match added[i] {
            a if a.value.is_nan() => a,
            a if a == Approx::exact(0.0) => Approx::exact(g),
            a => Approx::sum([Approx::exact(g), a]),
        })]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    matrix_cases(5, |dtype, matrices, n| Box::new(GroupLassoGrad { dtype, matrices, groups: kinds(n) }))
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    matrix_bench(elements, |dtype, matrices| Box::new(GroupLassoGrad { dtype, matrices, groups: vec![GroupPenalty::new(1e-4)] }))
}
