//! The proximal step of a group lasso. Kernels: `lib/unitwise/partials`, `lib/unitwise/coefs`,
//! `shaders/penalties/group_lasso_prox.wgsl`, `lib/reduce/level`. Reference: `cpu::group_lasso_prox`.
use super::group_lasso::{kinds, strengths};
#[cfg(feature = "verify")]
use crate::kernels::unitwise::{Members, matrix_bench, matrix_cases, unit_norm};
use crate::{
    kernel,
    kernels::unitwise::{Coefs, Map, Units},
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{GroupPenalty, Matrix, check_derived, check_held},
    types::{DType, Error, HostData},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The proximal step of size t of a group lasso or sparse group lasso, λ·Σ_g √d_g·‖w_g‖₂ + λ1·Σ|w|: soft threshold v =
/// sign(w)·max(|w| - t·λ1, 0), then w = v·max(1 - t·λ·√d/‖v_g‖, 0), which sets whole units to zero.
///
/// Updates `weight` (the arena's elements) in place; writes `zeros`, u32\[1\]: how many units are zero afterwards, modulo
/// 2^32. A unit is a row, a column or all of a [`Matrix`]; a filter is a row or a column. A norm of 0 leaves 0. The
/// thresholds t·λ·√d and t·λ1 are computed in f64 and rounded to f32 once; the op is defined with these numbers. A unit that
/// holds a NaN or an infinity, or whose norm is past 3.4e38, becomes NaN and is not counted. Where λ and λ1 are 0, weights
/// are unchanged, except that -0 becomes +0. Deterministic.
///
/// Dispatches: one per window, one for all units and one per level of their count, one per window and one for an end that is no
/// whole quad. Reads the weights twice and writes them once.
///
/// Error: running analysis from that of the norm; zeros are exact unless the norm is within its error of the threshold. Yuan
/// and Lin, "Model selection and estimation in regression with grouped variables", 2006; Simon, Friedman, Hastie and
/// Tibshirani, "A sparse-group lasso", 2013.
#[op(
    name = "group_lasso_prox",
    summary = "proximal step of a group lasso or sparse group lasso; sets whole rows, columns or filters to zero and counts them",
    formula = "v = soft(w, t·λ1), w = v·max(1 - t·λ·√d/‖v_g‖, 0)"
)]
pub struct GroupLassoProx {
    /// How weights are stored.
    pub dtype: DType,
    /// The matrices of the arena, in ascending order.
    pub matrices: Vec<Matrix>,
    /// The penalty of each parameter group.
    pub groups: Vec<GroupPenalty>,
    /// The step size t: the learning rate, in proximal gradient descent.
    #[field(min = 0)]
    pub step: f64,
}

impl GroupLassoProx {
    fn units(&self) -> Units<'_> {
        Units { name: NAME, dtype: self.dtype, matrices: &self.matrices }
    }

    /// A matrix' thresholds of norms and of weights, as the GPU gets them.
    fn thresholds(&self, m: &Matrix) -> [f32; 2] {
        // -0 would be a large number among bits.
        strengths(&self.groups, m).map(|s| (self.step * s).abs() as f32)
    }

    fn check(&self) -> Result<(), Error> {
        if !(self.step.is_finite() && self.step >= 0.0) {
            return Err(Error::argument(NAME, "step", format!("is {}, must be finite and at least 0", self.step)));
        }
        self.groups.iter().try_for_each(|g| g.check(NAME))
    }
}

