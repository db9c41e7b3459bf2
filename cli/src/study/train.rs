//! One training run, all of it on the GPU: the host draws the order of the rows and submits; it reads back once, at the end.
use super::{
    chain::{Chain, part},
    model::{Model, Rows},
    net::{Layout, Shape},
    ops,
    split::{Part, Prepared, shuffle},
    treatments::Recipe,
};
use ridgepole::{
    DType, Error, Group, HostData, Op, Rng, Session,
    ops::{Adamw, Sgd},
    wgpu,
};
use serde::Serialize;
use std::time::{Duration, Instant};

/// How networks are trained, whatever the treatment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hyper {
    /// Units of each hidden layer.
    pub hidden: Vec<usize>,
    /// Passes over the training part.
    pub epochs: usize,
    /// Rows per step; an incomplete batch at the end of an epoch is left out, the next epoch shuffles anew.
    pub batch: usize,
    /// Learning rate.
    pub lr: f64,
    /// The optimizer.
    pub optimizer: Optimizer,
}

/// An optimizer of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Optimizer {
    /// AdamW, β 0.9 and 0.999.
    #[value(name = "adamw")]
    AdamW,
    /// Stochastic gradient descent with momentum 0.9.
    Sgd,
}

/// How good a network is on one part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measure {
    /// Mean loss: cross-entropy in nats, or squared error on the standardised scale.
    pub loss: f64,
    /// Share of rows that are right, or the root of the mean squared error in the target's own unit.
    pub score: f64,
}

/// What came out of one run.
#[derive(Clone, Debug)]
pub struct Run {
    /// After each epoch, on the training and the validation part.
    pub curve: Vec<[Measure; 2]>,
    /// After the last epoch, on training, validation and test part.
    pub last: [Measure; 3],
    /// The weights at the end, without biases and normalisation.
    pub weights: Vec<f32>,
    /// Wall time, with planning.
    pub seconds: f64,
}

/// Steps in one submission, at most: each has its own parameters, since those that change do so between submissions only.
const MOST_STEPS: usize = 16;
/// Batches start at rows that are multiples of this, so that each can be bound by itself.
const SLOT: usize = 64;

