use super::Descent;

/// The scalars of one RMSprop step on one weight.
#[derive(Clone, Copy, Debug)]
pub struct RmsPropStep {
    /// All but the rule.
    pub descent: Descent,
    /// What remains of the means.
    pub alpha: f64,
    /// Added to the mean square, and to the root of it.
    pub eps: [f64; 2],
    /// Divide by the standard deviation.
    pub centered: bool,
    /// What remains of the buffer; 0 for none.
    pub momentum: f64,
    /// Look ahead along the new buffer.
    pub nesterov: bool,
}

/// One RMSprop step: the new (weight, mean square, mean, momentum buffer).
pub fn rmsprop(h: &RmsPropStep, w: f64, g: f64, square: f64, mean: f64, buffer: f64) -> (f64, f64, f64, f64) {
    let g = h.descent.gradient(w, g);
    let square = h.alpha * square + (1.0 - h.alpha) * g * g;
    let mean = if h.centered { h.alpha * mean + (1.0 - h.alpha) * g } else { 0.0 };
    let variance = square - mean * mean;
    // Rounding can bring it below 0.
    let variance = if variance < 0.0 { 0.0 } else { variance };
    let root = (variance + h.eps[0]).sqrt() + h.eps[1];
    let ratio = if root == 0.0 { 0.0 } else { g / root };
    let buffer = h.momentum * buffer + ratio;
    let direction = if h.nesterov { ratio + h.momentum * buffer } else { buffer };
    (h.descent.weight(w, direction), square, mean, buffer)
}
