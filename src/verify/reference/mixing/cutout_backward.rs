/// The gradient for an element: none where it was erased.
pub fn cutout_backward(dy: f64, inside: bool) -> f64 {
    if inside { 0.0 } else { dy }
}
