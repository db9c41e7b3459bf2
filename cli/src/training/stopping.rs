//! Early stopping: the best weights of each network so far.
use super::{evaluate::Evaluation, model::Model};
use crate::op_chain::{Chain, part};
use ridgepole::{
    Error, Op, Session,
    ops::{EarlyStopping, KeepBest},
    wgpu,
};

/// The best of each model so far.
pub struct Stopping<'a> {
    /// The rule, of which the epoch changes; then what it keeps.
    pub chain: Chain<'a>,
    pub loss: wgpu::Buffer,
    pub state: wgpu::Buffer,
    pub best: wgpu::Buffer,
    pub running: Vec<Option<[wgpu::Buffer; 2]>>,
    pub patience: u32,
}

impl<'a> Stopping<'a> {
    /// Nothing yet. `evaluation`: where losses come from.
    pub fn new(session: &'a Session, model: &Model, evaluation: Option<&Evaluation>, patience: u32) -> Result<Self, Error> {
        let (models, parts) = (model.layout.models, evaluation.map_or(1, Evaluation::chunks));
        let mut chain = Chain::new(session);
        let (loss, state, best) = (chain.floats(parts * models)?, chain.floats(4 * models)?, chain.floats(model.layout.len)?);
        let rule = move |epoch: u64| -> Box<dyn Op> {
            Box::new(EarlyStopping { models, parts, epoch: epoch as u32, patience, min_delta: 0.0 })
        };
        chain.push_at(rule, &[loss.slice(..)], &[state.slice(..)])?;
        for [start, len] in model.layout.tensors() {
            let [from, to] = [&model.params, &best].map(|b| part(b, start, models * len));
            chain.push(&KeepBest { models, len }, &[state.slice(..), from], &[to])?;
        }
        let mut running = Vec::new();
        for pair in &model.running {
            let mut keep = |from: &wgpu::Buffer| -> Result<_, Error> {
                let len = from.size() as usize / 4 / models;
                let to = chain.floats(models * len)?;
                chain.push(&KeepBest { models, len }, &[state.slice(..), from.slice(..)], &[to.slice(..)])?;
                Ok(to)
            };
            running.push(pair.as_ref().map(|[mean, var]| Ok::<_, Error>([keep(mean)?, keep(var)?])).transpose()?);
        }
        Ok(Self { chain, loss, state, best, running, patience })
    }
}
