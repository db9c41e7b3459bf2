use super::Descent;

/// The scalars of one Lion step on one weight.
#[derive(Clone, Copy, Debug)]
pub struct LionStep {
    /// All but the rule.
    pub descent: Descent,
    /// The old moment's part in the direction.
    pub beta1: f64,
    /// What remains of the moment.
    pub beta2: f64,
}

/// One Lion step: the new (weight, moment).
pub fn lion(h: &LionStep, w: f64, g: f64, m: f64) -> (f64, f64) {
    let g = h.descent.gradient(w, g);
    let c = h.beta1 * m + (1.0 - h.beta1) * g;
    // f64::signum has no 0.
    let sign = if c == 0.0 || c.is_nan() { c } else { c.signum() };
    (h.descent.weight(w, sign), h.beta2 * m + (1.0 - h.beta2) * g)
}
