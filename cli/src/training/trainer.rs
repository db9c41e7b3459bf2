//! Trains many networks at once, all of it on the GPU: the host draws the orders of the rows and submits, and reads back when asked.
use super::{
    Hyper, Member, Optimizer, Shape, State,
    batches::{Gathered, Orders, Source, order},
    evaluate::Evaluation,
    model::{Mode, Model},
    state::STOPPED,
    stopping::Stopping,
};
use crate::{data::prepare::Prepared, op_chain::Chain};
use ridgepole::{
    Caps, DType, Error, HostData, Op, Session,
    ops::{Adamw, Sgd},
    wgpu,
};

/// What is looked at after each epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// How many parts are measured: the first is that for training, the second that for validation.
    pub watch: [bool; 2],
    /// Whether training stops after so many epochs without a lower loss on the second part; the best weights are kept then.
    /// [`NEVER`] keeps them and does not stop.
    pub patience: Option<u32>,
}

/// A patience that no training exhausts.
pub const NEVER: u32 = 1 << 24;

/// What all networks of a trainer have in common.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    /// All splits of the data, also those that no network here uses: the shortest training part says how many steps an epoch has.
    pub splits: &'a [Prepared],
    /// The network.
    pub shape: &'a Shape,
    /// How it is trained.
    pub hyper: &'a Hyper,
    /// Whether outputs are logits or predicted values.
    pub classes: bool,
    /// Draws the masks.
    pub seed: u64,
    /// What happens after each epoch.
    pub rule: Rule,
}

/// Steps in one submission, at most: each has its own parameters, since those that change do so between submissions only.
const MOST_STEPS: usize = 16;
/// And so many multiplications and additions: seconds on a software driver. A GPU that is busy for longer is reset as hung.
const MOST_WORK: usize = 20_000_000_000;

/// Networks in training on one device.
pub struct Trainer<'a> {
    pub(super) session: &'a Session,
    pub(super) outputs: usize,
    /// How many networks were asked for; those behind them only fill up (see `padded`).
    pub(super) real: usize,
    pub(super) members: Vec<Member>,
    pub(super) scales: Option<Vec<f64>>,
    pub(super) model: Model,
    pub(super) sources: Vec<Source>,
    orders: Orders,
    /// A training step for each slot of a submission.
    slots: Vec<Chain<'a>>,
    steps: usize,
    pub(super) moments: Vec<wgpu::Buffer>,
    evaluations: Vec<Option<Evaluation<'a>>>,
    pub(super) stopping: Option<Stopping<'a>>,
    pub(super) states: Vec<State>,
    pub(super) epoch: usize,
}

impl<'a> Trainer<'a> {
    /// Networks that resume from `states`, all at the same epoch.
    ///
    /// # Errors
    /// What planning reports.
    pub fn new(session: &'a Session, setup: &Setup, members: &[Member], states: Vec<State>) -> Result<Self, Error> {
        let Setup { splits, shape, hyper, classes, seed, rule } = *setup;
        let (real, all) = (members.len(), padded(session.gpu().caps(), shape, members));
        let (members, states) = (&all[..], pad(states, all.len()));
        let model = Model::new(session, shape, members, classes, seed)?;
        let sources = (0..3).map(|i| Source::new(session, splits, members, i)).collect::<Result<Vec<_>, _>>()?;
        let least = splits.iter().map(|s| s.parts[0].rows).min().unwrap_or(0);
        let batch = hyper.batch.min(least);
        let steps = least / batch;
        let work = 6 * batch * model.layout.len;
        let together = steps.min(MOST_STEPS).min(MOST_WORK / work.max(1)).max(1);
        let orders = Orders::new(session, batch, members.len(), together)?;
        let count = if hyper.optimizer == Optimizer::AdamW { 2 } else { 1 };
        let moments = (0..count).map(|_| session.empty(DType::F32, model.layout.len)).collect::<Result<Vec<_>, _>>()?;
        let (work, gathered) = (model.work(session, batch)?, Gathered::new(session, &sources[0], batch, members.len())?);
        let weight = session.upload(&HostData::F32(vec![1.0 / batch as f32; batch * members.len()]))?;
        let tally = [0; 2].map(|_| session.empty(DType::F32, members.len()));
        let [loss, right] = tally;
        let (loss, right) = (loss?, right?);
        let mut slots = Vec::new();
        for slot in 0..together {
            let mut chain = Chain::new(session);
            gathered.gather(&mut chain, &sources[0], orders.slot(slot))?;
            model.training_step(&mut chain, &work, gathered.rows(weight.slice(..)), [loss.slice(..), right.slice(..)])?;
            let mut writes = vec![model.params.slice(..)];
            writes.extend(moments.iter().map(|m| m.slice(..)));
            chain.push_at(optimizer(hyper, &model, members), &[model.grads.slice(..)], &writes)?;
            slots.push(chain);
        }
        let watched = [rule.watch[0], rule.watch[1] || rule.patience.is_some()];
        let evaluation = |i: usize| Evaluation::new(session, &model, &sources[i], members, Mode::Evaluation);
        let evaluations = (0..2).map(|i| watched[i].then(|| evaluation(i)).transpose()).collect::<Result<Vec<_>, _>>()?;
        let stopping = rule.patience.map(|p| Stopping::new(session, &model, evaluations[1].as_ref(), p)).transpose()?;
        let epoch = states.first().map_or(0, |s| s.epoch);
        let scales = (!classes).then(|| members.iter().map(|m| splits[m.split].target_scale).collect());
        let (outputs, members) = (shape.outputs, members.to_vec());
        let trainer = Self {
            session,
            outputs,
            real,
            members,
            scales,
            model,
            sources,
            orders,
            slots,
            steps,
            moments,
            evaluations,
            stopping,
            states,
            epoch,
        };
        trainer.resume();
        Ok(trainer)
    }

