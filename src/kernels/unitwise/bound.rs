//! What the references share: which elements a unit has, and how far its sums may be off.
use super::Units;
use crate::{
    kernels::gradients::Gradients,
    op::Expected,
    options::{Matrix, Unit},
    types::{DType, HostData},
    verify::{Approx, reference},
};

/// The elements of each unit by their places in the arena.
pub(crate) struct Members {
    /// Unit after unit, those of a matrix together.
    pub units: Vec<Vec<usize>>,
    /// The matrix of each unit.
    pub matrix: Vec<usize>,
}

impl Members {
    pub fn new(all: &Units) -> Self {
        let (mut units, mut matrix) = (vec![], vec![]);
        for (n, m) in all.matrices.iter().enumerate().filter(|(_, m)| !m.is_empty()) {
            for u in 0..m.units() {
                let place = |k: usize| match m.unit {
                    Unit::Rows => m.start + u * m.cols + k,
                    Unit::Columns => m.start + k * m.cols + u,
                    Unit::Whole => m.start + k,
                };
                units.push((0..m.unit_len()).map(place).collect());
                matrix.push(n);
            }
        }
        Self { units, matrix }
    }

    /// The unit of each element of the arena; that of elements between matrices does not matter.
    pub fn of(&self, len: usize) -> Vec<usize> {
        let mut out = vec![0; len];
        for (u, unit) in self.units.iter().enumerate() {
            unit.iter().for_each(|&i| out[i] = u);
        }
        out
    }
}

/// The most additions that a term goes through on any device: in the first stage the trips of a lane and the tree, and the same in
/// the second. A part is at least 256 quads of a row (4 lanes of 64 quads, or 64 of 4), and of columns 64 rows (or 16, of which 64
/// lanes then add up the sums) but for very many columns; a unit has at most 2^14 parts, and at least 4 lanes add them up.
fn chain(m: &Matrix) -> f64 {
    let len = m.unit_len() as f64;
    let (first, parts) = match m.unit {
        Unit::Columns => (len / 16384.0, if m.cols > 1 << 18 { len } else { len / 64.0 }),
        _ => (len / 4.0 / 16384.0 / 4.0, len / 4.0 / 256.0),
    };
    (first + 1.0).max(64.0) + 8.0 + (parts / 4.0 + 1.0).min(4096.0) + 8.0
}

/// ‖x‖ of the values of a unit of `m`, each known as well as it says. NaN where one is not finite, or the norm is past f32.
pub(crate) fn unit_norm(m: &Matrix, x: &[Approx]) -> Approx {
    let values: Vec<f64> = x.iter().map(|x| x.value).collect();
    let value = reference::norm(&values);
    if value.is_nan() || value > f64::from(f32::MAX) {
        return Approx::exact(f64::NAN);
    }
    // As for the norm of an arena: the square, the four elements of a quad, the additions, two scales; halved by the root, which
    // adds its own.
    let ulps = (1.0 + 2.0 + 1.0 + chain(m)) / 2.0 + 4.5;
    let least = DType::F32.least_normal();
    let tiny = values.iter().filter(|g| **g != 0.0 && g.abs() < least).count() as f64;
    let flushed = least * (tiny.sqrt() + if value < 2.0 * least && value > 0.0 { 1.0 } else { 0.0 });
    // Norms are no further apart than what they are the norms of.
    let inherited = x.iter().map(|x| x.error * x.error).sum::<f64>().sqrt();
    Approx { value, error: ulps * DType::F32.epsilon() * (value + inherited) + flushed + inherited }
}

/// Σx of the values of a unit of `m`.
pub(crate) fn unit_sum(m: &Matrix, x: &[f64]) -> Approx {
    let value: f64 = x.iter().sum();
    let magnitudes: f64 = x.iter().map(|x| x.abs()).sum();
    if !magnitudes.is_finite() {
        return Approx::exact(f64::NAN);
    }
    let flushed = if magnitudes == 0.0 { 0.0 } else { DType::F32.least_normal() * x.len() as f64 };
    Approx { value, error: (chain(m) + 2.0) * DType::F32.epsilon() * magnitudes + flushed }
}

impl Units<'_> {
    /// One result for each unit, from the values of its elements.
    pub fn each<T>(&self, data: &[f64], mut make: impl FnMut(&Matrix, &[f64]) -> T) -> Vec<T> {
        let members = Members::new(self);
        let one = |(unit, &n): (&Vec<usize>, &usize)| {
            let values: Vec<f64> = unit.iter().map(|&i| data[i]).collect();
            make(&self.matrices[n], &values)
        };
        members.units.iter().zip(&members.matrix).map(one).collect()
    }

    /// The norm of each unit.
    pub fn norms(&self, data: &[f64]) -> Vec<Approx> {
        self.each(data, |m, x| unit_norm(m, &x.iter().copied().map(Approx::exact).collect::<Vec<_>>()))
    }

    /// What `data` must hold if each element becomes what `each` makes of its unit's number, its place and itself.
    pub fn mapped(&self, data: &HostData, mut each: impl FnMut(usize, usize, f64) -> Approx) -> Expected {
        let segments = self.segments();
        let of = Members::new(self).of(self.len());
        let all = Gradients { name: self.name, dtype: self.dtype, segments: &segments };
        all.mapped(data, |i, x| each(of[i], i, x))
    }

    /// As [`Units::mapped`], for factors: NaN makes its whole unit NaN, exactly 1 changes nothing.
    pub fn scaled(&self, data: &HostData, factors: &[Approx]) -> Expected {
        self.mapped(data, |u, _, x| match factors[u] {
            f if f.value.is_nan() => f,
            f => Approx::exact(x).times(f),
        })
    }
}
