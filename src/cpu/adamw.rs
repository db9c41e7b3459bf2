use super::{penalty_grad, sgd::regularised};

/// The scalars of one AdamW step on one weight.
#[derive(Clone, Copy, Debug)]
pub struct AdamwStep {
    /// Multiplies the gradient.
    pub grad_scale: f64,
    /// The learning rate of the weight's group.
    pub rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the corrected second moment.
    pub eps: f64,
    /// The number of this step, from 1.
    pub step: u64,
    /// λ1 and slope of the penalty whose gradient is added.
    pub coupled: [f64; 2],
    /// The part of the old weight that decay takes off.
    pub decay: f64,
    /// Weights up to this magnitude become 0.
    pub threshold: f64,
    /// What the proximal step divides the others by.
    pub divisor: f64,
}

/// One AdamW step: the new (weight, first moment, second moment).
pub fn adamw(h: &AdamwStep, w: f64, g: f64, m: f64, v: f64) -> (f64, f64, f64) {
    let g = h.grad_scale * g + penalty_grad(h.coupled[0], h.coupled[1], w);
    let m = h.beta1 * m + (1.0 - h.beta1) * g;
    let v = h.beta2 * v + (1.0 - h.beta2) * g * g;
    let m_hat = m / (1.0 - h.beta1.powf(h.step as f64));
    let v_hat = v / (1.0 - h.beta2.powf(h.step as f64));
    let root = v_hat.sqrt() + h.eps;
    let ratio = if root == 0.0 { 0.0 } else { m_hat / root };
    (regularised(w, h.decay, h.rate, ratio, [h.threshold, h.divisor]), m, v)
}
