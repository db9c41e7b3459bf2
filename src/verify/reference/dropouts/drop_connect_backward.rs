/// The gradient of a weight from that of what it was masked to, on top of what is there.
pub fn drop_connect_backward(dmasked: f64, there: f64, kept: bool, factor: f64) -> f64 {
    if kept { there + dmasked * factor } else { there }
}
