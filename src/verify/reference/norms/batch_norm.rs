/// Mean and biased variance (÷ m) of the values of one channel; zeros for none.
pub fn moments(values: &[f64]) -> [f64; 2] {
    let m = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / m;
    // The sum of the deviations is 0 but for rounding; taking it off again makes the mean's own rounding vanish.
    let (first, second) = values.iter().fold((0.0, 0.0), |(a, b), v| (a + (v - mean), b + (v - mean) * (v - mean)));
    [mean + first / m, (second - first * first / m) / m]
}

/// 1/√(variance + ε), and 0 if that root is 0.
pub fn inverse_std(variance: f64, eps: f64) -> f64 {
    if variance + eps == 0.0 { 0.0 } else { 1.0 / (variance + eps).sqrt() }
}

/// γ·(x - μ)/√(σ² + ε) + β for one value, `rstd` being 1/√(σ² + ε).
pub fn batch_norm(x: f64, mean: f64, rstd: f64, weight: f64, bias: f64) -> f64 {
    (x - mean) * rstd * weight + bias
}
