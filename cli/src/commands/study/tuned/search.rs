//! The networks of the cross-validation: for each seed, every candidate on every fold of its training rows, all in one fleet.
use super::{Own, Tried, grid::Grid};
use crate::{
    Failure,
    commands::study::treatments::{Strengths, Treatment},
    data::{
        Table, folds, in_training,
        prepare::{Prepared, prepare},
        split::Split,
    },
    training::{Fleet, Hyper, Member, Rule, room},
};
use ridgepole::Session;

/// The treatments that are searched, and how.
pub struct Plan<'a> {
    /// Those of the study that have a strength, and first of all `none`, to be compared with.
    pub grids: Vec<(Treatment, Grid)>,
    /// Folds of the cross-validation.
    pub folds: usize,
    /// Whether classes are predicted.
    pub classes: bool,
    /// How networks are trained, in the study too.
    pub hyper: &'a Hyper,
    /// What the strengths of other treatments are, which do not matter.
    pub base: Strengths,
}

impl<'a> Plan<'a> {
    /// For these treatments.
    pub fn new(treatments: &[Treatment], (folds, classes): (usize, bool), hyper: &'a Hyper, base: Strengths) -> Self {
        let some = treatments.iter().copied().filter(|t| !t.knobs().is_empty());
        let grids = std::iter::once(Treatment::None).chain(some).map(|t| (t, Grid::new(t))).collect();
        Self { grids, folds, classes, hyper, base }
    }

    /// Networks for each seed.
    pub fn networks(&self) -> usize {
        self.folds * self.grids.iter().map(|(_, grid)| grid.count()).sum::<usize>()
    }

    /// Tries all on the training rows of a seed: no other is read. Gives what was found for each treatment and
    /// candidate, and notices of what the training rows of a fold lack.
    ///
    /// # Errors
    /// What planning and running report, and [`Failure::Usage`] for rows that f32 cannot compute with.
    pub fn search(
        &self,
        session: &Session,
        (table, own): (&Table, &Own),
        tick: &mut dyn FnMut(usize),
    ) -> Result<(Vec<Vec<Tried>>, Vec<String>), Failure> {
        // The others are not there at all.
        let Own { seed, rows, given } = *own;
        let own = Table { targets: given.select(rows), ..table.select(rows) };
        let fold = folds::deal_all(&own, self.folds, seed)?;
        let split = |f: usize| {
            let (held, train): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|&r| fold[r] == f);
            // Nothing is validated on the way: the held-out fold stands in for both parts.
            Split { train, validation: held.clone(), test: held }
        };
        let splits: Vec<Split> = (0..self.folds).map(split).collect();
        let training = (1..).zip(splits.iter().map(|s| s.train.clone()));
        let notices = in_training(&own, &format!("seed {seed}, fold"), training);
        let prepared = splits.iter().map(|s| prepare(&own, s)).collect::<Result<Vec<Prepared>, _>>()?;
        room(session.gpu().caps(), &prepared, "use fewer with --train-rows, or fewer folds with --tuned")?;
        let rule = Rule { watch: [false; 2], patience: None };
        let fleet = Fleet { splits: &prepared, hyper: self.hyper, classes: self.classes, seed, rule };
        // All candidates begin alike on a fold, and as no network of the study does.
        let member = |recipe, f: usize| Member { recipe, split: f, seed: seed ^ ((f as u64 + 1) << 32) };
        let mut members = Vec::new();
        for (treatment, grid) in &self.grids {
            for candidate in 0..grid.count() {
                let mut strengths = self.base;
                grid.set(candidate, &mut strengths);
                members.extend((0..self.folds).map(|f| member(treatment.recipe(&strengths), f)));
            }
        }
        let measures = fleet.train(session, &members, tick, |trainer| trainer.score())?;
        let held: Vec<usize> = splits.iter().map(|s| s.test.len()).collect();
        let tried = |parts: &[[_; 3]]| Tried { folds: parts.iter().map(|p| p[2]).collect(), rows: held.clone() };
        let mut all = measures.chunks_exact(self.folds).map(tried);
        let found = self.grids.iter().map(|(_, grid)| all.by_ref().take(grid.count()).collect()).collect();
        Ok((found, notices))
    }
}
