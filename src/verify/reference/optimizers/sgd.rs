use crate::verify::reference::{penalty_grad, prox};

/// The scalars of one SGD step on one weight.
#[derive(Clone, Copy, Debug)]
pub struct SgdStep {
    /// Multiplies the gradient.
    pub grad_scale: f64,
    /// The learning rate of the weight's group.
    pub rate: f64,
    /// 0 for none.
    pub momentum: f64,
    /// What the new gradient is short of in the buffer.
    pub dampening: f64,
    /// Look ahead along the new buffer.
    pub nesterov: bool,
    /// The first step: the buffer becomes the gradient.
    pub first: bool,
    /// λ1 and slope of the penalty whose gradient is added.
    pub coupled: [f64; 2],
    /// The part of the old weight that decay takes off.
    pub decay: f64,
    /// Weights up to this magnitude become 0.
    pub threshold: f64,
    /// What the proximal step divides the others by.
    pub divisor: f64,
}

/// One SGD step: the new (weight, momentum buffer).
pub fn sgd(h: &SgdStep, w: f64, g: f64, buffer: f64) -> (f64, f64) {
    let g = h.grad_scale * g + penalty_grad(h.coupled[0], h.coupled[1], w);
    let buffer = if h.first || h.momentum == 0.0 { g } else { h.momentum * buffer + (1.0 - h.dampening) * g };
    let direction = if h.nesterov { g + h.momentum * buffer } else { buffer };
    (regularised(w, h.decay, h.rate, direction, [h.threshold, h.divisor]), buffer)
}

/// Takes `decay` of the old weight off, goes `rate` against `direction`, and applies the proximal operator.
/// A factor of 0 makes its term absent.
pub(super) fn regularised(w: f64, decay: f64, rate: f64, direction: f64, [threshold, divisor]: [f64; 2]) -> f64 {
    let decayed = if decay == 0.0 { w } else { w - decay * w };
    let moved = if rate == 0.0 { decayed } else { decayed - rate * direction };
    prox(threshold, divisor, moved)
}

/// What an optimizer step does around its own rule.
#[derive(Clone, Copy, Debug)]
pub struct Descent {
    /// Multiplies the gradient.
    pub grad_scale: f64,
    /// The learning rate of the weight's group.
    pub rate: f64,
    /// λ1 and slope of the penalty whose gradient is added.
    pub coupled: [f64; 2],
    /// The part of the old weight that decay takes off.
    pub decay: f64,
    /// Weights up to this magnitude become 0.
    pub threshold: f64,
    /// What the proximal step divides the others by.
    pub divisor: f64,
}

impl Descent {
    /// The gradient that the rule sees.
    pub(super) fn gradient(&self, w: f64, g: f64) -> f64 {
        self.grad_scale * g + penalty_grad(self.coupled[0], self.coupled[1], w)
    }

    /// The new weight, when the rule has found a direction.
    pub(super) fn weight(&self, w: f64, direction: f64) -> f64 {
        regularised(w, self.decay, self.rate, direction, [self.threshold, self.divisor])
    }
}
