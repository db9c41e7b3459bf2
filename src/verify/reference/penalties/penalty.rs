/// The share of one weight in λ1·Σ|w| + c·Σw² (c is λ2 or ½·λ2). A term whose λ is 0 is absent, even if w is not finite.
pub fn penalty(l1: f64, c: f64, w: f64) -> f64 {
    let lasso = if l1 == 0.0 { 0.0 } else { l1 * w.abs() };
    let ridge = if c == 0.0 { 0.0 } else { c * w * w };
    lasso + ridge
}
