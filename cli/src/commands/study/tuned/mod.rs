//! Fair strengths: λ and p of each treatment are chosen by cross-validation on the training rows alone.
//!
//! Each seed chooses for itself, on its own training rows with their noisy labels. A choice from all seeds together would know rows that
//! some of them test on, and more rows than whoever has one training part has. Held-out rows have noisy labels too: nobody knows which
//! are wrong. The noise does not depend on the features. So while a true label is likelier than each wrong one, a network that predicts more
//! true labels predicts more noisy ones too, on average: accuracy ranks as it would on clean labels. A cross-entropy would not, since it
//! also asks for doubt.
mod grid;
mod search;
#[cfg(test)]
mod tests;
mod words;

pub use grid::{Axis, Grid};
pub use search::Plan;

use crate::{
    Failure,
    commands::study::treatments::{Strengths, Treatment},
    data::{Table, Targets},
    stats::MeanSd,
    training::Measure,
};
use ridgepole::Session;
use std::cmp::Ordering;

/// A candidate's networks, one for each fold of a seed's training rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// On the held-out fold.
    pub folds: Vec<Measure>,
    /// The rows of each.
    pub rows: Vec<usize>,
}

/// One treatment: what was tried and chosen.
pub struct Search {
    /// Which.
    pub treatment: Treatment,
    /// The candidates.
    pub grid: Grid,
    /// By seed, then by candidate.
    pub tried: Vec<Vec<Tried>>,
    /// The candidate of each seed.
    pub chosen: Vec<usize>,
    /// The best one over all seeds together. The study does not use it.
    pub overall: usize,
}

/// The strengths chosen for a study.
pub struct Tuned {
    /// Folds of the cross-validation.
    pub folds: usize,
    /// Whether the score is an accuracy, else the root of a mean squared error.
    pub classes: bool,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// `none`, which has one candidate, and then the treatments.
    pub searches: Vec<Search>,
}

/// What a seed may look at to choose: its training rows, with the targets that they are given.
#[derive(Clone, Copy)]
pub struct Own<'a> {
    /// The seed.
    pub seed: u64,
    /// Its training rows.
    pub rows: &'a [usize],
    /// A target for each row of the table, of which only those of training rows are read.
    pub given: &'a Targets,
}

/// A score over held-out rows: the share that is right, or the root of the mean squared error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// Over all rows; NaN if a network diverged.
    pub score: f64,
    /// Standard error, from the spread of the folds.
    pub se: f64,
}

impl Held {
    /// Of these networks together.
    pub fn of<'a>(tried: impl Iterator<Item = &'a Tried> + Clone, classes: bool) -> Self {
        let all = tried.flat_map(|t| t.folds.iter().zip(&t.rows));
        if all.clone().any(|(m, _)| !m.loss.is_finite()) {
            return Self { score: f64::NAN, se: f64::NAN };
        }
        let (count, rows) = all.clone().fold((0.0, 0.0), |(count, sum), (_, &r)| (count + 1.0, sum + r as f64));
        let se = MeanSd::of(all.clone().map(|(m, _)| m.score)).sd / f64::sqrt(count);
        // Whole numbers of rows, so that equal candidates are equal.
        let score = if classes {
            all.map(|(m, &r)| (m.score * r as f64).round()).sum::<f64>() / rows
        } else {
            (all.map(|(m, &r)| m.score.powi(2) * r as f64).sum::<f64>() / rows).sqrt()
        };
        Self { score, se }
    }
}

impl Search {
    /// Chooses among what was tried: by seed, then by candidate.
    pub fn new(treatment: Treatment, grid: Grid, tried: Vec<Vec<Tried>>, classes: bool) -> Self {
        let chosen = tried.iter().map(|seed| best(&grid, |c| Held::of(std::iter::once(&seed[c]), classes), classes)).collect();
        let overall = best(&grid, |c| Held::of(tried.iter().map(|seed| &seed[c]), classes), classes);
        Self { treatment, grid, tried, chosen, overall }
    }

    /// The score of a candidate over all seeds.
    pub fn score(&self, candidate: usize, classes: bool) -> Held {
        Held::of(self.tried.iter().map(|seed| &seed[candidate]), classes)
    }

    /// On each axis, how many seeds chose the weakest value, and how many the strongest.
    pub fn at_ends(&self) -> Vec<[usize; 2]> {
        let count = |(i, axis): (usize, &Axis)| {
            [0, axis.values.len() - 1].map(|end| self.chosen.iter().filter(|&&c| self.grid.places(c)[i] == end).count())
        };
        self.grid.axes.iter().enumerate().map(count).collect()
    }
}

/// The best candidate; of equal ones the strongest. One that diverged is no candidate; if all did, the weakest.
fn best(grid: &Grid, score: impl Fn(usize) -> Held, classes: bool) -> usize {
    let better = |a: f64, b: f64| if classes { a.total_cmp(&b) } else { b.total_cmp(&a) };
    let all = (0..grid.count()).map(|c| (c, score(c).score)).filter(|(_, s)| s.is_finite());
    let order = |a: &(usize, f64), b: &(usize, f64)| -> Ordering {
        better(a.1, b.1).then_with(|| grid.strength(a.0).cmp(&grid.strength(b.0)))
    };
    all.max_by(order).map_or(0, |(c, _)| c)
}

impl Tuned {
    /// Chooses for each of these seeds. `tick` gets the seed and the number of networks that have trained for another epoch. Gives notices of
    /// what the training rows of folds lack, too.
    ///
    /// # Errors
    /// What [`Plan::search`] reports.
    pub fn choose(
        session: &Session,
        plan: &Plan,
        (table, seeds): (&Table, &[Own]),
        tick: &mut dyn FnMut(u64, usize),
    ) -> Result<(Self, Vec<String>), Failure> {
        let mut tried: Vec<Vec<Vec<Tried>>> = vec![Vec::new(); plan.grids.len()];
        let mut notices = Vec::new();
        for own in seeds {
            let (found, more) = plan.search(session, (table, own), &mut |networks| tick(own.seed, networks))?;
            notices.extend(more);
            tried.iter_mut().zip(found).for_each(|(all, one)| all.push(one));
        }
        let classes = plan.classes;
        let searches = plan.grids.iter().zip(tried);
        let searches = searches.map(|((t, grid), tried)| Search::new(*t, grid.clone(), tried, classes)).collect();
        let seeds = seeds.iter().map(|own| own.seed).collect();
        Ok((Self { folds: plan.folds, classes, seeds, searches }, notices))
    }

    /// The strengths of a seed, by its place.
    pub fn of_seed(&self, base: Strengths, seed: usize) -> Strengths {
        self.set(base, |search| search.chosen[seed])
    }

    /// The best strengths over all seeds together.
    pub fn overall(&self, base: Strengths) -> Strengths {
        self.set(base, |search| search.overall)
    }

    fn set(&self, mut strengths: Strengths, choice: impl Fn(&Search) -> usize) -> Strengths {
        self.searches.iter().for_each(|s| s.grid.set(choice(s), &mut strengths));
        strengths
    }

    /// The search of a treatment, if it was one.
    pub fn search(&self, treatment: Treatment) -> Option<&Search> {
        self.searches.iter().find(|s| s.treatment == treatment && !s.grid.axes.is_empty())
    }
}
