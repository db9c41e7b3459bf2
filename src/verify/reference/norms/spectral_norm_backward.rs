/// dW = (dY - ⟨dY, W⟩/σ·u·vᵀ)/σ, u and v being constants; 0 where σ is 0.
pub fn spectral_norm_backward(w: &[f64], dy: &[f64], u: &[f64], v: &[f64], sigma: f64) -> Vec<f64> {
    if sigma == 0.0 {
        return vec![0.0; w.len()];
    }
    let dot: f64 = w.iter().zip(dy).map(|(w, dy)| w * dy).sum();
    dy.iter().enumerate().map(|(i, dy)| (dy - dot / sigma * u[i / v.len()] * v[i % v.len()]) / sigma).collect()
}
