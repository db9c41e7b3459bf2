//! What the losses of models side by side must give, and how far the kernel may be from it: running analysis of a row.
use super::BatchedLoss;
use crate::{
    op::{Contents, Expected, Op},
    options::BatchedLossKind,
    types::{DType, HostData},
    verify::{Approx, reference},
};

const E: f64 = DType::F32.epsilon();
const LEAST: f64 = DType::F32.least_normal();

fn exact(v: f64) -> Approx {
    Approx::exact(v)
}

/// A sum of so many terms that each may pass through `additions`.
fn total(terms: &[Approx], additions: f64) -> Approx {
    let size: f64 = terms.iter().map(|t| t.value.abs() + t.error).sum();
    let error: f64 = terms.iter().map(|t| t.error).sum();
    let flushed = if size == 0.0 { 0.0 } else { terms.len() as f64 * 2.0 * LEAST };
    Approx { value: terms.iter().map(|t| t.value).sum(), error: error + additions * E * size + flushed }
}

/// Additions that the loss of a row passes through: those of its lane, and of reduction levels, which merge at least 4 partials,
/// 64 where they do so one after the other.
fn additions(rows: usize) -> f64 {
    let levels = (rows.max(2) as f64).log(64.0).ceil();
    (64.0 + 72.0 * levels).min(rows as f64)
}

/// exp of what is not positive, whose argument was rounded: below exp(-104), which counts as such, a float is 0.
fn exp(d: f64) -> Approx {
    if d == f64::NEG_INFINITY {
        return Approx { value: 0.0, error: 2.0 * LEAST };
    }
    Approx { value: d.exp(), error: d.exp() * E * (3.0 + 3.0 * d.abs()) + 2.0 * LEAST }
}

/// Loss and gradient of a row before its weight.
fn row(loss: BatchedLossKind, z: &[f64], t: &[f64]) -> (Approx, Vec<Approx>) {
    let n = z.len() as f64;
    if loss == BatchedLossKind::SquaredError {
        let d: Vec<Approx> = z.iter().zip(t).map(|(p, t)| Approx::sum([exact(*p), exact(-t)])).collect();
        let squares: Vec<Approx> = d.iter().map(|d| d.times(*d)).collect();
        return (total(&squares, n), d.iter().map(|d| exact(2.0).times(*d)).collect());
    }
    let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let first = z.iter().position(|v| *v == top);
    let others: Vec<Approx> = z.iter().enumerate().filter(|(j, _)| Some(*j) != first).map(|(_, z)| exp(z - top)).collect();
    let rest = total(&others, n);
    // The part's series or WGSL's log, 8 ulp at most; ln(1+x) has a slope of at most 1/(1+x).
    let (log, least) = (rest.value.ln_1p(), (1.0 + rest.value - rest.error).max(1.0));
    let norm = Approx { value: log, error: rest.error / least + 8.0 * E * (log + rest.error) + LEAST };
    let inverse = exact(1.0).over(Approx::sum([exact(1.0), rest]));
    let terms: Vec<Approx> = z
        .iter()
        .zip(t)
        .filter(|(_, t)| **t != 0.0)
        .map(|(z, t)| exact(*t).times(Approx::sum([norm, Approx::sum([exact(*z), exact(-top)]).negative()])))
        .collect();
    let share = |z: f64| if z == top { exact(1.0) } else { exp(z - top) };
    let grad = z.iter().zip(t).map(|(z, t)| Approx::sum([share(*z).times(inverse), exact(-t)])).collect();
    (total(&terms, n), grad)
}

impl BatchedLoss {
    pub(super) fn expected(&self, args: &[HostData]) -> Vec<Expected> {
        let of = Contents::new(self.args(), args);
        let [z, t, w] = ["prediction", "target", "weight"].map(|name| of.f64(name));
        let (models, padded) = (self.models, self.padded());
        let (mut grad, mut grad_bound) = (vec![0.0; z.len()], vec![0.0; z.len()]);
        let (mut losses, mut rights) = (vec![vec![]; models], vec![vec![]; models]);
        for (place, w) in w.iter().enumerate().filter(|(_, w)| **w != 0.0) {
            let at = place * padded..place * padded + self.columns;
            let (loss, d, right) = reference::batched_loss(self.loss, &z[at.clone()], &t[at.clone()]);
            let (around, errors) = row(self.loss, &z[at.clone()], &t[at.clone()]);
            for ((i, d), error) in at.zip(d).zip(errors) {
                grad[i] = w * d;
                grad_bound[i] = if grad[i].is_finite() { exact(*w).times(Approx { value: d, ..error }).error } else { 0.0 };
            }
            let value = w * loss;
            let error = if value.is_finite() { exact(*w).times(Approx { value: loss, ..around }).error } else { 0.0 };
            losses[place % models].push(Approx { value, error });
            rights[place % models].push(exact(if right { *w } else { 0.0 }));
        }
        let sums = |of: &[Vec<Approx>]| {
            let all: Vec<Approx> = of.iter().map(|terms| total(terms, additions(self.rows))).collect();
            let bound = |a: &Approx| if a.value.is_finite() { a.error } else { 0.0 };
            Expected::Within { value: all.iter().map(|a| a.value).collect(), bound: all.iter().map(bound).collect() }
        };
        vec![Expected::Within { value: grad, bound: grad_bound }, sums(&losses), sums(&rights)]
    }
}
