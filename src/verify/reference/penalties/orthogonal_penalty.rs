/// Σ(g - δ)² over the Gram matrix g of the vectors, δ being 1 on the diagonal and 0 elsewhere.
pub fn orthogonal_penalty(vectors: &[Vec<f64>]) -> f64 {
    let mut sum = 0.0;
    for (i, a) in vectors.iter().enumerate() {
        for (j, b) in vectors.iter().enumerate() {
            let g: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            let target = if i == j { 1.0 } else { 0.0 };
            sum += (g - target) * (g - target);
        }
    }
    sum
}
