/// γ·(x - μ)·rstd + β for one value, by statistics that are given.
pub fn batch_norm_apply(x: f64, mean: f64, rstd: f64, weight: f64, bias: f64) -> f64 {
    (x - mean) * rstd * weight + bias
}
