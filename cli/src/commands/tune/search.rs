//! The search: every setting on every fold, as many networks at once as fit. Stopped networks make room for others.
use super::{
    grid::Setting,
    outcome::{Outcome, Progress},
    watch::Watcher,
};
use crate::{
    Failure,
    data::prepare::Prepared,
    training::{Hyper, Member, Rule, Setup, Shape, State, Trainer, most_together, network},
};
use ridgepole::Session;
use std::time::{Duration, Instant};

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
    /// Epochs without a lower validation loss after which a network stops.
    pub patience: u32,
    /// Seed of initial weights, row orders and dropout masks.
    pub seed: u64,
    /// Networks trained at once, at most.
    pub together: Option<usize>,
}

/// How long a round of training lasts, about: between rounds stopped networks make room, and the search can be interrupted.
const ROUND: Duration = Duration::from_millis(700);
/// Epochs in a round, at most.
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

    /// Whether all of these can be networks of this search, with states of the right shapes.
    pub fn accepts(&self, progress: &Progress) -> bool {
        let members = self.members();
        let whole = |(m, state): (&usize, &State)| {
            let Some(member) = members.get(*m) else { return false };
            let fresh = State::new(&Shape::new(&self.splits[0], self.hyper, member.recipe.batch_norm), member.seed, true);
            state.fits(&fresh) && state.epoch < self.hyper.epochs
        };
        let finished = |m: &usize| *m < members.len() && !progress.active.contains_key(m);
        progress.done.keys().all(finished) && progress.active.iter().all(whole)
    }

    /// Trains what `progress` does not have yet. Gives the outcomes in the order of [`Search::members`].
    ///
    /// # Errors
    /// What planning and running report, and an interruption that `watch` reports.
    pub fn run(&self, session: &Session, mut progress: Progress, watch: &mut Watcher) -> Result<Vec<Outcome>, Failure> {
        let members = self.members();
        for batch_norm in [false, true] {
            let shape = Shape::new(&self.splits[0], self.hyper, batch_norm);
            let most = most_together(session.gpu().caps(), &shape, self.hyper).min(self.together.unwrap_or(usize::MAX)).max(1);
            loop {
                let mine = |m: &usize| members[*m].recipe.batch_norm == batch_norm;
                // Networks in training come first, so that all that are trained together are at the same epoch.
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
                self.round(session, &shape, &members, &wave, &mut progress, watch)?;
            }
        }
        Ok(progress.done.into_values().collect())
    }

    /// Trains one network of a setting on the first split, until it stops. `tick` is called with the epochs of each round, and ends the
    /// training if it fails.
    ///
    /// # Errors
    /// What planning and running report, and what `tick` says.
    pub fn refit(
        &self,
        session: &Session,
        setting: &Setting,
        tick: &mut dyn FnMut(usize) -> Result<(), Failure>,
    ) -> Result<State, Failure> {
        let Self { splits, hyper, classes, seed, patience, .. } = *self;
        let shape = &Shape::new(&splits[0], hyper, setting.batch_norm);
        let rule = Rule { watch: [false, true], patience: Some(patience) };
        let setup = Setup { splits, shape, hyper, classes, seed, rule };
        let member = Member { recipe: setting.recipe(), split: 0, seed };
        let mut trainer = Trainer::new(session, &setup, &[member], vec![State::new(shape, seed, true)])?;
        while trainer.epoch() < hyper.epochs && !trainer.stopped()?[0] {
            let epochs = MOST_EPOCHS.min(hyper.epochs - trainer.epoch());
            trainer.run(epochs, &mut || ())?;
            tick(epochs)?;
        }
        Ok(trainer.states()?[0].clone())
    }

    /// Trains networks at the same epoch, until many have stopped.
    fn round(
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
        let setup = Setup { splits, shape, hyper, classes, seed, rule };
        let states = wave.iter().map(|m| progress.active[m].clone()).collect();
        let chosen: Vec<Member> = wave.iter().map(|&m| members[m]).collect();
        let building = Instant::now();
        let mut trainer = Trainer::new(session, &setup, &chosen, states)?;
        let (built, mut lost) = (building.elapsed(), Duration::ZERO);
        let mut epochs = 1;
        loop {
            let (start, now) = (Instant::now(), epochs.min(hyper.epochs - trainer.epoch()));
            trainer.run(now, &mut || watch.trained(chosen.len()))?;
            let each = start.elapsed() / now as u32;
            epochs = ((ROUND.as_secs_f64() / each.as_secs_f64().max(1e-9)) as usize).clamp(1, MOST_EPOCHS);
            let stopped = trainer.stopped()?.iter().filter(|s| **s).count();
            let over = trainer.epoch() >= hyper.epochs;
            // Once stopped networks have cost as much time as building the trainer, the others move to a smaller one. Only the run
            // time depends on this, never a result.
            lost += start.elapsed().mul_f64(stopped as f64 / wave.len() as f64);
            if over || stopped == wave.len() || lost > built {
                break;
            }
            watch.pause(&mut || {
                let mut all = progress.clone();
                all.active.extend(wave.iter().copied().zip(trainer.states()?.iter().cloned()));
                Ok(all)
            })?;
        }
        let over = trainer.epoch() >= hyper.epochs;
        let states = trainer.states()?.to_vec();
        let measures = trainer.score()?;
        let mut finished = 0;
        for ((m, state), measures) in wave.into_iter().zip(states).zip(measures) {
            if !over && !state.stopped() {
                progress.active.insert(m, state);
                continue;
            }
            let weights = network::weights(shape, state.best.as_ref().map_or(&state.params, |(params, _)| params));
            let zeros = weights.iter().filter(|w| **w == 0.0).count() as f64 / weights.len() as f64;
            let outcome = Outcome { measures, best_epoch: state.best_epoch(), epochs: state.curve.len(), zeros };
            finished += 1;
            progress.active.remove(&m);
            progress.done.insert(m, outcome);
        }
        watch.finished(finished, trainer.epoch());
        watch.pause(&mut || Ok(progress.clone()))
    }
}