impl Op for GroupLassoProx {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![Arg::update("weight", self.dtype, self.units().len()), Arg::write("zeros", DType::U32, 1)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let caps = &caps.summing();
        self.check()?;
        let units = self.units();
        let cut = units.cut(self.groups.len(), caps)?;
        for m in &self.matrices {
            if self.thresholds(m).iter().any(|t| !t.is_finite()) {
                let why = format!(
                    "is {:e}, and its product with lambda or l1 of groups[{}] is past the range of f32 (3.4e38)",
                    self.step, m.group
                );
                return Err(Error::argument(NAME, "step", why));
            }
            for (what, strength) in ["lambda", "l1"].into_iter().zip(strengths(&self.groups, m)) {
                let what = format!("step · {what} of groups[{}]", m.group);
                check_derived(NAME, "step", &what, self.step * strength)?;
            }
        }
        check_held(NAME, "step", "is", self.step)?;
        let mut out = Lowered::default();
        let own = |n: usize| {
            let [group, l1] = self.thresholds(&self.matrices[n]);
            [group, l1, 0.0, 0.0]
        };
        let table = out.table(&cut.table(own), caps);
        let partials = units.partials(caps, &mut out, (&cut, &table), 0, parts::penalties::UNIT_SQUARES_SOFT)?;
        let how = Coefs::part(parts::penalties::UNIT_SHRINK);
        let [factors, zeros] = units.counted_coefs(caps, &mut out, (&cut, &table), &partials, &how)?;
        zeros.into_arg(&mut out, caps, 1, &self.args()[1]);
        let table = out.table(&cut.map_table(own), caps);
        let map = Map { shader: kernel!("penalties/group_lasso_prox"), target: 0, reads: vec![] };
        units.map(caps, &mut out, (&cut, &table), &factors, &map)?;
        Ok(out)
    }

    fn cost(&self) -> Cost {
        self.units().cost(3)
    }
}

#[cfg(feature = "verify")]
impl Verify for GroupLassoProx {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.units().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (units, w) = (self.units(), args[0].to_f64());
        let members = Members::new(&units);
        let mut after = vec![Approx::exact(0.0); w.len()];
        let (mut zeros, mut unsure) = (0.0, 0.0);
        for (unit, &n) in members.units.iter().zip(&members.matrix) {
            let m = &self.matrices[n];
            let [hard, soft] = self.thresholds(m).map(|t| Approx::exact(t.into()));
            let values: Vec<f64> = unit.iter().map(|&i| w[i]).collect();
            let rest: Vec<Approx> =
                values.iter().map(|&w| if w.is_finite() { Approx::exact(w).soft(soft) } else { Approx::exact(w) }).collect();
            let norm = unit_norm(m, &rest);
            if norm.value.is_nan() {
                unit.iter().for_each(|&i| after[i] = norm);
                continue;
            }
            let (least, most) = (norm.value - norm.error, norm.value + norm.error);
            let factor = if most <= hard.value {
                Approx::exact(0.0)
            } else if hard.value == 0.0 && least > 0.0 {
                Approx::exact(1.0)
            } else {
                // Between 0 and 1, whatever the norm.
                Approx::sum([Approx::exact(1.0), hard.over(norm).negative()]).at_least_zero().off_by_at_most(1.0)
            };
            zeros += f64::from(u8::from(norm.value <= hard.value));
            unsure += f64::from(u8::from(most > hard.value && least <= hard.value));
            for ((&i, rest), value) in unit.iter().zip(rest).zip(reference::group_lasso_prox(hard.value, soft.value, &values)) {
                after[i] = Approx { value, ..rest.times(factor) };
            }
        }
        let count = if unsure == 0.0 {
            Expected::Exact(HostData::U32(vec![zeros as u32]))
        } else {
            Expected::Within { value: vec![zeros], bound: vec![unsure] }
        };
        vec![units.mapped(&args[0], |_, i, _| after[i]), count]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let mut out = matrix_cases(5, |dtype, matrices, n| {
        Box::new(GroupLassoProx { dtype, matrices, groups: kinds(n), step: [0.9, 6.0, 0.1][n % 3] })
    });
    // A step of 0 changes nothing.
    out.push(Box::new(GroupLassoProx { dtype: DType::F16, matrices: Matrix::one(40, 25), groups: kinds(1), step: 0.0 }));
    out
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    matrix_bench(elements, |dtype, matrices| {
        Box::new(GroupLassoProx { dtype, matrices, groups: vec![GroupPenalty::new(1e-4)], step: 0.1 })
    })
}
