//! One channel as the kernels compute it, forward and back: f64 values, and what they may be off by.
use super::{Moments, SumErrors, inverse_std_error};
use crate::{
    types::DType,
    verify::{Approx, reference},
};

const E: f64 = DType::F32.epsilon();
/// Subnormal values may be flushed when read, differenced or stored.
const FLUSHED: f64 = 4.0 * DType::F32.least_normal();

/// a - b of numbers that the kernel is given: one rounding, whatever cancels.
pub(crate) fn difference(a: f64, b: f64) -> Approx {
    let value = a - b;
    Approx { value, error: if value == 0.0 { 0.0 } else { E * value.abs() + FLUSHED } }
}

/// Statistics of the values that are normalised together.
pub(crate) struct Batch {
    moments: Moments,
    /// As it is stored: in one word, where the kernel has two.
    pub mean: Approx,
    pub rstd: Approx,
}

impl Batch {
    /// `None` if a value is not finite: the kernels answer NaN then.
    pub fn of(values: &[f64], eps: f64) -> Option<Self> {
        let moments = Moments::of(values)?;
        let s = &moments;
        let mean = Approx { value: s.mean, error: s.shifted_error + 2.0 * E * (s.mean.abs() + s.range) + FLUSHED };
        let rstd = Approx {
            value: reference::inverse_std(s.variance, eps),
            error: inverse_std_error(s.variance, s.variance_error, eps),
        };
        Some(Self { moments, mean, rstd })
    }

    /// The variance with another divisor: times `factor`.
    pub fn variance(&self, factor: f64) -> Approx {
        let s = &self.moments;
        Approx { value: s.variance * factor, error: (s.variance_error + 3.0 * E * s.variance) * factor }
    }

    /// x - μ, as x - K less μ - K.
    pub fn centred(&self, x: f64) -> Approx {
        let (s, value) = (&self.moments, x - self.moments.mean);
        Approx { value, error: s.shifted_error + E * (s.range + value.abs()) + FLUSHED }
    }
}

/// A channel in the backward pass: its values and the gradients of what was normalised, g.
pub(crate) struct Pass {
    /// Where they lie in memory.
    pub places: Vec<usize>,
    pub x: Vec<f64>,
    pub g: Vec<Approx>,
    pub mean: f64,
    pub rstd: Approx,
}

impl Pass {
    /// g without what it may be off by.
    pub fn gradients(&self) -> Vec<f64> {
        self.g.iter().map(|g| g.value).collect()
    }

    /// The gradients of γ and β: Σg·x̂ and Σg.
    pub fn sums(&self) -> [Approx; 2] {
        let (mean, rstd) = (self.mean, self.rstd.value);
        let g = self.gradients();
        let off = SumErrors::of(&self.x, &g, mean, rstd, self.rstd.error);
        let far: f64 = self.g.iter().zip(&self.x).map(|(g, x)| g.error * ((x - mean) * rstd).abs()).sum();
        let near: f64 = self.g.iter().map(|g| g.error).sum();
        // What a g is off by comes to each sum, rounded there as any other term.
        let dweight = self.x.iter().zip(&g).map(|(x, g)| g * (x - mean) * rstd).sum();
        [
            Approx { value: dweight, error: off.dweight + far * (1.0 + 1e-3) },
            Approx { value: g.iter().sum(), error: off.dbias + near * (1.0 + 1e-3) },
        ]
    }

    /// dx = γ·rstd·(g - (Σg + x̂·Σg·x̂)/m).
    pub fn input(&self, weight: Approx, [dweight, dbias]: [Approx; 2], m: Approx) -> impl Iterator<Item = Approx> {
        let (p, t) = (dbias.over(m), self.rstd.times(dweight.over(m)));
        let a = weight.times(self.rstd);
        self.g.iter().zip(&self.x).map(move |(g, x)| {
            let away = difference(*x, self.mean).times(t);
            a.times(Approx::sum([*g, p.negative(), away.negative()]))
        })
    }

    /// dx = γ·rstd·g, the statistics being constants.
    pub fn scaled(&self, weight: Approx) -> impl Iterator<Item = Approx> {
        let a = weight.times(self.rstd);
        self.g.iter().map(move |g| a.times(*g))
    }
}
