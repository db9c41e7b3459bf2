/// The nearest number to g in `low..=high`; NaN for NaN.
pub fn clip_by_value(low: f64, high: f64, g: f64) -> f64 {
    if g < low {
        low
    } else if g > high {
        high
    } else {
        g
    }
}
