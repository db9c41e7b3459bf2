//! Scores and outputs of a trainer's networks.
use super::{Measure, evaluate::Evaluation, model::Mode, trainer::Trainer};
use ridgepole::{DType, Error};

impl Trainer<'_> {
    /// Scores every network on all three parts: with its best weights where training stops early, else with the last.
    ///
    /// # Errors
    /// What running reports.
    pub fn score(&self) -> Result<Vec<[Measure; 3]>, Error> {
        self.restore_best();
        let mut all = Vec::new();
        for source in &self.sources {
            let evaluation = Evaluation::new(self.session, &self.model, source, &self.members, Mode::Evaluation)?;
            let mut encoder = self.session.device().create_command_encoder(&Default::default());
            evaluation.record(&mut encoder.begin_compute_pass(&Default::default()));
            let kept = self.session.empty(DType::F32, evaluation.tally_len())?;
            evaluation.keep(&mut encoder, &kept, 0);
            self.session.queue().submit([encoder.finish()]);
            all.push(evaluation.measures(&self.download(&kept, evaluation.tally_len())?, self.scales.as_deref()));
        }
        Ok((0..self.real).map(|m| [all[0][m], all[1][m], all[2][m]]).collect())
    }

    /// Every network's outputs for its rows of a part: logits, or values on the standardized scale.
    ///
    /// # Errors
    /// What planning and running report.
    pub fn outputs(&self, index: usize) -> Result<Vec<Vec<f32>>, Error> {
        let source = &self.sources[index];
        let evaluation = Evaluation::new(self.session, &self.model, source, &self.members, Mode::Evaluation)?;
        let mut all = evaluation.outputs(self.session, self.outputs)?;
        all.truncate(self.real);
        Ok(all)
    }

    /// Restores the best weights. Training does not continue after this.
    fn restore_best(&self) {
        let Some(s) = &self.stopping else { return };
        let mut encoder = self.session.device().create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&s.best, 0, &self.model.params, 0, s.best.size());
        for (from, to) in s.running.iter().flatten().flatten().zip(self.model.running.iter().flatten().flatten()) {
            encoder.copy_buffer_to_buffer(from, 0, to, 0, from.size());
        }
        self.session.queue().submit([encoder.finish()]);
    }
}
