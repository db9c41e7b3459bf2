/// The standard deviation of annealed noise in step t, counted from 0: σ² = eta / (1 + t)^gamma.
pub fn annealed_noise(eta: f64, gamma: f64, t: u32) -> f64 {
    (eta / (1.0 + f64::from(t)).powf(gamma)).sqrt()
}

/// A gradient with noise: `z` is a standard normal number.
pub fn gradient_noise(std: f64, z: f64, g: f64) -> f64 {
    g + std * z
}
