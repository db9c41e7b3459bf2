//! What was found: the numbers behind table, report and `path.json`.
use super::{
    Model,
    choose::Choice,
    problem::Problem,
    solve::{Penalty, Solved},
};
use crate::{
    number::{exact, significant},
    text,
};
use serde_json::{Value, json};

/// A gap above this is worth a notice, if no tolerance was asked for.
pub const WANTED: f64 = 1e-5;

/// The model of all rows at one λ.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The strength of the penalty.
    pub lambda: f64,
    /// Coefficients of the features in their own units; exactly 0 where the penalty leaves a feature out.
    pub coef: Vec<f64>,
    /// Coefficients of the features divided by their standard deviations: comparable with each other.
    pub standardized: Vec<f64>,
    /// The intercept.
    pub intercept: f64,
    /// The duality gap, as a fraction of the loss without features.
    pub gap: f64,
    /// Iterations until it was small enough.
    pub iterations: u32,
}

impl Fit {
    /// From the standardized scale to the data's own.
    pub fn new(problem: &Problem, lambda: f64, solved: &Solved) -> Self {
        let [mean, scale] = problem.scale;
        // Adding 0 makes a negative zero positive.
        let standardized: Vec<f64> = solved.coef[..problem.features].iter().map(|b| b * scale + 0.0).collect();
        let coef: Vec<f64> = standardized.iter().zip(&problem.moments).map(|(b, [_, sd])| b / sd).collect();
        let shift: f64 = coef.iter().zip(&problem.moments).map(|(b, [mean, _])| b * mean).sum();
        let intercept = mean + scale * solved.coef[problem.features] - shift;
        Self { lambda, coef, standardized, intercept, gap: solved.gap, iterations: solved.iterations }
    }

    /// How many features it uses.
    pub fn nonzeros(&self) -> usize {
        self.coef.iter().filter(|b| **b != 0.0).count()
    }
}

/// A whole path.
pub struct Paths {
    /// The device, in words.
    pub device: String,
    /// What the data are called.
    pub name: String,
    /// The features.
    pub columns: Vec<String>,
    /// How the table was read.
    pub table: Value,
    /// The column that is predicted.
    pub target: String,
    /// Names of the classes 0 and 1, for logistic models.
    pub classes: Option<[String; 2]>,
    /// Linear or logistic.
    pub model: Model,
    /// The penalty.
    pub penalty: Penalty,
    /// Rows.
    pub rows: usize,
    /// The fold in which each row was held out.
    pub folds: Vec<usize>,
    /// The models of all rows, λ descending.
    pub fits: Vec<Fit>,
    /// Number of models, including those of the folds, whose gap stayed above the tolerance.
    pub late: usize,
    /// The largest gap of all models.
    pub worst: f64,
    /// The λ chosen by cross-validation.
    pub choice: Choice,
    /// Wall time.
    pub seconds: f64,
}

impl Paths {
    /// What an error is called, in a table's head and in a sentence.
    pub fn error_name(&self) -> [&'static str; 2] {
        match self.model {
            Model::Linear => ["cv mse", "mean squared error"],
            Model::Logistic => ["cv loss", "mean logistic loss, in nats"],
        }
    }

    /// The penalty in words.
    pub fn penalty_name(&self) -> String {
        match self.penalty.l1_ratio {
            1.0 => "L1 (lasso)".into(),
            0.0 => "L2 (ridge)".into(),
            r => format!("elastic net, {} of it L1", exact(r)),
        }
    }

