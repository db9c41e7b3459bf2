//! The network on the GPU: its buffers, and the ops of a training step and of an evaluation.
use super::{
    chain::{Chain, part},
    net::{Layer, Layout, Shape},
    ops,
    treatments::Recipe,
};
use ridgepole::{
    DType, Error, Key, Op, Running, Session, Space,
    ops::{BatchNorm, BatchNormBackward, BatchNormInference, Dropout, DropoutBackward},
    wgpu,
};
use wgpu::{Buffer, BufferSlice};

/// ε of the normalisation.
const EPS: f64 = 1e-5;

/// Parameters, gradients and running statistics.
pub struct Model {
    /// Where the parameters lie.
    pub layout: Layout,
    /// The parameters' arena.
    pub params: Buffer,
    /// The gradients' arena, laid out alike.
    pub grads: Buffer,
    /// Running mean and variance of each layer that is normalised.
    running: Vec<Option<[Buffer; 2]>>,
    outputs: usize,
    classes: bool,
    p: f64,
    seed: u64,
}

/// Rows on the GPU: features, targets, and how many.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// Features.
    pub x: BufferSlice<'a>,
    /// Targets.
    pub t: BufferSlice<'a>,
    /// How many.
    pub rows: usize,
}

/// What one hidden layer leaves behind on its way forward, and the gradients on the way back.
struct Hidden {
    z: Buffer,
    normed: Option<Normed>,
    h: Buffer,
    dropped: Option<Buffer>,
    dh: Buffer,
    ddropped: Option<Buffer>,
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
    logits: Buffer,
    dlogits: Buffer,
    rows: usize,
}

impl Model {
    /// A network with these parameters. `classes`: whether its outputs are logits or predicted values. `seed` is that of
    /// the dropout masks.
    pub fn new(
        session: &Session,
        shape: &Shape,
        initial: &[f32],
        recipe: &Recipe,
        classes: bool,
        seed: u64,
    ) -> Result<Self, Error> {
        let (layout, chain) = (Layout::new(shape), Chain::new(session));
        let running = |l: &Layer| -> Result<_, Error> {
            // Mean 0 and variance 1 until the first batch.
            l.norm.map(|_| Ok([chain.floats(l.outputs)?, chain.upload(&vec![1.0; l.outputs])?])).transpose()
        };
        Ok(Self {
            params: chain.upload(initial)?,
            grads: chain.floats(layout.len)?,
            running: layout.layers.iter().map(running).collect::<Result<_, _>>()?,
            layout,
            outputs: shape.outputs,
            classes,
            p: recipe.p,
            seed,
        })
    }

    /// Buffers for the intermediate results of `rows` rows.
    pub fn work(&self, session: &Session, rows: usize) -> Result<Work, Error> {
        let chain = Chain::new(session);
        let (last, before) = self.layout.layers.split_last().expect("there is an output layer");
        let hidden = before.iter().map(|l| {
            let buffer = || chain.floats(rows * l.outputs);
            let normed = l.norm.map(|_| -> Result<_, Error> {
                Ok(Normed { y: buffer()?, mean: chain.floats(l.outputs)?, rstd: chain.floats(l.outputs)?, dz: buffer()? })
            });
            let drops = self.p > 0.0;
            Ok(Hidden {
                z: buffer()?,
                normed: normed.transpose()?,
                h: buffer()?,
                dropped: drops.then(buffer).transpose()?,
                dh: buffer()?,
                ddropped: drops.then(buffer).transpose()?,
            })
        });
        Ok(Work {
            hidden: hidden.collect::<Result<_, Error>>()?,
            logits: chain.floats(rows * last.outputs)?,
            dlogits: chain.floats(rows * last.outputs)?,
            rows,
        })
    }

