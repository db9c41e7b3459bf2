//! What `ridgepole tune` takes.
use super::grid::{Setting, Space, Values};
use crate::{
    Failure,
    data::{Source, Table},
    number::exact,
    shell::Command,
    training::{Hyper, Training},
};
use std::path::PathBuf;

/// Chooses λ, p and batch norm of a small network by cross-validation: every setting is trained once per fold, many networks at once,
/// so that the GPU is busy.
///
/// λ and p each take values separated by commas, for a grid of all combinations, or with --random a range, such as 1e-5..1e-2.
/// Without any there are 30 settings: p from 0 to 0.5, proximal L1 from 0 to 0.1, batch norm off and on. Each network is early-stopped
/// on a validation share of its training folds, its best weights are restored, and it is scored on the held-out fold. Writes tune.html
/// (one file, works offline) and tune.json. The best setting is then trained on the rows of all folds, and written as model.json and
/// model.safetensors for `ridgepole predict`. After an interruption the same command resumes the search.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    /// Number of rows to use, drawn at random [default: all]
    #[arg(long, value_name = "N", help_heading = "Data")]
    pub(super) rows: Option<usize>,

    /// λ of L1 by its subgradient: gradient + λ·sign(w)
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true, help_heading = "Settings")]
    l1: Option<Values>,
    /// λ1 of the proximal step: soft threshold of lr·λ1 after each step, exact zeros
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true, help_heading = "Settings")]
    prox_l1: Option<Values>,
    /// λ of L2: gradient + 2·λ·w
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true, help_heading = "Settings")]
    l2: Option<Values>,
    /// λ2 of the proximal step: ÷(1 + 2·lr·λ2) after each step
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true, help_heading = "Settings")]
    prox_l2: Option<Values>,
    /// Decoupled weight decay: w - lr·λ·w at each step
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true, help_heading = "Settings")]
    decay: Option<Values>,
    /// Probability of dropping a hidden unit
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true, help_heading = "Settings")]
    p: Option<Values>,
    /// Batch norm before the ReLU of each hidden layer: off, on, or off,on
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum, help_heading = "Settings")]
    batch_norm: Vec<Switch>,
    /// Number of settings to draw at random, instead of all combinations
    #[arg(long, value_name = "N", help_heading = "Settings")]
    random: Option<usize>,

    /// Folds of the cross-validation
    #[arg(long, value_name = "K", default_value_t = 5, help_heading = "Validation")]
    pub(super) folds: usize,
    /// A column of --data that names the fold in which each row is held out, instead. It is no feature
    #[arg(long, value_name = "COLUMN", requires = "data", conflicts_with = "folds", help_heading = "Validation")]
    fold_column: Option<String>,
    /// Share of the training folds that early stopping validates on
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, help_heading = "Validation")]
    pub(super) stop_share: f64,
    /// Stop after this many epochs without a lower validation loss
    #[arg(long, value_name = "N", default_value_t = 5, help_heading = "Validation")]
    pub(super) patience: u32,
    /// Criterion of the best setting
    #[arg(long, value_enum, default_value_t = By::Score, help_heading = "Validation")]
    pub(super) by: By,
    /// Seed of folds, initial weights, row orders and dropout masks
    #[arg(long, value_name = "SEED", default_value_t = 1, help_heading = "Validation")]
    pub(super) seed: u64,

    #[command(flatten)]
    training: Training,
    /// Epochs, at most
    #[arg(long, value_name = "N", default_value_t = 60, help_heading = "Training")]
    epochs: usize,
    /// Networks trained at once, at most; results do not depend on it [default: as many as the device's buffers hold]
    #[arg(long, value_name = "N", help_heading = "Training")]
    pub(super) together: Option<usize>,

    /// Start over instead of resuming from the checkpoint of an interrupted run
    #[arg(long)]
    pub(super) fresh: bool,
    /// Where tune.html, tune.json and the model go, and tune.checkpoint until they are complete
    #[arg(long, value_name = "DIR", default_value = "ridgepole-tune")]
    pub(super) out: PathBuf,
    /// Use the adapter whose name contains this, in any case (see `ridgepole devices`)
    #[arg(long, value_name = "NAME")]
    pub(super) adapter: Option<String>,
}

