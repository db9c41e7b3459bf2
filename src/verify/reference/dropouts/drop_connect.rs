/// One weight: what is dropped is 0, whatever it was.
pub fn drop_connect(weight: f64, kept: bool, factor: f64) -> f64 {
    if kept { weight * factor } else { 0.0 }
}
