//! How far a model is from the minimum: the violation of the conditions, and the duality gap.
use super::{Family, Strength};

/// A model, and what X makes of it. `gradient` has Σ w·x·residual of each feature, which is 0 for those that are left out.
pub struct Point<'a> {
    /// The kind of model.
    pub family: Family,
    /// Weights of the rows.
    pub w: &'a [f64],
    /// The target.
    pub y: &'a [f64],
    /// The linear predictor.
    pub eta: &'a [f64],
    /// Minus the gradient of the loss.
    pub gradient: &'a [f64],
    /// Coefficients.
    pub b: &'a [f64],
    /// The penalty.
    pub strength: Strength,
}

impl Point<'_> {
    fn rows(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        self.w.iter().zip(self.y).zip(self.eta).map(|((w, y), eta)| (*w, *y, *eta)).filter(|(w, ..)| *w > 0.0)
    }

    /// The largest violation, by a coefficient or the intercept.
    pub fn violation(&self) -> f64 {
        let intercept: f64 = self.rows().map(|(w, y, eta)| w * self.family.residual(eta, y)).sum();
        let each = self.gradient.iter().zip(self.b).map(|(g, b)| self.strength.violation(-g, *b));
        // Not `f64::max`, to which NaN is nothing.
        each.fold(intercept.abs(), |most, v| if v <= most { most } else { v })
    }

    /// The duality gap: the objective less the best of two lower bounds. One shrinks the residuals until no feature pulls more than λ1; the
    /// other has them as they are, and what pulls more is paid for by λ2. 0 where rounding leaves less.
    pub fn gap(&self) -> f64 {
        let Strength { l1, l2 } = self.strength;
        let loss: f64 = self.rows().map(|(w, y, eta)| w * self.family.loss(eta, y)).sum();
        let penalty: f64 = self.b.iter().map(|b| self.strength.penalty(*b)).sum();
        let dual =
            |by: f64| -> f64 { self.rows().map(|(w, y, eta)| w * self.family.dual(by * self.family.residual(eta, y), y)).sum() };
        let most = self.gradient.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
        let mut bound = dual(if most > l1 { l1 / most } else { 1.0 });
        if l2 > 0.0 {
            let beyond = |g: &f64| (g.abs() - l1).max(0.0).powi(2) / (2.0 * l2);
            bound = bound.max(dual(1.0) - self.gradient.iter().map(beyond).sum::<f64>());
        }
        (loss + penalty - bound).max(0.0)
    }
}
