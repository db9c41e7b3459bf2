//! How far the kernels' results for rows may be off.

use crate::{
    kernels::channels::{SumErrors, inverse_std_error},
    op::Expected,
    options::WeightForm,
    types::{DType, Rows},
    verify::Approx,
};

const E: f64 = DType::F32.epsilon();
const LEAST: f64 = DType::F32.least_normal();

/// Of (x - mean)·rstd·weight + bias, the first factor being `far` and off by `far_error`: each operation adds its
/// ulp, and the store.
pub(crate) fn normalized_error(far: [f64; 2], rstd: [f64; 2], weight: f64, bias: f64, value: f64, dtype: DType) -> f64 {
    // Statistics of the caller's data may have any sign.
    let ([far, far_error], [rstd, rstd_error], w) = (far, [rstd[0].abs(), rstd[1]], weight.abs());
    let product = (far.abs() + far_error) * (rstd + rstd_error) * w;
    let error = w * (far_error * rstd + (far.abs() + far_error) * rstd_error)
        + E * (3.0 * product + value.abs() + bias.abs())
        + 4.0 * (1.0 + (1.0 + w) * (1.0 + rstd + rstd_error)) * LEAST;
    Approx { value, error }.stored_with_ulp(dtype)
}

/// How far the values of a row may be from those that a bound is computed from: 0 for what is given, more for what a kernel
/// computed before.
pub(crate) struct Slack {
    /// Each value's own. A kernel's own errors on moved values are those on the values, and less than 1e-4 of the largest move.
    pub of: Vec<f64>,
    /// How far the mean may have moved.
    pub mean: f64,
    /// How far the root of the mean of squares may have moved, about any center: the triangle inequality.
    root: f64,
}

impl Slack {
    pub fn of(row: &[f64]) -> Self {
        let most = row.iter().fold(0.0, |a: f64, s| a.max(*s));
        let of: Vec<f64> = row.iter().map(|s| 1.01 * s + 1e-4 * most).collect();
        let m = of.len().max(1) as f64;
        let (mean, square) = (of.iter().sum::<f64>() / m, of.iter().map(|s| s * s).sum::<f64>() / m);
        Self { of, mean, root: square.sqrt() + mean }
    }

    /// How far 1/√(v + ε) may be off for a v that is off by `error` beside.
    pub fn inverse_error(&self, v: f64, error: f64, eps: f64) -> f64 {
        let moved = self.root * (2.0 * v.sqrt() + self.root);
        inverse_std_error(v, error + moved, eps)
    }
}

/// What a backward op is given, in f64; the weight is 1 if there is none.
pub(crate) struct RowGradients<'a> {
    pub of: Rows,
    pub dtype: DType,
    pub x: &'a [f64],
    pub dy: &'a [f64],
    /// `None` where no mean was taken off.
    pub mean: Option<&'a [f64]>,
    pub rstd: &'a [f64],
    pub weight: &'a [f64],
    pub form: WeightForm,
}

impl RowGradients<'_> {
    /// Bounds for the values (dx, dweight, dbias); dweight and dbias as far as wanted.
    pub fn expected(&self, values: (Vec<f64>, Vec<f64>, Vec<f64>), wanted: [bool; 2]) -> Vec<Expected> {
        let errors = self.input_errors(&values.0).into_iter().zip(&values.0);
        let dx = errors.map(|(error, value)| Approx { value: *value, error }.stored_with_ulp(self.dtype)).collect();
        let [dweight, dbias] = self.column_bounds();
        let all = [(true, values.0, dx), (wanted[0], values.1, dweight), (wanted[1], values.2, dbias)];
        all.into_iter().filter(|a| a.0).map(|(_, value, bound)| Expected::Within { value, bound }).collect()
    }

    /// How far the kernel's f32 may be from these dx, before they are stored.
    pub fn input_errors(&self, dx: &[f64]) -> Vec<f64> {
        let mut out = Vec::new();
        for r in 0..self.of.rows {
            self.row_errors(r, self.of.row(dx, r), &mut out);
        }
        out
    }

    fn row_errors(&self, r: usize, dx: &[f64], out: &mut Vec<f64>) {
        let (x, mean, rstd, m) = (self.of.row(self.x, r), self.mean.map_or(0.0, |m| m[r]), self.rstd[r], self.of.cols as f64);
        // The product rounds, and so does 1 + w.
        let (offset, e_g) = (self.form.offset(), E * (1.0 + self.form.offset()));
        let g: Vec<f64> = self.of.row(self.dy, r).iter().zip(self.weight).map(|(dy, w)| dy * (offset + w)).collect();
        let (sum, magnitudes) = g.iter().fold((0.0, 0.0), |(s, a), g| (s + g, a + g.abs()));
        let (dot, products) =
            g.iter().zip(x).map(|(g, x)| g * (x - mean) * rstd).fold((0.0, 0.0), |(s, a), v| (s + v, a + v.abs()));
        // As for batch norm, with g in place of dy, itself a product that was rounded.
        let off = SumErrors::of(x, &g, mean, rstd, 0.0);
        let widest = x.iter().fold(1.0, |a: f64, x| a.max((x - mean).abs()));
        let flushed = 2.0 * m * (1.0 + rstd.abs()) * widest * LEAST;
        let (mut p, t) = (sum / m, rstd * dot / m);
        let mut p_error = (off.dbias + e_g * magnitudes + flushed) / m + 3.0 * E * p.abs();
        if self.mean.is_none() {
            (p, p_error) = (0.0, 0.0);
        }
        let t_error = rstd.abs() * (off.dweight + e_g * products + flushed) / m + 4.0 * E * t.abs();
        for ((g, x), dx) in g.iter().zip(x).zip(dx) {
            // g - p, x - mean, its product with t, their difference; then times rstd.
            let far = (x - mean).abs();
            let given = p_error + far * t_error + e_g * g.abs();
            let inner = given + 2.0 * E * ((g - p).abs() + 3.0 * far * t.abs() + given);
            let size = rstd.abs();
            out.push(size * inner * (1.0 + 2.0 * E) + 2.0 * E * dx.abs() + 4.0 * (1.0 + size) * (1.0 + widest) * LEAST);
        }
    }

    fn column_bounds(&self) -> [Vec<f64>; 2] {
        let Rows { rows, cols } = self.of;
        let mean = |r: usize| self.mean.map_or(0.0, |m| m[r]);
        let column = |c: usize| {
            let at = |from: &[f64]| (0..rows).map(|r| from[r * cols + c]).collect::<Vec<_>>();
            let dy = at(self.dy);
            let xhat: Vec<f64> = at(self.x).iter().enumerate().map(|(r, x)| (x - mean(r)) * self.rstd[r]).collect();
            // The difference, the product with rstd and that with dy round, as SumErrors counts; either may be flushed.
            let off = SumErrors::of(&xhat, &dy, 0.0, 1.0, 0.0);
            let largest = |of: &[f64]| of.iter().fold(1.0, |a: f64, v| a.max(v.abs()));
            (off.dweight + rows as f64 * 2.0 * largest(self.rstd) * largest(&dy) * LEAST, off.dbias)
        };
        let (dweight, dbias) = (0..cols).map(column).unzip();
        [dweight, dbias]
    }
}
