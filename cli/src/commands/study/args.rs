//! What `ridgepole study` takes.
use super::{
    Config,
    treatments::{Strengths, Treatment},
};
use crate::{
    Failure,
    data::{Source, Table, noise, split::Sizes},
    number::exact,
    training::Training,
};
use std::path::PathBuf;

/// Trains a small network once per regularizer and seed, and shows what each does to the gap between training and test.
///
/// Without --data it uses the 1,797 handwritten digits that come with the program, 200 of them for training, so that an
/// unregularized network overfits. Writes report.html (one file, works offline), results.json, and model.json with
/// model.safetensors for `ridgepole predict`.
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
    #[command(flatten)]
    strengths: Given,
    /// Choose the strengths of each treatment by cross-validation in K folds, for each seed on its training rows alone, with their noisy
    /// labels, since nobody knows which are wrong; then compare with them [default: 5]
    ///
    /// λ is tried at 8 values from weak to strong, p at 8 from 0.1 to 0.8, and of two strengths all 9 pairs of 3 values each. Every
    /// network is trained as those of the study are, for as many epochs. The best score over the held-out folds decides (accuracy, or
    /// root of the mean squared error); a tie goes to the stronger. No row that a seed validates or tests on is looked at for that seed,
    /// so seeds may choose differently. Takes some times as long as the study itself.
    #[arg(long, value_name = "K", num_args = 0..=1, default_missing_value = "5", help_heading = "Treatments")]
    tuned: Option<usize>,

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

    /// Where report.html, results.json and the model go
    #[arg(long, value_name = "DIR", default_value = "ridgepole-study")]
    pub(super) out: PathBuf,
    /// Use the adapter whose name contains this, in any case (see `ridgepole devices`)
    #[arg(long, value_name = "NAME")]
    pub(super) adapter: Option<String>,
}

/// The strengths that were given, one for each [`Knob`](super::treatments::Knob).
#[derive(Clone, Copy, Debug, Default, clap::Args)]
struct Given {
    /// λ of l1: gradient + λ·sign(w) [default: 0.01]
    #[arg(long, value_name = "λ", help_heading = "Treatments")]
    l1: Option<f64>,
    /// λ of l1-prox: soft threshold of lr·λ after each step [default: 0.5]
    #[arg(long, value_name = "λ", help_heading = "Treatments")]
    prox_l1: Option<f64>,
    /// λ of l2: gradient + 2·λ·w [default: 0.03]
    #[arg(long, value_name = "λ", help_heading = "Treatments")]
    l2: Option<f64>,
    /// λ1 of elastic-net: soft threshold of lr·λ1 after each step [default: 0.5]
    #[arg(long, value_name = "λ1", help_heading = "Treatments")]
    elastic_l1: Option<f64>,
    /// λ2 of elastic-net: then ÷(1 + 2·lr·λ2) [default: 0.4]
    #[arg(long, visible_alias = "prox-l2", value_name = "λ2", help_heading = "Treatments")]
    elastic_l2: Option<f64>,
    /// λ of weight-decay: w - lr·λ·w at each step [default: 3]
    #[arg(long, value_name = "λ", help_heading = "Treatments")]
    decay: Option<f64>,
    /// p of dropout: the probability of dropping a hidden unit [default: 0.6]
    #[arg(long, value_name = "P", help_heading = "Treatments")]
    p: Option<f64>,
    /// p of combined [default: 0.5]
    #[arg(long, value_name = "P", help_heading = "Treatments")]
    combined_p: Option<f64>,
    /// λ of combined: gradient + 2·λ·w [default: 0.002]
    #[arg(long, value_name = "λ", help_heading = "Treatments")]
    combined_l2: Option<f64>,
}

/// The strengths that `ridgepole study --tuned` chooses on the default data, over all its seeds: docs/study.md has its numbers.
pub const DEFAULTS: Strengths = Strengths {
    l1: 0.01,
    prox_l1: 0.5,
    l2: 0.03,
    elastic_l1: 0.5,
    elastic_l2: 0.4,
    decay: 3.0,
    p: 0.6,
    combined_p: 0.5,
    combined_l2: 0.002,
};

