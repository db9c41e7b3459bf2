/// Count, mean and Σ(x - μ)² of a whole, from those of its parts. A part without values does not count.
///
/// m = Σmᵢ, μ = Σmᵢμᵢ/m, M2 = Σ(M2ᵢ + mᵢ(μᵢ - μ)²).
pub fn batch_norm_merge(parts: &[[f64; 3]]) -> [f64; 3] {
    let parts: Vec<&[f64; 3]> = parts.iter().filter(|p| p[0] > 0.0).collect();
    let m: f64 = parts.iter().map(|p| p[0]).sum();
    let mean = parts.iter().map(|p| p[0] * p[1]).sum::<f64>() / m.max(1.0);
    // As in `moments`: the mean's own rounding vanishes.
    let off = parts.iter().map(|p| p[0] * (p[1] - mean)).sum::<f64>() / m.max(1.0);
    let m2: f64 = parts.iter().map(|p| p[2] + p[0] * (p[1] - mean).powi(2)).sum();
    [m, mean + off, m2 - m * off * off]
}

#[cfg(test)]
mod tests {
    use super::super::batch_norm_statistics;
    use super::*;

    #[test]
    fn parts_of_any_size_make_the_whole() {
        let all: Vec<f64> = (0..40).map(|i| 100.0 + f64::from(i * i % 37)).collect();
        let part = |r: std::ops::Range<usize>| {
            let [mean, m2] = batch_norm_statistics(&all[r.clone()]);
            [r.len() as f64, mean, m2]
        };
        let [m, mean, m2] = batch_norm_merge(&[part(0..3), part(3..3), part(3..4), part(4..40)]);
        let [mean_all, m2_all] = batch_norm_statistics(&all);
        assert!(m == 40.0 && (mean - mean_all).abs() < 1e-12 && (m2 - m2_all).abs() < 1e-9, "{m} {mean} {m2}");
    }
}