/// Trains one network. `tick` is called after every epoch.
///
/// # Errors
/// What planning and running report.
pub fn train(
    session: &Session,
    data: &Prepared,
    classes: bool,
    hyper: &Hyper,
    recipe: &Recipe,
    seed: u64,
    tick: &mut dyn FnMut(),
) -> Result<Run, Error> {
    let start = Instant::now();
    let shape = shape(data, hyper, recipe);
    let (mut init, mut order_rng) = (Rng::new(seed ^ 0x696e_6974), Rng::new(seed ^ 0x6f72_6465));
    let initial = Layout::new(&shape).initial(&mut init);
    let model = Model::new(session, &shape, &initial, recipe, classes, seed)?;
    let rows = data.parts[0].rows;
    let batch = hyper.batch.min(rows);
    let steps = rows / batch;
    let feed = Feed::new(session, data, batch, steps.min(MOST_STEPS))?;
    let (work, spare) = (model.work(session, batch)?, session.empty(DType::F32, tally_len(batch))?);
    let moments = [0; 2].map(|_| session.empty(DType::F32, model.layout.len));
    let [m, v] = moments;
    let (m, v) = (m?, v?);
    let mut chains = Vec::new();
    for slot in 0..feed.slots {
        let mut chain = Chain::new(session);
        model.training_step(&mut chain, &work, feed.rows(slot), spare.slice(..))?;
        let (reads, params) = ([model.grads.slice(..)], model.params.slice(..));
        let optimizer = optimizer(hyper, recipe, &model.layout);
        match hyper.optimizer {
            Optimizer::AdamW => chain.push_at(optimizer, &reads, &[params, m.slice(..), v.slice(..)])?,
            Optimizer::Sgd => chain.push_at(optimizer, &reads, &[params, m.slice(..)])?,
        }
        chains.push(chain);
    }
    let exams = data.parts.iter().map(|p| Exam::new(session, &model, p)).collect::<Result<Vec<_>, _>>()?;
    let mut history = History::new(session, &exams, hyper.epochs)?;
    let (mut step, mut before) = (0u64, None);
    let mut order: Vec<u32> = (0..rows as u32).collect();
    for epoch in 0..hyper.epochs {
        shuffle(&mut order, &mut order_rng);
        let batches: Vec<&[u32]> = order.chunks_exact(batch).collect();
        let submissions: Vec<&[&[u32]]> = batches.chunks(feed.slots).collect();
        for (i, batches) in submissions.iter().enumerate() {
            feed.fill(session, batches);
            for chain in &chains[..batches.len()] {
                step += 1;
                chain.at(step)?;
            }
            let mut encoder = session.device().create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&Default::default());
            feed.gather.record(&mut pass);
            chains[..batches.len()].iter().for_each(|c| c.record(&mut pass));
            let (over, last) = (i + 1 == submissions.len(), epoch + 1 == hyper.epochs);
            let examined = if !over {
                0
            } else if last {
                3
            } else {
                2
            };
            exams[..examined].iter().for_each(|e| e.chain.record(&mut pass));
            drop(pass);
            exams[..examined].iter().for_each(|e| history.keep(&mut encoder, e));
            let now = session.queue().submit([encoder.finish()]);
            // One submission ahead, no more: the GPU always has work, and the progress shown is real.
            if let Some(index) = before.replace(now) {
                wait(session, index)?;
            }
        }
        tick();
    }
    let measures = history.measures(session, classes, data.target_scale)?;
    let (curve, last) = measures.split_at(2 * (hyper.epochs - 1));
    let curve = curve.chunks_exact(2).chain([&last[..2]]).map(|c| [c[0], c[1]]).collect();
    let last = [last[0], last[1], last[2]];
    let HostData::F32(arena) = session.download(&model.params, DType::F32, model.layout.len)? else {
        unreachable!("downloaded as f32")
    };
    Ok(Run { curve, last, weights: model.layout.weights(&arena), seconds: start.elapsed().as_secs_f64() })
}

/// The network for these data.
pub fn shape(data: &Prepared, hyper: &Hyper, recipe: &Recipe) -> Shape {
    Shape { inputs: data.inputs, hidden: hyper.hidden.clone(), outputs: data.outputs, batch_norm: recipe.batch_norm }
}

fn optimizer(hyper: &Hyper, recipe: &Recipe, layout: &Layout) -> impl Fn(u64) -> Box<dyn Op> + 'static {
    let (groups, segments) = (vec![recipe.group, Group::default()], layout.segments.clone());
    let (lr, len, kind) = (hyper.lr, layout.len, hyper.optimizer);
    move |step| {
        let (groups, segments) = (groups.clone(), segments.clone());
        match kind {
            Optimizer::AdamW => Box::new(Adamw { groups, segments, step, ..Adamw::new(DType::F32, len, lr) }),
            Optimizer::Sgd => Box::new(Sgd { groups, segments, step, momentum: 0.9, ..Sgd::new(DType::F32, len, lr) }),
        }
    }
}

fn wait(session: &Session, index: wgpu::SubmissionIndex) -> Result<(), Error> {
    let wait = wgpu::PollType::Wait { submission_index: Some(index), timeout: Some(Duration::from_secs(60)) };
    let failed = |e: wgpu::PollError| Error::Device { what: "waiting for a training step".into(), message: e.to_string() };
    session.device().poll(wait).map(drop).map_err(failed)
}

/// The training part, and the batches that are gathered from it.
struct Feed<'a> {
    gather: Chain<'a>,
    order: wgpu::Buffer,
    x: wgpu::Buffer,
    t: wgpu::Buffer,
    columns: [usize; 2],
    batch: usize,
    slots: usize,
}

