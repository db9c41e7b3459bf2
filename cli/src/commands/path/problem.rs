//! From a table to what the GPU is given: standardized columns, penalties, a step size. All of it in f64.
use super::Model;
use crate::{
    Failure,
    data::{Table, Targets},
    stats::Standard,
    text::quoted,
};

/// A standardized problem. Rows of `x` are the features, then a one for the intercept, then zeros up to whole quads.
pub struct Problem {
    /// Linear or logistic.
    pub model: Model,
    /// Rows.
    pub rows: usize,
    /// Features.
    pub features: usize,
    /// Columns of `x`.
    pub width: usize,
    /// Row-major, columns of mean 0 and standard deviation 1.
    pub x: Vec<f64>,
    /// The target on its own scale; 0 and 1 for classes.
    pub y: Vec<f64>,
    /// Means and standard deviations (÷ n) of the features.
    pub moments: Vec<[f64; 2]>,
    /// Mean and standard deviation of the target; 0 and 1 for classes, which have no scale.
    pub scale: [f64; 2],
}

impl Problem {
    /// Of a table: a linear model of numbers, a logistic one of two classes.
    ///
    /// # Errors
    /// [`Failure::Usage`] if there are too many features, or one whose coefficient f64 could not hold.
    ///
    /// # Panics
    /// If there are other than two classes.
    pub fn new(table: &Table) -> Result<Self, Failure> {
        let (n, d) = (table.rows(), table.columns.len());
        if d > 4000 {
            return Err(Failure::usage(format!("{}: has {d} features, must have at most 4000", table.name)));
        }
        let width = (d + 1).next_multiple_of(4);
        let standard: Vec<Standard> = (0..d).map(|j| Standard::of((0..n).map(move |i| table.cell(i, j)))).collect();
        let mut x: Vec<f64> = Vec::new();
        x.try_reserve_exact(n.saturating_mul(width))
            .map_err(|e| Failure::usage(format!("{}: {n} rows of {d} features: {e}", table.name)))?;
        x.resize(n * width, 0.0);
        for (i, to) in x.chunks_exact_mut(width).enumerate() {
            for ((to, v), scale) in to.iter_mut().zip(table.row(i)).zip(&standard) {
                *to = scale.apply(v);
            }
            to[d] = 1.0;
        }
        let (model, y, scale) = match &table.targets {
            Targets::Values(of) => {
                let scale = Standard::of(of.iter().copied());
                (Model::Linear, of.clone(), [scale.mean(), scale.sd()])
            }
            Targets::Classes { names, of } => {
                assert_eq!(names.len(), 2, "a logistic model tells two classes apart");
                (Model::Logistic, of.iter().map(|&c| f64::from(c)).collect(), [0.0, 1.0])
            }
        };
        // A coefficient is a multiple of this. Room is left for the multiple, at either end.
        let unit = |one: &Standard| scale[1] / one.sd();
        if let Some(j) = standard.iter().position(|one| !(1e-280..=1e280).contains(&unit(one))) {
            let (name, column, sd) = (&table.name, quoted(&table.columns[j]), standard[j].sd());
            return Err(Failure::usage(format!(
                "{name}: column {column} has a standard deviation of {sd:e}: its coefficient, about {:e}, must be from 1e-280 to 1e280 in \
                 magnitude; multiply the column by a constant",
                unit(&standard[j])
            )));
        }
        let moments = standard.iter().map(|one| [one.mean(), one.sd()]).collect();
        Ok(Self { model, rows: n, features: d, width, x, y, moments, scale })
    }

