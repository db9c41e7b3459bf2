//! Proximal Newton steps, for losses that are not quadratic.
use super::{
    Design, Family, Strength,
    covariance::covariances,
    design::{add, dot},
    minimize::{Gram, Quadratic, Residuals, minimize},
};

/// With so many features, their covariances cost less than the passes over the rows that they spare.
const GRAM: usize = 512;

/// What does not change from step to step.
pub struct Problem<'a> {
    /// The features.
    pub design: &'a Design,
    /// The target.
    pub y: &'a [f64],
    /// The kind of model.
    pub family: Family,
    /// Weights of the rows.
    pub w: &'a [f64],
    /// The penalty.
    pub strength: Strength,
    /// The violation that is small enough.
    pub aim: f64,
}

/// A model on its way.
pub struct Iterate<'a> {
    /// Coefficients of all features.
    pub b: &'a mut [f64],
    /// The intercept.
    pub intercept: &'a mut f64,
    /// The linear predictor.
    pub eta: &'a mut [f64],
}

/// A quadratic function.
struct Around {
    /// Weights of the rows, times the second derivative of the loss.
    v: Vec<f64>,
    /// Their sum.
    total: f64,
    /// Means of the features by these weights.
    means: Vec<f64>,
    /// Covariances of the features, unless residuals do better.
    h: Option<Vec<f64>>,
}

impl Problem<'_> {
    /// Moves the coefficients of these features to the minimum. Gives the number of passes.
    ///
    /// The second derivatives of the loss are taken where the model is. Where a step along them gains nothing, they are raised, in the end to
    /// the most that they can be: such a step always gains.
    pub fn fit(&self, at: &[usize], of: &mut Iterate) -> u32 {
        const STEPS: usize = 100;
        let (mut passes, mut raised, mut best, mut idle) = (0, 0.0, f64::INFINITY, 0);
        let (mut around, mut last) = (None, f64::INFINITY);
        for _ in 0..STEPS {
            let residuals: Vec<f64> =
                of.eta.iter().zip(self.y).zip(self.w).map(|((eta, y), w)| w * self.family.residual(*eta, *y)).collect();
            let slope: f64 = residuals.iter().sum();
            let slopes: Vec<f64> = at.iter().map(|&j| dot(self.design.column(j), &residuals)).collect();
            let each = at.iter().zip(&slopes).map(|(&j, g)| self.strength.violation(-g, of.b[j]));
            let worst = each.fold(slope.abs(), f64::max);
            if worst <= self.aim {
                break;
            }
            idle = if worst < 0.9 * best { 0 } else { idle + 1 };
            best = best.min(worst);
            if idle > 12 {
                break;
            }
            // Covariances that are dear serve for as long as they bring it on.
            let gram = at.len() <= GRAM && at.len() <= self.y.len() + 64;
            let dear = gram && at.len() * at.len() * self.y.len() > 1 << 20;
            let serves = dear && around.is_some() && worst < 0.1 * last;
            if !serves {
                around = Some(self.around(at, of.eta, raised, gram));
            }
            last = worst;
            let Some(Around { v, total, means, h }) = &around else { unreachable!("made above") };
            let before: Vec<f64> = at.iter().map(|&j| of.b[j]).collect();
            let mut new = before.clone();
            let enough = (0.01 * worst).max(0.3 * self.aim);
            let mut solve = |quadratic: &mut dyn Quadratic| passes += minimize(quadratic, &mut new, self.strength, enough);
            if let Some(h) = h {
                let gradient = slopes.iter().zip(means).map(|(g, mean)| mean * slope - g).collect();
                solve(&mut Gram::new(h.clone(), gradient));
            } else {
                solve(&mut Residuals::new(self.design, at, v, &residuals));
            }
            let step: Vec<f64> = new.iter().zip(&before).map(|(new, before)| new - before).collect();
            let intercept = slope / total - dot(means, &step);
            let mut way = vec![intercept; of.eta.len()];
            for (&j, &by) in at.iter().zip(&step).filter(|(_, by)| **by != 0.0) {
                add(&mut way, by, self.design.column(j));
            }
            let expected = -slope * intercept - dot(&slopes, &step) + self.penalty(&new) - self.penalty(&before);
            match self.length(of.eta, &way, &before, &step, expected) {
                Some(length) => {
                    *of.intercept += length * intercept;
                    add(of.eta, length, &way);
                    for ((&j, before), (new, by)) in at.iter().zip(&before).zip(new.iter().zip(&step)) {
                        // Exactly, so that 0 is 0.
                        of.b[j] = if length == 1.0 { *new } else { before + length * by };
                    }
                    raised = if raised > 1e-3 { raised * 0.01 } else { 0.0 };
                    if length < 1.0 {
                        around = None;
                    }
                }
                None => (raised, around) = ((raised * 30.0).clamp(1e-3, 1.0), None),
            }
        }
        passes
    }

    /// The quadratic function around a model; its second derivatives are at least this share of the most that they can be.
    fn around(&self, at: &[usize], eta: &[f64], raised: f64, gram: bool) -> Around {
        let least = f64::max(raised * self.family.most_curved(), 1e-10);
        let v: Vec<f64> = eta.iter().zip(self.w).map(|(eta, w)| w * self.family.curvature(*eta).max(least)).collect();
        let total: f64 = v.iter().sum();
        let means = at.iter().map(|&j| dot(self.design.column(j), &v) / total).collect();
        let h = gram.then(|| covariances(self.design, at, &v));
        Around { v, total, means, h }
    }

    fn penalty(&self, b: &[f64]) -> f64 {
        b.iter().map(|b| self.strength.penalty(*b)).sum()
    }

    fn loss(&self, eta: impl Iterator<Item = f64>) -> f64 {
        eta.zip(self.y).zip(self.w).map(|((eta, y), w)| if *w > 0.0 { w * self.family.loss(eta, *y) } else { 0.0 }).sum()
    }

    /// How much of a step to go: all of it, or half as often as it takes to gain. Nothing if none of that gains.
    fn length(&self, eta: &[f64], way: &[f64], before: &[f64], step: &[f64], expected: f64) -> Option<f64> {
        let first = self.loss(eta.iter().copied()) + self.penalty(before);
        let mut length = 1.0;
        for _ in 0..12 {
            let there: Vec<f64> = before.iter().zip(step).map(|(b, by)| b + length * by).collect();
            let value = self.loss(eta.iter().zip(way).map(|(eta, way)| eta + length * way)) + self.penalty(&there);
            // What rounding may add near the minimum.
            if value <= first + 1e-3 * length * expected + 1e-14 * first.abs() {
                return Some(length);
            }
            length *= 0.5;
        }
        None
    }
}
