/// Σg and Σg·x̂ of one channel's values and gradients, with x̂ = (x - μ)·rstd.
pub fn batch_norm_backward_sums(x: &[f64], g: &[f64], mean: f64, rstd: f64) -> [f64; 2] {
    [g.iter().sum(), x.iter().zip(g).map(|(x, g)| g * (x - mean) * rstd).sum()]
}
