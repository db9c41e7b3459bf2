/// The gradient for an element: dy of its own sample where it stayed, and that of the sample that took it, where it was taken.
pub fn cutmix_backward(dy: f64, cut: bool, given: f64, taken: bool) -> f64 {
    let stayed = if cut { 0.0 } else { dy };
    let went = if taken { given } else { 0.0 };
    stayed + went
}
