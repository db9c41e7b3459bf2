use super::moments;
use crate::options::StandardForm;

/// Weight standardization of one filter: (gain·(x - μ)·r, μ, r, s) with r the inverse deviation in this form, 0 if that is 0.
///
/// σ² is the sum of squared deviations over m, or m - 1 with `unbiased`. s = -2/(d·r²)·∂r/∂σ², d being that divisor.
pub fn weight_standardization(x: &[f64], gain: f64, form: StandardForm, unbiased: bool, eps: f64) -> (Vec<f64>, f64, f64, f64) {
    let [mean, biased] = moments(x);
    let m = x.len().max(1) as f64;
    let d = if unbiased { (m - 1.0).max(1.0) } else { m };
    let variance = biased * m / d;
    let inverse = |v: f64| if v == 0.0 { 0.0 } else { 1.0 / v };
    let (r, s) = match form {
        StandardForm::Inside => {
            let r = inverse((variance + eps).sqrt());
            (r, r / d)
        }
        StandardForm::Outside => (inverse(variance.sqrt() + eps), inverse(variance.sqrt()) / d),
        StandardForm::FanInFloor => {
            let r = inverse((m * variance).max(eps).sqrt());
            (r, if m * variance > eps { m * r / d } else { 0.0 })
        }
        StandardForm::FanInInside => {
            let r = inverse((m * (variance + eps)).sqrt());
            (r, m * r / d)
        }
    };
    (x.iter().map(|x| gain * (x - mean) * r).collect(), mean, r, s)
}
