use super::inverse_std;

/// RMS norm of one row: (y, 1/√(Σx²/cols + ε)) with y = (offset + w)·x/√(Σx²/cols + ε).
pub fn rms_norm(x: &[f64], weight: &[f64], offset: f64, eps: f64) -> (Vec<f64>, f64) {
    let square = x.iter().map(|x| x * x).sum::<f64>() / x.len().max(1) as f64;
    let rstd = inverse_std(square, eps);
    (x.iter().zip(weight).map(|(x, w)| x * rstd * (offset + w)).collect(), rstd)
}
