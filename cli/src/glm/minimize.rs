//! A quadratic function with an L1 and L2 penalty: coordinate descent, and Newton steps where that is slow.
use super::{
    Design, Strength,
    covariance::covariances,
    design::{add, dot, outer, solve},
};

/// ½·dᵀHd + gᵀd of a step d from where the coefficients were at first.
pub trait Quadratic {
    /// Hⱼⱼ.
    fn curvature(&self, j: usize) -> f64;
    /// The gradient where the coefficients are now.
    fn gradient(&self, j: usize) -> f64;
    /// Moves a coefficient.
    fn step(&mut self, j: usize, by: f64);
    /// What changes with steps.
    fn save(&self) -> Vec<f64>;
    /// Back to there.
    fn restore(&mut self, kept: Vec<f64>);
    /// (H + ridge + what rounding needs)·d = `to` for these coefficients alone.
    fn solved(&self, at: &[usize], ridge: f64, to: &[f64]) -> Option<Vec<f64>>;
    /// How many passes over this many coefficients cost as much as [`Quadratic::solved`].
    fn passes(&self, at: usize) -> usize;
}

/// Moves `b` to the minimum, until no coefficient violates its condition by more than `aim`, or nothing helps any more. Gives the
/// number of passes and Newton steps.
pub fn minimize(of: &mut dyn Quadratic, b: &mut [f64], strength: Strength, aim: f64) -> u32 {
    const ROUNDS: usize = 200;
    let (mut passes, mut best, mut idle) = (0, f64::INFINITY, 0);
    // A ridge has a closed form.
    if strength.l1 == 0.0 {
        b.iter_mut().enumerate().filter(|(_, b)| **b == 0.0).for_each(|(j, b)| {
            *b = f64::MIN_POSITIVE;
            of.step(j, *b);
        });
        passes += newton(of, b, strength);
    }
    for _ in 0..ROUNDS {
        let mut round = f64::INFINITY;
        let used = b.iter().filter(|b| **b != 0.0).count();
        let mut all = true;
        for _ in 0..of.passes(used).clamp(6, 400) {
            let worst = pass(of, b, strength, aim, all);
            passes += 1;
            if all {
                round = round.min(worst);
                if worst <= aim {
                    return passes;
                }
            }
            all = worst <= aim;
        }
        // Neither kind of step gains anything: that is what f64 has.
        idle = if round < 0.5 * best { 0 } else { idle + 1 };
        best = best.min(round);
        if idle > 12 {
            break;
        }
        let steps = newton(of, b, strength);
        idle = if steps > 1 { 0 } else { idle };
        passes += steps;
    }
    passes
}

/// A pass of coordinate descent over all coefficients, or over those that are not 0. Gives the largest violation that it met. One that is
/// 0 stays so where it violates no more than `aim`: no feature is in use by rounding alone.
fn pass(of: &mut dyn Quadratic, b: &mut [f64], strength: Strength, aim: f64, all: bool) -> f64 {
    let mut worst: f64 = 0.0;
    for (j, b) in b.iter_mut().enumerate() {
        if !all && *b == 0.0 {
            continue;
        }
        let (gradient, curvature) = (of.gradient(j), of.curvature(j));
        let violation = strength.violation(gradient, *b);
        worst = worst.max(violation);
        if *b == 0.0 && violation <= aim {
            continue;
        }
        let new = strength.least(curvature * *b - gradient, curvature);
        if new != *b {
            of.step(j, new - *b);
            *b = new;
        }
    }
    worst
}

