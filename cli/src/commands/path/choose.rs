//! The choice of λ by cross-validation.
use super::{Model, problem::Problem};
use crate::glm::{Family, Solution};
use rayon::prelude::*;

/// The result of cross-validation.
#[derive(Clone, Debug)]
pub struct Choice {
    /// For each λ, the mean error on each held-out fold.
    pub errors: Vec<Vec<f64>>,
    /// For each λ, the mean over the folds, and its standard error.
    pub curve: Vec<[f64; 2]>,
    /// The place of the λ with the least mean.
    pub best: usize,
    /// That of the largest λ whose mean is no more than one standard error above the least.
    pub one_se: usize,
}

impl Choice {
    /// Of models by fold and λ. Errors are squared, in the target's unit, or logistic losses in nats.
    pub fn new(problem: &Problem, folds: &[Vec<Solution>], of: &[usize]) -> Self {
        let by_fold: Vec<Vec<f64>> = folds.par_iter().enumerate().map(|(f, models)| held_out(problem, models, of, f)).collect();
        let count = folds.first().map_or(0, Vec::len);
        let errors: Vec<Vec<f64>> = (0..count).map(|k| by_fold.iter().map(|fold| fold[k]).collect()).collect();
        let curve: Vec<[f64; 2]> = errors.iter().map(|e| mean_and_error(e)).collect();
        let best = (0..curve.len()).reduce(|b, i| if curve[i][0] < curve[b][0] { i } else { b }).unwrap_or(0);
        let limit = curve.get(best).map_or(0.0, |[mean, error]| mean + error);
        let one_se = curve.iter().position(|[mean, _]| *mean <= limit).unwrap_or(best);
        Self { errors, curve, best, one_se }
    }
}

/// The mean error of each model on the rows of a fold.
fn held_out(problem: &Problem, models: &[Solution], of: &[usize], fold: usize) -> Vec<f64> {
    let rows: Vec<usize> = (0..problem.rows).filter(|&i| of[i] == fold).collect();
    let one = |model: &Solution| {
        let mut eta = vec![model.intercept; rows.len()];
        for &(j, b) in &model.coef {
            let column = problem.design.column(j);
            eta.iter_mut().zip(&rows).for_each(|(eta, &i)| *eta += b * column[i]);
        }
        eta.iter().zip(&rows).map(|(&z, &i)| error(problem, z, i)).sum::<f64>() / rows.len() as f64
    };
    models.iter().map(one).collect()
}

fn error(problem: &Problem, z: f64, i: usize) -> f64 {
    match problem.model {
        Model::Linear => (problem.y[i] - problem.scale[0] - problem.scale[1] * z).powi(2),
        Model::Logistic => Family::Logistic.loss(z, problem.y[i]),
    }
}

/// Mean and standard error.
fn mean_and_error(v: &[f64]) -> [f64; 2] {
    let n = v.len() as f64;
    let mean = v.iter().sum::<f64>() / n;
    [mean, (v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0) / n).sqrt()]
}
