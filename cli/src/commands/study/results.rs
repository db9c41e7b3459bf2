//! What a study found: the numbers behind table, report and `results.json`.
use super::{
    decompose::Decomposed,
    monte_carlo::MonteCarlo,
    treatments::{Strengths, Treatment},
    tuned::Tuned,
};
use crate::{
    data::Summary,
    number,
    stats::MeanSd,
    text,
    training::{Hyper, Measure},
};

/// A whole study.
pub struct Study {
    /// The device, in words.
    pub device: String,
    /// The data, in words and numbers.
    pub data: Summary,
    /// How all networks were trained.
    pub hyper: Hyper,
    /// How strong the treatments were; where each seed chose for itself, what is best over all seeds together.
    pub strengths: Strengths,
    /// What each seed chose, if strengths were chosen.
    pub tuned: Option<Tuned>,
    /// Noise on the training labels: the share of them that is wrong, or for values its deviation as a share of theirs.
    pub noise: f64,
    /// Of each seed, how many training labels are wrong; empty for values.
    pub wrong: Vec<usize>,
    /// Seeds of the runs.
    pub seeds: Vec<u64>,
    /// One entry per treatment, in the order asked for.
    pub outcomes: Vec<Outcome>,
    /// Monte-Carlo dropout, of each treatment that drops units.
    pub monte_carlo: Vec<MonteCarlo>,
    /// Bias and variance, if asked for.
    pub decomposition: Option<Decomposed>,
    /// The files of the network that is saved; none if it diverged.
    pub model: Vec<(&'static str, Vec<u8>)>,
    /// Wall time of each part, in seconds.
    pub times: Vec<(&'static str, f64)>,
    /// Wall time of everything.
    pub seconds: f64,
}

/// The result of one run.
#[derive(Clone, Debug)]
pub struct Run {
    /// After each epoch, on the training part with its noise and on the validation part.
    pub curve: Vec<[Measure; 2]>,
    /// At some epochs, more densely at the start; the last one is among them. With `early-stopping` those of `none`: the way, not what is
    /// chosen of it.
    pub looks: Vec<Look>,
    /// On training, validation and test part, by the weights that the treatment ends with: those of the last epoch, with
    /// `early-stopping` those of the best one.
    pub last: [Measure; 3],
    /// How many of the wrong training labels are predicted as they are given, by the same weights; none for values.
    pub learned: Option<usize>,
    /// The epoch of the lowest validation loss, from 1; 0 if it never was a finite number.
    pub best_epoch: usize,
    /// On all three parts by the weights of that epoch; by those before the first step if it is 0.
    pub best: [Measure; 3],
    /// The weights that the treatment ends with, without biases and normalization.
    pub weights: Vec<f32>,
}

/// A network on the way: what it has learned after an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// The epoch, from 1.
    pub epoch: usize,
    /// On the test part, whose labels are clean.
    pub test: Measure,
    /// How many of the wrong training labels are predicted as they are given; none for values.
    pub learned: Option<usize>,
}

/// A treatment's runs, one per seed.
pub struct Outcome {
    /// Which.
    pub treatment: Treatment,
    /// In the order of the seeds.
    pub runs: Vec<Run>,
}

/// Weights no larger than this count as small.
pub const SMALL: f32 = 1e-3;

impl Outcome {
    /// The score on training (0), validation (1) or test part (2).
    pub fn score(&self, part: usize) -> MeanSd {
        MeanSd::of(self.runs.iter().map(|r| r.last[part].score))
    }

    /// The loss on training (0), validation (1) or test part (2).
    pub fn loss(&self, part: usize) -> MeanSd {
        MeanSd::of(self.runs.iter().map(|r| r.last[part].loss))
    }

    /// How much worse the test part is than the training part.
    pub fn gap(&self, classes: bool) -> MeanSd {
        let sign = if classes { 1.0 } else { -1.0 };
        MeanSd::of(self.runs.iter().map(|r| sign * (r.last[0].score - r.last[2].score)))
    }

    /// Share of weights that are exactly 0.
    pub fn zeros(&self) -> MeanSd {
        MeanSd::of(self.runs.iter().map(|r| share(&r.weights, |w| w == 0.0)))
    }

    /// Share of weights within [`SMALL`] of 0, exact zeros included.
    pub fn small(&self) -> MeanSd {
        MeanSd::of(self.runs.iter().map(|r| share(&r.weights, |w| w.abs() <= SMALL)))
    }
}

/// The share of weights for which something holds.
pub fn share(weights: &[f32], is: impl Fn(f32) -> bool) -> f64 {
    weights.iter().filter(|&&w| is(w)).count() as f64 / weights.len() as f64
}

/// How the weights of a treatment are distributed, all seeds together; exact zeros and what is past the ends are not in it.
pub struct Histogram {
    /// Bins reach from -range to range.
    pub range: f64,
    /// Share of all weights in each bin.
    pub shares: Vec<f64>,
}

/// Bins of a histogram.
const BINS: usize = 60;

impl Study {
    /// Whether classes are predicted.
    pub fn classes(&self) -> bool {
        !self.data.classes.is_empty()
    }

    /// One range for all histograms: 99.5 % of the weights of the treatment with the widest ones.
    fn range(&self) -> f64 {
        let reach = |o: &Outcome| {
            let mut all: Vec<f32> = o.runs.iter().flat_map(|r| &r.weights).map(|w| w.abs()).filter(|w| w.is_finite()).collect();
            all.sort_by(f32::total_cmp);
            all.get(all.len() * 995 / 1000).copied().map_or(0.0, f64::from)
        };
        let widest = self.outcomes.iter().map(reach).fold(0.0, f64::max);
        if widest > 0.0 { widest } else { 1.0 }
    }

    /// One histogram per treatment, all over the same bins.
    pub fn histograms(&self) -> Vec<Histogram> {
        let range = self.range();
        let histogram = |o: &Outcome| {
            let mut counts = vec![0usize; BINS];
            let all = || o.runs.iter().flat_map(|r| &r.weights).map(|&w| f64::from(w));
            for w in all().filter(|w| *w != 0.0 && w.abs() < range) {
                counts[(((w + range) / (2.0 * range) * BINS as f64) as usize).min(BINS - 1)] += 1;
            }
            let total = all().count() as f64;
            Histogram { range, shares: counts.into_iter().map(|c| c as f64 / total).collect() }
        };
        self.outcomes.iter().map(histogram).collect()
    }

    /// What a treatment does, with its numbers.
    pub fn settings(&self, treatment: Treatment) -> String {
        let chosen = self.tuned.as_ref().and_then(|t| t.beside(treatment));
        let said = treatment.settings(&self.strengths);
        chosen.map_or(said.clone(), |chosen| format!("{said} (best over all seeds; {chosen})"))
    }

    /// A score or a difference of scores, with its spread.
    pub fn score(&self, s: MeanSd) -> String {
        if self.classes() { self.share(s) } else { self.number(s) }
    }

    /// A number with its spread over the seeds; one seed has none.
    pub fn number(&self, s: MeanSd) -> String {
        number::of_values(s.mean, s.sd, 3, self.seeds.len())
    }

    /// A share with its spread over the seeds, in percent.
    pub fn share(&self, s: MeanSd) -> String {
        format!("{} %", self.number(MeanSd { mean: 100.0 * s.mean, sd: 100.0 * s.sd }))
    }

    /// How many seeds there are, and what stands behind a ±.
    pub fn spread(&self) -> String {
        let seeds = text::count(self.seeds.len(), "seed");
        if self.seeds.len() == 1 { seeds } else { format!("{seeds}, mean ± standard deviation") }
    }
}