impl Given {
    /// What was given, in the order of the options.
    fn all(&self) -> [(&'static str, Option<f64>); 9] {
        let Self { l1, prox_l1, l2, elastic_l1, elastic_l2, decay, p, combined_p, combined_l2 } = *self;
        [
            ("l1", l1),
            ("prox-l1", prox_l1),
            ("l2", l2),
            ("elastic-l1", elastic_l1),
            ("elastic-l2", elastic_l2),
            ("decay", decay),
            ("p", p),
            ("combined-p", combined_p),
            ("combined-l2", combined_l2),
        ]
    }

    /// With the others as they are by default.
    fn strengths(&self) -> Result<Strengths, Failure> {
        let mut out = DEFAULTS;
        let given = self.all();
        for knob in Treatment::ALL.iter().flat_map(|t| t.knobs()) {
            let value = given.iter().find(|(option, _)| *option == knob.option).and_then(|(_, value)| *value);
            value.into_iter().for_each(|v| *(knob.of)(&mut out) = v);
        }
        out.check()?;
        Ok(out)
    }
}

const EXAMPLES: &str = "\
Examples:
  ridgepole study                                                the digits, all treatments
  ridgepole study --treatments none,l1-prox --prox-l1 0.1        what a weaker λ does
  ridgepole study --tuned --treatments none,l2,dropout           λ and p by cross-validation, then the comparison
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
        let strengths = self.strengths.strengths()?;
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
        if let Some(folds) = self.tuned {
            self.tunes(folds, train, &treatments)?;
        }
        Ok(Config {
            treatments,
            strengths,
            tuned: self.tuned,
            hyper,
            // Without the sign of a zero.
            noise: noise + 0.0,
            seeds: (self.seed..end).collect(),
            monte_carlo: self.monte_carlo,
            decompose: self.decompose,
            sizes: Sizes { train, validation: self.validation_rows, test: self.test_rows },
        })
    }

    /// Checks that there is something to choose, from so many training rows.
    fn tunes(&self, folds: usize, train: usize, treatments: &[Treatment]) -> Result<(), Failure> {
        if let Some((option, value)) = self.strengths.all().iter().find_map(|(option, v)| v.map(|v| (option, v))) {
            return Err(Failure::usage(format!(
                "--{option} is {}, but --tuned chooses it: leave out --{option} to have it chosen, or --tuned to use it",
                exact(value)
            )));
        }
        if treatments.iter().all(|t| t.knobs().is_empty()) {
            let named = treatments.iter().map(|t| t.key()).collect::<Vec<_>>().join(",");
            let with = Treatment::ALL.iter().filter(|t| !t.knobs().is_empty()).map(|t| t.key()).collect::<Vec<_>>().join(", ");
            return Err(Failure::usage(format!(
                "--tuned: --treatments is {named}, of which none has a strength to choose; these have one: {with}"
            )));
        }
        if !(2..=train).contains(&folds) {
            return Err(Failure::usage(format!("--tuned is {folds}, must be from 2 to the number of training rows, {train}")));
        }
        let left = train - train.div_ceil(folds);
        if left < 2 {
            return Err(Failure::usage(format!(
                "--tuned is {folds}: {train} training rows in {folds} folds leave {left} to train on, must leave 2: see --train-rows"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_states_the_strengths_that_are_used() {
        let command = <Args as clap::Args>::augment_args(clap::Command::new("study"));
        let knobs: Vec<_> = Treatment::ALL.iter().flat_map(|t| t.knobs()).collect();
        for knob in &knobs {
            let arg = command.get_arguments().find(|a| a.get_long() == Some(knob.option)).expect(knob.option);
            let help = arg.get_help().expect("every option has help").to_string();
            let default = format!("[default: {}]", exact(knob.get(&DEFAULTS)));
            assert!(help.ends_with(&default), "--{}: {help}: {default}", knob.option);
        }
        let mut options = Given::default().all().map(|(option, _)| option);
        let mut expected: Vec<&str> = knobs.iter().map(|k| k.option).collect();
        options.sort_unstable();
        expected.sort_unstable();
        assert_eq!(options[..], expected[..], "an option that is read and not used, or the other way round");
        assert_eq!(Given::default().strengths().unwrap(), DEFAULTS);
        let given = Given { combined_p: Some(0.7), elastic_l1: Some(0.3), ..Given::default() };
        assert_eq!(given.strengths().unwrap(), Strengths { combined_p: 0.7, elastic_l1: 0.3, ..DEFAULTS });
    }
}
