/// Gradients of group norm for one group of one sample, channel after channel: (dx, dγ, dβ), γ with an entry per channel.
///
/// With x̂ = (x - μ)·rstd, g = γ_c·dy and m values: dx = rstd·(g - (Σg + x̂·Σg·x̂)/m), sums over the group; dγ_c = Σdy·x̂ and
/// dβ_c = Σdy over the channel. Those of a batch are sums over its samples.
pub fn group_norm_backward(x: &[f64], dy: &[f64], mean: f64, rstd: f64, weight: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (m, positions) = (x.len(), x.len().checked_div(weight.len()).unwrap_or(0));
    let (mut dweight, mut dbias) = (vec![0.0; weight.len()], vec![0.0; weight.len()]);
    let (mut sum, mut dot) = (0.0, 0.0);
    for i in 0..m {
        let (c, xhat) = (i / positions, (x[i] - mean) * rstd);
        dweight[c] += dy[i] * xhat;
        dbias[c] += dy[i];
        sum += weight[c] * dy[i];
        dot += weight[c] * dy[i] * xhat;
    }
    let dx = |i: usize| rstd * (weight[i / positions] * dy[i] - (sum + (x[i] - mean) * rstd * dot) / m as f64);
    ((0..m).map(dx).collect(), dweight, dbias)
}
