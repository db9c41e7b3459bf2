//! Losses and scores of networks on one part of the data.
use super::{
    Member,
    batches::{Gathered, SLOT, Source},
    model::{Mode, Model, Work},
};
use crate::op_chain::{Chain, part};
use ridgepole::{DType, Error, HostData, Session, wgpu};
use serde::{Deserialize, Serialize};

/// Loss and score of a network on one part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Mean loss: cross-entropy in nats, or squared error on the standardized scale.
    #[serde(deserialize_with = "number")]
    pub loss: f64,
    /// Accuracy, or the root of the mean squared error in the target's own unit.
    #[serde(deserialize_with = "number")]
    pub score: f64,
}

/// JSON has no NaN: it is written as null.
fn number<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

/// Rows of a chunk, at most: chunks of a large part take turns in the same memory. A sum's last bits depend on the chunk boundaries, so
/// these depend only on the data, not on how many networks are trained together or on the device.
pub(super) const MOST_ROWS: usize = 512;

/// Every network on its own rows of one part, in chunks. In sampling the losses are not used: the "gradient" of a loss without targets
/// is, which is the probabilities of the classes.
pub struct Evaluation<'a> {
    pub(super) chains: Vec<Chain<'a>>,
    pub(super) work: Work,
    /// Of each chunk, the sum of losses and the number of correct rows, each at an offset that can be bound.
    tally: wgpu::Buffer,
    pub(super) models: usize,
    /// Rows in a chunk.
    pub(super) rows: usize,
    /// Rows of each model.
    counts: Vec<usize>,
}

impl<'a> Evaluation<'a> {
    /// On part `source`.
    pub fn new(session: &'a Session, model: &Model, source: &Source, members: &[Member], mode: Mode) -> Result<Self, Error> {
        let models = members.len();
        let widest = model.layout.layers.iter().flat_map(|l| [l.inputs, l.outputs]).max().unwrap_or(4);
        let limit = session.gpu().caps().limits.max_storage_buffer_binding_size as usize / 4;
        // Fewer only where more than `most_together` networks are trained at once, so never in `tune`.
        let most = (limit / (models * widest)).clamp(1, MOST_ROWS);
        let chunks = source.longest().div_ceil(most).max(1);
        let rows = source.longest().div_ceil(chunks).max(1);
        let (picks, room) = (rows * models, models.next_multiple_of(SLOT));
        let tally = session.empty(DType::F32, chunks * 2 * room)?;
        let (work, gathered) = (model.work(session, rows)?, Gathered::new(session, source, rows, models)?);
        let nothing = session.empty(DType::F32, picks * model.layout.layers.last().map_or(4, |l| l.outputs))?;
        let mut chains = Vec::new();
        for chunk in 0..chunks {
            let (mut places, mut weights) = (Vec::with_capacity(picks), Vec::with_capacity(picks));
            for r in chunk * rows..(chunk + 1) * rows {
                for m in members {
                    let of = source.rows(m.split);
                    places.push(source.place(m.split, r));
                    // Whole numbers, so that counts stay exact.
                    weights.push(if r < of || mode == Mode::Sampling { 1.0 } else { 0.0 });
                }
            }
            let mut chain = Chain::new(session);
            let (order, weight) = (session.upload(&HostData::U32(places))?, chain.upload(&weights)?);
            gathered.gather(&mut chain, source, order.slice(..))?;
            let mut batch = gathered.rows(weight.slice(..));
            if mode == Mode::Sampling {
                batch.t = nothing.slice(..);
            }
            model.forward(&mut chain, &work, batch.x, mode)?;
            let [loss, right] = [0, 1].map(|i| part(&tally, (2 * chunk + i) * room, models));
            model.loss(&mut chain, &work, batch, [loss, right])?;
            chains.push(chain);
        }
        let counts = members.iter().map(|m| source.rows(m.split)).collect();
        Ok(Self { chains, work, tally, models, rows, counts })
    }

    /// Records all chunks.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        self.chains.iter().for_each(|c| c.record(pass));
    }

    /// How many chunks there are.
    pub fn chunks(&self) -> usize {
        self.chains.len()
    }

    /// Values that [`Evaluation::keep`] copies.
    pub fn tally_len(&self) -> usize {
        self.chunks() * 2 * self.models
    }

    /// Copies losses and numbers of correct rows, chunk by chunk, to place `at` of a buffer.
    pub fn keep(&self, encoder: &mut wgpu::CommandEncoder, to: &wgpu::Buffer, at: usize) {
        self.copy(encoder, to, at, 2);
    }

    /// Copies the losses, chunk by chunk, to a buffer.
    pub fn losses(&self, encoder: &mut wgpu::CommandEncoder, to: &wgpu::Buffer) {
        self.copy(encoder, to, 0, 1);
    }

    fn copy(&self, encoder: &mut wgpu::CommandEncoder, to: &wgpu::Buffer, at: usize, each: usize) {
        let (room, len) = (self.models.next_multiple_of(SLOT), self.models);
        for chunk in 0..self.chunks() {
            for i in 0..each {
                let (from, to_at) = ((2 * chunk + i) * room, at + (each * chunk + i) * len);
                encoder.copy_buffer_to_buffer(&self.tally, 4 * from as u64, to, 4 * to_at as u64, 4 * len as u64);
            }
        }
    }

    /// What was copied, as measures of each model. `scales`: the targets' standard deviations; none for classes.
    pub fn measures(&self, kept: &[f32], scales: Option<&[f64]>) -> Vec<Measure> {
        let mean = |i: usize, m: usize| {
            let chunks = kept.chunks_exact(2 * self.models).map(|c| f64::from(c[i * self.models + m]));
            chunks.sum::<f64>() / self.counts[m] as f64
        };
        let measure = |m| {
            let loss = mean(0, m);
            let score = scales.map_or_else(|| mean(1, m), |s| s[m] * loss.sqrt());
            Measure { loss, score }
        };
        (0..self.models).map(measure).collect()
    }

    /// Runs it and gives each model's outputs, row by row.
    ///
    /// # Errors
    /// What running reports.
    pub fn outputs(&self, session: &Session, width: usize) -> Result<Vec<Vec<f32>>, Error> {
        let mut out = vec![Vec::new(); self.models];
        for (chunk, chain) in self.chains.iter().enumerate() {
            let mut encoder = session.device().create_command_encoder(&Default::default());
            chain.record(&mut encoder.begin_compute_pass(&Default::default()));
            session.queue().submit([encoder.finish()]);
            self.deal(session, (chunk, &self.work.logits), width, &mut out)?;
        }
        Ok(out)
    }

    /// Adds a chunk's results, \[rows, models, width\], to those of each model.
    pub(super) fn deal(
        &self,
        session: &Session,
        (chunk, from): (usize, &wgpu::Buffer),
        width: usize,
        out: &mut [Vec<f32>],
    ) -> Result<(), Error> {
        let padded = width.next_multiple_of(4);
        let HostData::F32(all) = session.download(from, DType::F32, self.rows * self.models * padded)? else {
            unreachable!("downloaded as f32")
        };
        for (place, values) in all.chunks_exact(padded).enumerate() {
            let (row, m) = (chunk * self.rows + place / self.models, place % self.models);
            if row < self.counts[m] {
                out[m].extend_from_slice(&values[..width]);
            }
        }
        Ok(())
    }
}
