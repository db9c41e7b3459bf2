/// The gradients of an element of zoneout with respect to x and previous, times dy.
pub fn zoneout_backward(dy: f64, kept: bool) -> [f64; 2] {
    if kept { [dy, 0.0] } else { [0.0, dy] }
}

/// Those of the mean over all masks, `keep` being the probability of the new value.
pub fn zoneout_mean_backward(dy: f64, keep: f64) -> [f64; 2] {
    if keep == 1.0 {
        [dy, 0.0]
    } else if keep == 0.0 {
        [0.0, dy]
    } else {
        [keep * dy, (1.0 - keep) * dy]
    }
}
