/// ‖g‖₂. No square overflows: in f64 there is room for those of all f32.
pub fn norm(g: &[f64]) -> f64 {
    g.iter().map(|g| g * g).sum::<f64>().sqrt()
}

/// What gradients are multiplied with so that their norm is at most `most`: min(1, most / (norm + eps)). 0 where the norm is
/// infinite, NaN where it is NaN.
pub fn clip_factor(norm: f64, most: f64, eps: f64) -> f64 {
    if norm.is_nan() {
        norm
    } else if norm + eps <= most {
        1.0
    } else {
        most / (norm + eps)
    }
}
