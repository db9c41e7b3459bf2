/// The gradient of x·(1 + deviation·z) with respect to x, times dy: what is drawn does not depend on x.
pub fn gaussian_dropout_backward(dy: f64, z: f64, deviation: f64) -> f64 {
    dy * (1.0 + deviation * z)
}
