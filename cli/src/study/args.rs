//! What `ridgepole study` takes.
use super::{
    Config,
    data::{Table, Task},
    split::Sizes,
    train::{Hyper, Optimizer},
    treatments::{Strengths, Treatment},
};
use crate::Failure;
use std::path::PathBuf;

/// Trains a small network once per regularizer and seed, and shows what each does to the gap between training and test.
///
/// Without data of your own it uses 1,797 handwritten digits that come with the program, 200 of them for training, so that
/// an unregularized network overfits. Writes report.html (one file, works offline) and results.json.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Your own table: CSV with a header line, gzip-compressed or not
    #[arg(long, value_name = "FILE", requires = "label", conflicts_with = "mnist", help_heading = "Data")]
    data: Option<PathBuf>,
    /// The column of --data to predict
    #[arg(long, value_name = "COLUMN", requires = "data", help_heading = "Data")]
    label: Option<String>,
    /// What kind of column it is [default: classes for text and up to 20 distinct integers, else a number]
    #[arg(long, requires = "data", help_heading = "Data")]
    task: Option<Task>,
    /// A folder with the four IDX files of MNIST or of a set like it, gzip-compressed or not
    #[arg(long, value_name = "DIR", help_heading = "Data")]
    mnist: Option<PathBuf>,
    /// Rows to train with [default: 200, or half of the rows if there are fewer than 400]
    #[arg(long, value_name = "N", help_heading = "Data")]
    train_rows: Option<usize>,
    /// Rows to validate with [default: a quarter of the rest, at most 2000]
    #[arg(long, value_name = "N", help_heading = "Data")]
    validation_rows: Option<usize>,
    /// Rows to test with [default: what is left, at most 10000]
    #[arg(long, value_name = "N", help_heading = "Data")]
    test_rows: Option<usize>,

    /// Which treatments, separated by commas [default: all]
    #[arg(long, value_delimiter = ',', value_name = "LIST", help_heading = "Treatments")]
    treatments: Vec<Treatment>,
    /// λ of l1: gradient + λ·sign(w)
    #[arg(long, value_name = "λ", default_value_t = 3e-4, help_heading = "Treatments")]
    l1: f64,
    /// λ1 of l1-prox and elastic-net: soft threshold of lr·λ1 after each step
    #[arg(long, value_name = "λ", default_value_t = 0.1, help_heading = "Treatments")]
    prox_l1: f64,
    /// λ of l2 and combined: gradient + 2·λ·w
    #[arg(long, value_name = "λ", default_value_t = 1e-3, help_heading = "Treatments")]
    l2: f64,
    /// λ2 of elastic-net: ÷(1 + 2·lr·λ2) after each step
    #[arg(long, value_name = "λ", default_value_t = 0.5, help_heading = "Treatments")]
    prox_l2: f64,
    /// λ of weight-decay: w - lr·λ·w at each step
    #[arg(long, value_name = "λ", default_value_t = 1.0, help_heading = "Treatments")]
    decay: f64,
    /// Probability of dropping a hidden unit, for dropout and combined
    #[arg(long, value_name = "P", default_value_t = 0.2, help_heading = "Treatments")]
    p: f64,

    /// Units of the hidden layers, multiples of 4
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_value = "128,64", help_heading = "Training")]
    hidden: Vec<usize>,
    /// Passes over the training rows
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Training")]
    epochs: usize,
    /// Rows per step
    #[arg(long, value_name = "N", default_value_t = 50, help_heading = "Training")]
    batch: usize,
    /// Learning rate
    #[arg(long, value_name = "RATE", default_value_t = 2e-3, help_heading = "Training")]
    lr: f64,
    /// Optimizer
    #[arg(long, value_enum, default_value_t = Optimizer::AdamW, help_heading = "Training")]
    optimizer: Optimizer,
    /// Runs per treatment; each draws its own split, first weights, batches and masks
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "Training")]
    seeds: u64,
    /// The first seed
    #[arg(long, value_name = "SEED", default_value_t = 1, help_heading = "Training")]
    seed: u64,

    /// Where report.html and results.json go
    #[arg(long, value_name = "DIR", default_value = "ridgepole-study")]
    pub(super) out: PathBuf,
    /// Use the adapter whose name contains this (see `ridgepole devices`)
    #[arg(long, value_name = "NAME")]
    pub(super) adapter: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  ridgepole study                                                the digits, all treatments
  ridgepole study --treatments none,l1-prox --prox-l1 0.5        what a stronger λ does
  ridgepole study --data wine.csv --label quality --task regress your own table
  ridgepole study --mnist ~/mnist --train-rows 1000 --epochs 40  MNIST's files";

impl Args {
    /// The data asked for.
    pub(super) fn table(&self) -> Result<Table, Failure> {
        match (&self.data, &self.label, &self.mnist) {
            (Some(path), Some(label), _) => Table::csv(path, label, self.task),
            (_, _, Some(folder)) => Table::mnist(folder),
            _ => Table::digits(),
        }
    }

    /// The study asked for. `rows`: how many there are to train and validate with.
    pub(super) fn config(&self, rows: usize) -> Result<Config, Failure> {
        let treatments = if self.treatments.is_empty() { Treatment::ALL.to_vec() } else { self.treatments.clone() };
        for (i, t) in treatments.iter().enumerate() {
            if treatments[..i].contains(t) {
                return Err(Failure::usage(format!("--treatments names {} twice", t.key())));
            }
        }
        let strengths =
            Strengths { l1: self.l1, prox_l1: self.prox_l1, l2: self.l2, prox_l2: self.prox_l2, decay: self.decay, p: self.p };
        strengths.check()?;
        let bad = |name: &str, value: &dyn std::fmt::Display, range: &str| {
            Err(Failure::usage(format!("--{name} is {value}, must be {range}")))
        };
        if let Some(h) = self.hidden.iter().find(|&&h| h == 0 || !h.is_multiple_of(4) || h > 8192) {
            return bad("hidden", h, "multiples of 4 up to 8192");
        }
        if !(1..=100_000).contains(&self.epochs) {
            return bad("epochs", &self.epochs, "from 1 to 100000");
        }
        if !(2..=8192).contains(&self.batch) {
            return bad("batch", &self.batch, "from 2 to 8192");
        }
        if !(self.lr > 0.0 && self.lr <= 1e3) {
            return bad("lr", &self.lr, "greater than 0 and at most 1000");
        }
        if !(1..=1000).contains(&self.seeds) {
            return bad("seeds", &self.seeds, "from 1 to 1000");
        }
        let Some(end) = self.seed.checked_add(self.seeds) else {
            return bad("seed", &self.seed, "less than 2^64 - 1000");
        };
        let train = self.train_rows.unwrap_or_else(|| 200.min(rows / 2));
        Ok(Config {
            treatments,
            strengths,
            hyper: Hyper {
                hidden: self.hidden.clone(),
                epochs: self.epochs,
                batch: self.batch,
                lr: self.lr,
                optimizer: self.optimizer,
            },
            seeds: (self.seed..end).collect(),
            sizes: Sizes { train, validation: self.validation_rows, test: self.test_rows },
        })
    }
}
