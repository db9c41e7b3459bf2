//! The value of a group lasso. Kernels: `lib/unitwise/partials`, `shaders/penalties/group_lasso.wgsl`, `lib/reduce/level`. Reference:
//! `cpu::group_lasso`.
#[cfg(feature = "verify")]
use crate::kernels::unitwise::{matrix_bench, matrix_cases, unit_norm, unit_sum};
use crate::{
    kernel,
    kernels::unitwise::{Coefs, Units},
    op::{Arg, Caps, Lowered, Op},
    options::{GroupPenalty, GroupWeighting, Matrix, Unit},
    types::{DType, Error, HostData},
    wgsl::parts,
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

/// The value of a group lasso or sparse group lasso: Ω(w) = λ·Σ_g √d_g·‖w_g‖₂ + λ1·Σ|w|, summed over the units of all
/// matrices of an arena, each matrix with its own group's λ.
///
/// A unit is a row, a column or all of a [`Matrix`]; a filter is a row or a column. Reads `weight` (the arena's elements), writes
/// `value`, f32\[1\]. An arena without elements gives 0. A term whose λ is 0 is absent; otherwise a NaN weight makes the value
/// NaN and an infinite one makes it infinite. Squares neither overflow nor underflow. Partial sums are added in a fixed order:
/// deterministic, and the same however the arena is windowed. A value beyond 3.4e38 is infinite.
///
/// Dispatches: one per window, one for all units, and one per level of their reduction. Reads the weights once.
///
/// Error: all terms are positive; see `docs/numerics/penalties.md`. Yuan and Lin, "Model selection and estimation in regression
/// with grouped variables", 2006; Simon, Friedman, Hastie and Tibshirani, "A sparse-group lasso", 2013.
#[op(
    name = "group_lasso",
    summary = "value of a group lasso or sparse group lasso over rows, columns or filters of an arena of matrices",
    formula = "Ω = λ·Σ_g √d_g·‖w_g‖ + λ1·Σ|w|"
)]
pub struct GroupLasso {
    /// How weights are stored.
    pub dtype: DType,
    /// The matrices of the arena, in ascending order.
    pub matrices: Vec<Matrix>,
    /// The penalty of each parameter group.
    pub groups: Vec<GroupPenalty>,
}

impl GroupLasso {
    fn units(&self) -> Units<'_> {
        Units { name: NAME, dtype: self.dtype, matrices: &self.matrices }
    }
}

/// A matrix' λ·√d and λ1.
pub(super) fn strengths(groups: &[GroupPenalty], m: &Matrix) -> [f64; 2] {
    let group = groups[m.group];
    [group.strength(m.unit_len()), group.l1]
}

impl Op for GroupLasso {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![Arg::read("weight", self.dtype, self.units().len()), Arg::write("value", DType::F32, 1)]
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
        let partials = units.partials(caps, &mut out, (&cut, &table), 0, parts::penalties::UNIT_SQUARES_SUM)?;
        let how = Coefs::by(kernel!("penalties/group_lasso"));
        let values = units.coefs(caps, &mut out, (&cut, &table), &partials, &how)?;
        values.into_arg(&mut out, caps, 1, &self.args()[1]);
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for GroupLasso {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        let data = self.units().fill(arg, self.domain(arg), rng, pattern);
        if pattern == Pattern::NonFinite && arg.len.is_multiple_of(2) && arg.dtype.is_float() {
            // One NaN would hide what infinities do.
            let live = self.units().segments();
            let data = HostData::from_f64(arg.dtype, data.to_f64().into_iter().map(|w| if w.is_nan() { 0.5 } else { w }));
            return crate::kernels::arena::poison_gaps(&live, data);
        }
        data
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let w = args[0].to_f64();
        let mut value = 0.0;
        let (mut error, mut count) = (0.0, 0.0f64);
        let mut add = |m: &Matrix, x: &[f64]| {
            let [group, l1] = strengths(&self.groups, m);
            let one = reference::group_lasso(group, l1, x);
            value += one;
            count += 1.0;
            if one.is_finite() {
                let exact: Vec<Approx> = x.iter().copied().map(Approx::exact).collect();
                let magnitudes: Vec<f64> = x.iter().map(|x| x.abs()).collect();
                let terms = [unit_norm(m, &exact).scaled(group), unit_sum(m, &magnitudes).scaled(l1)];
                error += Approx::sum(terms).error;
            }
        };
        self.units().each(&w, &mut add);
        // The reduction levels of at most `count` values: 64 trips of a lane and 8 of the tree, all terms positive.
        let levels = count.log(256.0).ceil().max(1.0);
        let bound = error + 72.0 * levels * DType::F32.epsilon() * (value + error);
        vec![Expected::Within { value: vec![value], bound: vec![if value.is_finite() { bound } else { 0.0 }] }]
    }
}

pub(super) fn kinds(n: usize) -> Vec<GroupPenalty> {
    let all = [
        GroupPenalty::new(0.05),
        GroupPenalty { lambda: 0.3, l1: 0.02, weighting: GroupWeighting::One },
        GroupPenalty { lambda: 0.0, l1: 0.1, weighting: GroupWeighting::RootSize },
        GroupPenalty { lambda: 0.1, l1: 0.3, weighting: GroupWeighting::RootSize },
        GroupPenalty { lambda: 0.4, l1: 0.0, weighting: GroupWeighting::One },
    ];
    (0..5).map(|g| all[(g + n) % 5]).collect()
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let mut out = matrix_cases(5, |dtype, matrices, n| Box::new(GroupLasso { dtype, matrices, groups: kinds(n) }));
    // More units than a workgroup merges, on every device.
    let mut matrices = Matrix::one(1100, 2);
    matrices[0].unit = Unit::Columns;
    matrices.extend(Matrix::pack(&[(2800, 1, Unit::Rows)], 4).into_iter().map(|m| Matrix { start: 2200, ..m }));
    out.push(Box::new(GroupLasso { dtype: DType::F32, matrices, groups: kinds(0) }));
    out
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    matrix_bench(elements, |dtype, matrices| Box::new(GroupLasso { dtype, matrices, groups: vec![GroupPenalty::new(1e-4)] }))
}
