use super::{AdamwStep, sgd::regularised};
use crate::verify::reference::penalty_grad;

/// One Adam step: the new (weight, first moment, second moment, largest second moment). The root is of the largest one, which
/// AMSGrad keeps from step to step; without AMSGrad it is -∞ before each.
pub fn adam(h: &AdamwStep, w: f64, g: f64, m: f64, v: f64, largest: f64) -> (f64, f64, f64, f64) {
    let g = h.grad_scale * g + penalty_grad(h.coupled[0], h.coupled[1], w);
    let m = h.beta1 * m + (1.0 - h.beta1) * g;
    let v = h.beta2 * v + (1.0 - h.beta2) * g * g;
    // f64::max would drop a NaN.
    let largest = if v > largest || v.is_nan() { v } else { largest };
    let m_hat = m / (1.0 - h.beta1.powf(h.step as f64));
    let v_hat = largest / (1.0 - h.beta2.powf(h.step as f64));
    let root = (v_hat + h.eps[0]).sqrt() + h.eps[1];
    let ratio = if root == 0.0 { 0.0 } else { m_hat / root };
    (regularised(w, h.decay, h.rate, ratio, [h.threshold, h.divisor]), m, v, largest)
}
