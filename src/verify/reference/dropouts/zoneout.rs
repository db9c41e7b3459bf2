/// One element of a recurrent state in training: the new value where it is kept, the previous one where not.
pub fn zoneout(x: f64, previous: f64, kept: bool) -> f64 {
    if kept { x } else { previous }
}

/// After training: the mean of that over all masks, `keep` being the probability of the new value. A part that no mask has
/// is absent.
pub fn zoneout_mean(x: f64, previous: f64, keep: f64) -> f64 {
    if keep == 1.0 {
        x
    } else if keep == 0.0 {
        previous
    } else {
        keep * x + (1.0 - keep) * previous
    }
}
