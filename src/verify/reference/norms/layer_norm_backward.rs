/// Gradients of layer norm: (dx, dγ, dβ) from all rows, their gradients, and each row's mean and 1/√(σ² + ε).
///
/// With x̂ = (x - μ)·rstd and g = dy·γ: dx = rstd·(g - (Σg + x̂·Σg·x̂)/cols), sums over the row; dγ = Σdy·x̂ and dβ = Σdy over
/// the rows.
pub fn layer_norm_backward(x: &[f64], dy: &[f64], mean: &[f64], rstd: &[f64], weight: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let cols = weight.len();
    let (mut dx, mut dweight, mut dbias) = (vec![], vec![0.0; cols], vec![0.0; cols]);
    for (r, (x, dy)) in x.chunks(cols.max(1)).zip(dy.chunks(cols.max(1))).enumerate() {
        let xhat: Vec<f64> = x.iter().map(|x| (x - mean[r]) * rstd[r]).collect();
        let g: Vec<f64> = dy.iter().zip(weight).map(|(dy, w)| dy * w).collect();
        let sum: f64 = g.iter().sum();
        let dot: f64 = g.iter().zip(&xhat).map(|(g, xhat)| g * xhat).sum();
        dx.extend(g.iter().zip(&xhat).map(|(g, xhat)| rstd[r] * (g - (sum + xhat * dot) / cols as f64)));
        for c in 0..cols {
            dweight[c] += dy[c] * xhat[c];
            dbias[c] += dy[c];
        }
    }
    (dx, dweight, dbias)
}
