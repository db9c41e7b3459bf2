/// The derivative of the loss by one value in front of a ReLU and a dropout of probability p whose output `gate` is an input of a
/// dense layer: over that input's weights, the weight times the derivative by its output. 0 where nothing came through.
pub fn batched_dense_input_grad(dy: &[f64], w: &[f64], gate: f64, p: f64) -> f64 {
    if gate > 0.0 && p < 1.0 {
        let sum: f64 = dy.iter().zip(w).map(|(dy, w)| dy * w).sum();
        sum / (1.0 - p)
    } else {
        0.0
    }
}
