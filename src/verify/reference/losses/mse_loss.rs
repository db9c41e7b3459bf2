/// curve·(p - t)² and its derivative by the prediction p; curve is 1, or ½.
pub fn mse_loss(pred: f64, target: f64, curve: f64) -> (f64, f64) {
    let d = pred - target;
    (curve * d * d, 2.0 * curve * d)
}