impl<'a> Feed<'a> {
    fn new(session: &'a Session, data: &Prepared, batch: usize, slots: usize) -> Result<Self, Error> {
        let (source, columns) = (&data.parts[0], [data.inputs, data.outputs.next_multiple_of(4)]);
        let picks = slots * batch.next_multiple_of(SLOT);
        let mut gather = Chain::new(session);
        let order = session.empty(DType::U32, picks)?;
        let mut gathered = Vec::new();
        for (values, columns) in [&source.x, &source.t].into_iter().zip(columns) {
            let (from, to) = (gather.upload(values)?, gather.floats(picks * columns)?);
            let op = ops::GatherRows { rows: source.rows, columns, picks };
            gather.push(&op, &[from.slice(..), order.slice(..)], &[to.slice(..)])?;
            gathered.push(to);
        }
        let t = gathered.pop().expect("two were made");
        let x = gathered.pop().expect("two were made");
        Ok(Self { gather, order, x, t, columns, batch, slots })
    }

    /// The rows of one batch, where `gather` puts them.
    fn rows(&self, slot: usize) -> Rows<'_> {
        let first = slot * self.batch.next_multiple_of(SLOT);
        let [inputs, outputs] = self.columns;
        Rows {
            x: part(&self.x, first * inputs, self.batch * inputs),
            t: part(&self.t, first * outputs, self.batch * outputs),
            rows: self.batch,
        }
    }

    /// Which rows the next submission gathers.
    fn fill(&self, session: &Session, batches: &[&[u32]]) {
        let slot = self.batch.next_multiple_of(SLOT);
        // Past the last row: gathered as zeros, and not used.
        let mut order = vec![u32::MAX; self.slots * slot];
        for (i, batch) in batches.iter().enumerate() {
            order[i * slot..][..batch.len()].copy_from_slice(batch);
        }
        session.queue().write_buffer(&self.order, 0, bytemuck::cast_slice(&order));
    }
}

/// A part to evaluate on.
struct Exam<'a> {
    chain: Chain<'a>,
    tally: wgpu::Buffer,
    rows: usize,
}

fn tally_len(rows: usize) -> usize {
    4 * rows.div_ceil(ops::ROWS_PER_BLOCK)
}

impl<'a> Exam<'a> {
    fn new(session: &'a Session, model: &Model, data: &Part) -> Result<Self, Error> {
        let mut chain = Chain::new(session);
        let (x, t, tally) = (chain.upload(&data.x)?, chain.upload(&data.t)?, chain.floats(tally_len(data.rows))?);
        let (work, rows) = (model.work(session, data.rows)?, data.rows);
        model.evaluation(&mut chain, &work, Rows { x: x.slice(..), t: t.slice(..), rows }, tally.slice(..))?;
        Ok(Self { chain, tally, rows })
    }
}

/// All tallies of a run, one behind the other, on the GPU until the end.
struct History {
    buffer: wgpu::Buffer,
    rows: Vec<usize>,
    len: usize,
}

impl History {
    fn new(session: &Session, exams: &[Exam], epochs: usize) -> Result<Self, Error> {
        let each = |e: &Exam| tally_len(e.rows);
        let len = epochs * (each(&exams[0]) + each(&exams[1])) + each(&exams[2]);
        Ok(Self { buffer: session.empty(DType::F32, len)?, rows: Vec::new(), len: 0 })
    }

    fn keep(&mut self, encoder: &mut wgpu::CommandEncoder, exam: &Exam) {
        let len = tally_len(exam.rows);
        encoder.copy_buffer_to_buffer(&exam.tally, 0, &self.buffer, 4 * self.len as u64, 4 * len as u64);
        self.len += len;
        self.rows.push(exam.rows);
    }

    fn measures(&self, session: &Session, classes: bool, scale: f64) -> Result<Vec<Measure>, Error> {
        let values = session.download(&self.buffer, DType::F32, self.len)?.to_f64();
        let mut rest = &values[..];
        let measure = |&rows: &usize| {
            let (now, later) = rest.split_at(tally_len(rows));
            rest = later;
            let sum = |i: usize| now.chunks_exact(4).map(|block| block[i]).sum::<f64>() / rows as f64;
            let loss = sum(0);
            Measure { loss, score: if classes { sum(1) } else { scale * loss.sqrt() } }
        };
        Ok(self.rows.iter().map(measure).collect())
    }
}
