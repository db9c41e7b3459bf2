//! How much work a study is, how long what is left takes, and how long each part took.
use super::Config;
use crate::{
    Progress, Ui,
    data::{Table, Targets, split::Split},
};
use std::{cell::Cell, time::Instant};

/// What a piece of work costs, in multiplications and what takes as long.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// For each network.
    each: f64,
    /// Once, however many there are: dispatches.
    once: f64,
}

impl Effort {
    /// For so many networks at once.
    pub fn of(self, networks: usize) -> f64 {
        networks as f64 * self.each + self.once
    }
}

/// What networks cost that are trained at once.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// An epoch of training steps.
    pub step: Effort,
    /// Measuring training and validation part.
    pub watch: Effort,
    /// Measuring the test part, and the wrong labels.
    pub look: Effort,
    /// Measuring all parts with the best weights.
    pub score: Effort,
    /// A pass over the test part with dropout.
    pub pass: Effort,
}

/// What an output of a layer costs beside the multiplications, one with dropout, one that is normalized, more in a step than when it is
/// measured, a parameter in a step of the optimizer, and a dispatch: measured on a software driver, with networks of 16 to 512 units.
const ELEMENT: f64 = 40.0;
const SAMPLED: f64 = 80.0;
const NORMED: [f64; 2] = [90.0, 15.0];
const PARAMETER: f64 = 25.0;
const DISPATCH: f64 = 3e4;

impl Cost {
    /// For these data, of networks with batch norm or without.
    pub fn new(table: &Table, config: &Config, split: &Split, batch_norm: bool) -> Self {
        let outputs = match &table.targets {
            Targets::Classes { names, .. } => names.len(),
            Targets::Values(_) => 1,
        };
        let widths: Vec<f64> =
            [&[table.columns.len()], &config.hyper.hidden[..], &[outputs]].concat().iter().map(|&w| w as f64).collect();
        let layers = widths.len() as f64;
        let parameters: f64 = widths.windows(2).map(|w| w[0] * w[1]).sum();
        let normed = if batch_norm { NORMED } else { [0.0; 2] };
        let with = |each: f64| parameters + each * widths.iter().sum::<f64>();
        let (trained, row, drawn) = (with(ELEMENT + normed[0]), with(ELEMENT + normed[1]), with(SAMPLED + normed[1]));
        let [train, validation, test] = [&split.train, &split.validation, &split.test].map(|part| part.len() as f64);
        let steps = (split.train.len() / config.hyper.batch.min(split.train.len())) as f64;
        let wrong = config.noise * train;
        let forward = |rows: f64, parts: f64| Effort { each: rows * row, once: parts * 2.0 * layers * DISPATCH };
        Self {
            step: Effort { each: 3.0 * train * trained + steps * PARAMETER * parameters, once: steps * 5.0 * layers * DISPATCH },
            watch: forward(train + validation, 2.0),
            look: forward(test + wrong, 2.0),
            score: forward(train + validation + test + wrong, 4.0),
            pass: Effort { each: test * drawn, once: 2.0 * layers * DISPATCH },
        }
    }

    /// Networks from their first to their last epoch, of which some have so many passes of dropout.
    pub fn networks(&self, networks: usize, epochs: usize, (some, passes): (usize, u64)) -> f64 {
        let looks = looks(epochs).len() as f64;
        let training = epochs as f64 * (self.step.of(networks) + self.watch.of(networks));
        let sampling = if some > 0 { passes as f64 * self.pass.of(some) } else { 0.0 };
        training + looks * self.look.of(networks) + self.score.of(networks) + sampling
    }

    /// An epoch of training steps of a cross-validation in so many folds, for networks that are trained at once. They are hundreds, and one of
    /// them takes two thirds of the time that it takes among the few of a study (measured on a software driver).
    pub fn trial(&self, networks: usize, folds: usize) -> f64 {
        const MANY: f64 = 0.68;
        self.step.of(networks) * (1.0 - 1.0 / folds as f64) * MANY
    }
}

/// The epochs after which the test part is looked at: all, or 20 of which each is later than the one before by about the same factor, as
/// most is learned at the start; the last among them.
pub fn looks(epochs: usize) -> Vec<usize> {
    const MOST: usize = 20;
    let mut all: Vec<usize> = Vec::new();
    for i in 0..MOST.min(epochs) {
        let place = (epochs as f64).powf(i as f64 / (MOST - 1) as f64).round() as usize;
        let next = all.last().map_or(1, |last| last + 1);
        all.push(if epochs <= MOST { next } else { place.max(next) });
    }
    all
}

/// Progress of work that is known in advance.
pub struct Work<'a> {
    progress: Progress<'a>,
    total: f64,
    done: Cell<f64>,
    /// When the first piece was done, and how much that was.
    first: Cell<Option<(Instant, f64)>>,
}

impl<'a> Work<'a> {
    /// Nothing of it is done.
    pub fn new(ui: &'a Ui, total: f64) -> Self {
        Self { progress: ui.progress("study, percent", 100), total, done: Cell::new(0.0), first: Cell::new(None) }
    }

    /// So much more is done, in the unit of the total.
    pub fn done(&self, cost: f64, what: &str) {
        self.done.set(self.done.get() + cost);
        let done = self.done.get();
        let percent = (100.0 * (done / self.total).min(1.0)) as u64;
        let text = match self.first.get() {
            // While the first piece is done, kernels are compiled: that is no pace.
            None => {
                self.first.set(Some((Instant::now(), done)));
                what.to_string()
            }
            Some((since, before)) => format!("{what}, {}", left(since.elapsed().as_secs_f64(), done - before, self.total - done)),
        };
        self.progress.on(text);
        self.progress.done(percent.saturating_sub(self.progress.position()));
    }
}

/// What is left takes, in words, at the pace of what was done in so many seconds.
fn left(seconds: f64, done: f64, rest: f64) -> String {
    let left = seconds * rest.max(0.0) / done;
    if left < 300.0 { format!("about {left:.0} s left") } else { format!("about {:.0} min left", left / 60.0) }
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
        assert_eq!(left(10.0, 1.0, 3.0), "about 30 s left");
        assert_eq!(left(10.0, 2.0, 0.0), "about 0 s left");
        assert_eq!(left(10.0, 1.0, 99.0), "about 16 min left");
    }

    #[test]
    fn all_work_that_is_done_is_all_that_was_expected() {
        let ui = Ui::listening();
        let work = Work::new(&ui, 40.0);
        (0..4).for_each(|_| work.done(10.0, "4 networks"));
        assert_eq!(work.progress.position(), 100);
    }
}
