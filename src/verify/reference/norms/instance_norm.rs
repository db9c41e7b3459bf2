use super::{inverse_std, moments};

/// Instance norm of one channel of one sample: (y, μ, 1/√(σ² + ε)) with y = γ·(x - μ)/√(σ² + ε) + β, the variance biased.
pub fn instance_norm(x: &[f64], weight: f64, bias: f64, eps: f64) -> (Vec<f64>, f64, f64) {
    let [mean, variance] = moments(x);
    let rstd = inverse_std(variance, eps);
    (x.iter().map(|x| weight * (x - mean) * rstd + bias).collect(), mean, rstd)
}
