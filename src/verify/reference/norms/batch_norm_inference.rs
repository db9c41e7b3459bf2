use super::{batch_norm, inverse_std};

/// γ·(x - r_μ)/√(r_σ² + ε) + β with the running statistics of x's channel.
pub fn batch_norm_inference(x: f64, running_mean: f64, running_var: f64, eps: f64, weight: f64, bias: f64) -> f64 {
    batch_norm(x, running_mean, inverse_std(running_var, eps), weight, bias)
}