    /// Epochs so far.
    pub fn epoch(&self) -> usize {
        self.epoch
    }

    /// Trains for so many epochs more. `tick` is called after each.
    ///
    /// # Errors
    /// What running reports.
    pub fn run(&mut self, epochs: usize, tick: &mut dyn FnMut()) -> Result<(), Error> {
        let each: usize = self.watched().map(Evaluation::tally_len).sum();
        let history = self.session.empty(DType::F32, each * epochs)?;
        let mut before = None;
        for e in 0..epochs {
            let orders = self.draw();
            let orders: Vec<&[u32]> = self.members.iter().map(|m| orders[&(m.seed, m.split)].as_slice()).collect();
            for first in (0..self.steps).step_by(self.slots.len()) {
                let now = self.slots.len().min(self.steps - first);
                self.orders.fill(self.session, &self.sources[0], &self.members, &orders, first);
                for (i, chain) in self.slots[..now].iter().enumerate() {
                    chain.at((self.epoch * self.steps + first + i + 1) as u64)?;
                }
                let mut encoder = self.session.device().create_command_encoder(&Default::default());
                let mut pass = encoder.begin_compute_pass(&Default::default());
                self.slots[..now].iter().for_each(|c| c.record(&mut pass));
                drop(pass);
                if first + now == self.steps {
                    self.look(&mut encoder, &history, e * each)?;
                }
                let index = self.session.queue().submit([encoder.finish()]);
                // One submission ahead, no more: the GPU always has work, and the progress shown is real.
                if let Some(index) = before.replace(index) {
                    self.session.wait(index)?;
                }
            }
            self.epoch += 1;
            tick();
        }
        let kept = self.download(&history, each * epochs)?;
        for kept in kept.chunks_exact(each.max(1)) {
            self.note(kept);
        }
        Ok(())
    }

    fn watched(&self) -> impl Iterator<Item = &Evaluation<'a>> {
        self.evaluations.iter().flatten()
    }

    /// The order of each distinct pair of seed and split.
    fn draw(&self) -> std::collections::HashMap<(u64, usize), Vec<u32>> {
        let mut out = std::collections::HashMap::new();
        for m in &self.members {
            out.entry((m.seed, m.split)).or_insert_with(|| order(m.seed, self.epoch, self.sources[0].rows(m.split)));
        }
        out
    }

    /// Measures, and keeps the best, at the end of an epoch.
    fn look(&self, encoder: &mut wgpu::CommandEncoder, history: &wgpu::Buffer, mut at: usize) -> Result<(), Error> {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        self.watched().for_each(|e| e.record(&mut pass));
        drop(pass);
        for evaluation in self.watched() {
            evaluation.keep(encoder, history, at);
            at += evaluation.tally_len();
        }
        if let (Some(s), Some(evaluation)) = (&self.stopping, &self.evaluations[1]) {
            s.chain.at(self.epoch as u64 + 1)?;
            evaluation.losses(encoder, &s.loss);
            s.chain.record(&mut encoder.begin_compute_pass(&Default::default()));
        }
        Ok(())
    }

    /// Adds an epoch to the curves.
    fn note(&mut self, kept: &[f32]) {
        let mut rest = kept;
        let mut all = Vec::new();
        for evaluation in self.watched() {
            let (now, later) = rest.split_at(evaluation.tally_len());
            rest = later;
            all.push(evaluation.measures(now, self.scales.as_deref()));
        }
        for (m, state) in self.states.iter_mut().enumerate() {
            // Training of a stopped network has ended, whatever happens to its parameters.
            if !state.stopped() {
                state.curve.push(all.iter().map(|part| part[m]).collect());
            }
        }
    }

    /// Whether each network has stopped early.
    ///
    /// # Errors
    /// What running reports.
    pub fn stopped(&self) -> Result<Vec<bool>, Error> {
        let Some(s) = &self.stopping else { return Ok(vec![false; self.real]) };
        let models = self.members.len();
        Ok(self.download(&s.state, 4 * models)?[3 * models..][..self.real].iter().map(|&s| s == STOPPED).collect())
    }
}

/// How batch norm partitions a batch depends on the number of channels until these fill a row of lanes. Copies of the first network fill
/// up to that number, so that a network's results do not depend on how many are trained with it.
fn padded(caps: &Caps, shape: &Shape, members: &[Member]) -> Vec<Member> {
    let narrowest = shape.hidden.iter().min().copied().filter(|_| shape.batch_norm);
    let least = narrowest.map_or(0, |width| (4 * caps.lanes as usize).div_ceil(width));
    pad(members.to_vec(), members.len().max(least))
}

fn pad<T: Clone>(mut all: Vec<T>, len: usize) -> Vec<T> {
    if let Some(first) = all.first().cloned() {
        all.resize(len, first);
    }
    all
}

fn optimizer(hyper: &Hyper, model: &Model, members: &[Member]) -> impl Fn(u64) -> Box<dyn Op> + 'static {
    let (groups, segments) = model.layout.segments(members);
    let (lr, len, kind) = (hyper.lr, model.layout.len, hyper.optimizer);
    move |step| {
        let (groups, segments) = (groups.clone(), segments.clone());
        match kind {
            Optimizer::AdamW => Box::new(Adamw { groups, segments, step, ..Adamw::new(DType::F32, len, lr) }),
            Optimizer::Sgd => Box::new(Sgd { groups, segments, step, momentum: 0.9, ..Sgd::new(DType::F32, len, lr) }),
        }
    }
}
