//! Any number of networks, trained to the last epoch: as many at once as a device's buffers hold.
use super::{Hyper, Member, Rule, Setup, Shape, State, Trainer, most_together};
use crate::data::prepare::Prepared;
use ridgepole::{Error, Session};

/// What all networks of a fleet have in common.
#[derive(Clone, Copy)]
pub struct Fleet<'a> {
    /// All splits of the data.
    pub splits: &'a [Prepared],
    /// How networks are trained.
    pub hyper: &'a Hyper,
    /// Whether classes are predicted.
    pub classes: bool,
    /// Draws the masks.
    pub seed: u64,
    /// What happens after each epoch.
    pub rule: Rule,
}

impl Fleet<'_> {
    /// Trains them all and gives what `read` gives of each, in the order of `members`. Each ends up as it would alone. `tick` is called
    /// after each epoch of those that are trained at once, with their number.
    ///
    /// # Errors
    /// What planning and running report.
    pub fn train<T>(
        &self,
        session: &Session,
        members: &[Member],
        tick: &mut dyn FnMut(usize),
        read: impl Fn(&Trainer) -> Result<Vec<T>, Error>,
    ) -> Result<Vec<T>, Error> {
        let Self { splits, hyper, classes, seed, rule } = *self;
        let mut out: Vec<Option<T>> = members.iter().map(|_| None).collect();
        for batch_norm in [false, true] {
            let mine: Vec<usize> = (0..members.len()).filter(|&m| members[m].recipe.batch_norm == batch_norm).collect();
            let shape = &Shape::new(&splits[0], hyper, batch_norm);
            let setup = Setup { splits, shape, hyper, classes, seed, rule };
            for wave in mine.chunks(most_together(session.gpu().caps(), shape, hyper).max(1)) {
                let chosen: Vec<Member> = wave.iter().map(|&m| members[m]).collect();
                let states = chosen.iter().map(|m| State::new(shape, m.seed, rule.patience.is_some())).collect();
                let mut trainer = Trainer::new(session, &setup, &chosen, states)?;
                trainer.run(hyper.epochs, &mut || tick(chosen.len()))?;
                wave.iter().zip(read(&trainer)?).for_each(|(&m, value)| out[m] = Some(value));
            }
        }
        Ok(out.into_iter().map(|value| value.expect("each network is in one wave")).collect())
    }
}
