use super::moments;

/// Mean and Σ(x - μ)² of the values of one channel; zeros for none.
pub fn batch_norm_statistics(values: &[f64]) -> [f64; 2] {
    let [mean, variance] = moments(values);
    [mean, variance * values.len() as f64]
}