    /// The table of all λ and the two chosen models, for the terminal.
    pub fn table(&self) -> Vec<String> {
        let kind = if self.model == Model::Linear { "linear" } else { "logistic" };
        let mut out = vec![
            format!(
                "{}: {} rows, {}; {kind} model of {}, {}; {}, {} folds; {}",
                self.name,
                self.rows,
                text::count(self.columns.len(), "feature"),
                text::quoted(&self.target),
                self.penalty_name(),
                text::count(self.fits.len(), "strength"),
                self.choice.errors.first().map_or(0, Vec::len),
                self.device
            ),
            format!("{:>12} {:>9} {:>12} {:>10} {:>9} {:>10}", "λ", "non-zeros", self.error_name()[0], "se", "gap", "iterations"),
        ];
        for (i, (fit, [mean, error])) in self.fits.iter().zip(&self.choice.curve).enumerate() {
            let mark = match i {
                i if i == self.choice.best => "  best",
                i if i == self.choice.one_se => "  one standard error",
                _ => "",
            };
            let (lambda, mean, error) = (short(fit.lambda), short(*mean), short(*error));
            let (used, gap, iterations) = (fit.nonzeros(), tiny(fit.gap), fit.iterations);
            out.push(format!("{lambda:>12} {used:>9} {mean:>12} {error:>10} {gap:>9} {iterations:>10}{mark}"));
        }
        let [best, simple] = [self.choice.best, self.choice.one_se].map(|i| &self.fits[i]);
        let columns: Vec<_> = self.columns.iter().map(|c| text::visible(&text::short(c)).into_owned()).collect();
        let width = columns.iter().map(|c| c.chars().count()).max().unwrap_or(0).max(9);
        out.push(format!("{:width$} {:>14} {:>14}", "", "best", "one se"));
        let row = |name: &str, a: f64, b: f64| format!("{name:width$} {:>14} {:>14}", short(a), short(b));
        out.push(row("λ", best.lambda, simple.lambda));
        out.push(row("intercept", best.intercept, simple.intercept));
        out.extend(columns.iter().zip(best.coef.iter().zip(&simple.coef)).map(|(name, (a, b))| row(name, *a, *b)));
        out
    }

    /// Notices about the precision reached.
    pub fn notices(&self) -> Vec<String> {
        if self.late == 0 {
            return Vec::new();
        }
        let all = self.fits.len() * (1 + self.choice.errors.first().map_or(0, Vec::len));
        vec![format!(
            "notice: {} of {all} models have a duality gap above {}, the largest {}: single precision does not reach smaller ones \
             here, or not within the limit of iterations",
            self.late,
            exact(self.penalty.tolerance.unwrap_or(WANTED)),
            tiny(self.worst)
        )]
    }

    /// Everything, as `path.json` has it.
    pub fn json(&self, seed: u64) -> Value {
        let fit = |(i, f): (usize, &Fit)| {
            json!({
                "lambda": f.lambda,
                "intercept": f.intercept,
                "coefficients": f.coef,
                "standardized": f.standardized,
                "nonzeros": f.nonzeros(),
                "gap": f.gap,
                "iterations": f.iterations,
                "cv_mean": self.choice.curve[i][0],
                "cv_se": self.choice.curve[i][1],
                "cv_folds": self.choice.errors[i],
            })
        };
        json!({
            "data": self.name,
            "rows": self.rows,
            "target": self.target,
            "classes": self.classes,
            "columns": self.columns,
            "table": self.table,
            "model": self.model,
            "l1_ratio": self.penalty.l1_ratio,
            "tolerance": self.penalty.tolerance,
            "unfinished": self.late,
            "largest_gap": self.worst,
            "cv_error": self.error_name()[1],
            "seed": seed,
            "folds": self.folds,
            "path": self.fits.iter().enumerate().map(fit).collect::<Vec<_>>(),
            "best": { "index": self.choice.best, "lambda": self.fits[self.choice.best].lambda },
            "one_standard_error": { "index": self.choice.one_se, "lambda": self.fits[self.choice.one_se].lambda },
            "device": self.device,
            "seconds": self.seconds,
        })
    }
}

/// Five significant digits; "0" for 0.
pub fn short(v: f64) -> String {
    significant(v, 5)
}

/// A power of ten and two digits; "0" for 0.
pub fn tiny(v: f64) -> String {
    if v == 0.0 { "0".into() } else { format!("{v:.1e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_matter() {
        let all = [0.0, 1.0, -302.3987, 45.160_03, 0.000_123_456, 1.5e-9, 98_765.43, 1e9].map(short);
        assert_eq!(all, ["0", "1.0000", "-302.40", "45.160", "0.00012346", "1.5000e-9", "98765", "1.0000e9"]);
        assert_eq!([0.0, 2.34e-7].map(tiny), ["0", "2.3e-7"]);
    }
}
