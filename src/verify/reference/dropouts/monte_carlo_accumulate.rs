/// Mean and sum of squared deviations after one more value, `seen` values having gone before; Welford's recurrence ("Note on a
/// method for calculating corrected sums of squares and products", 1962).
pub fn monte_carlo_accumulate(x: f64, mean: f64, m2: f64, seen: u64) -> [f64; 2] {
    if seen == 0 {
        return [x, 0.0];
    }
    let n = seen as f64 + 1.0;
    [mean + (x - mean) / n, m2 + (x - mean) * (x - mean) * seen as f64 / n]
}
