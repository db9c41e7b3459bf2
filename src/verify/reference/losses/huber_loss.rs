/// Huber's loss of d = p - t with the knee at δ, and its derivative by the prediction p; `smooth`: both divided by δ, and for
/// δ = 0 the absolute error.
pub fn huber_loss(pred: f64, target: f64, delta: f64, smooth: bool) -> (f64, f64) {
    let d = pred - target;
    let sign = if d == 0.0 || d.is_nan() { d } else { d.signum() };
    match (d.abs() < delta, smooth) {
        (true, false) => (0.5 * d * d, d),
        (false, false) => (delta * (d.abs() - 0.5 * delta), delta * sign),
        (true, true) => (0.5 * d * d / delta, d / delta),
        (false, true) => (d.abs() - 0.5 * delta, sign),
    }
}
