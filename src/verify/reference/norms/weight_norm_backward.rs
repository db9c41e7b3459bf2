/// Gradients of weight norm for one filter: (dv, dg) from v, the gradient of w, g, and 1/‖v‖.
///
/// dg = Σdw·v/‖v‖; dv = g/‖v‖·(dw - v/‖v‖·dg).
pub fn weight_norm_backward(v: &[f64], dw: &[f64], g: f64, inverse: f64) -> (Vec<f64>, f64) {
    let dg: f64 = v.iter().zip(dw).map(|(v, dw)| dw * (v * inverse)).sum();
    (v.iter().zip(dw).map(|(v, dw)| g * inverse * (dw - v * inverse * dg)).collect(), dg)
}
