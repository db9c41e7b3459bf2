/// The gradient of an element with respect to x, times dy: mask and factor do not depend on x.
pub fn drop_block_backward(dy: f64, kept: bool, factor: f64) -> f64 {
    if kept { dy * factor } else { 0.0 }
}
