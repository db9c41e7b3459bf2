//! The rows that a model learns from.
use super::{Design, design::dot};

/// Rows as weights: equal ones that add up to 1, and 0 for those that are left out.
pub struct Set {
    /// The weight of each row.
    pub w: Vec<f64>,
    /// That of a row that is not left out.
    pub share: f64,
    /// Weighted means of the features.
    pub means: Vec<f64>,
    /// Whether a feature has more than one value in these rows. One that has not can do nothing: its coefficient is 0.
    pub varies: Vec<bool>,
    /// The weighted mean of the target.
    pub target: f64,
}

impl Set {
    /// All rows but those of a fold.
    ///
    /// # Panics
    /// If none is left.
    pub fn new(design: &Design, y: &[f64], folds: &[usize], without: Option<usize>) -> Self {
        let inside = |i: &usize| Some(folds[*i]) != without;
        let rows = (0..folds.len()).filter(inside).count();
        assert!(rows > 0, "a fold has all rows");
        let share = 1.0 / rows as f64;
        let w: Vec<f64> = (0..folds.len()).map(|i| if inside(&i) { share } else { 0.0 }).collect();
        let varies = |j: usize| {
            let mut values = design.column(j).iter().zip(&w).filter(|(_, w)| **w > 0.0).map(|(x, _)| *x);
            let first = values.next();
            values.any(|x| Some(x) != first)
        };
        let means = (0..design.features()).map(|j| dot(design.column(j), &w)).collect();
        Self { share, means, varies: (0..design.features()).map(varies).collect(), target: dot(y, &w), w }
    }
}
