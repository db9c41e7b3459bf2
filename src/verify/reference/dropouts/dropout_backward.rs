/// The gradient of y = kept ? factor·x : 0 with respect to x, times dy. It does not depend on x.
pub fn dropout_backward(dy: f64, kept: bool, factor: f64) -> f64 {
    if kept { dy * factor } else { 0.0 }
}
