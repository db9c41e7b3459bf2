/// dx of one value from its gradient g, and Σg and Σg·x̂ of all m values of its channel, wherever they are.
///
/// dx = γ·rstd·(g - (Σg + x̂·Σg·x̂)/m).
pub fn batch_norm_backward_apply(x: f64, g: f64, [mean, rstd]: [f64; 2], [sum, product]: [f64; 2], m: f64, weight: f64) -> f64 {
    weight * rstd * (g - (sum + (x - mean) * rstd * product) / m)
}
