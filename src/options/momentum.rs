//! NAdam's schedule of its momentum.

/// The momentum of step number `step`, μ(t) = `beta1` · (1 - ½ · 0.96^(t · `decay`)), that of the next one, and the product of μ(1) to
/// μ(`step`), whatever their number: its logarithm is a sum of ln(1 - q^t/2) = -Σ q^(jt) / (j·2^j), which are geometric series in t.
/// 60 terms are as good as f64.
pub(crate) fn nadam_momentum(beta1: f64, decay: f64, step: u64) -> [f64; 3] {
    let (n, slope) = (step as f64, 0.96f64.ln() * decay);
    let series = (1..=60).map(f64::from).map(|j| {
        let x = j * slope;
        0.5f64.powf(j) / j * if x == 0.0 { n } else { x.exp() * (n * x).exp_m1() / x.exp_m1() }
    });
    let at = |t: f64| beta1 * (1.0 - 0.5 * (t * slope).exp());
    // 0·ln 0 would be NaN.
    let power = if n == 0.0 { 0.0 } else { n * beta1.ln() };
    [at(n), at(n + 1.0), (power - series.sum::<f64>()).exp()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_is_the_product() {
        for beta1 in [0.0, 0.5, 0.9, 0.999, 1.0 - 1e-7] {
            for decay in [0.0, 1e-9, 0.004, 1.0, 1e3, 1e38] {
                let (mut product, mut t) = (1.0, 0u64);
                for step in [1, 2, 3, 10, 1000, 100_000] {
                    while t < step {
                        t += 1;
                        product *= beta1 * (1.0 - 0.5 * 0.96f64.powf(t as f64 * decay));
                    }
                    let [_, next, got] = nadam_momentum(beta1, decay, step);
                    let least = f64::MIN_POSITIVE + 1e-11 * product;
                    assert!((got - product).abs() <= least, "{beta1}, {decay}, {step}: {got}, the product is {product}");
                    assert!(next >= 0.5 * beta1 && next <= beta1, "{beta1}, {decay}, {step}: {next}");
                }
            }
        }
        assert_eq!(nadam_momentum(0.9, 0.004, u64::MAX)[2], 0.0);
    }
}
