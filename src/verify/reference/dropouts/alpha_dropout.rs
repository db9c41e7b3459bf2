/// What SELU of minus infinity is: -λ·α (Klambauer et al. 2017).
const SATURATION: f64 = -1.7580993408473766;

/// The factor that keeps the variance of units with mean 0 and variance 1, of which a share `p` is dropped; 0 if all are.
pub fn alpha_factor(p: f64) -> f64 {
    if p == 1.0 { 0.0 } else { 1.0 / ((1.0 - p) * (1.0 + p * SATURATION * SATURATION)).sqrt() }
}

/// One element: what is dropped takes the value at which SELU saturates, then all are scaled and shifted so that mean 0 and
/// variance 1 stay. `p` is the probability that is realised; with 1 the result is 0.
pub fn alpha_dropout(x: f64, kept: bool, p: f64) -> f64 {
    let a = alpha_factor(p);
    if a == 0.0 {
        return 0.0;
    }
    let b = -a * p * SATURATION;
    a * if kept { x } else { SATURATION } + b
}
