/// One element and a normal number of mean 0; z is standard normal.
pub fn gaussian_noise(x: f64, z: f64, deviation: f64) -> f64 {
    x + deviation * z
}
