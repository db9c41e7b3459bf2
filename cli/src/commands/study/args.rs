//! What `ridgepole study` takes.
use super::{
    Config,
    treatments::{Strengths, Treatment},
};
use crate::{
    Failure,
    data::{Source, Table, noise, split::Sizes},
    training::Training,
};
use std::path::PathBuf;

/// Trains a small network once per regularizer and seed, and shows what each does to the gap between training and test.
///
/// Without --data it uses the 1,797 handwritten digits that come with the program, 200 of them for training, so that an
/// unregularized network overfits. Writes report.html (one file, works offline) and results.json.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    /// Training rows [default: 200, or half of the rows if there are fewer than 400]
    #[arg(long, value_name = "N", help_heading = "Data")]
    train_rows: Option<usize>,
    /// Validation rows [default: a quarter of the rest, at most 2000]
    #[arg(long, value_name = "N", help_heading = "Data")]
    validation_rows: Option<usize>,
    /// Test rows [default: what is left, at most 10000]
    #[arg(long, value_name = "N", help_heading = "Data")]
    test_rows: Option<usize>,

    /// Noise on the training labels: this share of them, 0 to 1, is replaced by another class, drawn from all others, so that each is wrong.
    /// Numbers get normal noise, with this share of their standard deviation. Validation and test rows keep theirs [default: 0.3 for the
    /// digits that come with the program, 0 for --data and --mnist]
    #[arg(long, value_name = "SHARE", help_heading = "Data")]
    label_noise: Option<f64>,

    /// Treatments, separated by commas [default: all]
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

    #[command(flatten)]
    training: Training,
    /// Epochs
    #[arg(long, value_name = "N", default_value_t = 80, help_heading = "Training")]
    epochs: usize,
    /// Runs per treatment, each with its own split, noise, initial weights, batches and dropout masks, the same for every treatment
    #[arg(long, value_name = "N", default_value_t = 12, help_heading = "Training")]
    seeds: u64,
    /// Monte-Carlo dropout passes over the test rows, for treatments with dropout; 0 for none
    #[arg(long, value_name = "PASSES", default_value_t = 30, help_heading = "Uncertainty")]
    monte_carlo: u64,
    /// Decompose test errors into bias² and variance over each treatment's strength, with this many networks on bootstrap samples per
    /// strength [default: 10]
    #[arg(long, value_name = "NETWORKS", num_args = 0..=1, default_missing_value = "10", help_heading = "Uncertainty")]
    decompose: Option<usize>,
    /// The first seed
    #[arg(long, value_name = "SEED", default_value_t = 1, help_heading = "Training")]
    seed: u64,

    /// Where report.html and results.json go
    #[arg(long, value_name = "DIR", default_value = "ridgepole-study")]
    pub(super) out: PathBuf,
    /// Use the adapter whose name contains this, in any case (see `ridgepole devices`)
    #[arg(long, value_name = "NAME")]
    pub(super) adapter: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  ridgepole study                                                the digits, all treatments
  ridgepole study --treatments none,l1-prox --prox-l1 0.5        what a stronger λ does
  ridgepole study --data wine.csv --label quality --task regress your own table
  ridgepole study --decompose --treatments none,l1-prox,dropout  bias² and variance over λ and p
  ridgepole study --label-noise 0 --seeds 20                     clean labels
  ridgepole study --mnist ~/mnist --train-rows 1000 --epochs 40  MNIST's files";

impl Args {
    /// The data asked for.
    pub(super) fn table(&self) -> Result<Table, Failure> {
        self.source.table()
    }

    /// The study asked for. `rows`: those for training and validation.
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
        let hyper = self.training.hyper(self.epochs)?;
        if !(1..=1000).contains(&self.seeds) {
            return Err(Failure::usage(format!("--seeds is {}, must be from 1 to 1000", self.seeds)));
        }
        let Some(end) = self.seed.checked_add(self.seeds) else {
            return Err(Failure::usage(format!("--seed is {}, must be less than 2^64 - 1000", self.seed)));
        };
        if self.monte_carlo == 1 || self.monte_carlo > 100_000 {
            return Err(Failure::usage(format!("--monte-carlo is {}, must be 0 or from 2 to 100000", self.monte_carlo)));
        }
        if let Some(n) = self.decompose.filter(|n| !(2..=1000).contains(n)) {
            return Err(Failure::usage(format!("--decompose is {n}, must be from 2 to 1000")));
        }
        let noise = self.label_noise.unwrap_or(if self.source.own() { 0.0 } else { 0.3 });
        noise::check(noise)?;
        let train = self.train_rows.unwrap_or_else(|| 200.min(rows / 2));
        Ok(Config {
            treatments,
            strengths,
            hyper,
            // Without the sign of a zero.
            noise: noise + 0.0,
            seeds: (self.seed..end).collect(),
            monte_carlo: self.monte_carlo,
            decompose: self.decompose,
            sizes: Sizes { train, validation: self.validation_rows, test: self.test_rows },
        })
    }
}
