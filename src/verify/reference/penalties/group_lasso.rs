/// The penalty of one group of weights: strength·‖w‖₂ + λ1·Σ|w|, with strength = λ·√d or λ. A term whose factor is 0 is absent.
pub fn group_lasso(strength: f64, l1: f64, w: &[f64]) -> f64 {
    let norm = w.iter().map(|w| w * w).sum::<f64>().sqrt();
    let group = if strength == 0.0 { 0.0 } else { strength * norm };
    let lasso = if l1 == 0.0 { 0.0 } else { l1 * w.iter().map(|w| w.abs()).sum::<f64>() };
    group + lasso
}
