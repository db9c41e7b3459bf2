/// The nearest tensor to w within ‖w‖ ≤ radius.
pub fn l2_ball(radius: f64, w: &[f64]) -> Vec<f64> {
    let norm = w.iter().map(|w| w * w).sum::<f64>().sqrt();
    w.iter().map(|w| if norm <= radius { *w } else { w * (radius / norm) }).collect()
}
