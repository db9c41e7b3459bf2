/// k + a·Σx² over the neighbourhood about channel `c` of the channels of one position: from `before` channels before it to `behind` after it.
pub fn response_denominator(x: &[f64], c: usize, [before, behind]: [usize; 2], k: f64, a: f64) -> f64 {
    let near = &x[c.saturating_sub(before)..(c + behind + 1).min(x.len())];
    k + a * near.iter().map(|x| x * x).sum::<f64>()
}

/// x·(k + a·Σx²)^-β for the channels of one position; 0 where the denominator is 0.
pub fn local_response_norm(x: &[f64], sides: [usize; 2], k: f64, a: f64, beta: f64) -> Vec<f64> {
    let power = |c| match response_denominator(x, c, sides, k, a) {
        0.0 => 0.0,
        d => d.powf(-beta),
    };
    x.iter().enumerate().map(|(c, x)| x * power(c)).collect()
}
