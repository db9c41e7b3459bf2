use super::adam;

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
    /// Added to the corrected second moment, and to the root of it.
    pub eps: [f64; 2],
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
    let (w, m, v, _) = adam(h, w, g, m, v, f64::NEG_INFINITY);
    (w, m, v)
}
