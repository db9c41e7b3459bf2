use super::batch_norm_backward;

/// Gradients of one channel in virtual batches of `size` values: (dx, dγ, dβ). Each has its mean and rstd; γ and β are shared.
pub fn batch_norm_ghost_backward(
    x: &[f64],
    dy: &[f64],
    size: usize,
    statistics: &[[f64; 2]],
    weight: f64,
) -> (Vec<f64>, f64, f64) {
    let (mut all, mut dweight, mut dbias) = (Vec::new(), 0.0, 0.0);
    for ((x, dy), [mean, rstd]) in x.chunks(size.max(1)).zip(dy.chunks(size.max(1))).zip(statistics) {
        let (dx, w, b) = batch_norm_backward(x, dy, *mean, *rstd, weight);
        all.extend(dx);
        dweight += w;
        dbias += b;
    }
    (all, dweight, dbias)
}
