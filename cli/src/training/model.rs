//! The networks on the GPU: their buffers, and the ops of a training step and of a forward pass, for all of them at once.
use super::{
    Member, Shape,
    network::{Layer, Layout},
};
use crate::op_chain::{Chain, part};
use ridgepole::{
    BatchedLossKind, DType, Error, HostData, Key, Op, Running, Session, Space,
    ops::{
        BatchNorm, BatchNormBackward, BatchNormInference, BatchedDense, BatchedDenseInputGrad, BatchedDenseWeightGrad,
        BatchedLoss, BatchedReluDropout,
    },
    wgpu,
};
use wgpu::{Buffer, BufferSlice};

/// ε of the normalization.
pub(crate) const EPS: f64 = 1e-5;

/// What a forward pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Units are dropped, and normalized over the batch.
    Training,
    /// No unit is dropped; running statistics.
    Evaluation,
    /// Units are dropped as in training; running statistics: a draw of Monte-Carlo dropout.
    Sampling,
}

/// Parameters, gradients and running statistics.
pub struct Model {
    /// Where the parameters lie.
    pub layout: Layout,
    /// The parameters' arena.
    pub params: Buffer,
    /// The gradients' arena, laid out alike.
    pub grads: Buffer,
    /// Running mean and variance of each layer that is normalized, models side by side.
    pub running: Vec<Option<[Buffer; 2]>>,
    /// Each model's probability of dropping a unit.
    p: Buffer,
    models: usize,
    outputs: usize,
    classes: bool,
    seed: u64,
}

/// Rows on the GPU for each model: f32\[rows, models, width\].
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// Features.
    pub x: BufferSlice<'a>,
    /// Targets.
    pub t: BufferSlice<'a>,
    /// What each row counts for in the loss: \[rows, models\].
    pub weight: BufferSlice<'a>,
}

/// What one hidden layer keeps from the forward pass, and the gradients of the backward pass.
struct Hidden {
    z: Buffer,
    normed: Option<Normed>,
    h: Buffer,
    dh: Buffer,
}

struct Normed {
    y: Buffer,
    mean: Buffer,
    rstd: Buffer,
    dz: Buffer,
}

/// The intermediate results for batches of one size.
pub struct Work {
    hidden: Vec<Hidden>,
    /// The networks' outputs, \[rows, models, width\].
    pub logits: Buffer,
    /// The gradient of the loss with respect to them.
    pub dlogits: Buffer,
    rows: usize,
}

impl Model {
    /// Networks with parameters of 0. `classes`: whether outputs are logits or predicted values. `seed` is that of the dropout masks.
    pub fn new(session: &Session, shape: &Shape, members: &[Member], classes: bool, seed: u64) -> Result<Self, Error> {
        let (models, chain) = (members.len(), Chain::new(session));
        let layout = Layout::new(shape, models);
        let running = |l: &Layer| -> Result<_, Error> {
            let buffer = || chain.floats(models * l.outputs);
            l.norm.map(|_| Ok([buffer()?, buffer()?])).transpose()
        };
        Ok(Self {
            params: chain.floats(layout.len)?,
            grads: chain.floats(layout.len)?,
            running: layout.layers.iter().map(running).collect::<Result<_, _>>()?,
            p: session.upload(&HostData::from_f64(DType::F32, members.iter().map(|m| m.recipe.p)))?,
            layout,
            models,
            outputs: shape.outputs,
            classes,
            seed,
        })
    }

    /// Buffers for the intermediate results of `rows` rows.
    pub fn work(&self, session: &Session, rows: usize) -> Result<Work, Error> {
        let (chain, models) = (Chain::new(session), self.models);
        let (last, before) = self.layout.layers.split_last().expect("there is an output layer");
        let hidden = before.iter().map(|l| {
            let (buffer, units) = (|| chain.floats(rows * models * l.outputs), || chain.floats(models * l.outputs));
            let normed = l
                .norm
                .map(|_| -> Result<_, Error> { Ok(Normed { y: buffer()?, mean: units()?, rstd: units()?, dz: buffer()? }) });
            Ok(Hidden { z: buffer()?, normed: normed.transpose()?, h: buffer()?, dh: buffer()? })
        });
        Ok(Work {
            hidden: hidden.collect::<Result<_, Error>>()?,
            logits: chain.floats(rows * models * last.outputs)?,
            dlogits: chain.floats(rows * models * last.outputs)?,
            rows,
        })
    }

