use super::alpha_factor;

/// The gradient of alpha dropout with respect to x, times dy: what was dropped does not depend on x.
pub fn alpha_dropout_backward(dy: f64, kept: bool, p: f64) -> f64 {
    if kept { alpha_factor(p) * dy } else { 0.0 }
}
