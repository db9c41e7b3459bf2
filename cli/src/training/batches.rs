//! The rows that networks are trained and scored on: all splits on the GPU, and from them each network's own rows.
use super::{Member, model::Rows};
use crate::{
    data::{
        prepare::{Part, Prepared},
        split::shuffle,
    },
    op_chain::{Chain, part},
};
use ridgepole::{DType, Error, HostData, Rng, Session, ops::GatherRows, wgpu};

/// Slices that are bound by themselves start at multiples of this many elements: 256 bytes.
pub const SLOT: usize = 64;

/// One part of every split: features and targets, and where each split starts.
pub struct Source {
    x: wgpu::Buffer,
    t: wgpu::Buffer,
    /// Columns of features and targets.
    columns: [usize; 2],
    /// The first row of each split's part, and the rows of it.
    places: Vec<[usize; 2]>,
    longest: usize,
}

impl Source {
    /// Part `index` of those splits that members need.
    pub fn new(session: &Session, splits: &[Prepared], members: &[Member], index: usize) -> Result<Self, Error> {
        let parts: Vec<&Part> = splits.iter().map(|s| &s.parts[index]).collect();
        Self::of(session, &parts, [splits[0].inputs, splits[0].outputs], members)
    }

    /// These parts, one for each split, with so many features and outputs; those that members need.
    pub fn of(session: &Session, parts: &[&Part], [inputs, outputs]: [usize; 2], members: &[Member]) -> Result<Self, Error> {
        let (mut x, mut t, mut places, mut rows) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for (s, part) in parts.iter().enumerate() {
            if members.iter().all(|m| m.split != s) {
                places.push([rows, 0]);
                continue;
            }
            x.extend_from_slice(&part.x);
            t.extend_from_slice(&part.t);
            places.push([rows, part.rows]);
            rows += part.rows;
        }
        let upload = |values: Vec<f32>| session.upload(&HostData::F32(values));
        let columns = [inputs, outputs.next_multiple_of(4)];
        let longest = parts.iter().map(|p| p.rows).max().unwrap_or(0);
        Ok(Self { x: upload(x)?, t: upload(t)?, columns, places, longest })
    }

    /// How many rows a split has in this part.
    pub fn rows(&self, split: usize) -> usize {
        self.places[split][1]
    }

    /// The most rows that any split has in this part, also one that no network here needs.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The place of a split's row; past the end, which gathers zeros, if it has no such row.
    pub fn place(&self, split: usize, row: usize) -> u32 {
        let [first, rows] = self.places[split];
        if row < rows { (first + row) as u32 } else { u32::MAX }
    }

    fn all(&self) -> usize {
        self.places.iter().map(|[_, rows]| rows).sum()
    }
}

/// Room for the gathered rows of one batch.
pub struct Gathered {
    x: wgpu::Buffer,
    t: wgpu::Buffer,
    picks: usize,
}

impl Gathered {
    /// For so many rows of each of so many models.
    pub fn new(session: &Session, source: &Source, rows: usize, models: usize) -> Result<Self, Error> {
        let picks = rows * models;
        let [x, t] = source.columns.map(|c| session.empty(DType::F32, picks * c));
        Ok(Self { x: x?, t: t?, picks })
    }

    /// Gathers the rows whose places are in `order`, \[rows, models\].
    pub fn gather(&self, chain: &mut Chain, source: &Source, order: wgpu::BufferSlice) -> Result<(), Error> {
        for (from, to, columns) in [(&source.x, &self.x, source.columns[0]), (&source.t, &self.t, source.columns[1])] {
            let op = GatherRows { rows: source.all(), columns, picks: self.picks };
            chain.push(&op, &[from.slice(..), order], &[to.slice(..)])?;
        }
        Ok(())
    }

    /// What was gathered, each row with its weight.
    pub fn rows<'a>(&'a self, weight: wgpu::BufferSlice<'a>) -> Rows<'a> {
        Rows { x: self.x.slice(..), t: self.t.slice(..), weight }
    }
}

/// The orders in which the rows of the training part come, reshuffled each epoch.
pub struct Orders {
    /// The place of each row and model of the batches of a submission.
    buffer: wgpu::Buffer,
    batch: usize,
    models: usize,
    slots: usize,
}

impl Orders {
    /// For `slots` batches in a submission.
    pub fn new(session: &Session, batch: usize, models: usize, slots: usize) -> Result<Self, Error> {
        let buffer = session.empty(DType::U32, slots * (batch * models).next_multiple_of(SLOT))?;
        Ok(Self { buffer, batch, models, slots })
    }

    /// Where a slot's places are.
    pub fn slot(&self, slot: usize) -> wgpu::BufferSlice<'_> {
        let len = self.batch * self.models;
        part(&self.buffer, slot * len.next_multiple_of(SLOT), len)
    }

    /// What the next submission gathers: batches from `first` on of each model's order.
    pub fn fill(&self, session: &Session, source: &Source, members: &[Member], orders: &[&[u32]], first: usize) {
        let slot = (self.batch * self.models).next_multiple_of(SLOT);
        let mut places = vec![u32::MAX; self.slots * slot];
        for (i, places) in places.chunks_exact_mut(slot).enumerate() {
            for (m, (member, order)) in members.iter().zip(orders).enumerate() {
                let rows = order.iter().skip((first + i) * self.batch).take(self.batch);
                for (r, &row) in rows.enumerate() {
                    places[r * self.models + m] = source.place(member.split, row as usize);
                }
            }
        }
        session.queue().write_buffer(&self.buffer, 0, bytemuck::cast_slice(&places));
    }
}

/// The order of a network's rows in an epoch. It depends only on seed and epoch, so that training can resume anywhere.
pub fn order(seed: u64, epoch: usize, rows: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows as u32).collect();
    let mut rng = Rng::new((seed ^ 0x6f72_6465).wrapping_add((epoch as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    shuffle(&mut order, &mut rng);
    order
}
