//! What `ridgepole path` takes.
use super::{Model, device::Device};
use crate::{
    Failure,
    data::{Asks, Format, Table, Target, Task},
    number::exact,
};
use std::path::PathBuf;

/// Fits a linear or logistic model at every strength λ of a penalty, from one that excludes every feature to a negligible one, and
/// chooses λ by cross-validation.
///
/// It minimizes mean loss + λ·(r·Σ|b| + ½·(1 - r)·Σb²) over standardized features, r being --l1-ratio; the loss is half the squared
/// error, or that of logistic regression. Without FILE it uses the diabetes data that come with the program. Writes
/// path.html (one file, works offline), path.json, and model.json for `ridgepole predict`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Your own table: CSV with a header line, UTF-8 or UTF-16, gzip-compressed or not
    #[arg(value_name = "FILE", requires = "target")]
    file: Option<PathBuf>,
    /// The column to predict [default: that of the diabetes data, target]
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    #[command(flatten)]
    format: Format,
    /// Kind of model
    #[arg(long, value_enum, default_value_t = Model::Linear)]
    pub(super) model: Model,
    /// The share of L1 in the penalty: 1 is the lasso, 0 ridge regression
    #[arg(long, value_name = "R", default_value_t = 1.0)]
    pub(super) l1_ratio: f64,
    /// Number of λ, evenly spaced on a logarithmic scale
    #[arg(long, value_name = "N", default_value_t = 100)]
    lambdas: usize,
    /// The smallest λ, as a fraction of the largest
    #[arg(long, value_name = "RATIO", default_value_t = 1e-3)]
    eps: f64,
    /// These λ instead, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',', allow_negative_numbers = true, conflicts_with_all = ["lambdas", "eps"])]
    grid: Vec<f64>,
    /// Folds of the cross-validation
    #[arg(long, value_name = "K", default_value_t = 10)]
    pub(super) folds: usize,
    /// A column that names the fold in which each row is held out, instead. It is no feature
    #[arg(long, value_name = "COLUMN", conflicts_with = "folds")]
    fold_column: Option<String>,
    /// Seed of the folds
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub(super) seed: u64,
    /// What solves: the host (cpu), a GPU, or the one of them that suits the size
    #[arg(long, value_enum, default_value_t = Device::Auto)]
    pub(super) device: Device,
    /// The largest violation of the optimality conditions, by any feature of any model, as a share of the least λ·r that leaves no
    /// feature
    #[arg(long, value_name = "SHARE", default_value = "1e-9")]
    pub(super) tolerance: f64,
    /// The host finishes models of a GPU that have at most so many features, in f64; 0: none [default: 2000]
    #[arg(long, value_name = "FEATURES")]
    pub(super) polish: Option<usize>,
    /// Where path.html, path.json and model.json go
    #[arg(long, value_name = "DIR", default_value = "ridgepole-path")]
    pub(super) out: PathBuf,
    /// Use the adapter whose name contains this, in any case (see `ridgepole devices`)
    #[arg(long, value_name = "NAME")]
    pub(super) adapter: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  ridgepole path                                               the lasso on the diabetes data
  ridgepole path --l1-ratio 0.5                                an elastic net
  ridgepole path wine.csv --target quality --lambdas 50        your own table
  ridgepole path mail.csv.gz --target spam --model logistic    two classes
  ridgepole path --grid 10,5,2.5,1 --folds 5                   these strengths only
  ridgepole path --device cpu                                  on the host, whatever GPU there is";

const ASKS: Asks = Asks {
    column: "--target",
    numbers: "--model linear",
    classify: None,
    classes: "a logistic model takes 2 classes",
    most_classes: 2,
};

/// The column that a model is to predict.
pub fn target(column: &str, model: Model) -> Target<'_> {
    let task = match model {
        Model::Linear => Task::Regress,
        Model::Logistic => Task::Classify,
    };
    Target { column, task: Some(task), asks: &ASKS }
}

impl Args {
    /// The options that can be checked without the data.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let bad = |name: &str, value: &dyn std::fmt::Display, range: &str| {
            Err(Failure::usage(format!("--{name} is {value}, must be {range}")))
        };
        if !(0.0..=1.0).contains(&self.l1_ratio) {
            return bad("l1-ratio", &exact(self.l1_ratio), "from 0 to 1");
        }
        if !(2..=10_000).contains(&self.lambdas) {
            return bad("lambdas", &self.lambdas, "from 2 to 10000");
        }
        if !(self.eps > 0.0 && self.eps < 1.0) {
            return bad("eps", &exact(self.eps), "greater than 0 and less than 1");
        }
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            return bad("tolerance", &exact(self.tolerance), "greater than 0 and less than 1");
        }
        if self.device == Device::Cpu && self.adapter.is_some() {
            return Err(Failure::usage("--adapter chooses a GPU, but --device is cpu: leave one of them out"));
        }
        if self.device == Device::Cpu && self.polish.is_some() {
            return Err(Failure::usage("--polish finishes what a GPU began, but --device is cpu: leave one of them out"));
        }
        if let Some(l) = self.grid.iter().find(|l| !(**l > 0.0 && l.is_finite())) {
            return bad("grid", &format_args!("{} at one place", exact(*l)), "greater than 0 and finite everywhere");
        }
        if !(2..=1000).contains(&self.folds) {
            return bad("folds", &self.folds, "from 2 to 1000");
        }
        Ok(())
    }

    /// The data asked for.
    pub(super) fn table(&self) -> Result<Table, Failure> {
        let target = target(self.target.as_deref().unwrap_or("target"), self.model);
        match &self.file {
            Some(path) => Table::csv_as(path, target, &self.format, self.fold_column.as_deref()),
            None => {
                let table = || Table::diabetes_as(target, &self.format, self.fold_column.as_deref());
                self.format.unused().and_then(|()| table())
            }
        }
    }

    /// The strengths asked for, in descending order; `scale` is the target's standard deviation, which λ of L1 is divided by.
    ///
    /// # Errors
    /// [`Failure::Usage`] if there are none, or if f32 cannot compute with one.
    pub(super) fn lambdas(&self, largest: f64, scale: f64) -> Result<Vec<f64>, Failure> {
        // f32 holds it, and products of it with what is standardized.
        const STRONGEST: f64 = 1e30;
        let lambdas = self.strengths(largest)?;
        let (most, r) = (lambdas[0], self.l1_ratio);
        if most * r / scale > STRONGEST || most * (1.0 - r) > STRONGEST {
            return Err(Failure::usage(format!(
                "the largest λ is {most:.1e}, with a target of standard deviation {scale:.1e}: λ·r divided by that, and λ·(1 - r), must be at \
                 most {STRONGEST:e}; divide the target by a constant, or see --grid"
            )));
        }
        Ok(lambdas)
    }

    fn strengths(&self, largest: f64) -> Result<Vec<f64>, Failure> {
        if !self.grid.is_empty() {
            let mut grid = self.grid.clone();
            grid.sort_by(|a, b| b.total_cmp(a));
            return match grid.windows(2).find(|w| w[0] == w[1]) {
                Some(w) => Err(Failure::usage(format!("--grid has {} twice", exact(w[0])))),
                None => Ok(grid),
            };
        }
        if !(largest > 0.0 && largest.is_finite()) {
            return Err(Failure::usage("no feature is correlated with the target: there is no path"));
        }
        let last = (self.lambdas - 1) as f64;
        Ok((0..self.lambdas).map(|i| largest * self.eps.powf(i as f64 / last)).collect())
    }
}
