use super::Descent;

/// The scalars of one NAdam step on one weight.
#[derive(Clone, Copy, Debug)]
pub struct NadamStep {
    /// All but the rule.
    pub descent: Descent,
    /// What remains of the first moment.
    pub beta1: f64,
    /// What remains of the second moment.
    pub beta2: f64,
    /// Added to the root of the corrected second moment.
    pub eps: f64,
    /// The number of this step, from 1.
    pub step: u64,
    /// The momentum of this step, that of the next one, and the product of those of all steps up to this one.
    pub momentum: [f64; 3],
}

/// The [momentum](NadamStep::momentum) of step number `step`: μ(t) = `beta1` · (1 - ½ · 0.96^(t · `decay`)) of this one and the next, and
/// the product of μ(1) to μ(`step`), by its factors or, past 2^16 of them, in closed form.
pub fn nadam_momentum(beta1: f64, decay: f64, step: u64) -> [f64; 3] {
    let at = |t: u64| beta1 * (1.0 - 0.5 * 0.96f64.powf(t as f64 * decay));
    let [_, _, closed] = crate::options::nadam_momentum(beta1, decay, step);
    let product = if step > 1 << 16 { closed } else { (1..=step).map(at).product() };
    [at(step), at(step.saturating_add(1)), product]
}

/// One NAdam step: the new (weight, first moment, second moment).
pub fn nadam(h: &NadamStep, w: f64, g: f64, m: f64, v: f64) -> (f64, f64, f64) {
    let g = h.descent.gradient(w, g);
    let m = h.beta1 * m + (1.0 - h.beta1) * g;
    let v = h.beta2 * v + (1.0 - h.beta2) * g * g;
    let root = (v / (1.0 - h.beta2.powf(h.step as f64))).sqrt() + h.eps;
    let [now, next, product] = h.momentum;
    let ahead = (1.0 - now) / (1.0 - product) * g + next / (1.0 - product * next) * m;
    let ratio = if root == 0.0 { 0.0 } else { ahead / root };
    (h.descent.weight(w, ratio), m, v)
}
