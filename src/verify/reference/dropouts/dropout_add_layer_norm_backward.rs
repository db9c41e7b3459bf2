/// (dx, dresidual) of a row from the gradient of its sum z by the norm, and from what others that read z send.
pub fn dropout_add_layer_norm_backward(by_norm: &[f64], others: &[f64], kept: &[bool], factor: f64) -> (Vec<f64>, Vec<f64>) {
    let dresidual: Vec<f64> = by_norm.iter().zip(others).map(|(a, b)| a + b).collect();
    (dresidual.iter().zip(kept).map(|(d, k)| if *k { d * factor } else { 0.0 }).collect(), dresidual)
}
