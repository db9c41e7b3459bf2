/// Gradients of training's batch norm for one channel: (dx, dγ, dβ) from its values, their gradients, its mean and 1/√(σ² + ε).
///
/// With x̂ = (x - μ)·rstd over m values: dβ = Σdy, dγ = Σdy·x̂, dx = γ·rstd·(dy - (dβ + x̂·dγ)/m).
pub fn batch_norm_backward(x: &[f64], dy: &[f64], mean: f64, rstd: f64, weight: f64) -> (Vec<f64>, f64, f64) {
    let m = x.len() as f64;
    let xhat: Vec<f64> = x.iter().map(|x| (x - mean) * rstd).collect();
    let dbias: f64 = dy.iter().sum();
    let dweight: f64 = dy.iter().zip(&xhat).map(|(dy, xhat)| dy * xhat).sum();
    let dx = dy.iter().zip(&xhat).map(|(dy, xhat)| weight * rstd * (dy - (dbias + xhat * dweight) / m)).collect();
    (dx, dweight, dbias)
}

#[cfg(test)]
mod tests {
    use super::super::{batch_norm, batch_norm_frozen_backward, inverse_std, moments};
    use super::*;

    const X: [f64; 6] = [0.3, -1.2, 0.7, 2.1, -0.4, 0.9];
    const DY: [f64; 6] = [1.0, -0.5, 0.25, 0.8, -1.1, 0.4];
    const H: f64 = 1e-6;

    /// The loss Σ dy·y, whose gradient a backward op computes, from the forward's reference.
    fn loss(x: &[f64], weight: f64, bias: f64, frozen: Option<[f64; 2]>) -> f64 {
        let [mean, variance] = frozen.unwrap_or_else(|| moments(x));
        let rstd = inverse_std(variance, 1e-5);
        x.iter().zip(DY).map(|(x, dy)| dy * batch_norm(*x, mean, rstd, weight, bias)).sum()
    }

    #[test]
    fn both_gradients_are_those_of_the_forward() {
        let (weight, bias) = (1.7, 0.2);
        for frozen in [None, Some([0.1, 1.3])] {
            let [mean, variance] = frozen.unwrap_or_else(|| moments(&X));
            let rstd = inverse_std(variance, 1e-5);
            let backward = if frozen.is_some() { batch_norm_frozen_backward } else { batch_norm_backward };
            let (dx, dweight, dbias) = backward(&X, &DY, mean, rstd, weight);
            let slope = |f: &dyn Fn(f64) -> f64| (f(H) - f(-H)) / (2.0 * H);
            for (i, dx) in dx.iter().enumerate() {
                let moved = |h: f64| {
                    let mut x = X;
                    x[i] += h;
                    loss(&x, weight, bias, frozen)
                };
                assert!((slope(&moved) - dx).abs() < 1e-8, "dx[{i}], frozen: {frozen:?}");
            }
            assert!((slope(&|h| loss(&X, weight + h, bias, frozen)) - dweight).abs() < 1e-8);
            assert!((slope(&|h| loss(&X, weight, bias + h, frozen)) - dbias).abs() < 1e-8);
        }
    }
}
