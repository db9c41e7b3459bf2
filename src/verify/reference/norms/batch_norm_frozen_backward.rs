/// Gradients of batch norm by running statistics for one channel: (dx, dγ, dβ) from its values, their gradients, the running
/// mean and 1/√(r_σ² + ε).
///
/// dx = γ·rstd·dy, dγ = Σdy·(x - r_μ)·rstd, dβ = Σdy.
pub fn batch_norm_frozen_backward(x: &[f64], dy: &[f64], mean: f64, rstd: f64, weight: f64) -> (Vec<f64>, f64, f64) {
    let dx = dy.iter().map(|dy| weight * rstd * dy).collect();
    let dweight = x.iter().zip(dy).map(|(x, dy)| dy * (x - mean) * rstd).sum();
    (dx, dweight, dy.iter().sum())
}
