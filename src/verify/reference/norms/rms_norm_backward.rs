/// Gradients of RMS norm: (dx, dw) from all rows, their gradients, and each row's 1/√(Σx²/cols + ε).
///
/// With x̂ = x·rstd and g = dy·(offset + w): dx = rstd·(g - x̂·Σg·x̂/cols), the sum over the row; dw = Σdy·x̂ over the rows.
pub fn rms_norm_backward(x: &[f64], dy: &[f64], rstd: &[f64], weight: &[f64], offset: f64) -> (Vec<f64>, Vec<f64>) {
    let cols = weight.len();
    let (mut dx, mut dweight) = (vec![], vec![0.0; cols]);
    for (r, (x, dy)) in x.chunks(cols.max(1)).zip(dy.chunks(cols.max(1))).enumerate() {
        let xhat: Vec<f64> = x.iter().map(|x| x * rstd[r]).collect();
        let g: Vec<f64> = dy.iter().zip(weight).map(|(dy, w)| dy * (offset + w)).collect();
        let dot: f64 = g.iter().zip(&xhat).map(|(g, xhat)| g * xhat).sum();
        dx.extend(g.iter().zip(&xhat).map(|(g, xhat)| rstd[r] * (g - xhat * dot / cols as f64)));
        for c in 0..cols {
            dweight[c] += dy[c] * xhat[c];
        }
    }
    (dx, dweight)
}
