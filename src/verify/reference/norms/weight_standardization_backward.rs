/// Gradients of weight standardization for one filter: (dx, dgain) from x, dy, the gain, and the forward's (μ, r, s).
///
/// dgain = Σdy·x̂ with x̂ = (x - μ)·r; dx = gain·r·(dy - Σdy/m - (x - μ)·s·dgain).
pub fn weight_standardization_backward(x: &[f64], dy: &[f64], gain: f64, [mean, r, s]: [f64; 3]) -> (Vec<f64>, f64) {
    let m = x.len().max(1) as f64;
    let sum: f64 = dy.iter().sum();
    let dgain: f64 = x.iter().zip(dy).map(|(x, dy)| dy * (x - mean) * r).sum();
    (x.iter().zip(dy).map(|(x, dy)| gain * r * (dy - sum / m - (x - mean) * s * dgain)).collect(), dgain)
}