/// Off or on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Switch {
    Off,
    On,
}

/// What settings are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Accuracy, or root of the mean squared error.
    Score,
    /// Cross-entropy, or squared error.
    Loss,
}

const EXAMPLES: &str = "\
Examples:
  ridgepole tune                                                   the digits, 30 settings, 5 folds
  ridgepole tune --prox-l1 0,0.01,0.03,0.1 --p 0,0.2,0.4           12 settings
  ridgepole tune --random 40 --l2 1e-6..1e-2 --p 0..0.6            40 draws
  ridgepole tune --data wine.csv --label quality --task regress    your own table";

impl Args {
    /// The data asked for.
    pub(super) fn table(&self) -> Result<Table, Failure> {
        self.source.table_by(self.fold_column.as_deref())
    }

    /// The settings asked for.
    pub(super) fn settings(&self) -> Result<Vec<Setting>, Failure> {
        let given = [&self.l1, &self.prox_l1, &self.l2, &self.prox_l2, &self.decay, &self.p];
        let batch_norm: Vec<bool> = self.batch_norm.iter().map(|s| *s == Switch::On).collect();
        let untouched = given.iter().all(|v| v.is_none()) && batch_norm.is_empty();
        let list = |v: &[f64]| Values::List(v.to_vec());
        let mut numbers = given.map(|v| v.clone().unwrap_or_else(|| list(&[0.0])));
        if untouched && self.random.is_none() {
            numbers[1] = list(&[0.0, 0.03, 0.1]);
            numbers[5] = list(&[0.0, 0.1, 0.2, 0.35, 0.5]);
        } else if untouched {
            numbers[1] = Values::Range(1e-3, 0.3);
            numbers[5] = Values::Range(0.0, 0.6);
        }
        let both = if untouched { vec![false, true] } else { vec![false] };
        let space = Space { numbers, batch_norm: if batch_norm.is_empty() { both } else { batch_norm } };
        space.check()?;
        match self.random {
            Some(n) if !(1..=10_000).contains(&n) => Err(Failure::usage(format!("--random is {n}, must be from 1 to 10000"))),
            Some(n) => space.random(n, self.seed),
            None => space.grid(),
        }
    }

    /// How networks are trained.
    pub(super) fn hyper(&self) -> Result<Hyper, Failure> {
        let bad = |name: &str, value: &dyn std::fmt::Display, range: &str| {
            Err(Failure::usage(format!("--{name} is {value}, must be {range}")))
        };
        if !(self.stop_share > 0.0 && self.stop_share <= 0.5) {
            return bad("stop-share", &exact(self.stop_share), "greater than 0 and at most 0.5");
        }
        if !(1..=100_000).contains(&self.patience) {
            return bad("patience", &self.patience, "from 1 to 100000");
        }
        if self.together == Some(0) {
            return bad("together", &0, "at least 1");
        }
        self.training.hyper(self.epochs)
    }

    /// The options that determine the results, without the settings: with the options of one setting they retrain it.
    pub(super) fn command(&self) -> Command {
        let mut out = Command::new("ridgepole tune");
        self.source.typed(&mut out);
        if let Some(rows) = self.rows {
            out.option("rows", rows.to_string());
        }
        let numbers = [
            ("folds", self.folds.to_string(), "5"),
            ("stop-share", exact(self.stop_share), "0.1"),
            ("patience", self.patience.to_string(), "5"),
            ("epochs", self.epochs.to_string(), "60"),
        ];
        for (name, value, _) in numbers.iter().filter(|(_, value, default)| value != default) {
            out.option(name, value);
        }
        if let Some(column) = &self.fold_column {
            out.option("fold-column", column);
        }
        self.training.typed(&mut out);
        out.option("seed", self.seed.to_string());
        if let Some(adapter) = &self.adapter {
            out.option("adapter", adapter);
        }
        out
    }
}
