/// One element of a model that drops with probability `p`: max(x, 0)/(1 - p) if it is kept, else 0. NaN stays NaN where it is kept;
/// all is NaN where `p` is no probability.
pub fn batched_relu_dropout(x: f64, p: f64, kept: bool) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        f64::NAN
    } else if !kept || x <= 0.0 {
        0.0
    } else {
        x / (1.0 - p)
    }
}
