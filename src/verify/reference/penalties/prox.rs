/// The proximal step of an elastic net at one weight: soft threshold at t = step·λ1, then division by d = 1 + step·slope.
/// Weights of at most t in magnitude become +0; NaN stays NaN, an infinity itself.
pub fn prox(t: f64, d: f64, w: f64) -> f64 {
    if !w.is_finite() {
        w
    } else if w > t {
        (w - t) / d
    } else if w < -t {
        (w + t) / d
    } else {
        0.0
    }
}
