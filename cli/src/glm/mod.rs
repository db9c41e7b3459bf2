//! Penalized generalized linear models on the host, in f64: the path of an elastic net over its strength, for all rows and without each
//! fold of a cross-validation.
//!
//! For a set of rows with weights w, which add up to 1, it minimizes Σ wᵢ·loss(ηᵢ, yᵢ) + λ1·Σ|b| + ½·λ2·Σb² with η = β + X·b; the
//! intercept β is not penalized. Strengths come in descending order, each starts from the solution of the one before:
//!
//! 1. A working set: the features in use, and those that the strong rule expects (Tibshirani et al. 2012).
//! 2. On it, coordinate descent (Friedman, Hastie and Tibshirani 2010) on the covariances of these features, or on the residuals where
//!    they are too many. Where it is slow, Newton steps on the features in use finish it. What is not
//!    quadratic is solved by proximal Newton steps with a line search.
//! 3. All features are checked by their gradients, recomputed from X. What violates the conditions of a minimum joins the working set.
//!
//! So what ends it is the violation of those conditions by any feature, and rounding in the covariances does not end in the answer. Each
//! solution has this number. Sets of rows are independent, and are solved on all cores; the bits do not depend on how many there are.
mod covariance;
mod design;
mod family;
mod minimize;
mod newton;
mod optimality;
mod plan;
mod set;
mod solver;
#[cfg(test)]
mod tests;
mod walk;

pub use design::{Design, dot};
pub use family::Family;
pub use plan::{Plan, largest};
pub use solver::{Starts, Stopped};

/// The strength of a penalty: λ1·Σ|b| + ½·λ2·Σb².
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strength {
    /// λ1.
    pub l1: f64,
    /// λ2.
    pub l2: f64,
}

impl Strength {
    /// How far a coefficient is from the condition of a minimum: 0 is in the subdifferential. `gradient` is that of the loss.
    pub fn violation(self, gradient: f64, b: f64) -> f64 {
        if b == 0.0 { (gradient.abs() - self.l1).max(0.0) } else { (gradient + self.l2 * b + self.l1 * b.signum()).abs() }
    }

    /// The penalty of a coefficient.
    fn penalty(self, b: f64) -> f64 {
        self.l1 * b.abs() + 0.5 * self.l2 * b * b
    }

    /// The minimum of ½·h·b² - z·b + penalty.
    fn least(self, z: f64, h: f64) -> f64 {
        let beyond = z.abs() - self.l1;
        if beyond > 0.0 { beyond.copysign(z) / (h + self.l2) } else { 0.0 }
    }
}

/// A model of standardized features.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Solution {
    /// The intercept.
    pub intercept: f64,
    /// The features in use, in ascending order, with their coefficients.
    pub coef: Vec<(usize, f64)>,
    /// The largest violation of the conditions of a minimum, by any feature or the intercept, recomputed from X.
    pub violation: f64,
    /// How far the objective is above its minimum, at most: the duality gap.
    pub gap: f64,
    /// Passes over the working set, and Newton steps.
    pub passes: u32,
}
