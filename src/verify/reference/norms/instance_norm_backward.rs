/// Gradients of instance norm for one channel of one sample: (dx, dγ, dβ). With x̂ = (x - μ)·rstd and m values,
/// dx = γ·rstd·(dy - (Σdy + x̂·Σdy·x̂)/m), dγ = Σdy·x̂, dβ = Σdy. dγ and dβ of a batch are sums over its samples.
pub fn instance_norm_backward(x: &[f64], dy: &[f64], mean: f64, rstd: f64, weight: f64) -> (Vec<f64>, f64, f64) {
    let xhat: Vec<f64> = x.iter().map(|x| (x - mean) * rstd).collect();
    let dbias: f64 = dy.iter().sum();
    let dweight: f64 = dy.iter().zip(&xhat).map(|(dy, xhat)| dy * xhat).sum();
    let m = x.len() as f64;
    let dx = dy.iter().zip(&xhat).map(|(dy, xhat)| weight * rstd * (dy - (dbias + xhat * dweight) / m)).collect();
    (dx, dweight, dbias)
}
