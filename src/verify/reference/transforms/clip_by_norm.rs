/// A tensor g with a norm of at most `most`: g·min(1, most / (‖g‖ + eps)). What is not finite makes all of it NaN or 0, as in
/// arithmetic.
pub fn clip_by_norm(most: f64, eps: f64, g: &[f64]) -> Vec<f64> {
    let norm = g.iter().map(|g| g * g).sum::<f64>().sqrt();
    let factor = if norm + eps <= most { 1.0 } else { most / (norm + eps) };
    g.iter().map(|g| factor * g).collect()
}
