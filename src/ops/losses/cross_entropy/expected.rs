//! What cross-entropy must give, and how far the kernel may be from it: running analysis of a row.
use super::CrossEntropy;
use crate::{
    op::{Contents, Expected, Op},
    options::{LossReduction, Targets},
    types::{DType, HostData},
    verify::{Approx, reference},
};

const E: f64 = DType::F32.epsilon();
const LEAST: f64 = DType::F32.least_normal();

fn exact(v: f64) -> Approx {
    Approx::exact(v)
}

/// Merges of partial states that a value may pass through: those of a lane (16 quads, or a quarter of all where lanes are
/// few) and of a tree of at most 256 lanes.
fn merges(classes: usize) -> f64 {
    let quads = classes.div_ceil(4);
    quads.min(16.max(quads.div_ceil(4))) as f64 + 8.0
}

/// Additions that one of so many terms may pass through: a lane's, a tree's, and those of reduction levels.
fn additions(terms: usize) -> f64 {
    let levels = (terms.max(1) as f64).log(256.0).ceil().max(1.0);
    (256.0 + 8.0 + 72.0 * levels).min(terms as f64)
}

/// A row as the kernel finds it.
struct Row<'a> {
    op: &'a CrossEntropy,
    z: &'a [f64],
    /// The share of each class with its weight, but for what the target's own class gets.
    shares: Vec<Approx>,
    /// The class, and what it gets beside.
    class: Option<(usize, f64)>,
    /// The weight of the row.
    weight: f64,
    /// What the loss is divided by, inverted.
    scale: Approx,
}

impl Row<'_> {
    /// How far the loss (before it is scaled) and the gradient may be off.
    fn errors(&self) -> (f64, Vec<f64>) {
        let (op, n) = (self.op, merges(self.z.len()));
        let top = self.z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let first = self.z.iter().position(|z| *z == top).expect("a finite row");
        let zero = Approx { value: 0.0, error: 0.0 };
        let (mut rest, mut spread, mut cost, mut mass) = (zero, zero, zero, zero);
        for (c, (z, share)) in self.z.iter().zip(&self.shares).enumerate() {
            let d = z - top;
            cost.value += if share.value == 0.0 { 0.0 } else { -d * share.value };
            // Measured from the largest so far, and moved whenever that rises: each difference and product rounds.
            cost.error += if d == 0.0 || *share == zero {
                0.0
            } else {
                -d * (share.error + share.value.abs() * E * (3.0 + 4.0 * n)) + LEAST
            };
            mass.value += share.value;
            mass.error += share.error + E * (n + 3.0) * share.value.abs();
            if c == first || d == f64::NEG_INFINITY {
                continue;
            }
            // exp is good to 3 + 2|x| ulp (WGSL), x is rounded, |d| ulp more. It is made as a product of exp(-gap), once for
            // each time that the largest so far rises, whose gaps add up to |d|; each merge adds 3 + 3 ulp, a quad 3.
            let (e, ulps) = (d.exp(), 6.0 + 3.0 * d.abs() + 6.0 * n);
            rest.value += e;
            rest.error += 1.01 * E * ulps * e + 4.0 * LEAST;
            spread.value -= e * d;
            spread.error += 1.01 * E * (ulps + 3.0 + 3.0 * n) * e * d.abs() + 500.0 * LEAST;
        }
        // The part's series or WGSL's log, 8 ulp at most; ln(1+x) has a slope of at most 1/(1+x).
        let least = (1.0 + rest.value - rest.error).max(1.0);
        let log = rest.value.ln_1p();
        let more = Approx { value: log, error: rest.error / least + 8.0 * E * (log + rest.error) + LEAST };
        let inverse = exact(1.0).over(Approx::sum([exact(1.0), rest]));
        let weight = exact(self.weight);
        if mass != zero {
            cost = Approx::sum([cost, mass.times(more)]);
        }
        let (mut own, mut factors) = (zero, [exact(1.0); 2]);
        if let Some((t, keep)) = self.class {
            let d = self.z[t] - top;
            own = Approx::host(keep).times(weight);
            mass = Approx::sum([mass, own]);
            if d.is_finite() {
                let nll = Approx::sum([Approx { value: -d, error: -d * E }, more]);
                cost = Approx::sum([cost, own.times(nll)]);
                if op.focal_gamma > 0.0 {
                    let share = if d == 0.0 { exact(1.0) } else { exp(d) };
                    let others = if d == 0.0 { rest } else { Approx::sum([Approx::sum([exact(1.0), rest]), share.negative()]) };
                    factors = focal(op.focal_gamma, others.times(inverse), share.times(inverse), nll);
                    cost = cost.times(factors[0]);
                }
            }
        }
        let (mut linear, mut slope) = (factors[1].times(mass), zero);
        if op.z_loss != 0.0 {
            let (z, log_sum) = (Approx::host(op.z_loss), Approx::sum([exact(top), more]));
            cost = Approx::sum([cost, weight.times(z.times(log_sum).times(log_sum))]);
            linear = Approx::sum([linear, weight.times(Approx::host(2.0 * op.z_loss).times(log_sum))]);
        }
        if op.confidence_penalty != 0.0 {
            let (beta, distance) = (Approx::host(op.confidence_penalty), spread.times(inverse));
            cost = Approx::sum([cost, weight.times(beta.times(Approx::sum([more, distance]))).negative()]);
            linear = Approx::sum([linear, weight.times(beta.times(distance))]);
            slope = weight.times(beta);
        }
        let g = self.scale.times(Approx::host(op.grad_scale));
        let (a, b, c) = (g.times(linear).times(inverse), g.times(slope).times(inverse), g.times(factors[1]));
        let element = |(i, (z, share)): (usize, (&f64, &Approx))| {
            let d = z - top;
            let p = if d == f64::NEG_INFINITY {
                zero
            } else {
                exp(d).times(Approx::sum([a, b.times(Approx { value: d, error: -d * E })]))
            };
            let own = if self.class.is_some_and(|t| t.0 == i) { c.times(own).negative() } else { zero };
            Approx::sum([p, c.times(*share).negative(), own]).error
        };
        (cost.error, self.z.iter().zip(&self.shares).enumerate().map(element).collect())
    }
}

