use super::{batch_norm, inverse_std, moments};

/// One channel in virtual batches of `size` values each, one behind the other: y, and mean and biased variance of each.
pub fn batch_norm_ghost(x: &[f64], size: usize, eps: f64, weight: f64, bias: f64) -> (Vec<f64>, Vec<[f64; 2]>) {
    let statistics: Vec<[f64; 2]> = x.chunks(size.max(1)).map(moments).collect();
    let y = |(x, [mean, variance]): (&[f64], &[f64; 2])| {
        let rstd = inverse_std(*variance, eps);
        x.iter().map(|x| batch_norm(*x, *mean, rstd, weight, bias)).collect::<Vec<f64>>()
    };
    (x.chunks(size.max(1)).zip(&statistics).flat_map(y).collect(), statistics)
}
