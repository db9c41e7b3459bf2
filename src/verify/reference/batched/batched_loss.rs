use crate::options::BatchedLossKind;

/// The loss of a row, its gradient, and whether it is right, before the row's weight meets them.
pub fn batched_loss(loss: BatchedLossKind, prediction: &[f64], target: &[f64]) -> (f64, Vec<f64>, bool) {
    match loss {
        BatchedLossKind::SquaredError => {
            let differences = prediction.iter().zip(target).map(|(p, t)| p - t);
            (differences.clone().map(|d| d * d).sum(), differences.map(|d| 2.0 * d).collect(), false)
        }
        BatchedLossKind::CrossEntropy => {
            let top = prediction.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if top.is_infinite() || prediction.iter().any(|z| z.is_nan()) {
                return (f64::NAN, vec![f64::NAN; prediction.len()], false);
            }
            let first = first_largest(prediction);
            let others = prediction.iter().enumerate().filter(|(j, _)| Some(*j) != first);
            let rest: f64 = others.map(|(_, z)| (z - top).exp()).sum();
            let terms = prediction.iter().zip(target).filter(|(_, t)| **t != 0.0);
            let loss = terms.map(|(z, t)| t * (rest.ln_1p() - (z - top))).sum();
            let grad = prediction.iter().zip(target).map(|(z, t)| (z - top).exp() / (1.0 + rest) - t).collect();
            (loss, grad, first == first_largest(target))
        }
    }
}

/// The first of the largest numbers; nothing that is NaN.
fn first_largest(values: &[f64]) -> Option<usize> {
    let mut best = None;
    for (j, v) in values.iter().enumerate() {
        if !v.is_nan() && best.is_none_or(|b: usize| *v > values[b]) {
            best = Some(j);
        }
    }
    best
}
