/// How far SAM moves each weight: ρ·T²·g/(‖T·g‖ + ε), T = 1, or |w| + η where η is given (ASAM). Without a gradient, nothing.
pub fn sam_perturb(rho: f64, eps: f64, eta: Option<f64>, w: &[f64], g: &[f64]) -> Vec<f64> {
    let reach = |w: f64| eta.map_or(1.0, |eta| w.abs() + eta);
    let norm = w.iter().zip(g).map(|(&w, &g)| (reach(w) * g).powi(2)).sum::<f64>().sqrt();
    let step = |(&w, &g): (&f64, &f64)| if norm == 0.0 { 0.0 } else { reach(w) * (rho * (reach(w) * g / (norm + eps))) };
    w.iter().zip(g).map(step).collect()
}
