//! What a fleet's networks make of rows: how good they are, and what they say.
use super::{Measure, exam::Exam, model::Mode, train::Fleet};
use ridgepole::{DType, Error};

impl Fleet<'_> {
    /// Measures every network on all three parts: with its best weights where training stops early, else with the last.
    ///
    /// # Errors
    /// What running reports.
    pub fn judge(&self) -> Result<Vec<[Measure; 3]>, Error> {
        self.recall();
        let mut all = Vec::new();
        for source in &self.sources {
            let exam = Exam::new(self.session, &self.model, source, &self.members, Mode::Evaluation)?;
            let mut encoder = self.session.device().create_command_encoder(&Default::default());
            exam.record(&mut encoder.begin_compute_pass(&Default::default()));
            let kept = self.session.empty(DType::F32, exam.tally_len())?;
            exam.keep(&mut encoder, &kept, 0);
            self.session.queue().submit([encoder.finish()]);
            all.push(exam.measures(&self.download(&kept, exam.tally_len())?, self.scales.as_deref()));
        }
        Ok((0..self.real).map(|m| [all[0][m], all[1][m], all[2][m]]).collect())
    }

    /// Every network's outputs for its rows of a part: logits, or values on the standardised scale.
    ///
    /// # Errors
    /// What planning and running report.
    pub fn outputs(&self, index: usize) -> Result<Vec<Vec<f32>>, Error> {
        let source = &self.sources[index];
        let exam = Exam::new(self.session, &self.model, source, &self.members, Mode::Evaluation)?;
        let mut all = exam.outputs(self.session, self.outputs)?;
        all.truncate(self.real);
        Ok(all)
    }

    /// Takes back the best weights. Training does not go on from here.
    fn recall(&self) {
        let Some(s) = &self.stopping else { return };
        let mut encoder = self.session.device().create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&s.best, 0, &self.model.params, 0, s.best.size());
        for (from, to) in s.running.iter().flatten().flatten().zip(self.model.running.iter().flatten().flatten()) {
            encoder.copy_buffer_to_buffer(from, 0, to, 0, from.size());
        }
        self.session.queue().submit([encoder.finish()]);
    }
}
