use super::Descent;
use crate::verify::reference::prox;

/// The scalars of one FTRL-proximal step on one weight.
#[derive(Clone, Copy, Debug)]
pub struct FtrlStep {
    /// The gradient's part and the rate; its decay and proximal step are not looked at.
    pub descent: Descent,
    /// Added to the root of the sum of squares.
    pub beta: f64,
    /// λ1 of the penalty.
    pub l1: f64,
    /// The slope of the penalty's square.
    pub l2: f64,
}

/// One FTRL-proximal step: the new (weight, z, n).
pub fn ftrl(h: &FtrlStep, w: f64, g: f64, z: f64, n: f64) -> (f64, f64, f64) {
    let g = h.descent.gradient(w, g);
    let n1 = n + g * g;
    // √n1 - √n, so that an infinite gradient gives NaN as in f32. Where there never was a gradient it is 0.
    let roots = n1.sqrt() + n.sqrt();
    let sigma = if roots == 0.0 { 0.0 } else { g * g / roots / h.descent.rate };
    let z = z + g - sigma * w;
    let divisor = (h.beta + n1.sqrt()) / h.descent.rate + h.l2;
    // Without a beta, and before any gradient.
    let w = if divisor == 0.0 { 0.0 } else { prox(h.l1, divisor, -z) };
    (w, z, n1)
}
