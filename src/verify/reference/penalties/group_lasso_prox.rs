/// The proximal step of strength·‖w‖₂ + λ1·Σ|w| for the weights of one group: the soft threshold `soft` = t·λ1, then what remains
/// shrinks by `hard` = t·strength in norm, to 0 if its norm is at most that.
pub fn group_lasso_prox(hard: f64, soft: f64, w: &[f64]) -> Vec<f64> {
    let v: Vec<f64> = w.iter().map(|w| w - w.clamp(-soft, soft)).collect();
    let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
    let factor = if norm <= hard { 0.0 } else { 1.0 - hard / norm };
    v.iter().map(|v| if factor == 0.0 { 0.0 } else { v * factor }).collect()
}