    fn weights(&self, l: &Layer) -> BufferSlice<'_> {
        part(&self.params, l.weight, self.models * l.weight_len())
    }

    /// Forward pass, loss, backward pass: after it `grads` has the gradients of the weighted losses, and `tally` the losses and the
    /// numbers of correct rows.
    pub fn training_step(&self, chain: &mut Chain, work: &Work, batch: Rows, tally: [BufferSlice; 2]) -> Result<(), Error> {
        self.forward(chain, work, batch.x, Mode::Training)?;
        self.loss(chain, work, batch, tally)?;
        let (layers, models, rows) = (&self.layout.layers, self.models, work.rows);
        let mut dy = work.dlogits.slice(..);
        for (i, l) in layers.iter().enumerate().rev() {
            let (inputs, outputs, bias) = (l.inputs, l.outputs, l.bias);
            let x = if i == 0 { batch.x } else { work.hidden[i - 1].h.slice(..) };
            let op = BatchedDenseWeightGrad { models, rows, inputs, outputs, bias };
            chain.push(&op, &[x, dy], &[part(&self.grads, l.weight, models * l.weight_len())])?;
            if i == 0 {
                break;
            }
            let (below, h) = (&layers[i - 1], &work.hidden[i - 1]);
            let op = BatchedDenseInputGrad { models, rows, inputs, outputs, bias };
            chain.push(&op, &[dy, self.weights(l), h.h.slice(..), self.p.slice(..)], &[h.dh.slice(..)])?;
            dy = h.dh.slice(..);
            if let (Some(n), Some([gamma, beta])) = (&h.normed, below.norm) {
                let op = BatchNormBackward::new(DType::F32, self.space(rows, below));
                let units = models * below.outputs;
                let reads = [h.z.slice(..), dy, n.mean.slice(..), n.rstd.slice(..), part(&self.params, gamma, units)];
                chain.push(&op, &reads, &[n.dz.slice(..), part(&self.grads, gamma, units), part(&self.grads, beta, units)])?;
                dy = n.dz.slice(..);
            }
        }
        Ok(())
    }

    /// From features to outputs.
    pub fn forward(&self, chain: &mut Chain, work: &Work, x: BufferSlice, mode: Mode) -> Result<(), Error> {
        let (models, rows, mut x) = (self.models, work.rows, x);
        for (i, l) in self.layout.layers.iter().enumerate() {
            let op = BatchedDense { models, rows, inputs: l.inputs, outputs: l.outputs, bias: l.bias };
            let Some(h) = work.hidden.get(i) else {
                return chain.push(&op, &[x, self.weights(l)], &[work.logits.slice(..)]);
            };
            chain.push(&op, &[x, self.weights(l)], &[h.z.slice(..)])?;
            let mut z = h.z.slice(..);
            if let (Some(n), Some(at), Some(running)) = (&h.normed, l.norm, &self.running[i]) {
                let [gamma, beta] = at.map(|start| part(&self.params, start, models * l.outputs));
                let [mean, var] = running.each_ref().map(|b| b.slice(..));
                let (dtype, space, y) = (DType::F32, self.space(rows, l), n.y.slice(..));
                if mode == Mode::Training {
                    let op = BatchNorm { eps: EPS, running: Some(Running::default()), ..BatchNorm::new(dtype, space) };
                    chain.push(&op, &[z, gamma, beta], &[y, n.mean.slice(..), n.rstd.slice(..), mean, var])?;
                } else {
                    let op = BatchNormInference { eps: EPS, ..BatchNormInference::new(dtype, space) };
                    chain.push(&op, &[z, mean, var, gamma, beta], &[y])?;
                }
                z = y;
            }
            let (seed, width, training) = (self.seed, l.outputs, mode != Mode::Evaluation);
            let drop = move |step: u64| -> Box<dyn Op> {
                let key = Key { seed, stream: i as u32, step: step as u32, first_element: 0 };
                Box::new(BatchedReluDropout { models, rows, width, key, training })
            };
            let (reads, writes) = ([z, self.p.slice(..)], [h.h.slice(..)]);
            if training {
                chain.push_at(drop, &reads, &writes)?
            } else {
                chain.push(drop(1).as_ref(), &reads, &writes)?
            }
            x = h.h.slice(..);
        }
        Ok(())
    }

    /// The loss of what `forward` left in `work`, and its gradient.
    pub fn loss(&self, chain: &mut Chain, work: &Work, rows: Rows, [loss, right]: [BufferSlice; 2]) -> Result<(), Error> {
        let kind = if self.classes { BatchedLossKind::CrossEntropy } else { BatchedLossKind::SquaredError };
        let op = BatchedLoss { loss: kind, models: self.models, rows: work.rows, columns: self.outputs };
        chain.push(&op, &[work.logits.slice(..), rows.t, rows.weight], &[work.dlogits.slice(..), loss, right])
    }

    /// One channel per unit and model.
    fn space(&self, rows: usize, l: &Layer) -> Space {
        Space::channels_first(rows, self.models * l.outputs, 1)
    }
}
