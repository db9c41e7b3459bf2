/// The gradients of a unit without their mean.
pub fn centralize(g: &[f64]) -> Vec<f64> {
    let mean = g.iter().sum::<f64>() / g.len() as f64;
    g.iter().map(|g| g - mean).collect()
}
