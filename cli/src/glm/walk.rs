//! Along the strengths of the penalty, for one set of rows.
use super::{
    Family, Solution, Strength,
    covariance::{Folds, Kept},
    design::{add, cross, dot, product},
    minimize::{Gram, Residuals, minimize},
    newton::{Iterate, Problem},
    optimality::Point,
    plan::Plan,
    set::Set,
};

/// Strengths whose models are checked against X at once, where covariances of all features do for the solver.
const TOGETHER: usize = 32;

/// A model on its way along the strengths.
pub struct Walk<'a> {
    plan: &'a Plan<'a>,
    set: Set,
    /// Covariances of all features by rows, and those with the target.
    all: Option<(Vec<f64>, Vec<f64>)>,
    kept: Kept,
    b: Vec<f64>,
    intercept: f64,
    eta: Vec<f64>,
    /// Minus the gradient of the loss.
    slopes: Vec<f64>,
}

impl<'a> Walk<'a> {
    /// Without features, for all rows but those of a fold.
    pub fn new(plan: &'a Plan<'a>, without: Option<usize>, folds: Option<&Folds>) -> Self {
        let (design, p) = (plan.design, plan.design.features());
        let set = Set::new(design, plan.y, plan.folds, without);
        let mut walk = Self {
            plan,
            all: None,
            kept: Kept::new(p),
            b: vec![0.0; p],
            intercept: plan.family.link(set.target),
            eta: vec![0.0; design.rows()],
            slopes: vec![0.0; p],
            set,
        };
        walk.refresh();
        walk.all = folds.map(|folds| (folds.without(without, walk.set.share, &walk.set.means), walk.slopes.clone()));
        walk
    }

    /// From these coefficients on.
    pub fn start(&mut self, at: &Solution) {
        self.b.fill(0.0);
        at.coef.iter().filter(|(j, _)| self.set.varies[*j]).for_each(|&(j, b)| self.b[j] = b);
        self.intercept = at.intercept;
        self.refresh();
    }

    /// At a model as it is, whatever it uses.
    pub fn hold(&mut self, at: &Solution) {
        self.b.fill(0.0);
        at.coef.iter().for_each(|&(j, b)| self.b[j] = b);
        self.intercept = at.intercept;
        self.along_x();
        self.slope();
    }

    /// X·b.
    fn along_x(&mut self) {
        self.eta.fill(0.0);
        for (j, b) in self.b.iter().enumerate().filter(|(_, b)| **b != 0.0) {
            add(&mut self.eta, *b, self.plan.design.column(j));
        }
    }

    /// Everything but the coefficients, from X.
    fn refresh(&mut self) {
        self.along_x();
        if self.plan.family == Family::Linear {
            self.intercept = self.set.target - dot(&self.eta, &self.set.w);
        }
        self.slope();
    }

    /// The gradient of what X·b is.
    fn slope(&mut self) {
        let plan = self.plan;
        self.eta.iter_mut().for_each(|eta| *eta += self.intercept);
        let rows = self.eta.iter().zip(plan.y).zip(&self.set.w);
        let residuals: Vec<f64> = rows.map(|((eta, y), w)| w * plan.family.residual(*eta, *y)).collect();
        plan.design.along(&residuals, &self.set.varies, &mut self.slopes);
    }

    /// The gradient from the covariances.
    fn refresh_by(&mut self) {
        let Some((all, target)) = &self.all else { return self.refresh() };
        let p = self.b.len();
        self.slopes.copy_from_slice(target);
        for (j, b) in self.b.iter().enumerate().filter(|(_, b)| **b != 0.0) {
            add(&mut self.slopes, -b, &all[j * p..][..p]);
        }
    }

    /// Solves for all strengths, each from the one before, or from models of `starts` that use no more features than it says. `watch` is told of each, and may end it.
    pub fn along(mut self, starts: Option<(&[Solution], usize)>, watch: &mut dyn FnMut(usize) -> bool) -> Option<Vec<Solution>> {
        let strengths = self.plan.strengths;
        let mut out = Vec::with_capacity(strengths.len());
        let exact = self.all.is_none() || starts.is_some();
        let mut before = f64::INFINITY;
        for (first, some) in strengths.chunks(TOGETHER).enumerate().map(|(i, some)| (i * TOGETHER, some)) {
            let mut passes = Vec::with_capacity(some.len());
            let mut models = Vec::with_capacity(some.len());
            for (k, &strength) in (first..).zip(some) {
                let mut already = 0;
                if let Some((starts, most)) = starts {
                    if starts[k].coef.len() > most {
                        out.push(starts[k].clone());
                        continue;
                    }
                    self.start(&starts[k]);
                    (before, already) = (strength.l1, starts[k].passes);
                }
                passes.push(already + self.solve(strength, before, self.plan.aim(strength), exact));
                before = strength.l1;
                if exact {
                    out.push(Solution { passes: *passes.last().expect("pushed above"), ..self.solution(strength) });
                } else {
                    models.push(self.b.clone());
                }
                if !watch(k) {
                    return None;
                }
            }
            if !exact {
                self.checked(some, models, &passes, &mut out);
            }
        }
        Some(out)
    }

