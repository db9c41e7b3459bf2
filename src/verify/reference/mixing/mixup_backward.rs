/// The gradient for an element that has the share λ in its own mixture, whose gradient is dy, and is the partner in another,
/// whose gradient is `given` and whose own share is `lambda_given`.
pub fn mixup_backward(dy: f64, lambda: f64, given: f64, lambda_given: f64) -> f64 {
    let ours = if lambda == 0.0 { 0.0 } else { lambda * dy };
    let theirs = if lambda_given == 1.0 { 0.0 } else { (1.0 - lambda_given) * given };
    ours + theirs
}
