//! The matrix of features, and the products that everything here is made of.
use ndarray::{ArrayView2, ArrayViewMut2, ShapeBuilder, linalg::general_mat_mul};
use rayon::prelude::*;

/// Features, a column after the other.
#[derive(Clone, Debug)]
pub struct Design {
    rows: usize,
    x: Vec<f64>,
}

impl Design {
    /// Of columns of this many rows, one after the other.
    ///
    /// # Panics
    /// If there are no rows, or not whole columns.
    pub fn new(rows: usize, x: Vec<f64>) -> Self {
        assert!(rows > 0 && x.len().is_multiple_of(rows), "whole columns");
        Self { rows, x }
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns.
    pub fn features(&self) -> usize {
        self.x.len() / self.rows
    }

    /// A column.
    pub fn column(&self, j: usize) -> &[f64] {
        &self.x[j * self.rows..][..self.rows]
    }

    /// All columns.
    pub(super) fn all(&self) -> &[f64] {
        &self.x
    }

    /// Xᵀv for the columns that `wanted` has, 0 for the others; on all cores where that is worth it.
    pub(super) fn along(&self, v: &[f64], wanted: &[bool], out: &mut [f64]) {
        const ALONE: usize = 1 << 18;
        let one = |(j, out): (usize, &mut f64)| *out = if wanted[j] { dot(self.column(j), v) } else { 0.0 };
        if self.x.len() < ALONE {
            out.iter_mut().enumerate().for_each(one);
        } else {
            out.par_iter_mut().enumerate().with_min_len(ALONE.div_ceil(2 * self.rows)).for_each(one);
        }
    }
}

/// Σ aᵢ·bᵢ, in eight sums.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (wholes_a, wholes_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = wholes_a.remainder().iter().zip(wholes_b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in wholes_a.zip(wholes_b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + b) + (c + d)) + ((e + f) + (g + h)) + rest
}

/// to += by·x.
pub fn add(to: &mut [f64], by: f64, x: &[f64]) {
    to.iter_mut().zip(x).for_each(|(to, x)| *to += by * x);
}

/// AᵀB for A and B of `rows` rows, both a column after the other: a row for each column of A.
pub fn cross(a: &[f64], b: &[f64], rows: usize, out: &mut [f64]) {
    let view = |m| matrix(m, rows);
    let (a, b) = (view(a), view(b));
    let mut out = ArrayViewMut2::from_shape((a.ncols(), b.ncols()), out).expect("as long as the product");
    general_mat_mul(1.0, &a.t(), &b, 0.0, &mut out);
}

/// A·B for A of `rows` rows and B of as many as A has columns, all a column after the other.
pub fn product(a: &[f64], b: &[f64], rows: usize, out: &mut [f64]) {
    let a = matrix(a, rows);
    let b = matrix(b, a.ncols());
    let mut out = ArrayViewMut2::from_shape((rows, b.ncols()).f(), out).expect("as long as the product");
    general_mat_mul(1.0, &a, &b, 0.0, &mut out);
}

/// AAᵀ for A of `rows` rows, a column after the other.
pub fn outer(a: &[f64], rows: usize, out: &mut [f64]) {
    let a = matrix(a, rows);
    let mut out = ArrayViewMut2::from_shape((rows, rows), out).expect("as long as the product");
    general_mat_mul(1.0, &a, &a.t(), 0.0, &mut out);
}

fn matrix(m: &[f64], rows: usize) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((rows, m.len() / rows).f(), m).expect("whole columns")
}

/// Solves A·x = b for a symmetric positive definite A, row-major, of which the lower half is read and overwritten by its Cholesky factor.
/// Nothing if A is not positive definite to working precision.
pub fn solve(a: &mut [f64], b: &mut [f64]) -> Option<()> {
    let n = b.len();
    for i in 0..n {
        let (above, from) = a.split_at_mut(i * n);
        let row = &mut from[..=i];
        for j in 0..i {
            let other = &above[j * n..][..=j];
            row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
        }
        let left = row[i] - dot(&row[..i], &row[..i]);
        // More than what rounding leaves of a diagonal that is 0.
        let definite = left > 1e-15 * n as f64 * row[i];
        if !definite {
            return None;
        }
        row[i] = left.sqrt();
    }
    for i in 0..n {
        let row = &a[i * n..][..=i];
        b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
    }
    for i in (0..n).rev() {
        let row = &a[i * n..][..=i];
        b[i] /= row[i];
        let value = b[i];
        add(&mut b[..i], -value, &row[..i]);
    }
    Some(())
}
