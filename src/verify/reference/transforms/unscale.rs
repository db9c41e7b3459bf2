/// A gradient of `scale` times the loss becomes one of the loss.
pub fn unscale(scale: f64, g: f64) -> f64 {
    g / scale
}
