/// r = clip(σ_B/σ, 1/r_max, r_max) and d = clip((μ_B - μ)/σ, -d_max, d_max), from the batch's mean and deviation, and the running
/// mean and 1/σ.
pub fn batch_renorm_correction(
    [mean, deviation]: [f64; 2],
    [running_mean, inverse]: [f64; 2],
    r_max: f64,
    d_max: f64,
) -> [f64; 2] {
    [(deviation * inverse).clamp(1.0 / r_max, r_max), ((mean - running_mean) * inverse).clamp(-d_max, d_max)]
}

/// γ·(x̂·r + d) + β with x̂ = (x - μ_B)·rstd.
pub fn batch_renorm(x: f64, [mean, rstd]: [f64; 2], [r, d]: [f64; 2], weight: f64, bias: f64) -> f64 {
    ((x - mean) * rstd * r + d) * weight + bias
}
