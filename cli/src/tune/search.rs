//! The search: every setting on every fold, as many networks together as fit, with what has stopped making room.
use super::{checkpoint::Progress, grid::Setting, watch::Watcher};
use crate::{
    Failure,
    data::split::Prepared,
    fleet::{Course, Fleet, Hyper, Measure, Member, Rule, Shape, State, most_together, net},
};
use ridgepole::Session;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What came out of one network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// On the rows that trained, those that told when to stop, and the fold that was left out.
    pub measures: [Measure; 3],
    /// The epoch of the weights that were taken back, from 1; 0 if no loss was ever a number.
    pub best_epoch: usize,
    /// Epochs in all.
    pub epochs: usize,
    /// Share of weights that are exactly 0.
    pub zeros: f64,
}

/// Everything that decides what a search computes.
pub struct Search<'a> {
    /// The splits, one for each fold.
    pub splits: &'a [Prepared],
    /// The settings.
    pub settings: &'a [Setting],
    /// How networks are trained.
    pub hyper: &'a Hyper,
    /// Whether classes are predicted.
    pub classes: bool,
    /// Epochs without a lower loss after which a network stops.
    pub patience: u32,
    /// Draws first weights, orders and masks.
    pub seed: u64,
    /// Networks trained together, at most.
    pub together: Option<usize>,
}

/// A leg of training lasts about so long: between legs networks that have stopped make room, and a search can be broken off.
const LEG: Duration = Duration::from_millis(700);
/// Epochs in a leg, at most.
const MOST_EPOCHS: usize = 8;

impl Search<'_> {
    /// The networks: settings one after the other, each with its folds.
    pub fn members(&self) -> Vec<Member> {
        let folds = self.splits.len();
        let member = |i: usize| Member {
            recipe: self.settings[i / folds].recipe(),
            split: i % folds,
            seed: self.seed.wrapping_add((i % folds) as u64),
        };
        (0..self.settings.len() * folds).map(member).collect()
    }

    /// Whether these can be networks of this search: each one of them, and whole.
    pub fn accepts(&self, progress: &Progress) -> bool {
        let members = self.members();
        let whole = |(m, state): (&usize, &State)| {
            let Some(member) = members.get(*m) else { return false };
            let fresh = State::new(&Shape::new(&self.splits[0], self.hyper, member.recipe.batch_norm), member.seed, true);
            state.fits(&fresh) && state.epoch < self.hyper.epochs
        };
        progress.done.keys().all(|m| *m < members.len()) && progress.active.iter().all(whole)
    }

    /// Trains whatever `progress` does not have. Gives the outcomes in the order of [`Search::members`].
    ///
    /// # Errors
    /// What planning and running report, and what `watch` ends it with.
    pub fn run(&self, session: &Session, mut progress: Progress, watch: &mut Watcher) -> Result<Vec<Outcome>, Failure> {
        let members = self.members();
        for batch_norm in [false, true] {
            let shape = Shape::new(&self.splits[0], self.hyper, batch_norm);
            let most = most_together(session.gpu().caps(), &shape, self.hyper).min(self.together.unwrap_or(usize::MAX)).max(1);
            loop {
                let mine = |m: &usize| members[*m].recipe.batch_norm == batch_norm;
                // What was under way first, so that all of a fleet are at the same epoch.
                let mut wave: Vec<usize> = progress.active.keys().copied().filter(mine).collect();
                if wave.is_empty() {
                    let waiting = (0..members.len()).filter(|m| !progress.done.contains_key(m));
                    wave = waiting.filter(mine).take(most).collect();
                    let fresh = |&m: &usize| (m, State::new(&shape, members[m].seed, true));
                    progress.active.extend(wave.iter().map(fresh));
                }
                wave.truncate(most);
                if wave.is_empty() {
                    break;
                }
                self.leg(session, &shape, &members, &wave, &mut progress, watch)?;
            }
        }
        Ok(progress.done.into_values().collect())
    }

    /// Trains networks at the same epoch, until many have stopped.
    fn leg(
        &self,
        session: &Session,
        shape: &Shape,
        members: &[Member],
        wave: &[usize],
        progress: &mut Progress,
        watch: &mut Watcher,
    ) -> Result<(), Failure> {
        let (splits, hyper, classes, seed) = (self.splits, self.hyper, self.classes, self.seed);
        let epoch = progress.active[&wave[0]].epoch;
        let wave: Vec<usize> = wave.iter().copied().filter(|m| progress.active[m].epoch == epoch).collect();
        let rule = Rule { watch: [false, true], patience: Some(self.patience) };
        let course = Course { splits, shape, hyper, classes, seed, rule };
        let states = wave.iter().map(|m| progress.active[m].clone()).collect();
        let chosen: Vec<Member> = wave.iter().map(|&m| members[m]).collect();
        let building = Instant::now();
        let mut fleet = Fleet::new(session, &course, &chosen, states)?;
        let (built, mut lost) = (building.elapsed(), Duration::ZERO);
        let mut epochs = 1;
        loop {
            let (start, now) = (Instant::now(), epochs.min(hyper.epochs - fleet.epoch()));
            fleet.run(now, &mut || watch.trained(chosen.len()))?;
            let each = start.elapsed() / now as u32;
            epochs = ((LEG.as_secs_f64() / each.as_secs_f64().max(1e-9)) as usize).clamp(1, MOST_EPOCHS);
            let stopped = fleet.stopped()?.iter().filter(|s| **s).count();
            let over = fleet.epoch() >= hyper.epochs;
            // A fleet of fewer is made when the company of those that have stopped has cost as much as that.
            lost += start.elapsed().mul_f64(stopped as f64 / wave.len() as f64);
            if over || stopped == wave.len() || lost > built {
                break;
            }
            watch.pause(&mut || {
                let mut all = progress.clone();
                all.active.extend(wave.iter().copied().zip(fleet.states()?.iter().cloned()));
                Ok(all)
            })?;
        }
        let over = fleet.epoch() >= hyper.epochs;
        let states = fleet.states()?.to_vec();
        let measures = fleet.judge()?;
        let mut finished = 0;
        for ((m, state), measures) in wave.into_iter().zip(states).zip(measures) {
            if !over && !state.stopped() {
                progress.active.insert(m, state);
                continue;
            }
            let weights = net::weights(shape, state.best.as_ref().map_or(&state.params, |(params, _)| params));
            let zeros = weights.iter().filter(|w| **w == 0.0).count() as f64 / weights.len() as f64;
            let outcome = Outcome { measures, best_epoch: state.best_epoch(), epochs: state.curve.len(), zeros };
            finished += 1;
            progress.active.remove(&m);
            progress.done.insert(m, outcome);
        }
        watch.finished(finished, fleet.epoch());
        watch.pause(&mut || Ok(progress.clone()))
    }
}
