use crate::options::LinearModel;

/// The weighted residual w·(y - μ(x·b)) of one row and one model; 0 where w is 0.
pub fn linear_residual(model: LinearModel, x: &[f64], target: f64, weight: f64, coef: &[f64]) -> f64 {
    if weight == 0.0 {
        return 0.0;
    }
    let z: f64 = x.iter().zip(coef).map(|(x, b)| x * b).sum();
    let mean = match model {
        LinearModel::Linear => z,
        LinearModel::Logistic => 1.0 / (1.0 + (-z).exp()),
    };
    weight * (target - mean)
}
