//! From a table to what a solver is given: standardized columns, penalties, a step size. All of it in f64.
use super::Model;
use crate::{
    Failure,
    data::{Table, Targets},
    glm::{self, Design, Strength},
    stats::Standard,
    text::quoted,
};
use rayon::prelude::*;

/// A standardized problem.
pub struct Problem {
    /// Linear or logistic.
    pub model: Model,
    /// Rows.
    pub rows: usize,
    /// Features.
    pub features: usize,
    /// Columns of mean 0 and standard deviation 1.
    pub design: Design,
    /// The target on its own scale; 0 and 1 for classes.
    pub y: Vec<f64>,
    /// The target less its mean, divided by its standard deviation; 0 and 1 for classes, which have no scale.
    pub response: Vec<f64>,
    /// Means and standard deviations (÷ n) of the features.
    pub moments: Vec<[f64; 2]>,
    /// Mean and standard deviation of the target; 0 and 1 for classes.
    pub scale: [f64; 2],
    /// The largest gradient of a model without features, in units of the target's standard deviation.
    steepest: f64,
}

impl Problem {
    /// Of a table: a linear model of numbers, a logistic one of two classes.
    ///
    /// # Errors
    /// [`Failure::Usage`] if memory does not suffice, or for a feature whose coefficient f64 could not hold.
    ///
    /// # Panics
    /// If there are other than two classes.
    pub fn new(table: &Table) -> Result<Self, Failure> {
        let (n, d) = (table.rows(), table.columns.len());
        let mut x: Vec<f64> = Vec::new();
        x.try_reserve_exact(n.saturating_mul(d))
            .map_err(|e| Failure::usage(format!("{}: {n} rows of {d} features: {e}", table.name)))?;
        x.resize(n * d, 0.0);
        // The table has its cells by rows: a few columns at once come from the same cache lines.
        const TOGETHER: usize = 8;
        let standardized = |(first, columns): (usize, &mut [f64])| {
            let count = columns.len() / n;
            for i in 0..n {
                (0..count).for_each(|j| columns[j * n + i] = table.cell(i, first * TOGETHER + j));
            }
            let one = |column: &mut [f64]| {
                let standard = Standard::of(column.iter().copied());
                column.iter_mut().for_each(|v| *v = standard.apply(*v));
                standard
            };
            columns.chunks_exact_mut(n).map(one).collect::<Vec<Standard>>()
        };
        let standard: Vec<Standard> = x.par_chunks_mut(TOGETHER * n).enumerate().flat_map_iter(standardized).collect();
        let (model, y, response, scale) = match &table.targets {
            Targets::Values(of) => {
                let scale = Standard::of(of.iter().copied());
                let response = of.iter().map(|&y| scale.apply(y)).collect();
                (Model::Linear, of.clone(), response, [scale.mean(), scale.sd()])
            }
            Targets::Classes { names, of } => {
                assert_eq!(names.len(), 2, "a logistic model tells two classes apart");
                let y: Vec<f64> = of.iter().map(|&c| f64::from(c)).collect();
                (Model::Logistic, y.clone(), y, [0.0, 1.0])
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
        let design = Design::new(n, x);
        // What rounding leaves of a product that is 0 is no path.
        let steepest = Some(glm::largest(&design, &response)).filter(|g| *g > 1e-14).unwrap_or(0.0);
        Ok(Self { model, rows: n, features: d, design, y, response, moments, scale, steepest })
    }

    /// What a violation is measured by, in units of the target's standard deviation: the least λ·r at which all coefficients are 0, or
    /// that of a feature whose correlation with the target is 1e-4, if that is more: a share of less is lost in rounding.
    pub fn unit(&self) -> f64 {
        self.steepest.max(1e-4)
    }

    /// The penalty of this λ, in units of the target's standard deviation.
    pub fn strength(&self, lambda: f64, l1_ratio: f64) -> Strength {
        Strength { l1: lambda * l1_ratio / self.scale[1], l2: lambda * (1.0 - l1_ratio) }
    }

    /// The mean loss without features, in units of the target's variance.
    pub fn null_loss(&self) -> f64 {
        match self.model {
            Model::Linear => 0.5,
            Model::Logistic => {
                let p = self.y.iter().sum::<f64>() / self.rows as f64;
                -p * p.ln() - (1.0 - p) * (1.0 - p).ln()
            }
        }
    }

    /// The least λ at which all coefficients are 0. A ridge has none; for it, and for what is nearly one, that of an elastic net
    /// with a share of 0.001 of L1, as in glmnet.
    pub fn largest_lambda(&self, l1_ratio: f64) -> f64 {
        self.steepest * self.scale[1] / l1_ratio.max(1e-3)
    }

    /// The curvature of the mean loss over all rows, at most: the largest eigenvalue of XᵀX/n, a quarter of it for logistic models; X has
    /// a column of ones.
    ///
    /// It is at most the p-th root of the trace of the p-th power, which is at most d^(1/p) times it. Each squaring of the matrix
    /// doubles p, so each makes a safe bound a tighter one.
    pub fn curvature(&self) -> f64 {
        let d = self.features + 1;
        let ones = vec![1.0; self.rows];
        let column = |j: usize| if j < self.features { self.design.column(j) } else { &ones };
        let mut m = vec![0.0; d * d];
        for (i, row) in m.chunks_exact_mut(d).enumerate() {
            row.iter_mut().enumerate().for_each(|(j, m)| *m = glm::dot(column(i), column(j)) / self.rows as f64);
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
        for j in 0..10 {
            let of = Standard::of(p.design.column(j).iter().copied());
            assert!(of.mean().abs() < 1e-12 && (of.sd() - 1.0).abs() < 1e-12);
        }
        // By power iteration, from below.
        let mut v = vec![1.0; 10];
        let mut largest = 0.0;
        for _ in 0..2000 {
            let mut w = [0.0; 10];
            for i in 0..p.rows {
                let row = || (0..10).map(|j| p.design.column(j)[i]);
                let z: f64 = row().zip(&v).map(|(x, v)| x * v).sum();
                w.iter_mut().zip(row()).for_each(|(w, x)| *w += z * x / p.rows as f64);
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
