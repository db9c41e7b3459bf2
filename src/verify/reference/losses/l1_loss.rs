/// |p - t| and its derivative by the prediction p, 0 where it has none.
pub fn l1_loss(pred: f64, target: f64) -> (f64, f64) {
    let d = pred - target;
    (d.abs(), if d == 0.0 || d.is_nan() { d } else { d.signum() })
}
