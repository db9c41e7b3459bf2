use super::{batch_norm, inverse_std, moments};

/// One channel, of which a mask keeps some values: y (0 where it does not), and mean and biased variance of the kept ones.
pub fn batch_norm_masked(x: &[f64], kept: &[bool], eps: f64, weight: f64, bias: f64) -> (Vec<f64>, [f64; 2]) {
    let values: Vec<f64> = x.iter().zip(kept).filter(|v| *v.1).map(|v| *v.0).collect();
    let [mean, variance] = moments(&values);
    let rstd = inverse_std(variance, eps);
    let y = |(x, kept): (&f64, &bool)| if *kept { batch_norm(*x, mean, rstd, weight, bias) } else { 0.0 };
    (x.iter().zip(kept).map(y).collect(), [mean, variance])
}
