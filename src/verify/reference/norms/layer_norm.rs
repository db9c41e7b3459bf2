use super::{inverse_std, moments};

/// Layer norm of one row: (y, μ, 1/√(σ² + ε)) with y = γ·(x - μ)/√(σ² + ε) + β, the variance biased (÷ cols).
pub fn layer_norm(x: &[f64], weight: &[f64], bias: &[f64], eps: f64) -> (Vec<f64>, f64, f64) {
    let [mean, variance] = moments(x);
    let rstd = inverse_std(variance, eps);
    let y = x.iter().zip(weight).zip(bias).map(|((x, w), b)| (x - mean) * rstd * w + b).collect();
    (y, mean, rstd)
}
