/// w where it is past 0, else 0; NaN for NaN.
pub fn non_negative(w: f64) -> f64 {
    if w > 0.0 || w.is_nan() { w } else { 0.0 }
}
