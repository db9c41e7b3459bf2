/// Whether a row and column lie in a box (top, left, height, width).
pub fn inside([top, left, height, width]: [usize; 4], row: usize, column: usize) -> bool {
    row >= top && row < top + height && column >= left && column < left + width
}

/// An element, or its partner's within the box.
pub fn cutmix(x: f64, partner: f64, inside: bool) -> f64 {
    if inside { partner } else { x }
}
