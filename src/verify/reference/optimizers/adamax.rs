use super::Descent;

/// The scalars of one Adamax step on one weight.
#[derive(Clone, Copy, Debug)]
pub struct AdamaxStep {
    /// All but the rule.
    pub descent: Descent,
    /// What remains of the first moment.
    pub beta1: f64,
    /// What remains of the largest gradient.
    pub beta2: f64,
    /// Added to the magnitude of each gradient.
    pub eps: f64,
    /// The number of this step, from 1.
    pub step: u64,
}

/// One Adamax step: the new (weight, first moment, largest gradient).
pub fn adamax(h: &AdamaxStep, w: f64, g: f64, m: f64, u: f64) -> (f64, f64, f64) {
    let g = h.descent.gradient(w, g);
    let m = h.beta1 * m + (1.0 - h.beta1) * g;
    let (old, new) = (h.beta2 * u, g.abs() + h.eps);
    // f64::max would drop a NaN.
    let u = if old > new || old.is_nan() { old } else { new };
    let m_hat = m / (1.0 - h.beta1.powf(h.step as f64));
    let ratio = if u == 0.0 { 0.0 } else { m_hat / u };
    (h.descent.weight(w, ratio), m, u)
}