/// exp of what is not positive: below exp(-104), which counts as such, a float is 0.
fn exp(d: f64) -> Approx {
    Approx { value: d.exp(), error: d.exp() * E * (3.0 + 3.0 * d.abs()) + 2.0 * LEAST }
}

/// u^γ and u^γ·(1 + γ·p·nll/u).
fn focal(gamma: f64, u: Approx, p: Approx, nll: Approx) -> [Approx; 2] {
    let (value, high, low) = (u.value.powf(gamma), (u.value + u.error).powf(gamma), (u.value - u.error).max(0.0).powf(gamma));
    // log is good to 3 ulp, or to 2^-21 between 0.5 and 2; its product with γ, γ itself and exp round.
    let log = u.value.max(LEAST).ln().abs();
    let off = gamma * ((3.0 * E * log).max(2f64.powi(-21)) + 2.0 * E * log) + E * (3.0 + 2.0 * gamma * log);
    let own = if high == 0.0 { 0.0 } else { high * off.exp_m1() };
    // The kernel cuts u off at 1, so its power is no more than that.
    let far = Approx { value, error: (high - value).max(value - low) + own + LEAST }.off_by_at_most(1.0 + 4.0 * E);
    if u.error >= u.value {
        // nll / u is 1 but for roundings there, in the kernel's own numbers.
        return [far, Approx { value: 0.0, error: (high + far.error) * (1.0 + 3.0 * gamma) }];
    }
    let more = Approx::host(gamma).times(p).times(nll.over(u));
    [far, far.times(Approx::sum([exact(1.0), more]))]
}

