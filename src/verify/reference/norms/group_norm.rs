use super::{inverse_std, moments};

/// Group norm of one group of one sample, channel after channel: (y, μ, 1/√(σ² + ε)) with y = γ_c·(x - μ)/√(σ² + ε) + β_c, mean and
/// biased variance over all its values. γ and β have an entry per channel.
pub fn group_norm(x: &[f64], weight: &[f64], bias: &[f64], eps: f64) -> (Vec<f64>, f64, f64) {
    let [mean, variance] = moments(x);
    let rstd = inverse_std(variance, eps);
    let positions = x.len().checked_div(weight.len()).unwrap_or(0);
    let y = x.iter().enumerate().map(|(i, x)| weight[i / positions] * (x - mean) * rstd + bias[i / positions]).collect();
    (y, mean, rstd)
}