/// Newton steps of the coefficients that are not 0, on which the penalty is smooth as long as none changes its sign. Those that would stop
/// at 0. Where that is no gain, all stop where the first one would change, it leaves, and the others go on. Gives the number of steps.
fn newton(of: &mut dyn Quadratic, b: &mut [f64], strength: Strength) -> u32 {
    let mut steps = 0;
    loop {
        let at: Vec<usize> = (0..b.len()).filter(|&j| b[j] != 0.0).collect();
        let before: Vec<f64> = at.iter().map(|&j| b[j]).collect();
        let slope = |(&j, b): (&usize, &f64)| -(of.gradient(j) + strength.l2 * b + strength.l1 * b.signum());
        let slopes: Vec<f64> = at.iter().zip(&before).map(slope).collect();
        let Some(step) = of.solved(&at, strength.l2, &slopes) else { return steps };
        steps += 1;
        // Along what the features do not determine, steps may be of any length: nothing of such a trial shall stay.
        let kept = of.save();
        let crosses = |b: f64, d: f64| strength.l1 > 0.0 && (b + d) * b < 0.0;
        let whole = before.iter().zip(&step).map(|(&b, &d)| if crosses(b, d) { 0.0 } else { b + d });
        let gain = moved(of, b, &at, &whole.collect::<Vec<_>>(), strength);
        let share = |(&b, &d): (&f64, &f64)| if crosses(b, d) { -b / d } else { 1.0 };
        let least = before.iter().zip(&step).map(share).fold(1.0, f64::min);
        if least == 1.0 || gain < 0.0 {
            return steps;
        }
        of.restore(kept);
        at.iter().zip(&before).for_each(|(&j, before)| b[j] = *before);
        let part = before.iter().zip(&step).map(|(b, d)| if share((b, d)) == least { 0.0 } else { b + least * d });
        moved(of, b, &at, &part.collect::<Vec<_>>(), strength);
        // With many coefficients a step is dear, and passes find more than one that leaves.
        if f64::from(steps) > 3.0 + 3e8 / (at.len() as f64).powi(3) {
            return steps;
        }
    }
}

/// Moves coefficients to these values, and gives what that adds to the function and its penalty.
fn moved(of: &mut dyn Quadratic, b: &mut [f64], at: &[usize], to: &[f64], strength: Strength) -> f64 {
    let first: Vec<f64> = at.iter().map(|&j| of.gradient(j)).collect();
    let steps: Vec<f64> = at.iter().zip(to).map(|(&j, to)| to - b[j]).collect();
    at.iter().zip(&steps).for_each(|(&j, &by)| of.step(j, by));
    let mut gain = 0.0;
    for (((&j, to), by), first) in at.iter().zip(to).zip(&steps).zip(first) {
        gain += 0.5 * (first + of.gradient(j)) * by + strength.penalty(*to) - strength.penalty(b[j]);
        b[j] = *to;
    }
    gain
}

/// (H + ridge)·d = `to`, with a little more on the diagonal where that is not positive definite: the step is then shorter along what H
/// does not determine.
fn definite(h: &[f64], ridge: f64, to: &[f64]) -> Option<Vec<f64>> {
    let n = to.len();
    for more in [0.0, 1e-13, 1e-11, 1e-9, 1e-7] {
        let (mut a, mut d) = (h.to_vec(), to.to_vec());
        a.iter_mut().step_by(n + 1).for_each(|a| *a += ridge + more * (*a + ridge));
        if solve(&mut a, &mut d).is_some() {
            return Some(d);
        }
    }
    None
}

/// A [`Quadratic`] whose H is there: each step keeps the gradients of all coefficients.
pub struct Gram {
    h: Vec<f64>,
    gradient: Vec<f64>,
}

impl Gram {
    /// H by rows, and the gradient.
    pub fn new(h: Vec<f64>, gradient: Vec<f64>) -> Self {
        Self { h, gradient }
    }

    fn row(&self, j: usize) -> &[f64] {
        &self.h[j * self.gradient.len()..][..self.gradient.len()]
    }
}

impl Quadratic for Gram {
    fn curvature(&self, j: usize) -> f64 {
        self.row(j)[j]
    }

    fn gradient(&self, j: usize) -> f64 {
        self.gradient[j]
    }

    fn step(&mut self, j: usize, by: f64) {
        let n = self.gradient.len();
        add(&mut self.gradient, by, &self.h[j * n..][..n]);
    }

    fn save(&self) -> Vec<f64> {
        self.gradient.clone()
    }

    fn restore(&mut self, kept: Vec<f64>) {
        self.gradient = kept;
    }

    fn solved(&self, at: &[usize], ridge: f64, to: &[f64]) -> Option<Vec<f64>> {
        let h: Vec<f64> = at.iter().flat_map(|&j| at.iter().map(move |&k| self.row(j)[k])).collect();
        definite(&h, ridge, to)
    }

