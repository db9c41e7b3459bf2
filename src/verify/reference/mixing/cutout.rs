/// An element, or `value` within the box.
pub fn cutout(x: f64, value: f64, inside: bool) -> f64 {
    if inside { value } else { x }
}
