/// The standard deviation of the factors that have the variance of dropout's, m/(1-p) with m = 1 with probability 1-p.
pub fn gaussian_deviation(p: f64) -> f64 {
    (p / (1.0 - p)).sqrt()
}

/// One element, times a normal number of mean 1; z is standard normal.
pub fn gaussian_dropout(x: f64, z: f64, deviation: f64) -> f64 {
    x * (1.0 + deviation * z)
}
