/// u, v and σ = uᵀWv after `iterations` of u = Wv/max(‖Wv‖, ε), v = Wᵀu/max(‖Wᵀu‖, ε), from the rows of W.
pub fn spectral_norm(rows: &[Vec<f64>], u: &[f64], v: &[f64], iterations: usize, eps: f64) -> (Vec<f64>, Vec<f64>, f64) {
    let (mut u, mut v) = (u.to_vec(), v.to_vec());
    let times = |v: &[f64]| -> Vec<f64> { rows.iter().map(|row| row.iter().zip(v).map(|(w, v)| w * v).sum()).collect() };
    let normalized = |z: Vec<f64>| -> Vec<f64> {
        let norm = z.iter().map(|z| z * z).sum::<f64>().sqrt();
        z.iter().map(|z| z / norm.max(eps)).collect()
    };
    for _ in 0..iterations {
        u = normalized(times(&v));
        v = normalized((0..v.len()).map(|c| rows.iter().zip(&u).map(|(row, u)| row[c] * u).sum()).collect());
    }
    let sigma = u.iter().zip(times(&v)).map(|(u, z)| u * z).sum();
    (u, v, sigma)
}
