use crate::options::LinearModel;

/// An upper bound on how far the objective of one model, Σ w·loss + λ1·Σ|b| + ½·λ2·Σb², is above its minimum, by a point of the dual
/// problem made from the model's residuals.
///
/// `rows` has (weight, weighted residual r) of each row, `columns` (gradient Σ x·r, coefficient b) of each column, of which the first
/// `penalized` are under the penalty; the coefficients of the others are taken to be no further than `reach` from the best ones.
pub fn duality_gap(
    model: LinearModel,
    rows: &[(f64, f64)],
    columns: &[(f64, f64)],
    penalized: usize,
    [l1, l2, reach]: [f64; 3],
) -> f64 {
    let larger = |m: f64, (g, _): &(f64, f64)| if m.is_nan() || g.is_nan() { f64::NAN } else { m.max(g.abs()) };
    let largest = columns[..penalized].iter().fold(0.0, larger);
    // With a square in the penalty every dual point is feasible; without it, the residuals shrink until it is.
    // A gradient that f32 may not hold as a normal number counts as none.
    let shrinks = l2 == 0.0 && (largest.is_nan() || largest > l1.max(f64::from(f32::MIN_POSITIVE)));
    let scale = if shrinks { l1 / largest } else { 1.0 };
    let mut gap = 0.0;
    if shrinks {
        let spread = |&(w, r): &(f64, f64)| match model {
            _ if w == 0.0 => 0.0,
            LinearModel::Linear => 0.5 * r * r / w,
            LinearModel::Logistic => r.abs() / (1.0 - r.abs() / w).max(0.0),
        };
        gap += ((largest - l1) / largest).powi(2) * rows.iter().map(spread).sum::<f64>();
    }
    for (j, &(g, b)) in columns.iter().enumerate() {
        let v = scale * g;
        if j >= penalized {
            gap += reach * v.abs();
            continue;
        }
        // Not `clamp`, which panics where the caller's λ1 is negative or NaN.
        let held = if v.is_nan() { v } else { v.max(-l1).min(l1) };
        gap += b.abs() * (l1 - held * if b < 0.0 { -1.0 } else { 1.0 });
        if l2 != 0.0 {
            gap += (l2 * b - (v - held)).powi(2) / (2.0 * l2);
        }
    }
    gap
}
