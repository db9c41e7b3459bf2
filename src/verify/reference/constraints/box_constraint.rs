/// The nearest number to w in `low..=high`; NaN for NaN.
pub fn box_constraint(low: f64, high: f64, w: f64) -> f64 {
    match w {
        w if w < low => low,
        w if w > high => high,
        w => w,
    }
}
