/// The sum residual + m·factor·x of one row, before it is normalised (`layer_norm`, `rms_norm`).
pub fn dropout_add_layer_norm(x: &[f64], residual: &[f64], kept: &[bool], factor: f64) -> Vec<f64> {
    x.iter().zip(residual).zip(kept).map(|((x, r), k)| if *k { r + factor * x } else { *r }).collect()
}
