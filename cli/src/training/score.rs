//! Scores and outputs of a trainer's networks.
use super::{Measure, batches::Source, evaluate::Evaluation, model::Mode, trainer::Trainer};
use crate::data::prepare::Part;
use ridgepole::{DType, Error};

impl<'a> Trainer<'a> {
    /// Scores every network on all three parts: with its best weights where those are kept, else with the last.
    ///
    /// # Errors
    /// What running reports.
    pub fn score(&self) -> Result<Vec<[Measure; 3]>, Error> {
        self.restore_best();
        let parts = [self.evaluation(0)?, self.evaluation(1)?, self.evaluation(2)?];
        let [train, validation, test] = [self.measure(&parts[0])?, self.measure(&parts[1])?, self.measure(&parts[2])?];
        Ok(train.into_iter().zip(validation).zip(test).map(|((a, b), c)| [a, b, c]).collect())
    }

    /// Prepares to measure every network on its rows of a part, as often as wanted.
    ///
    /// # Errors
    /// What planning reports.
    pub fn evaluation(&self, index: usize) -> Result<Evaluation<'a>, Error> {
        Evaluation::new(self.session, &self.model, &self.sources[index], &self.members, Mode::Evaluation)
    }

    /// Prepares to measure every network on other rows, of which there is a part for each split.
    ///
    /// # Errors
    /// What planning reports.
    pub fn evaluation_on(&self, parts: &[&Part]) -> Result<Evaluation<'a>, Error> {
        let source = Source::of(self.session, parts, [self.model.layout.layers[0].inputs, self.outputs], &self.members)?;
        Evaluation::new(self.session, &self.model, &source, &self.members, Mode::Evaluation)
    }

    /// Measures every network as it is now.
    ///
    /// # Errors
    /// What running reports.
    pub fn measure(&self, evaluation: &Evaluation) -> Result<Vec<Measure>, Error> {
        let mut encoder = self.session.device().create_command_encoder(&Default::default());
        evaluation.record(&mut encoder.begin_compute_pass(&Default::default()));
        let kept = self.session.empty(DType::F32, evaluation.tally_len())?;
        evaluation.keep(&mut encoder, &kept, 0);
        self.session.queue().submit([encoder.finish()]);
        let mut all = evaluation.measures(&self.download(&kept, evaluation.tally_len())?, self.scales.as_deref());
        all.truncate(self.real);
        Ok(all)
    }

    /// Every network's outputs for its rows of a part: logits, or values on the standardized scale.
    ///
    /// # Errors
    /// What planning and running report.
    pub fn outputs(&self, index: usize) -> Result<Vec<Vec<f32>>, Error> {
        let evaluation = self.evaluation(index)?;
        let mut all = evaluation.outputs(self.session, self.outputs)?;
        all.truncate(self.real);
        Ok(all)
    }

    /// Restores the best weights where they are kept: those before the first step, if no epoch had a loss that is a finite number.
    /// Training does not continue after this.
    pub fn restore_best(&self) {
        let Some(s) = &self.stopping else { return };
        let mut encoder = self.session.device().create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&s.best, 0, &self.model.params, 0, s.best.size());
        for (from, to) in s.running.iter().flatten().flatten().zip(self.model.running.iter().flatten().flatten()) {
            encoder.copy_buffer_to_buffer(from, 0, to, 0, from.size());
        }
        self.session.queue().submit([encoder.finish()]);
    }
}
