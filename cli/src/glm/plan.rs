//! What is to be solved: every strength, for all rows and without each fold.
use super::{Design, Family, Strength};

/// What is to be solved. The features have a mean near 0 and a spread near 1 over all rows.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The features.
    pub design: &'a Design,
    /// The target, of a mean near 0 and a spread near 1, or classes 0 and 1.
    pub y: &'a [f64],
    /// The kind of model.
    pub family: Family,
    /// The fold that holds each row out.
    pub folds: &'a [usize],
    /// How many folds there are.
    pub count: usize,
    /// Strengths, descending.
    pub strengths: &'a [Strength],
    /// The largest violation that is allowed, as a share of `largest`.
    pub tolerance: f64,
    /// The largest gradient of a model without features: the least λ1 that leaves all of them out.
    pub largest: f64,
}

/// The largest gradient of a model without features, for all rows.
pub fn largest(design: &Design, y: &[f64]) -> f64 {
    let n = y.len() as f64;
    let mean = y.iter().sum::<f64>() / n;
    let residuals: Vec<f64> = y.iter().map(|y| (y - mean) / n).collect();
    let mut slopes = vec![0.0; design.features()];
    design.along(&residuals, &vec![true; slopes.len()], &mut slopes);
    slopes.iter().fold(0.0, |most, g| most.max(g.abs()))
}

impl Plan<'_> {
    /// The violation that a model may have. Below a thousandth of the largest strength it is a smaller one, in proportion: else it would
    /// be no small share of the penalty any more.
    pub(super) fn goal(&self, strength: Strength) -> f64 {
        self.tolerance * self.largest.min(1e3 * (strength.l1 + strength.l2))
    }

    /// What the solver aims at, so that it arrives with some room: not less than what rounding leaves of gradients, which are products of
    /// features and targets of spread 1.
    pub(super) fn aim(&self, strength: Strength) -> f64 {
        (0.01 * self.goal(strength)).max(1e-15)
    }

    /// The sets of rows: all of them, then without each fold.
    pub fn sets(&self) -> usize {
        self.count + 1
    }
}
