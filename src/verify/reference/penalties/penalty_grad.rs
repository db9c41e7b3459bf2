/// The gradient of λ1·Σ|w| + λ2·Σw² (or ½·λ2·Σw²: `slope` is 2·λ2 or λ2) at one weight; sign(0) = 0.
pub fn penalty_grad(l1: f64, slope: f64, w: f64) -> f64 {
    let sign = if w > 0.0 {
        1.0
    } else if w < 0.0 {
        -1.0
    } else {
        0.0
    };
    let ridge = if slope == 0.0 { 0.0 } else { slope * w };
    l1 * sign + ridge
}