    /// Solves for a strength, from where the model is.
    fn solve(&mut self, strength: Strength, before: f64, aim: f64, exact: bool) -> u32 {
        const ROUNDS: usize = 100;
        let p = self.b.len();
        let expected = if before.is_finite() { 2.0 * strength.l1 - before } else { strength.l1 };
        let varies = |j: &usize| self.set.varies[*j];
        let mut at: Vec<usize> =
            (0..p).filter(varies).filter(|&j| self.b[j] != 0.0 || self.slopes[j].abs() >= expected).collect();
        let mut inside = vec![false; p];
        at.iter().for_each(|&j| inside[j] = true);
        let (mut passes, mut best, mut idle) = (0, f64::INFINITY, 0);
        for _ in 0..ROUNDS {
            passes += self.fit(&at, strength, aim);
            if exact {
                self.refresh();
            } else {
                self.refresh_by();
            }
            let violation = |j: usize| strength.violation(-self.slopes[j], self.b[j]);
            let mut joining: Vec<(f64, usize)> = (0..p)
                .filter(|&j| self.set.varies[j] && !inside[j])
                .map(|j| (violation(j), j))
                .filter(|(v, _)| *v > aim)
                .collect();
            if joining.is_empty() {
                let worst = at.iter().map(|&j| violation(j)).fold(0.0, f64::max);
                idle = if worst < 0.5 * best { 0 } else { idle + 1 };
                best = best.min(worst);
                if worst <= aim || idle > 3 {
                    break;
                }
                continue;
            }
            // The worst ones first: what they explain, others need not.
            joining.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            joining.truncate(at.len().max(64));
            joining.iter().for_each(|&(_, j)| inside[j] = true);
            at.extend(joining.iter().map(|(_, j)| j));
        }
        passes
    }

    /// Moves the coefficients of these features to the minimum.
    fn fit(&mut self, at: &[usize], strength: Strength, aim: f64) -> u32 {
        let plan = self.plan;
        if plan.family != Family::Linear {
            let problem = Problem { design: plan.design, y: plan.y, family: plan.family, w: &self.set.w, strength, aim };
            return problem.fit(at, &mut Iterate { b: &mut self.b, intercept: &mut self.intercept, eta: &mut self.eta });
        }
        if at.is_empty() {
            return 0;
        }
        let mut b: Vec<f64> = at.iter().map(|&j| self.b[j]).collect();
        let p = self.b.len();
        let gram = |h| Gram::new(h, at.iter().map(|&j| -self.slopes[j]).collect());
        let rows = plan.design.rows();
        let passes = if let Some((all, _)) = &self.all {
            let h = at.iter().flat_map(|&j| at.iter().map(move |&k| all[j * p + k])).collect();
            minimize(&mut gram(h), &mut b, strength, aim)
        } else if at.len() <= rows.max(256) && self.kept.len() <= 4 * rows.max(256) {
            let h = self.kept.of(plan.design, at, &self.set.w, &self.set.means);
            minimize(&mut gram(h), &mut b, strength, aim)
        } else {
            let residuals: Vec<f64> = self.eta.iter().zip(plan.y).zip(&self.set.w).map(|((eta, y), w)| w * (y - eta)).collect();
            minimize(&mut Residuals::new(plan.design, at, &self.set.w, &residuals), &mut b, strength, aim)
        };
        at.iter().zip(b).for_each(|(&j, b)| self.b[j] = b);
        passes
    }

    fn point<'b>(&'b self, strength: Strength) -> Point<'b> {
        let Plan { family, y, .. } = *self.plan;
        Point { family, w: &self.set.w, y, eta: &self.eta, gradient: &self.slopes, b: &self.b, strength }
    }

    /// The model as it is, with its distance from the minimum.
    pub fn solution(&self, strength: Strength) -> Solution {
        let point = self.point(strength);
        Solution { violation: point.violation(), gap: point.gap(), ..self.bare(&self.b, self.intercept) }
    }

    fn bare(&self, b: &[f64], intercept: f64) -> Solution {
        let coef = b.iter().copied().enumerate().filter(|(_, b)| *b != 0.0).collect();
        Solution { intercept, coef, ..Solution::default() }
    }

    /// Models that were solved by covariances, with their distance from the minimum by X, in two products for all of them. Those that
    /// rounding has moved too far are solved once more.
    fn checked(&mut self, strengths: &[Strength], models: Vec<Vec<f64>>, passes: &[u32], out: &mut Vec<Solution>) {
        let (design, y) = (self.plan.design, self.plan.y);
        let (n, p, count) = (design.rows(), design.features(), models.len());
        let mut eta = vec![0.0; n * count];
        product(design.all(), &models.concat(), n, &mut eta);
        let mut residuals = vec![0.0; n * count];
        let mut intercepts = Vec::with_capacity(count);
        for (eta, residuals) in eta.chunks_exact_mut(n).zip(residuals.chunks_exact_mut(n)) {
            let intercept = self.set.target - dot(eta, &self.set.w);
            for (((eta, r), y), w) in eta.iter_mut().zip(residuals).zip(y).zip(&self.set.w) {
                *eta += intercept;
                *r = w * (y - *eta);
            }
            intercepts.push(intercept);
        }
        let mut slopes = vec![0.0; p * count];
        cross(&residuals, design.all(), n, &mut slopes);
        let here = (self.b.clone(), self.slopes.clone());
        for (k, (b, &strength)) in models.iter().zip(strengths).enumerate() {
            let gradient = &mut slopes[k * p..][..p];
            gradient.iter_mut().zip(&self.set.varies).for_each(|(g, varies)| *g = if *varies { *g } else { 0.0 });
            let eta = &eta[k * n..][..n];
            let point = Point { family: self.plan.family, w: &self.set.w, y, eta, gradient, b, strength };
            let found =
                Solution { violation: point.violation(), gap: point.gap(), passes: passes[k], ..self.bare(b, intercepts[k]) };
            if found.violation <= self.plan.goal(strength) {
                out.push(found);
                continue;
            }
            self.start(&found);
            let more = self.solve(strength, strength.l1, self.plan.aim(strength), true);
            out.push(Solution { passes: passes[k] + more, ..self.solution(strength) });
        }
        (self.b, self.slopes) = here;
    }
}
