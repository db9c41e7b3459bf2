//! Monte-Carlo dropout: many passes with dropout on, and mean and variance of the outputs. Gal and Ghahramani, "Dropout as a
//! Bayesian approximation", 2016.
use super::{evaluate::Evaluation, model::Mode, trainer::Trainer};
use crate::op_chain::Chain;
use ridgepole::{DType, Error, Op, RunningVariance, ops::MonteCarloAccumulate};

/// The predictions of one network for its rows: probabilities of the classes, or values on the standardized scale; rows × columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampled {
    /// Mean over the passes.
    pub mean: Vec<f32>,
    /// Unbiased variance over the passes.
    pub variance: Vec<f32>,
}

impl Trainer<'_> {
    /// Every network on its rows of a part, `passes` times (at least twice), with masks that no training step has used. `tick` is called with
    /// the share of a pass that each submission was.
    ///
    /// # Errors
    /// What planning and running report.
    pub fn sample(&self, index: usize, passes: u64, tick: &mut dyn FnMut(f64)) -> Result<Vec<Sampled>, Error> {
        let (session, models) = (self.session, self.members.len());
        let source = &self.sources[index];
        let evaluation = Evaluation::new(session, &self.model, source, &self.members, Mode::Sampling)?;
        let said = if self.scales.is_none() { &evaluation.work.dlogits } else { &evaluation.work.logits };
        let len = evaluation.rows * models * self.outputs.next_multiple_of(4);
        let buffer = || session.empty(DType::F32, len);
        let (mean, m2, variance) = (buffer()?, buffer()?, buffer()?);
        let pass = move |seen: u64| -> Box<dyn Op> { Box::new(MonteCarloAccumulate::new(DType::F32, len, seen)) };
        let mut every = Chain::new(session);
        every.push_at(pass, &[said.slice(..)], &[mean.slice(..), m2.slice(..)])?;
        let last = MonteCarloAccumulate {
            variance: Some(RunningVariance::Unbiased),
            ..MonteCarloAccumulate::new(DType::F32, len, passes - 1)
        };
        let mut end = Chain::new(session);
        end.push(&last, &[said.slice(..)], &[mean.slice(..), m2.slice(..), variance.slice(..)])?;
        let (mut means, mut variances) = (vec![Vec::new(); models], vec![Vec::new(); models]);
        let (share, mut before) = (1.0 / evaluation.chunks() as f64, None);
        for (chunk, chain) in evaluation.chains.iter().enumerate() {
            for seen in 0..passes {
                chain.at(u64::from(u32::MAX) - seen)?;
                every.at(seen)?;
                let mut encoder = session.device().create_command_encoder(&Default::default());
                let mut pass = encoder.begin_compute_pass(&Default::default());
                chain.record(&mut pass);
                if seen + 1 < passes { &every } else { &end }.record(&mut pass);
                drop(pass);
                // One ahead, as in training.
                if let Some(index) = before.replace(session.queue().submit([encoder.finish()])) {
                    session.wait(index)?;
                }
                tick(share);
            }
            evaluation.deal(session, (chunk, &mean), self.outputs, &mut means)?;
            evaluation.deal(session, (chunk, &variance), self.outputs, &mut variances)?;
        }
        Ok(means.into_iter().zip(variances).take(self.real).map(|(mean, variance)| Sampled { mean, variance }).collect())
    }
}
