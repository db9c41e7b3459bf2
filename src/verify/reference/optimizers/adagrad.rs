use super::Descent;

/// The scalars of one Adagrad step on one weight.
#[derive(Clone, Copy, Debug)]
pub struct AdagradStep {
    /// All but the rule.
    pub descent: Descent,
    /// Added to the sum of squares, and to the root of it.
    pub eps: [f64; 2],
}

/// One Adagrad step: the new (weight, sum of squares).
pub fn adagrad(h: &AdagradStep, w: f64, g: f64, sum: f64) -> (f64, f64) {
    let g = h.descent.gradient(w, g);
    let sum = sum + g * g;
    let root = (sum + h.eps[0]).sqrt() + h.eps[1];
    let ratio = if root == 0.0 { 0.0 } else { g / root };
    (h.descent.weight(w, ratio), sum)
}