    fn weights(&self, l: &Layer) -> BufferSlice<'_> {
        part(&self.params, l.weight, l.weight_len())
    }

    /// Forward, loss, backward: after it, `grads` holds the gradient of the mean loss over `batch`.
    pub fn training_step(&self, chain: &mut Chain, work: &Work, batch: Rows, tally: BufferSlice) -> Result<(), Error> {
        self.forward(chain, work, batch.x, true)?;
        self.loss(chain, work, batch, tally)?;
        let layers = &self.layout.layers;
        let mut dy = work.dlogits.slice(..);
        for (i, l) in layers.iter().enumerate().rev() {
            let x = if i == 0 { batch.x } else { work.hidden[i - 1].output().slice(..) };
            let op = ops::DenseWeightGrad { batch: work.rows, inputs: l.inputs, outputs: l.outputs, bias: l.bias };
            chain.push(&op, &[x, dy], &[part(&self.grads, l.weight, l.weight_len())])?;
            if i == 0 {
                break;
            }
            let (below, h) = (&layers[i - 1], &work.hidden[i - 1]);
            // The gate of the ReLU may come before that of the dropout: both only let elements through or not.
            let op = ops::DenseInputGrad { batch: work.rows, inputs: l.inputs, outputs: l.outputs };
            chain.push(&op, &[dy, part(&self.params, l.weight, l.inputs * l.outputs), h.h.slice(..)], &[h.dh.slice(..)])?;
            dy = h.dh.slice(..);
            if let Some(dd) = &h.ddropped {
                let make = self.dropout_backward(work.rows * below.outputs, i - 1);
                chain.push_at(make, &[dy], &[dd.slice(..)])?;
                dy = dd.slice(..);
            }
            if let (Some(n), Some([gamma, beta])) = (&h.normed, below.norm) {
                let op = BatchNormBackward::new(DType::F32, space(work.rows, below));
                let c = below.outputs;
                let reads = [h.z.slice(..), dy, n.mean.slice(..), n.rstd.slice(..), part(&self.params, gamma, c)];
                chain.push(&op, &reads, &[n.dz.slice(..), part(&self.grads, gamma, c), part(&self.grads, beta, c)])?;
                dy = n.dz.slice(..);
            }
        }
        Ok(())
    }

    /// Forward as after training, and the loss of `rows` into `tally`.
    pub fn evaluation(&self, chain: &mut Chain, work: &Work, rows: Rows, tally: BufferSlice) -> Result<(), Error> {
        self.forward(chain, work, rows.x, false)?;
        self.loss(chain, work, rows, tally)
    }

    fn forward(&self, chain: &mut Chain, work: &Work, x: BufferSlice, training: bool) -> Result<(), Error> {
        let mut x = x;
        for (i, l) in self.layout.layers.iter().enumerate() {
            let Some(h) = work.hidden.get(i) else {
                let op = ops::Dense { batch: work.rows, inputs: l.inputs, outputs: l.outputs, bias: l.bias, relu: false };
                return chain.push(&op, &[x, self.weights(l)], &[work.logits.slice(..)]);
            };
            let relu = l.norm.is_none();
            let op = ops::Dense { batch: work.rows, inputs: l.inputs, outputs: l.outputs, bias: l.bias, relu };
            let to = if relu { &h.h } else { &h.z };
            chain.push(&op, &[x, self.weights(l)], &[to.slice(..)])?;
            if let (Some(n), Some(at), Some(running)) = (&h.normed, l.norm, &self.running[i]) {
                let [gamma, beta] = at.map(|start| part(&self.params, start, l.outputs));
                let [mean, var] = running.each_ref().map(|b| b.slice(..));
                let (dtype, space, z, y) = (DType::F32, space(work.rows, l), h.z.slice(..), n.y.slice(..));
                if training {
                    let running = Some(Running::default());
                    let op = BatchNorm { eps: EPS, running, ..BatchNorm::new(dtype, space) };
                    chain.push(&op, &[z, gamma, beta], &[y, n.mean.slice(..), n.rstd.slice(..), mean, var])?;
                } else {
                    let op = BatchNormInference { eps: EPS, ..BatchNormInference::new(dtype, space) };
                    chain.push(&op, &[z, mean, var, gamma, beta], &[y])?;
                }
                chain.push(&ops::Relu { len: work.rows * l.outputs }, &[y], &[h.h.slice(..)])?;
            }
            x = h.h.slice(..);
            if let Some(dropped) = h.dropped.as_ref().filter(|_| training) {
                chain.push_at(self.dropout(work.rows * l.outputs, i), &[x], &[dropped.slice(..)])?;
                x = dropped.slice(..);
            }
        }
        Ok(())
    }

    fn loss(&self, chain: &mut Chain, work: &Work, rows: Rows, tally: BufferSlice) -> Result<(), Error> {
        let (rows_, columns) = (rows.rows, self.outputs);
        let cross_entropy = ops::CrossEntropy { rows: rows_, columns };
        let squared_error = ops::SquaredError { rows: rows_, columns };
        let op: &dyn Op = if self.classes { &cross_entropy } else { &squared_error };
        chain.push(op, &[work.logits.slice(..), rows.t], &[work.dlogits.slice(..), tally])
    }

    /// The mask of hidden layer `layer` at any step: forward and backward draw the same one.
    fn key(&self, layer: usize) -> impl Fn(u64) -> Key + 'static {
        let seed = self.seed;
        move |step| Key { seed, stream: layer as u32, step: step as u32, first_element: 0 }
    }

    fn dropout(&self, len: usize, layer: usize) -> impl Fn(u64) -> Box<dyn Op> + 'static {
        let (key, p) = (self.key(layer), self.p);
        move |step| {
            Box::new(Dropout {
                dtype: DType::F32,
                space: Space::flat(len),
                p,
                key: key(step),
                share: Default::default(),
                scaling: Default::default(),
                bits: Default::default(),
                mask: Default::default(),
                training: true,
            })
        }
    }

    fn dropout_backward(&self, len: usize, layer: usize) -> impl Fn(u64) -> Box<dyn Op> + 'static {
        let (key, p) = (self.key(layer), self.p);
        move |step| {
            Box::new(DropoutBackward {
                dtype: DType::F32,
                space: Space::flat(len),
                p,
                key: key(step),
                share: Default::default(),
                scaling: Default::default(),
                bits: Default::default(),
                mask: Default::default(),
            })
        }
    }
}

impl Hidden {
    /// What the next layer sees in training.
    fn output(&self) -> &Buffer {
        self.dropped.as_ref().unwrap_or(&self.h)
    }
}

/// One channel per unit.
fn space(rows: usize, l: &Layer) -> Space {
    Space::channels_first(rows, l.outputs, 1)
}
