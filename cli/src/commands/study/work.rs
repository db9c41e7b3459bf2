//! How much work a study is, how long what is left takes, and how long each part took.
use super::Config;
use crate::{
    Progress, Ui,
    data::{Table, Targets, split::Split},
};
use std::{cell::Cell, time::Instant};

/// What one network costs, in multiplications and what takes as long.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// An epoch of training steps.
    pub step: f64,
    /// Measuring training and validation part.
    pub watch: f64,
    /// Measuring the test part, and the wrong labels.
    pub look: f64,
    /// Measuring all parts with the best weights.
    pub score: f64,
    /// A pass over the test part with dropout.
    pub pass: f64,
}

/// What an output of a layer, and a parameter in a step of the optimizer, cost beside the multiplications: measured on a software driver
/// and on a GPU.
const ELEMENT: f64 = 40.0;
const STEP: f64 = 25.0;

impl Cost {
    /// For these data.
    pub fn new(table: &Table, config: &Config, split: &Split) -> Self {
        let outputs = match &table.targets {
            Targets::Classes { names, .. } => names.len(),
            Targets::Values(_) => 1,
        };
        let widths: Vec<f64> =
            [&[table.columns.len()], &config.hyper.hidden[..], &[outputs]].concat().iter().map(|&w| w as f64).collect();
        let parameters: f64 = widths.windows(2).map(|w| w[0] * w[1]).sum();
        let row = parameters + ELEMENT * widths.iter().sum::<f64>();
        let [train, validation, test] = [&split.train, &split.validation, &split.test].map(|part| part.len() as f64);
        let steps = (split.train.len() / config.hyper.batch.min(split.train.len())) as f64;
        let wrong = config.noise * train;
        Self {
            step: 3.0 * train * row + steps * STEP * parameters,
            watch: (train + validation) * row,
            look: (test + wrong) * row,
            score: (train + validation + test + wrong) * row,
            pass: 1.5 * test * row,
        }
    }

    /// A network from its first to its last epoch, without passes of dropout.
    pub fn network(&self, epochs: usize) -> f64 {
        epochs as f64 * (self.step + self.watch) + super::train::looks(epochs).len() as f64 * self.look + self.score
    }

    /// A network of a cross-validation in so many folds.
    pub fn trial(&self, epochs: usize, folds: usize) -> f64 {
        epochs as f64 * self.step * (1.0 - 1.0 / folds as f64)
    }
}

/// Progress of work that is known in advance.
pub struct Work<'a> {
    progress: Progress<'a>,
    start: Instant,
    total: f64,
    done: Cell<f64>,
}

impl<'a> Work<'a> {
    /// Nothing of it is done.
    pub fn new(ui: &'a Ui, total: f64) -> Self {
        Self { progress: ui.progress("study, percent", 100), start: Instant::now(), total, done: Cell::new(0.0) }
    }

    /// So much more is done, in the unit of the total.
    pub fn done(&self, cost: f64, what: &str) {
        self.done.set(self.done.get() + cost);
        let share = (self.done.get() / self.total).min(1.0);
        let percent = (100.0 * share) as u64;
        let left = left(self.start.elapsed().as_secs_f64(), share);
        self.progress.on(format!("{what}, {left}"));
        self.progress.done(percent.saturating_sub(self.progress.position()));
    }
}

/// The time left, in words, at the pace so far.
fn left(seconds: f64, share: f64) -> String {
    let left = seconds * (1.0 - share) / share;
    if left < 100.0 { format!("about {left:.0} s left") } else { format!("about {:.0} min left", (left / 60.0).ceil()) }
}

/// How long parts of the work took, of which some come several times.
pub struct Clock {
    since: Instant,
    parts: Vec<(&'static str, f64)>,
}

impl Clock {
    /// It runs.
    pub fn new() -> Self {
        Self { since: Instant::now(), parts: Vec::new() }
    }

    /// What went on since the last call, or the start, was this.
    pub fn to(&mut self, part: &'static str) {
        let seconds = self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
        match self.parts.iter_mut().find(|(p, _)| *p == part) {
            Some((_, sum)) => *sum += seconds,
            None => self.parts.push((part, seconds)),
        }
    }

    /// All parts, in the order of their first time.
    pub fn parts(self) -> Vec<(&'static str, f64)> {
        self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_told_in_words() {
        assert_eq!(left(10.0, 0.25), "about 30 s left");
        assert_eq!(left(10.0, 1.0), "about 0 s left");
        assert_eq!(left(10.0, 0.01), "about 17 min left");
    }
}
