/// The gradient of one element of a model that drops with probability `p`, from that of `y`, what the forward pass made of it:
/// dy/(1 - p) where y > 0, else 0. All is NaN where `p` is no probability.
pub fn batched_relu_dropout_backward(dy: f64, y: f64, p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        f64::NAN
    } else if y > 0.0 && p < 1.0 {
        dy / (1.0 - p)
    } else {
        0.0
    }
}