impl CrossEntropy {
    pub(super) fn expected(&self, args: &[HostData]) -> Vec<Expected> {
        let of = Contents::new(self.args(), args);
        let (k, x, target) = (self.classes, of.f64("logits"), of.get("target"));
        // Without rows there is none, however many classes there are.
        let weights = of.f64_or("class_weight", 1.0, k.min(x.len()));
        let classes = target.words();
        let unknown = if self.class_weight { 0.0 } else { 1.0 };
        // The row's class, None for a row to be ignored; its weight.
        let class = |r: usize| classes.map(|t| t[r]).filter(|t| Some(*t) != self.ignore_index);
        let ignored = |r: usize| self.target == Targets::Classes && class(r).is_none();
        let weight = |r: usize| class(r).map_or(1.0, |t| weights.get(t as usize).copied().unwrap_or(unknown));
        let scale = match (self.reduction, self.counts()) {
            (LossReduction::Mean, false) => Approx::host(if self.rows == 0 { 0.0 } else { 1.0 / self.rows as f64 }),
            (LossReduction::Mean, true) => {
                let kept: Vec<f64> = (0..self.rows).filter(|r| !ignored(*r)).map(weight).collect();
                let (sum, magnitudes) = kept.iter().fold((0.0, 0.0), |(s, a), w| (s + w, a + w.abs()));
                let total = Approx { value: sum, error: E * additions(self.rows) * magnitudes };
                if sum == 0.0 { exact(0.0) } else { exact(1.0).over(total) }
            }
            _ => exact(1.0),
        };
        let terms = [self.label_smoothing, self.z_loss, self.confidence_penalty, self.focal_gamma];
        let shared = Approx::host(self.label_smoothing / k as f64);
        let nan = |n: usize| (vec![f64::NAN; n], vec![0.0; n]);
        let (mut losses, mut grad) = (nan(self.rows), nan(x.len()));
        let soft = if classes.is_none() { target.to_f64() } else { vec![] };
        for r in 0..self.rows {
            let (at, z) = (r * k..(r + 1) * k, &x[r * k..(r + 1) * k]);
            if ignored(r) {
                (losses.0[r], losses.1[r]) = (0.0, 0.0);
                grad.0[at].fill(0.0);
                continue;
            }
            let class = class(r).map(|t| t as usize);
            if class.is_some_and(|t| t >= k) {
                continue;
            }
            let mut target = vec![0.0; k];
            match class {
                Some(t) => target[t] = 1.0,
                None => target.copy_from_slice(&soft[at.clone()]),
            }
            let (loss, d) = reference::cross_entropy(z, &target, &weights, weight(r), terms);
            if d.iter().any(|d| d.is_nan()) {
                continue;
            }
            let share = |(t, w): (&f64, &f64)| match class {
                Some(_) => shared.times(exact(*w)),
                None => Approx::sum([Approx::host(1.0 - self.label_smoothing).times(exact(*t)), shared]).times(exact(*w)),
            };
            let row = Row {
                op: self,
                z,
                shares: target.iter().zip(&weights).map(share).collect(),
                class: class.map(|t| (t, 1.0 - self.label_smoothing)),
                weight: weight(r),
                scale,
            };
            let (error, errors) = row.errors();
            (losses.0[r], losses.1[r]) = (loss, if loss.is_finite() { error } else { 0.0 });
            for ((i, d), error) in at.zip(d).zip(errors) {
                let d = Approx { value: d * scale.value * self.grad_scale, error };
                (grad.0[i], grad.1[i]) = (d.value, d.stored(self.dtype));
            }
        }
        let (value, bound) = if self.reduction == LossReduction::None {
            losses
        } else {
            let sum: f64 = losses.0.iter().sum();
            let magnitudes: f64 = losses.0.iter().map(|v| v.abs()).sum();
            let error = losses.1.iter().sum::<f64>() + E * additions(self.rows) * magnitudes;
            let mean = Approx { value: sum, error }.times(scale);
            let value = sum * scale.value;
            (vec![value], vec![if value.is_finite() { mean.error } else { 0.0 }])
        };
        let mut out = vec![Expected::Within { value, bound }];
        out.extend(self.grad.then_some(Expected::Within { value: grad.0, bound: grad.1 }));
        out
    }
}
