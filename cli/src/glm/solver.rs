//! Solves all models, a set of rows to a task, on all cores.
use super::{Family, Plan, Solution, Strength, covariance::Folds, walk::Walk};
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// Whoever watched has ended the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Models to start from.
#[derive(Clone, Copy, Debug)]
pub struct Starts<'a> {
    /// By set of rows, at each strength.
    pub models: &'a [Vec<Solution>],
    /// One that uses more features stays as it is.
    pub most: usize,
}

/// The fold that a set of rows is without.
fn without(set: usize) -> Option<usize> {
    set.checked_sub(1)
}

impl Plan<'_> {
    /// Solves all models on all cores: for each set of rows, a model at each strength. `watch` is told
    /// the place of each strength that is done, and what it took; as soon as it says no, that is the end.
    ///
    /// # Errors
    /// [`Stopped`] then.
    pub fn solve(
        &self,
        starts: Option<Starts>,
        watch: &(dyn Fn(usize, Duration) -> bool + Sync),
    ) -> Result<Vec<Vec<Solution>>, Stopped> {
        let worth = self.family == Family::Linear && starts.is_none();
        let worth = worth && Folds::worth(self.design, self.count, self.sets() * self.strengths.len());
        let folds = worth.then(|| Folds::new(self.design, self.folds, self.count));
        let one = |set: usize| {
            let mut last = Instant::now();
            let mut watch = |k: usize| watch(k, std::mem::replace(&mut last, Instant::now()).elapsed());
            let walk = Walk::new(self, without(set), folds.as_ref());
            walk.along(starts.map(|starts| (&starts.models[set][..], starts.most)), &mut watch).ok_or(Stopped)
        };
        (0..self.sets()).into_par_iter().with_max_len(1).map(one).collect()
    }

    /// The violations and gaps of models that came from elsewhere, by set of rows, recomputed from X.
    pub fn check(&self, models: &[Vec<Solution>]) -> Vec<Vec<Solution>> {
        let one = |(set, models): (usize, &Vec<Solution>)| {
            let mut walk = Walk::new(self, without(set), None);
            let checked = |(model, &strength): (&Solution, &Strength)| {
                walk.hold(model);
                let found = walk.solution(strength);
                Solution { violation: found.violation, gap: found.gap, ..model.clone() }
            };
            models.iter().zip(self.strengths).map(checked).collect()
        };
        models.par_iter().enumerate().with_max_len(1).map(one).collect()
    }
}