    fn passes(&self, at: usize) -> usize {
        at * at / 3 / self.gradient.len().max(1)
    }
}

/// A [`Quadratic`] that keeps weighted residuals and goes to X for everything else: H is that of centred features with weights v.
pub struct Residuals<'a> {
    design: &'a Design,
    at: &'a [usize],
    means: Vec<f64>,
    curvature: Vec<f64>,
    v: &'a [f64],
    /// They add up to 0.
    u: Vec<f64>,
}

impl<'a> Residuals<'a> {
    /// Of these features, weights and weighted residuals.
    pub fn new(design: &'a Design, at: &'a [usize], v: &'a [f64], residuals: &[f64]) -> Self {
        let total: f64 = v.iter().sum();
        let shift = residuals.iter().sum::<f64>() / total;
        let u = residuals.iter().zip(v).map(|(r, v)| r - shift * v).collect();
        let means: Vec<f64> = at.iter().map(|&j| dot(design.column(j), v) / total).collect();
        let curvature =
            |(&j, mean): (&usize, &f64)| design.column(j).iter().zip(v).map(|(x, v)| v * (x - mean) * (x - mean)).sum();
        let curvature = at.iter().zip(&means).map(curvature).collect();
        Self { design, at, means, curvature, v, u }
    }
}

impl Quadratic for Residuals<'_> {
    fn curvature(&self, j: usize) -> f64 {
        self.curvature[j]
    }

    fn gradient(&self, j: usize) -> f64 {
        -dot(self.design.column(self.at[j]), &self.u)
    }

    fn step(&mut self, j: usize, by: f64) {
        let mean = self.means[j];
        for ((u, x), v) in self.u.iter_mut().zip(self.design.column(self.at[j])).zip(self.v) {
            *u -= by * v * (x - mean);
        }
    }

    fn save(&self) -> Vec<f64> {
        self.u.clone()
    }

    fn restore(&mut self, kept: Vec<f64>) {
        self.u = kept;
    }

    fn solved(&self, at: &[usize], ridge: f64, to: &[f64]) -> Option<Vec<f64>> {
        let n = self.u.len();
        let places: Vec<usize> = at.iter().map(|&j| self.at[j]).collect();
        if at.len() <= n || ridge == 0.0 {
            return definite(&covariances(self.design, &places, self.v), ridge, to);
        }
        // More coefficients than rows: (ZᵀZ + ridge)⁻¹ = (1 - Zᵀ(ZZᵀ + ridge)⁻¹Z) / ridge, Z having columns √v·(x - mean).
        let mut z = Vec::with_capacity(n * at.len());
        for (&j, &place) in at.iter().zip(&places) {
            z.extend(self.design.column(place).iter().zip(self.v).map(|(x, v)| v.sqrt() * (x - self.means[j])));
        }
        let by_rows = |d: &[f64]| {
            let mut out = vec![0.0; n];
            z.chunks_exact(n).zip(d).for_each(|(z, d)| add(&mut out, *d, z));
            out
        };
        let by_columns = |r: &[f64]| z.chunks_exact(n).map(|z| dot(z, r)).collect::<Vec<f64>>();
        let mut within = vec![0.0; n * n];
        outer(&z, n, &mut within);
        let (mut left, mut d) = (to.to_vec(), vec![0.0; at.len()]);
        // Once more for what the first time left: the difference cancels where the ridge is small.
        for _ in 0..2 {
            let inner = by_columns(&definite(&within, ridge, &by_rows(&left))?);
            d.iter_mut().zip(left.iter().zip(&inner)).for_each(|(d, (left, inner))| *d += (left - inner) / ridge);
            let back = by_columns(&by_rows(&d));
            left.iter_mut().zip(to).zip(d.iter().zip(&back)).for_each(|((left, to), (d, back))| *left = to - ridge * d - back);
        }
        Some(d)
    }

    fn passes(&self, at: usize) -> usize {
        let n = self.u.len();
        if at <= n { at / 2 + at * at / (3 * n) } else { n / 2 + n * n / (3 * at) }
    }
}