    /// A row's standardized features.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.x[i * self.width..][..self.features]
    }

    /// The least λ at which all coefficients are 0. A ridge has none; for it, and for what is nearly one, that of an elastic net
    /// with a share of 0.001 of L1, as in glmnet.
    pub fn largest_lambda(&self, l1_ratio: f64) -> f64 {
        let mean = self.y.iter().sum::<f64>() / self.rows as f64;
        let along = |j: usize| (0..self.rows).map(|i| self.row(i)[j] * (self.y[i] - mean)).sum::<f64>().abs();
        let most = (0..self.features).map(along).fold(0.0, f64::max);
        most / self.rows as f64 / l1_ratio.max(1e-3)
    }

    /// The curvature of the mean loss over all rows, at most: the largest eigenvalue of XᵀX/n, a quarter of it for logistic models.
    ///
    /// It is at most the p-th root of the trace of the p-th power, which is at most d^(1/p) times it. Each squaring of the matrix
    /// doubles p, so each makes a safe bound a tighter one.
    pub fn curvature(&self) -> f64 {
        let d = self.features + 1;
        let mut m = vec![0.0; d * d];
        for row in self.x.chunks_exact(self.width) {
            for (i, a) in row[..d].iter().enumerate() {
                m[i * d..][..d].iter_mut().zip(&row[..d]).for_each(|(m, b)| *m += a * b / self.rows as f64);
            }
        }
        let (mut power, mut log_scale, mut bound) = (1.0, 0.0, f64::INFINITY);
        loop {
            let trace: f64 = (0..d).map(|i| m[i * d + i]).sum();
            let tighter = ((trace.ln() + log_scale) / power).exp();
            let gained = bound / tighter;
            bound = tighter;
            // A step that is 0.2 % too short costs less than another squaring, which takes d³.
            if gained < 1.002 || power * (d as f64).powi(3) > 1e10 {
                break;
            }
            m.iter_mut().for_each(|v| *v /= trace);
            m = squared(&m, d);
            (power, log_scale) = (2.0 * power, 2.0 * (log_scale + trace.ln()));
        }
        // What f32 may round the step by.
        bound * (1.0 + 1e-6) * if self.model == Model::Logistic { 0.25 } else { 1.0 }
    }
}

fn squared(m: &[f64], d: usize) -> Vec<f64> {
    let mut out = vec![0.0; d * d];
    for (to, row) in out.chunks_exact_mut(d).zip(m.chunks_exact(d)) {
        for (a, other) in row.iter().zip(m.chunks_exact(d)) {
            to.iter_mut().zip(other).for_each(|(t, b)| *t += a * b);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{commands::path::target, data::folds::assign};

    fn diabetes(column: &str, model: Model) -> (Table, Problem) {
        let table = Table::diabetes(target(column, model)).unwrap();
        let problem = Problem::new(&table).unwrap();
        (table, problem)
    }

    #[test]
    fn columns_are_standardized_and_the_curvature_is_a_bound_and_a_close_one() {
        let (_, p) = diabetes("target", Model::Linear);
        assert_eq!((p.width, p.x[10], p.x[11]), (12, 1.0, 0.0));
        for j in 0..10 {
            let of = Standard::of((0..p.rows).map(|i| p.row(i)[j]));
            assert!(of.mean().abs() < 1e-12 && (of.sd() - 1.0).abs() < 1e-12);
        }
        // By power iteration, from below.
        let mut v = vec![1.0; 10];
        let mut largest = 0.0;
        for _ in 0..2000 {
            let mut w = [0.0; 10];
            for i in 0..p.rows {
                let z: f64 = p.row(i).iter().zip(&v).map(|(x, v)| x * v).sum();
                w.iter_mut().zip(p.row(i)).for_each(|(w, x)| *w += z * x / p.rows as f64);
            }
            largest = w.iter().map(|w| w * w).sum::<f64>().sqrt();
            v = w.iter().map(|w| w / largest).collect();
        }
        let bound = p.curvature();
        assert!(bound >= largest && bound < 1.005 * largest, "{bound} for {largest}");
        let (_, q) = diabetes("sex", Model::Logistic);
        assert!(q.curvature() < 2.0);
    }

    #[test]
    fn folds_are_even_and_classes_in_them_too() {
        let (table, p) = diabetes("sex", Model::Logistic);
        let folds = |count, seed| assign(&table, p.rows, count, seed);
        let ten = folds(10, 1).unwrap();
        for f in 0..10 {
            let rows: Vec<usize> = (0..p.rows).filter(|&i| ten[i] == f).collect();
            assert!((44..=45).contains(&rows.len()));
            let ones = rows.iter().filter(|&&i| p.y[i] == 1.0).count();
            assert!((20..=21).contains(&ones), "{ones} of 207 in a tenth");
        }
        assert_ne!(ten, folds(10, 2).unwrap());
        assert_eq!(ten, folds(10, 1).unwrap());
        let why = folds(300, 1).unwrap_err().to_string();
        assert!(why.contains("class \"1\" of column \"sex\" has 235 rows, fewer than --folds, 300"), "{why}");
        assert!(folds(1, 1).unwrap_err().to_string().contains("--folds is 1, must be from 2 to"));
    }

    #[test]
    fn the_largest_lambda_is_that_of_the_largest_product() {
        let (_, p) = diabetes("target", Model::Linear);
        // scikit-learn's, on standardized columns.
        assert!((p.largest_lambda(1.0) - 45.160_030).abs() < 1e-4, "{}", p.largest_lambda(1.0));
        assert_eq!(p.largest_lambda(0.5), 2.0 * p.largest_lambda(1.0));
        assert_eq!(p.largest_lambda(0.0), 1000.0 * p.largest_lambda(1.0));
    }
}
