//! The choice of λ by cross-validation.
use super::{Model, problem::Problem, solve::Solved};

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
    pub fn new(problem: &Problem, folds: &[Vec<Solved>], of: &[usize]) -> Self {
        let mut errors = vec![vec![0.0; folds.len()]; folds.first().map_or(0, Vec::len)];
        for (f, models) in folds.iter().enumerate() {
            let rows: Vec<usize> = (0..problem.rows).filter(|&i| of[i] == f).collect();
            for (model, at) in models.iter().zip(&mut errors) {
                at[f] = rows.iter().map(|&i| error(problem, model, i)).sum::<f64>() / rows.len() as f64;
            }
        }
        let curve: Vec<[f64; 2]> = errors.iter().map(|e| mean_and_error(e)).collect();
        let best = (0..curve.len()).reduce(|b, i| if curve[i][0] < curve[b][0] { i } else { b }).unwrap_or(0);
        let limit = curve.get(best).map_or(0.0, |[mean, error]| mean + error);
        let one_se = curve.iter().position(|[mean, _]| *mean <= limit).unwrap_or(best);
        Self { errors, curve, best, one_se }
    }
}

fn error(problem: &Problem, model: &Solved, i: usize) -> f64 {
    let z = model.predict(problem.row(i));
    match problem.model {
        Model::Linear => (problem.y[i] - problem.scale[0] - problem.scale[1] * z).powi(2),
        // ln(1 + exp(z)) - y·z, without overflow.
        Model::Logistic => z.max(0.0) + (-z.abs()).exp().ln_1p() - problem.y[i] * z,
    }
}

/// Mean and standard error.
fn mean_and_error(v: &[f64]) -> [f64; 2] {
    let n = v.len() as f64;
    let mean = v.iter().sum::<f64>() / n;
    [mean, (v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0) / n).sqrt()]
}
