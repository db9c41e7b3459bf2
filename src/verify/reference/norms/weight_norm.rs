/// Weight norm of one filter: (w, 1/‖v‖) with w = g·v/‖v‖, where 1/‖v‖ of a filter of zeros is taken as 0.
pub fn weight_norm(v: &[f64], g: f64) -> (Vec<f64>, f64) {
    let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
    let inverse = if norm == 0.0 { 0.0 } else { 1.0 / norm };
    (v.iter().map(|v| g * v * inverse).collect(), inverse)
}
