use super::batch_norm_backward;

/// Gradients of one channel, r and d being constants: (dx, dγ, dβ).
///
/// dβ = Σdy, dγ = Σdy·(x̂·r + d), dx = γ·r·rstd·(dy - (Σdy + x̂·Σdy·x̂)/m).
pub fn batch_renorm_backward(
    x: &[f64],
    dy: &[f64],
    [mean, rstd]: [f64; 2],
    [r, d]: [f64; 2],
    weight: f64,
) -> (Vec<f64>, f64, f64) {
    let (dx, product, sum) = batch_norm_backward(x, dy, mean, rstd, weight * r);
    (dx, r * product + d * sum, sum)
}
