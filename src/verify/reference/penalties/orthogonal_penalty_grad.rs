/// ∂/∂v of Σ(g - δ)² over the Gram matrix g of the vectors v: 4·Σ_j (g_ij - δ_ij)·v_j for vector i.
pub fn orthogonal_penalty_grad(vectors: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut out = Vec::new();
    for (i, a) in vectors.iter().enumerate() {
        let mut gradient = vec![0.0; a.len()];
        for (j, b) in vectors.iter().enumerate() {
            let g: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            let target = if i == j { 1.0 } else { 0.0 };
            for (sum, b) in gradient.iter_mut().zip(b) {
                *sum += 4.0 * (g - target) * b;
            }
        }
        out.push(gradient);
    }
    out
}
