//! What was found: the numbers behind table, report and `path.json`.
use super::{
    Model,
    choose::Choice,
    problem::Problem,
    solve::{Begun, Penalty},
};
use crate::{
    data::Table,
    glm::{Family, Solution},
    model::{self, Linear},
    number::{exact, significant},
    text,
};
use serde_json::{Value, json};

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
    /// The largest violation of the optimality conditions, as a share of the least λ·r that leaves no feature.
    pub violation: f64,
    /// Passes over the features of the working set, steps of Newton's, and iterations of a GPU.
    pub passes: u32,
}

impl Fit {
    /// From the standardized scale to the data's own.
    pub fn new(problem: &Problem, lambda: f64, solved: &Solution) -> Self {
        let [mean, scale] = problem.scale;
        let mut standardized = vec![0.0; problem.features];
        solved.coef.iter().for_each(|&(j, b)| standardized[j] = b * scale);
        let coef: Vec<f64> = standardized.iter().zip(&problem.moments).map(|(b, [_, sd])| b / sd).collect();
        let shift: f64 = coef.iter().zip(&problem.moments).map(|(b, [mean, _])| b * mean).sum();
        let intercept = mean + scale * solved.intercept - shift;
        let (gap, violation) = (solved.gap / problem.null_loss(), solved.violation / problem.unit());
        Self { lambda, coef, standardized, intercept, gap, violation, passes: solved.passes }
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
    /// Number of models, including those of the folds, whose violation stayed above the tolerance.
    pub late: usize,
    /// The largest violation of all models.
    pub worst: f64,
    /// What a GPU left to the host, if one began.
    pub begun: Option<Begun>,
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
            format!(
                "{:>12} {:>9} {:>12} {:>10} {:>9} {:>9} {:>7}",
                "λ",
                "non-zeros",
                self.error_name()[0],
                "se",
                "violation",
                "gap",
                "passes"
            ),
        ];
        for (i, (fit, [mean, error])) in self.fits.iter().zip(&self.choice.curve).enumerate() {
            let mark = match i {
                i if i == self.choice.best => "  best",
                i if i == self.choice.one_se => "  one standard error",
                _ => "",
            };
            let (lambda, mean, error) = (short(fit.lambda), short(*mean), short(*error));
            let (used, violation, gap, passes) = (fit.nonzeros(), tiny(fit.violation), tiny(fit.gap), fit.passes);
            out.push(format!("{lambda:>12} {used:>9} {mean:>12} {error:>10} {violation:>9} {gap:>9} {passes:>7}{mark}"));
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

    /// How exact the models are, in a line: the largest violation of the optimality conditions.
    pub fn exactness(&self) -> String {
        let all = self.fits.len() * (1 + self.choice.errors.first().map_or(0, Vec::len));
        let before = match self.begun {
            Some(Begun { worst, polish: 0, .. }) => format!(", all as single precision has them ({})", tiny(worst)),
            Some(Begun { worst, left: 0, .. }) => format!("; {} before the host finished them", tiny(worst)),
            Some(Begun { worst, left, polish }) => {
                format!("; {} before the host finished those with at most {polish} features, all but {left}", tiny(worst))
            }
            None => String::new(),
        };
        format!("largest violation of the optimality conditions in {all} models: {} of the largest λ·r{before}", tiny(self.worst))
    }

    /// Notices about the precision reached.
    pub fn notices(&self) -> Vec<String> {
        if self.late == 0 {
            return Vec::new();
        }
        let all = self.fits.len() * (1 + self.choice.errors.first().map_or(0, Vec::len));
        let why = match self.begun {
            Some(Begun { polish: 0, .. }) => {
                "single precision does not reach smaller ones here, or not within the limit of iterations; \
                                              without --polish 0 the host finishes them"
                    .to_string()
            }
            Some(Begun { left, polish, .. }) if left > 0 => {
                format!(
                    "{left} have more than {polish} features, and the host did not finish them: see --polish, or --device cpu"
                )
            }
            _ => "double precision does not reach smaller ones here".to_string(),
        };
        vec![format!(
            "notice: {} of {all} models violate the optimality conditions by more than {} of the largest λ·r, the worst by {}: {why}",
            self.late,
            significant(self.penalty.tolerance, 2),
            tiny(self.worst)
        )]
    }

    /// The models, as `predict` reads them.
    pub fn model(&self, table: &Table, problem: &Problem) -> model::Model {
        let fit = |f: &Fit| model::Fit { lambda: f.lambda, intercept: f.intercept, coef: f.coef.clone() };
        let linear = Linear {
            family: if self.model == Model::Linear { Family::Linear } else { Family::Logistic },
            path: self.fits.iter().map(fit).collect(),
            best: self.choice.best,
            one_se: self.choice.one_se,
        };
        let means: Vec<f64> = problem.moments.iter().map(|[mean, _]| *mean).collect();
        let how = format!("fitted by path to {} with a penalty of {}", text::count(self.rows, "row"), self.penalty_name());
        model::Model::of_path(table, &means, linear, how)
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
                "violation": f.violation,
                "gap": f.gap,
                "passes": f.passes,
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
            "worst_violation": self.worst,
            "solver": if self.begun.is_some() { "gpu" } else { "cpu" },
            "gpu": self.begun.map(|b| json!({ "worst_violation": b.worst, "polish": b.polish, "not_polished": b.left })),
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

/// A time in seconds, with a digit of those that are short.
pub fn seconds(v: f64) -> String {
    if v < 0.95 { significant(v, 1) } else { format!("{v:.1}") }
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
        assert_eq!([0.0123, 0.7, 0.96, 12.34].map(seconds), ["0.01", "0.7", "1.0", "12.3"]);
    }
}
