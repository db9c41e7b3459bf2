/// The gradient of strength·‖w‖₂ + λ1·Σ|w| for each weight of one group. Where the norm is 0, its gradient is 0 here, the
/// smallest of the subgradients; the sign of 0 and of NaN is 0.
pub fn group_lasso_grad(strength: f64, l1: f64, w: &[f64]) -> Vec<f64> {
    let norm = w.iter().map(|w| w * w).sum::<f64>().sqrt();
    let one = |&w: &f64| {
        let group = if strength == 0.0 || norm == 0.0 { 0.0 } else { strength * w / norm };
        let lasso = if w == 0.0 || w.is_nan() { 0.0 } else { l1 * w.signum() };
        group + lasso
    };
    w.iter().map(one).collect()
}
