/// One step of FISTA for one model: the proximal step at every coefficient, then the next point, or a restart where the step turned
/// against the momentum. Columns from `penalized` on have no penalty. `grad` is minus the gradient at `point`. Updates all three;
/// says along which product the restart was decided: it was one if that is greater than 0.
pub fn fista_step(
    [l1, l2, step]: [f64; 3],
    penalized: usize,
    grad: &[f64],
    coef: &mut [f64],
    point: &mut [f64],
    momentum: &mut f64,
) -> f64 {
    let before = coef.to_vec();
    for j in 0..coef.len() {
        let v = point[j] + step * grad[j];
        coef[j] = if j < penalized { crate::verify::reference::prox(step * l1, 1.0 + step * l2, v) } else { v };
    }
    let along: f64 = (0..coef.len()).map(|j| (point[j] - coef[j]) * (coef[j] - before[j])).sum();
    if along > 0.0 {
        *momentum = 1.0;
        point.copy_from_slice(coef);
        return along;
    }
    let [grown, carry] = fista_momentum(*momentum);
    for j in 0..coef.len() {
        point[j] = coef[j] + carry * (coef[j] - before[j]);
    }
    *momentum = grown;
    along
}

/// The next t, (1 + √(1 + 4·t²))/2, and the share (t - 1)/t' of the last move that the point goes beyond it.
pub fn fista_momentum(t: f64) -> [f64; 2] {
    let grown = 0.5 * (1.0 + (1.0 + 4.0 * t * t).sqrt());
    [grown, (t - 1.0) / grown]
}
