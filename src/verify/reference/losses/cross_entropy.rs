/// The loss of one row of logits and its gradient. `target` holds the share of each class (1 for the class itself, where
/// there is one), `weight` that of each class in the loss, `row_weight` that of the other terms.
///
/// `terms` are ε, λ, β and γ: with q = (1-ε)·target + ε/K and p = softmax(z), the loss is
/// (1-p_t)^γ · Σ weight·q·(-ln p) + row_weight·(λ·(ln Σ exp z)² - β·H(p)). A class whose weight·q is 0 adds nothing, however
/// impossible it is. NaN throughout where a logit is NaN or +∞, or where all are -∞.
pub fn cross_entropy(z: &[f64], target: &[f64], weight: &[f64], row_weight: f64, terms: [f64; 4]) -> (f64, Vec<f64>) {
    let [smoothing, z_loss, confidence, gamma] = terms;
    let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !top.is_finite() || z.iter().any(|z| z.is_nan()) {
        return (f64::NAN, vec![f64::NAN; z.len()]);
    }
    let log_sum = top + z.iter().map(|z| (z - top).exp()).sum::<f64>().ln();
    let p: Vec<f64> = z.iter().map(|z| (z - log_sum).exp()).collect();
    let q: Vec<f64> = target.iter().zip(weight).map(|(t, w)| w * ((1.0 - smoothing) * t + smoothing / z.len() as f64)).collect();
    let cost: f64 = z.iter().zip(&q).map(|(z, q)| if *q == 0.0 { 0.0 } else { q * (log_sum - z) }).sum();
    let mass: f64 = q.iter().sum();
    let information = |p: f64, z: f64| if p == 0.0 { 0.0 } else { p * (log_sum - z) };
    // 1 - p of the target, without its cancellation, and -p·ln p.
    let others: f64 = p.iter().zip(target).map(|(p, t)| p * (1.0 - t)).sum();
    let own: f64 = p.iter().zip(z).zip(target).map(|((p, z), t)| t * information(*p, *z)).sum();
    // (1-p)^γ, and the derivative of (1-p)^γ·(-ln p) by -ln p.
    let (factor, slope) = match (gamma, others) {
        (0.0, _) => (1.0, 1.0),
        (_, 0.0) => (0.0, 0.0),
        _ => (others.powf(gamma), others.powf(gamma) * (1.0 + gamma * own / others)),
    };
    let entropy: f64 = p.iter().zip(z).map(|(p, z)| information(*p, *z)).sum();
    let loss = if factor == 0.0 { 0.0 } else { factor * cost } + row_weight * (z_loss * log_sum * log_sum - confidence * entropy);
    let grad = |((p, z), q): ((&f64, &f64), &f64)| {
        let other = 2.0 * z_loss * log_sum * p + confidence * (p * entropy - information(*p, *z));
        slope * (mass * p - q) + row_weight * other
    };
    (loss, p.iter().zip(z).zip(&q).map(grad).collect())
}
